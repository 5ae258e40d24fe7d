//! Operands as the words that a LOAD carries.
//!
//! ```text
//! digit p of v     (v >> p·digit) & (2^digit − 1), v sign-extended
//! flat word        lanes digits of one plane:                k = word·lanes + lane
//! region           tile after tile, in each plane after plane, in each word after word
//! address          for every element its `banks` flat words, least significant first
//! ```
//! So an address is the plain concatenation of its elements' bits, filled up to whole link words.

mod indices;
mod order;

use crate::geometry::{Scratchpad, Side};
use crate::matrix::Matrix;
use crate::plan::GemmPlan;
use crate::schedule::Fill;
use crate::sparsity::{Compressed, Selection};
use indices::indices;
use order::Order;
use std::ops::Range;
use tandem_spec::{Config, Memory};

/// Bits that are put together at a time.
const PIECE: usize = 64;

/// Where the flat words of one element and plane go in a payload.
struct Target {
    /// Flat word of the region that the plane's word 0 is.
    first: usize,
    /// Flat words that the payload covers.
    window: Range<usize>,
    banks: usize,
    /// Bits of a flat word.
    unit: usize,
    /// Bits of an address.
    address_bits: usize,
    element: usize,
}

impl Target {
    /// Bit of the payload where word `w` starts, if the payload covers it.
    fn bit(&self, w: usize) -> Option<usize> {
        let flat = self.first + w;
        let at = self.window.contains(&flat).then(|| flat - self.window.start)?;
        let (address, bank) = (at / self.banks, at % self.banks);
        Some(address * self.address_bits + (self.element * self.banks + bank) * self.unit)
    }
}

/// What payloads are made of.
pub(crate) struct Sources<'a> {
    /// The row operand, `[elements, k]`; selected results: `[m, k]`, whose groups are the elements.
    pub rows: &'a Matrix<'a>,
    /// The column operand, `[elements, k]`, unless it is compressed.
    pub cols: &'a Matrix<'a>,
    /// Compressed weights, or the kept results.
    pub compressed: Option<&'a Compressed>,
}

/// The payload of a LOAD.
///
/// # Panics
/// If `fill` is not of `plan`, or a source not of its shape.
pub(crate) fn payload(config: &Config, plan: &GemmPlan, fill: &Fill, sources: &Sources<'_>) -> Vec<u8> {
    match fill.memory {
        Memory::Row => operand(config, plan, fill, Side::Row, sources),
        Memory::Col => operand(config, plan, fill, Side::Col, sources),
        Memory::Index | Memory::Offset | Memory::Sample => indices(config, plan, fill, sources),
    }
}

