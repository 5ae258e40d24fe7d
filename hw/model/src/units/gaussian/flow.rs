//! A SMOOTH in time (docs/gaussian.md, "Timing"): what it has done before any given cycle.

use crate::units::flow::Flow;
use tandem_spec::config::Gaussian;
use tandem_spec::{Config, Smooth};

/// Cycles from where an instruction is taken to the output register of its first group.
const LATENCY: u64 = 9;

/// A SMOOTH that is taken in cycle `taken`.
pub(super) fn flow(s: &Smooth, config: &Config, unit: &Gaussian, taken: u64) -> Flow {
    let groups = |steps: u16| Gaussian::TURNS as u64 * u64::from(steps);
    let (all, results) = (groups(s.count), groups(s.count.saturating_sub(s.skip)));
    Flow {
        taken,
        groups: all,
        results,
        per_word: (config.array.drain / unit.pixels) as u64,
        first_out: taken + LATENCY + all - results,
        closing: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    #[test]
    fn every_prefix_is_that_of_the_table() {
        let toml = "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=8\n[memory]\nrow_depth=8\n\
                    col_depth=8\nresult_depth=64\n[gaussian]\npixels=2\nradius=9\ndepth=64\n";
        let config = Config::from_toml("t", toml).unwrap();
        for (count, skip) in [(1u16, 0u16), (5, 0), (5, 3), (7, 7), (3, 9), (64, 18)] {
            let s = Smooth { count, skip, ..Smooth::default() };
            let flow = flow(&s, &config, config.gaussian.as_ref().unwrap(), 5);
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
