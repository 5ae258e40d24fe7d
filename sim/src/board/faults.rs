//! A line that damages bytes, from a seed.

use std::collections::VecDeque;
use tandem_stimuli::Random;

/// What happens to a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It is lost.
    Drop,
    /// One of its bits is inverted.
    Flip,
    /// It comes twice.
    Duplicate,
    /// It and what follows come later.
    Delay,
    /// It comes as two bytes, one for each half.
    Split,
    /// A byte comes before it.
    Insert,
    /// Up to [`LONGEST_BURST`] bytes come before it.
    Burst,
    /// The line is low for the time of up to [`LONGEST_LOW`] bytes, which are lost.
    Low,
    /// The line is high for the time of up to [`LONGEST_PAUSE`] bytes, which are lost.
    High,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 9] = [
        Fault::Drop,
        Fault::Flip,
        Fault::Duplicate,
        Fault::Delay,
        Fault::Split,
        Fault::Insert,
        Fault::Burst,
        Fault::Low,
        Fault::High,
    ];
}

/// How often bytes are damaged: `count` in `among`, drawn from `seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRate {
    /// Faults …
    pub count: u64,
    /// … in so many bytes.
    pub among: u64,
    /// Of the generator.
    pub seed: u64,
}

impl FaultRate {
    /// No faults.
    pub const NONE: FaultRate = FaultRate { count: 0, among: 1, seed: 0 };
}

/// What a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A byte.
    Byte(u8),
    /// Nothing, for the time of so many bytes.
    Pause(u32),
    /// A low level, for the time of so many bytes, and no stop bit.
    Low(u32),
}

/// Longest delay, in bytes.
pub const LONGEST_PAUSE: u64 = 200;
/// Most bytes of a burst.
pub const LONGEST_BURST: u64 = 20;
/// Longest low level, in bytes: at 3 Mbaud less than 8½ bits of 115,200 baud, after which a board has another rate
/// (`EmulatorOptions::stick` does that).
pub const LONGEST_LOW: u64 = 16;

/// Damages the bytes of one direction.
///
/// The same seed and the same bytes give the same faults, however the bytes are cut into calls.
#[derive(Clone, Debug)]
pub struct Injector {
    rate: FaultRate,
    random: Random,
    /// Bytes that the line will yet lose, if they are sent while it is stuck.
    lost: u64,
    /// Faults so far, in the order of [`Fault::ALL`].
    pub counts: [u64; Fault::ALL.len()],
}

impl Injector {
    /// An injector; `direction` tells the two of one seed apart.
    pub fn new(rate: FaultRate, direction: u64) -> Self {
        let random = Random(rate.seed ^ direction.wrapping_mul(0xa076_1d64_78bd_642f));
        Injector { rate, random, lost: 0, counts: [0; Fault::ALL.len()] }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random.any() % below
    }

    /// The time of everything sent is over, that of a stuck level too: bytes that come later pass.
    pub fn line_is_idle(&mut self) {
        self.lost = 0;
    }

    /// Sends a byte to the end of `line`, maybe damaged.
    pub fn pass(&mut self, byte: u8, line: &mut VecDeque<Item>) {
        if self.lost > 0 {
            self.lost -= 1;
            return;
        }
        if self.rate.count == 0 || self.draw(self.rate.among) >= self.rate.count {
            line.push_back(Item::Byte(byte));
            return;
        }
        let kind = self.draw(Fault::ALL.len() as u64) as usize;
        self.counts[kind] += 1;
        self.damage(Fault::ALL[kind], byte, line);
    }

    /// Does one thing to a byte.
    pub fn damage(&mut self, fault: Fault, byte: u8, line: &mut VecDeque<Item>) {
        match fault {
            Fault::Drop => {}
            Fault::Flip => line.push_back(Item::Byte(byte ^ 1 << self.draw(8))),
            Fault::Duplicate => line.extend([Item::Byte(byte); 2]),
            Fault::Delay => {
                line.push_back(Item::Pause(1 + self.draw(LONGEST_PAUSE) as u32));
                line.push_back(Item::Byte(byte));
            }
            Fault::Split => line.extend([Item::Byte(byte & 0x0f), Item::Byte(byte >> 4)]),
            Fault::Insert => line.extend([self.any(), Item::Byte(byte)]),
            Fault::Burst => {
                (0..1 + self.draw(LONGEST_BURST)).for_each(|_| line.push_back(self.any()));
                line.push_back(Item::Byte(byte));
            }
            Fault::Low => {
                self.lost = self.draw(LONGEST_LOW);
                line.push_back(Item::Low(1 + self.lost as u32));
            }
            Fault::High => {
                self.lost = self.draw(LONGEST_PAUSE);
                line.push_back(Item::Pause(1 + self.lost as u32));
            }
        }
    }

