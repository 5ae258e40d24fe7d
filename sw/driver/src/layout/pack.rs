//! Operands as the words that a LOAD carries.
//!
//! An address is the plain concatenation of its elements' bits, each with its `banks` flat words, filled up to
//! whole link words.

use super::{Layout, Matrix, Order};
use crate::schedule::Fill;
use std::ops::Range;

/// Bits that are put together at a time.
const PIECE: usize = 64;

/// Where the flat words of one element and plane go in a payload.
struct Target {
    /// Flat word of the layout that the plane's word 0 is.
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

/// The payload of a LOAD, from the matrix that its layout is one of.
///
/// # Panics
/// If the matrix is smaller than the layout says.
pub(crate) fn payload(fill: &Fill, source: &Matrix<'_>) -> Vec<u8> {
    let (layout, pad) = (&fill.layout, &fill.layout.pad);
    if let Some(bits) = pad.codes {
        return codes(fill, bits, source);
    }
    let address_bits = pad.link_words(fill.elements) * pad.link_bits;
    let mut out = vec![0u8; fill.addresses.len() * address_bits / 8];
    let window = fill.addresses.start * pad.banks..fill.addresses.end * pad.banks;
    let slice = layout.slice;
    let mask = if slice.format.signed { -1 } else { slice.format.range().1 };
    let cut = |v: i32| (v >> slice.shift & mask) as u16;
    let digits = layout.digits();
    let mut values = vec![0u16; fill.elements * digits];
    let last = window.end.div_ceil(layout.tile_stride).min(layout.tiles.len());
    for tile in window.start / layout.tile_stride..last {
        let elements = layout.elements(tile).min(fill.elements);
        if layout.order == Order::Dense {
            let (lines, terms) = layout.tile(tile);
            copy(source, lines.start..lines.start + elements, terms, cut, &mut values, digits);
        } else {
            values.fill(0);
            layout.entries(tile, elements, |at, line, column| values[at] = cut(source.at(line, column)));
        }
        for (element, line) in values.chunks_exact(digits).take(elements).enumerate() {
            for plane in 0..layout.planes {
                let target = Target {
                    first: tile * layout.tile_stride + plane * layout.plane_stride,
                    window: window.clone(),
                    banks: pad.banks,
                    unit: pad.unit_bits(),
                    address_bits,
                    element,
                };
                place(line, (plane * pad.digit) as u32, layout, &target, &mut out);
            }
        }
    }
    out
}

/// The same for codes: bank b holds bit b of the codes of all elements.
fn codes(fill: &Fill, bits: usize, source: &Matrix<'_>) -> Vec<u8> {
    let (layout, pad) = (&fill.layout, &fill.layout.pad);
    let address_bits = pad.link_words(fill.elements) * pad.link_bits;
    let mut out = vec![0u8; fill.addresses.len() * address_bits / 8];
    let (unit, bank) = (pad.banks * pad.lanes, pad.width * pad.banks * pad.lanes);
    let window = fill.addresses.start * pad.banks..fill.addresses.end * pad.banks;
    let digits = layout.digits();
    let last = window.end.div_ceil(layout.tile_stride).min(layout.tiles.len());
    for tile in window.start / layout.tile_stride..last {
        let elements = layout.elements(tile).min(fill.elements);
        layout.entries(tile, elements, |at, line, column| {
            let (element, digit) = (at / digits, at % digits);
            let flat = tile * layout.tile_stride + digit / pad.lanes;
            if !window.contains(&flat) {
                return;
            }
            let (address, word) = ((flat - window.start) / pad.banks, (flat - window.start) % pad.banks);
            let first = address * address_bits + element * unit + word * pad.lanes + digit % pad.lanes;
            let code = source.at(line, column);
            for b in (0..bits).filter(|b| code >> b & 1 == 1) {
                let bit = first + b * bank;
                out[bit / 8] |= 1 << (bit % 8);
            }
        });
    }
    out
}

/// Entries of a dense layout: the same as [`Layout::entries`], line by line or column by column.
fn copy(
    source: &Matrix<'_>,
    lines: Range<usize>,
    columns: Range<usize>,
    cut: impl Fn(i32) -> u16,
    values: &mut [u16],
    pitch: usize,
) {
    if source.is_row_major() {
        for (line, to) in lines.zip(values.chunks_exact_mut(pitch)) {
            let from = &source.data[line * source.row_stride..][columns.clone()];
            to.iter_mut().zip(from).for_each(|(t, v)| *t = cut(*v));
        }
    } else {
        let start = columns.start;
        for column in columns {
            let from = &source.data[column * source.col_stride..][lines.clone()];
            for (line, v) in from.iter().enumerate() {
                values[line * pitch + column - start] = cut(*v);
            }
        }
    }
}

/// Writes one plane of one element.
fn place(line: &[u16], shift: u32, layout: &Layout, target: &Target, out: &mut [u8]) {
    match layout.pad.lanes.min(PIECE / layout.pad.digit) {
        1 => pieces::<1>(line, shift, layout, target, out),
        2 => pieces::<2>(line, shift, layout, target, out),
        4 => pieces::<4>(line, shift, layout, target, out),
        8 => pieces::<8>(line, shift, layout, target, out),
        16 => pieces::<16>(line, shift, layout, target, out),
        _ => pieces::<32>(line, shift, layout, target, out),
    }
}

/// [`place`] with `LANES` digits, at most 64 bits, at a time.
fn pieces<const LANES: usize>(line: &[u16], shift: u32, layout: &Layout, target: &Target, out: &mut [u8]) {
    let digit = layout.pad.digit as u32;
    let mask = (1u64 << digit) - 1;
    let bits = LANES * layout.pad.digit;
    for (w, word) in line.chunks_exact(layout.pad.lanes).enumerate() {
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
