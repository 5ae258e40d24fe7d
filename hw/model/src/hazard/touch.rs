//! Words that an instruction touches (docs/accelerator.md, "Hazards"): what is common to all units.

use crate::memory::Pad;
use std::iter::Chain;
use std::ops::Range;
use tandem_spec::{Config, Load};

/// Rows or columns of which a LOAD writes something.
pub(super) fn loaded(config: &Config, l: &Load, pad: &Pad) -> impl Iterator<Item = usize> + use<> {
    // where banks are outermost, what covers an element's first one
    let bits = if pad.planar { 1 } else { pad.banks } * pad.lanes * pad.digit;
    let reached =
        if l.broadcast { pad.elements } else { (usize::from(l.words) * config.link_bits).div_ceil(bits) };
    let mask = l.mask;
    (0..reached.min(pad.elements)).filter(move |e| mask >> e & 1 == 1)
}

/// `count` result words from `base` on, each once.
pub(crate) fn wrapped(config: &Config, base: u16, count: usize) -> Chain<Range<usize>, Range<usize>> {
    let depth = config.memory.result;
    let (from, count) = (usize::from(base) % depth, count.min(depth));
    let over = (from + count).saturating_sub(depth);
    (0..over).chain(from..from + count - over)
}
