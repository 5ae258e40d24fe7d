//! Words that a COMPUTE touches (docs/accelerator.md, "Hazards").

use super::tiles::Tiles;
use crate::hazard::{Ring, wrapped};
use tandem_spec::{Compute, Config, Loop, Memory};

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

/// Words that a COMPUTE reads of every column's memory, or of its code memory.
pub(super) fn cols(config: &Config, c: &Compute) -> (Memory, Vec<usize>) {
    let mut ring = walked(config, c, c.col_base, |l| l.col_stride);
    ring.spread(c.col_plane_stride, c.col_planes.into());
    match &config.codebook {
        Some(book) if c.coded => (Memory::Code, inside(config, &ring, config.code_words(), book.depth)),
        _ => (Memory::Col, inside(config, &ring, 1, config.memory.col)),
    }
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

/// Result words that a COMPUTE writes.
pub(super) fn results(config: &Config, c: &Compute) -> impl Iterator<Item = usize> + use<> {
    let tiles = Tiles::new(c, config, 0);
    let words = tiles.words(tiles.tiles).min(config.memory.result as u128) as usize;
    wrapped(config, c.result_base, words)
}
