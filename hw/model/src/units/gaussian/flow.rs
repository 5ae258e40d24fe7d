//! A SMOOTH in time (docs/gaussian.md, "Timing"): what it has done before any given cycle.

use crate::units::{Progress, Span};
use tandem_spec::config::Gaussian;
use tandem_spec::{Config, Smooth};

/// A SMOOTH that was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    taken: u64,
    /// B: groups read.
    groups: u64,
    /// R: groups with results.
    results: u64,
    /// G: groups of a result word.
    per_word: u64,
}

/// Cycles from where an instruction is taken to the output register of its first group.
const LATENCY: u64 = 9;

impl Flow {
    /// Takes the instruction in cycle `taken`.
    pub(crate) fn new(s: &Smooth, config: &Config, unit: &Gaussian, taken: u64) -> Self {
        let groups = |steps: u16| Gaussian::TURNS as u64 * u64::from(steps);
        Flow {
            taken,
            groups: groups(s.count),
            results: groups(s.count.saturating_sub(s.skip)),
            per_word: (config.array.drain / unit.pixels) as u64,
        }
    }

    /// Result words written before cycle `x`.
    fn written_before(&self, x: u64) -> u64 {
        let out = x.saturating_sub(self.taken + LATENCY + self.groups - self.results);
        if out < self.results { out / self.per_word } else { self.results.div_ceil(self.per_word) }
    }
}

impl Span for Flow {
    fn idle(&self) -> u64 {
        self.quiet()
    }

    fn quiet(&self) -> u64 {
        self.taken + LATENCY + self.groups
    }

    fn before(&self, cycle: u64) -> Progress {
        Progress {
            steps: cycle.saturating_sub(self.taken + 1).min(self.groups).into(),
            drained: self.written_before(cycle).into(),
            ..Progress::default()
        }
    }

    fn issue_of(&self, step: u128) -> u64 {
        self.taken + 1 + step as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_is_that_of_the_table() {
        let toml = "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=8\n[memory]\nrow_depth=8\n\
                    col_depth=8\nresult_depth=64\n[gaussian]\npixels=2\nradius=9\ndepth=64\n";
        let config = Config::from_toml("t", toml).unwrap();
        for (count, skip) in [(1u16, 0u16), (5, 0), (5, 3), (7, 7), (3, 9), (64, 18)] {
            let s = Smooth { count, skip, ..Smooth::default() };
            let flow = Flow::new(&s, &config, config.gaussian.as_ref().unwrap(), 5);
            let (b, r) = (4 * u64::from(count), 4 * u64::from(count).saturating_sub(skip.into()));
            let writes: Vec<u64> = (0..r.div_ceil(4)).map(|j| 5 + 8 + b - r + ((j + 1) * 4).min(r)).collect();
            assert_eq!(flow.quiet(), 5 + 9 + b);
            for x in 0..flow.quiet() + 3 {
                let read = (0..b).filter(|i| 5 + 1 + i < x).count() as u128;
                let written = writes.iter().filter(|w| **w < x).count() as u128;
                let progress = flow.before(x);
                assert_eq!((progress.steps, progress.drained), (read, written), "{count} {skip} before {x}");
            }
        }
    }
}