fn operand(config: &Config, plan: &GemmPlan, fill: &Fill, side: Side, sources: &Sources<'_>) -> Vec<u8> {
    let pad = Scratchpad::new(config, side);
    let (operand, part) = (plan.side(side), &plan.parts[fill.part]);
    let slice = operand.slices[part.slice(side)];
    let planes = pad.planes(slice.format.bits.into());
    let words = plan.plane_words(config, side, fill.part);
    // Flat words from tile to tile and from plane to plane.
    let (stride, plane_stride) = plan.strides(config, side, fill.part, fill.region.len());
    let link_words = pad.link_words(fill.elements);
    let address_bits = link_words * config.link_bits;
    let mut out = vec![0u8; fill.addresses.len() * address_bits / 8];
    let window = fill.addresses.start * pad.banks..fill.addresses.end * pad.banks;

    let pitch = words * pad.lanes;
    let mut values = vec![0u16; fill.elements * pitch];
    let mask = if slice.format.signed { -1 } else { slice.format.range().1 };
    let cut = |v: i32| (v >> slice.shift & mask) as u16;
    let last = window.end.div_ceil(stride).min(fill.region.len());
    for tile in window.start / stride..last {
        let absolute = fill.region.start + tile;
        let rows = operand.rows_of(absolute).min(fill.elements);
        let first = absolute * operand.width;
        let range = first..first + rows;
        match (plan.problem.selection, side, sources.compressed) {
            (Selection::Weights(p), Side::Row, _) => {
                let order = Order { pattern: &p, k: part.k.clone(), lanes: pad.lanes };
                order.gather_terms(sources.rows, range, cut, &mut values, pitch);
            }
            (Selection::Weights(p), Side::Col, Some(w)) => {
                let order = Order { pattern: &p, k: part.k.clone(), lanes: pad.lanes };
                let depth = plan.problem.depth();
                order.gather_kept(&w.values, depth, range, cut, &mut values, pitch);
            }
            (Selection::Results(p), Side::Row, _) => {
                let order = Order { pattern: &p, k: part.k.clone(), lanes: pad.lanes };
                order.gather_lines(sources.rows, range, cut, &mut values, pitch);
            }
            _ => {
                let source = if side == Side::Row { sources.rows } else { sources.cols };
                assert_eq!((source.rows, source.cols), (operand.elements, plan.problem.shape.k), "shape");
                gather(source, range, part.k.clone(), cut, &mut values, pitch);
            }
        }
        for (element, row) in values.chunks_exact(pitch).take(rows).enumerate() {
            for plane in 0..planes {
                let target = Target {
                    first: tile * stride + plane * plane_stride,
                    window: window.clone(),
                    banks: pad.banks,
                    unit: pad.unit_bits(),
                    address_bits,
                    element,
                };
                place(row, (plane * pad.digit) as u32, &pad, &target, &mut out);
            }
        }
    }
    out
}

/// Copies rows × k of `source` to rows of `pitch` values.
fn gather(
    source: &Matrix<'_>,
    rows: Range<usize>,
    k: Range<usize>,
    cut: impl Fn(i32) -> u16,
    values: &mut [u16],
    pitch: usize,
) {
    if source.is_row_major() {
        for (row, to) in rows.zip(values.chunks_exact_mut(pitch)) {
            let from = &source.data[row * source.row_stride..][k.clone()];
            to.iter_mut().zip(from).for_each(|(t, v)| *t = cut(*v));
        }
    } else {
        let start = k.start;
        for k in k {
            let from = &source.data[k * source.col_stride..][rows.clone()];
            for (row, v) in from.iter().enumerate() {
                values[row * pitch + k - start] = cut(*v);
            }
        }
    }
}

/// Writes one plane of one element.
fn place(row: &[u16], shift: u32, pad: &Scratchpad, target: &Target, out: &mut [u8]) {
    match pad.lanes.min(PIECE / pad.digit) {
        1 => pieces::<1>(row, shift, pad, target, out),
        2 => pieces::<2>(row, shift, pad, target, out),
        4 => pieces::<4>(row, shift, pad, target, out),
        8 => pieces::<8>(row, shift, pad, target, out),
        16 => pieces::<16>(row, shift, pad, target, out),
        _ => pieces::<32>(row, shift, pad, target, out),
    }
}

/// [`place`] with `LANES` digits, at most 64 bits, at a time.
fn pieces<const LANES: usize>(row: &[u16], shift: u32, pad: &Scratchpad, target: &Target, out: &mut [u8]) {
    let digit = pad.digit as u32;
    let mask = (1u64 << digit) - 1;
    let bits = LANES * pad.digit;
    for (w, word) in row.chunks_exact(pad.lanes).enumerate() {
        let Some(mut bit) = target.bit(w) else { continue };
        for lanes in word.chunks_exact(LANES) {
            let mut v = 0u64;
            for (l, value) in lanes.iter().enumerate() {
                v |= (u64::from(*value) >> shift & mask) << (l as u32 * digit);
            }
            let at = bit / 8;
            match bits {
                64 => out[at..at + 8].copy_from_slice(&v.to_le_bytes()),
                32 => out[at..at + 4].copy_from_slice(&(v as u32).to_le_bytes()),
                16 => out[at..at + 2].copy_from_slice(&(v as u16).to_le_bytes()),
                8 => out[at] = v as u8,
                _ => out[at] |= (v as u8) << (bit % 8),
            }
            bit += bits;
        }
    }
}
