//! A packet on the output link, tick by tick.
//!
//! ```text
//! ticks 1…U header │ gap to F−1 │ F…E data │ U summary │ 1 gap │ K checksum
//! ```
//! A tick that offers a word lasts until the host takes it, any other lasts one cycle. A packet without
//! data has E = F − 1.

use super::gate::Gate;
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Config, Store, Timing};

/// The data ticks of a packet, the first of which is F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// So many words, one a tick.
    Words(u64),
    /// A result word a tick, each shorter than a link word.
    Packed {
        /// Result words.
        count: u64,
        /// Bits of a result word.
        each: u64,
        /// Bits of a link word.
        link: u64,
    },
}

impl Data {
    /// Those of a STORE.
    pub(crate) fn of_store(config: &Config, s: &Store) -> Self {
        let lanes = if s.lanes == 0 { config.array.drain } else { s.lanes.into() };
        let (each, link) = ((lanes * s.format.bits()) as u64, config.link_bits as u64);
        let count = u64::from(s.count);
        if each >= link {
            Data::Words((count * each).div_ceil(link))
        } else {
            Data::Packed { count, each, link }
        }
    }

    /// Those of a READ.
    pub(crate) fn of_read(config: &Config) -> Self {
        Data::Words((32 * REGISTERS.len()).div_ceil(config.link_bits) as u64)
    }

    /// Link words.
    fn words(self) -> u64 {
        match self {
            Data::Words(n) => n,
            Data::Packed { count, each, link } => (count * each).div_ceil(link),
        }
    }

    /// The tick of word `j`, after F. Whole words never wait for the one before, so that only the last one can be due
    /// together with another.
    fn tick(self, j: u64) -> u64 {
        match self {
            Data::Words(_) => j,
            Data::Packed { count, each, link } => {
                let whole = |j: u64| ((j + 1) * link).div_ceil(each) - 1;
                if (j + 1) * link <= count * each {
                    whole(j)
                } else {
                    (count - 1).max(if j == 0 { 0 } else { whole(j - 1) + 1 })
                }
            }
        }
    }

    /// Ticks that they take.
    fn ticks(self) -> u64 {
        self.words().checked_sub(1).map_or(0, |last| self.tick(last) + 1)
    }
}

/// When a packet's last word was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Cycle in which the last word is taken.
    pub(crate) last: u64,
    /// Cycles in which a word was offered and not taken.
    pub(crate) waits: u64,
}

/// Sends a packet that is begun in cycle `at` (tick 1 is the next one); `None` if the host never takes
/// all of it.
pub(crate) fn send(t: &Timing, gate: &Gate, at: u64, data: Data) -> Option<Sent> {
    let (unit, check, first) = (t.unit_words as u64, t.check_words as u64, t.first_data as u64);
    let ticks = first - 1 + data.ticks() + unit + 1 + check;
    if gate.never_stalls() {
        return Some(Sent { last: at.checked_add(ticks)?, waits: 0 });
    }
    let offer = |now: u64, words: u64| if words == 0 { Some(now) } else { gate.nth(now + 1, words) };
    let mut now = offer(at, unit)? + (first - 1 - unit);
    match data {
        Data::Words(n) => now = offer(now, n)?,
        Data::Packed { .. } => {
            let mut next = 0;
            for j in 0..data.words() {
                now = offer(now + data.tick(j) - next, 1)?;
                next = data.tick(j) + 1;
            }
        }
    }
    now = offer(now, unit)?;
    let last = offer(now + 1, check)?;
    Some(Sent { last, waits: last - at - ticks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tandem_spec::Stall;

    fn config(link: usize) -> Config {
        let toml = format!(
            "[array]\nrows=2\ncols=2\nlanes=1\nrow_digit=4\ncol_digit=4\n\
             [memory]\nrow_depth=8\ncol_depth=8\nresult_depth=64\n[link]\nbits={link}\n"
        );
        Config::from_toml("t", &toml).unwrap()
    }

    /// The ticks as the page lists them: whether each offers a word.
    fn offered(t: &Timing, data: Data) -> Vec<bool> {
        let (u, f) = (t.unit_words, t.first_data);
        let mut at: Vec<usize> = (1..=u).collect();
        let e = match data {
            Data::Words(n) => {
                at.extend((0..n as usize).map(|j| f + j));
                f + n as usize - 1
            }
            Data::Packed { count, each, link } => {
                let mut last = -1i64;
                for j in 0..(count * each).div_ceil(link) {
                    last = (((j + 1) * link).div_ceil(each).min(count) as i64 - 1).max(last + 1);
                    at.push(f + last as usize);
                }
                f + last as usize
            }
        };
        at.extend(e + 1..=e + u);
        at.extend(e + u + 2..=e + u + 1 + t.check_words);
        (1..=e + u + 1 + t.check_words).map(|tick| at.contains(&tick)).collect()
    }

    proptest! {
        #[test]
        fn packets_end_when_their_ticks_have_passed(
            pattern in prop::collection::vec(any::<bool>(), 0..9), at in 0u64..20, count in 1u64..20,
            each in 1u64..128, packed in any::<bool>(), link in 3u32..8,
        ) {
            let t = Timing::new(&config(1 << link));
            let stall = Stall { pattern };
            let link = 1 << link;
            let packed = packed && each < link;
            let data = if packed { Data::Packed { count, each, link } } else { Data::Words(count) };
            let (mut cycle, mut waits) = (at + 1, 0);
            for word in offered(&t, data) {
                while word && stall.at(cycle) && cycle < 100_000 {
                    cycle += 1;
                    waits += 1;
                }
                cycle += 1;
            }
            let expected = (cycle < 100_000).then_some(Sent { last: cycle - 1, waits });
            prop_assert_eq!(send(&t, &Gate::new(&stall, 0), at, data), expected);
        }
    }
}
