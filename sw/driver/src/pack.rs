//! Operands as the words that a LOAD carries.
//!
//! ```text
//! digit p of v     (v >> p·digit) & (2^digit − 1), v sign-extended
//! flat word        lanes digits of one plane:                k = word·lanes + lane
//! region           tile after tile, in each plane after plane, in each word after word
//! address          for every element its `banks` flat words, least significant first
//! ```
//! So an address is the plain concatenation of its elements' bits, filled up to whole link words.

use crate::geometry::Scratchpad;
use crate::matrix::Matrix;
use crate::plan::GemmPlan;
use crate::schedule::Fill;
use std::ops::Range;
use tandem_spec::Config;

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

/// The payload of a LOAD. `source` is the operand of its side, `[elements, k]`.
///
/// # Panics
/// If `fill` is not of `plan`, or `source` not of its shape.
pub(crate) fn payload(config: &Config, plan: &GemmPlan, fill: &Fill, source: &Matrix<'_>) -> Vec<u8> {
    let pad = Scratchpad::new(config, fill.side);
    let (operand, part) = (plan.side(fill.side), &plan.parts[fill.part]);
    assert_eq!((source.rows, source.cols), (operand.elements, plan.problem.shape.k), "operand's shape");
    let slice = operand.slices[part.slice(fill.side)];
    let planes = pad.planes(slice.format.bits.into());
    let words = part.words(pad.lanes);
    let stride = planes * words;
    let link_words = pad.link_words(fill.elements);
    let address_bits = link_words * config.link_bits;
    let mut out = vec![0u8; fill.addresses.len() * address_bits / 8];
    let window = fill.addresses.start * pad.banks..fill.addresses.end * pad.banks;

    let mut values = vec![0u16; fill.elements * words * pad.lanes];
    let mask = if slice.format.signed { -1 } else { slice.format.range().1 };
    let cut = |v: i32| (v >> slice.shift & mask) as u16;
    let tiles = window.start / stride..window.end.div_ceil(stride).min(fill.region.len());
    for tile in tiles {
        let absolute = fill.region.start + tile;
        let rows = operand.rows_of(absolute).min(fill.elements);
        let first_row = absolute * operand.width;
        gather(source, first_row..first_row + rows, part.k.clone(), cut, &mut values, words * pad.lanes);
        for (element, row) in values.chunks_exact(words * pad.lanes).take(rows).enumerate() {
            for plane in 0..planes {
                let target = Target {
                    first: tile * stride + plane * words,
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
