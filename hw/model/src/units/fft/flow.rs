//! A TRANSFORM in time (docs/fft.md, "Timing"): what it has done before any given cycle.

use crate::units::flow::Flow;
use tandem_spec::config::Fft;
use tandem_spec::{Config, Transform};

/// A TRANSFORM that is taken in cycle `taken`.
pub(super) fn flow(t: &Transform, config: &Config, fft: &Fft, taken: u64) -> Flow {
    let points = 1u64 << t.log_points;
    let passes = u64::from(t.log_points).div_ceil(2);
    let groups = u64::from(t.count) * points;
    Flow {
        taken,
        groups,
        results: groups,
        per_word: (config.array.drain / fft.samples) as u64,
        first_out: taken + 2 * points + 5 * passes + 3,
        // the status word
        closing: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;
    use tandem_spec::Tokens;

    #[test]
    fn every_prefix_is_that_of_the_table() {
        let toml = "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=8\n[memory]\nrow_depth=8\n\
                    col_depth=8\nresult_depth=64\n[fft]\npoints=64\nsamples=2\ndepth=64\n";
        let config = Config::from_toml("t", toml).unwrap();
        for (log_points, count) in [(2, 1), (2, 7), (3, 3), (5, 2), (6, 16)] {
            let t = Transform {
                tokens: Tokens::default(),
                inverse: false,
                block: false,
                tile: false,
                address: 0,
                count,
                result_base: 0,
                log_points,
            };
            let (n, p) = (1u64 << log_points, u64::from(log_points).div_ceil(2));
            let (s, g, taken) = (u64::from(count) * n, 4, 5);
            let flow = flow(&t, &config, config.fft.as_ref().unwrap(), taken);
            let mut writes: Vec<u64> =
                (0..s.div_ceil(g)).map(|j| taken + 2 * n + 5 * p + 2 + ((j + 1) * g).min(s)).collect();
            writes.push(taken + 2 * n + 5 * p + 3 + s);
            assert_eq!(flow.quiet(), taken + 2 * n + 5 * p + 4 + s);
            for x in 0..flow.quiet() + 3 {
                let read = (0..s).filter(|i| taken + 1 + i < x).count() as u64;
                let written = writes.iter().filter(|w| **w < x).count() as u64;
                let progress = flow.before(x);
                assert_eq!(progress.steps, read.into());
                assert_eq!(progress.drained, written.into(), "{log_points} {count} before {x}");
            }
        }
    }
}