    /// Any byte.
    pub fn any(&mut self) -> Item {
        Item::Byte(self.draw(256) as u8)
    }

    /// Faults so far.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(rate: FaultRate, direction: u64, n: usize) -> (Vec<Item>, Injector) {
        let mut injector = Injector::new(rate, direction);
        let mut line = VecDeque::new();
        (0..n).for_each(|i| injector.pass(i as u8, &mut line));
        (line.into(), injector)
    }

    #[test]
    fn without_faults_bytes_pass() {
        let (line, injector) = sent(FaultRate::NONE, 0, 1000);
        assert!(line.iter().enumerate().all(|(i, item)| *item == Item::Byte(i as u8)));
        assert_eq!((line.len(), injector.total()), (1000, 0));
    }

    #[test]
    fn the_rate_is_met_and_every_kind_occurs() {
        let rate = FaultRate { count: 1, among: 100, seed: 7 };
        let (_, injector) = sent(rate, 0, 100_000);
        // a fault loses (7.5 + 99.5) / 9 bytes more on average: mean 100,000 / 111.9 = 894, standard deviation below 29
        assert!((749..1039).contains(&injector.total()), "{}", injector.total());
        // mean 99, standard deviation below 10
        assert!(injector.counts.iter().all(|c| (49..149).contains(c)), "{:?}", injector.counts);
    }

    #[test]
    fn a_seed_decides_all_and_directions_differ() {
        let rate = FaultRate { count: 1, among: 10, seed: 3 };
        assert_eq!(sent(rate, 0, 2000).0, sent(rate, 0, 2000).0);
        assert_ne!(sent(rate, 0, 2000).0, sent(rate, 1, 2000).0);
        assert_ne!(sent(rate, 0, 2000).0, sent(FaultRate { seed: 4, ..rate }, 0, 2000).0);
    }

    #[test]
    fn what_each_fault_does() {
        let mut injector = Injector::new(FaultRate::NONE, 0);
        let mut after = |fault| {
            let mut line = VecDeque::new();
            injector.damage(fault, 0xa5, &mut line);
            Vec::from(line)
        };
        assert_eq!(after(Fault::Drop), []);
        assert_eq!(after(Fault::Duplicate), [Item::Byte(0xa5); 2]);
        assert_eq!(after(Fault::Split), [Item::Byte(0x05), Item::Byte(0x0a)]);
        let [Item::Byte(flipped)] = after(Fault::Flip)[..] else { panic!("one byte") };
        assert_eq!((flipped ^ 0xa5).count_ones(), 1);
        let [Item::Pause(n), Item::Byte(0xa5)] = after(Fault::Delay)[..] else { panic!("a pause first") };
        assert!((1..=LONGEST_PAUSE).contains(&u64::from(n)));
        let [Item::Byte(_), Item::Byte(0xa5)] = after(Fault::Insert)[..] else { panic!("a byte first") };
        let burst = after(Fault::Burst);
        assert!((2..=1 + LONGEST_BURST as usize).contains(&burst.len()), "{burst:?}");
        assert_eq!(burst.last(), Some(&Item::Byte(0xa5)));
    }

    #[test]
    fn a_stuck_line_loses_the_bytes_of_its_time() {
        for (fault, longest) in [(Fault::Low, LONGEST_LOW), (Fault::High, LONGEST_PAUSE)] {
            let mut injector = Injector::new(FaultRate::NONE, 0);
            let mut line = VecDeque::new();
            injector.damage(fault, 0, &mut line);
            (1..=255).for_each(|b| injector.pass(b, &mut line));
            let (Item::Low(n) | Item::Pause(n)) = line[0] else { panic!("{fault:?}: {line:?}") };
            assert!((1..=longest as u32).contains(&n), "{fault:?}: {n}");
            let rest: Vec<Item> = (n as u8..=255).map(Item::Byte).collect();
            assert_eq!(line.range(1..).copied().collect::<Vec<_>>(), rest, "{fault:?}");
        }
    }

    #[test]
    fn what_is_sent_after_a_stuck_level_passes() {
        for fault in [Fault::Low, Fault::High] {
            let mut injector = Injector::new(FaultRate::NONE, 0);
            let mut line = VecDeque::new();
            while injector.lost == 0 {
                injector.damage(fault, 0, &mut line);
            }
            line.clear();
            injector.line_is_idle();
            injector.pass(9, &mut line);
            assert_eq!(line, [Item::Byte(9)], "{fault:?}");
        }
    }
}
