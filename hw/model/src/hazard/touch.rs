//! Words that an instruction touches (docs/accelerator.md, "Hazards").

use super::ring::Ring;
use crate::memory::Pad;
use crate::timing::Tiles;
use std::iter::Chain;
use std::ops::Range;
use tandem_spec::{Compute, Config, Load, Loop, Transform};

/// Every turn of all levels from `base` on.
fn walked(config: &Config, c: &Compute, base: i16, stride: impl Fn(&Loop) -> i16) -> Ring {
    let mut ring = Ring::new(config.address_bits, base);
    for l in &c.loops[..config.loops] {
        ring.spread(stride(l), l.count.into());
    }
    ring
}

/// The addresses of a set in a memory, `banks` of them a word.
fn inside(config: &Config, ring: &Ring, banks: usize, depth: usize) -> Vec<usize> {
    let mut words: Vec<usize> =
        ring.addresses(config.address_bits).map(|a| a / banks).filter(|a| *a < depth).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Rows or columns of which a LOAD writes something.
pub(super) fn loaded(config: &Config, l: &Load, pad: &Pad) -> impl Iterator<Item = usize> + use<> {
    let bits = pad.banks * pad.lanes * pad.digit;
    let reached =
        if l.broadcast { pad.elements } else { (usize::from(l.words) * config.link_bits).div_ceil(bits) };
    let mask = l.mask;
    (0..reached.min(pad.elements)).filter(move |e| mask >> e & 1 == 1)
}

/// Gives each row's windows that a COMPUTE reads.
pub(super) fn rows(config: &Config, c: &Compute, offsets: &[i16], mut give: impl FnMut(usize, &[usize])) {
    let mut ring = walked(config, c, c.row_base, |l| l.row_stride);
    ring.spread(c.row_plane_stride, c.row_planes.into());
    let mut last: Option<(i16, Vec<usize>)> = None;
    for (r, offset) in offsets.iter().enumerate() {
        let same = last.take().filter(|(of, _)| of == offset);
        let (_, words) = last.insert(same.unwrap_or_else(|| {
            (*offset, inside(config, &ring.moved(*offset), config.array.select, config.memory.row))
        }));
        give(r, words);
    }
}

/// Words that a COMPUTE reads of every column's memory.
pub(super) fn cols(config: &Config, c: &Compute) -> Vec<usize> {
    let mut ring = walked(config, c, c.col_base, |l| l.col_stride);
    ring.spread(c.col_plane_stride, c.col_planes.into());
    inside(config, &ring, 1, config.memory.col)
}

/// Words that a COMPUTE reads of every column's index memory: none if it does not select.
pub(super) fn indices(config: &Config, c: &Compute) -> Vec<usize> {
    if c.select == 0 {
        return vec![];
    }
    let ring = if c.held {
        let mut ring = Ring::new(config.address_bits, c.index_base);
        let tiles = Tiles::new(c, config, 0).tiles;
        ring.spread(1, tiles.min(1 << 16) as usize);
        ring
    } else {
        walked(config, c, c.index_base, |l| l.col_stride)
    };
    inside(config, &ring, 1, config.memory.index)
}

/// `count` result words from `base` on, each once.
fn wrapped(config: &Config, base: u16, count: usize) -> Chain<Range<usize>, Range<usize>> {
    let depth = config.memory.result;
    let (from, count) = (usize::from(base) % depth, count.min(depth));
    let over = (from + count).saturating_sub(depth);
    (0..over).chain(from..from + count - over)
}

/// Result words that a COMPUTE writes.
pub(super) fn results(config: &Config, c: &Compute) -> impl Iterator<Item = usize> + use<> {
    let tiles = Tiles::new(c, config, 0);
    let words = tiles.words(tiles.tiles).min(config.memory.result as u128) as usize;
    wrapped(config, c.result_base, words)
}

/// Words of the sample memory that a TRANSFORM reads, and result words that it writes.
pub(super) fn transform(
    config: &Config,
    t: &Transform,
) -> (Range<usize>, impl Iterator<Item = usize> + use<>) {
    let Some(fft) = &config.fft else { return (0..0, wrapped(config, 0, 0)) };
    let groups = usize::from(t.count) << t.log_points;
    let from = usize::from(t.address);
    let words = groups.div_ceil(config.array.drain / fft.samples) + 1;
    (from..from + groups.div_ceil(fft.groups(config.link_bits)), wrapped(config, t.result_base, words))
}
