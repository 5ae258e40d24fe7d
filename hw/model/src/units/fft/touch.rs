//! Words that a TRANSFORM touches.

use crate::hazard::wrapped;
use std::ops::Range;
use tandem_spec::config::Fft;
use tandem_spec::{Config, Transform};

/// Words of the sample memory that a TRANSFORM reads, and result words that it writes.
pub(super) fn transform(
    config: &Config,
    fft: &Fft,
    t: &Transform,
) -> (Range<usize>, impl Iterator<Item = usize> + use<>) {
    let groups = usize::from(t.count) << t.log_points;
    let from = usize::from(t.address);
    let words = groups.div_ceil(config.array.drain / fft.samples) + 1;
    (from..from + groups.div_ceil(fft.groups(config.link_bits)), wrapped(config, t.result_base, words))
}
