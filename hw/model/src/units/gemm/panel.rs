//! Operand panels: the digits of a stretch of turns, put together to whole numbers.
//!
//! ```text
//! x[r][t·V·lanes + v·lanes + l] = Σ_p ±digit_l(row r, address (A_t + p·stride) | v) · 2^(p·row_digit)
//! w[c][t·V·lanes + v·lanes + l] = Σ_q ±digit_l(col c, address B_t + q·stride) · 2^(q·col_digit)   if v = index_l
//!                               = 0                                                              else
//! ```
//! V = 2^select. Σ_p Σ_q of digit products with their shifts is the product of these numbers, modulo
//! any power of two; and a lane that picks one of V operands is a dot product of length V in which all
//! others meet zero. So one dense product of panels is bit-exact for every precision and pattern.

use crate::memory::{Memories, Pad};
use tandem_spec::Memory;

/// A number of a panel.
pub(crate) trait Operand: Copy + Default {
    /// The digit `d`, signed if `sign` is its top bit and unsigned if that is 0, times 2^shift, added.
    fn add_digit(self, d: u8, sign: u8, shift: u32) -> Self;
    /// The product, modulo 2^32.
    fn times(self, other: Self) -> i32;
}

impl Operand for i16 {
    fn add_digit(self, d: u8, sign: u8, shift: u32) -> i16 {
        self.wrapping_add((i16::from(d ^ sign) - i16::from(sign)) << shift)
    }
    fn times(self, other: i16) -> i32 {
        i32::from(self) * i32::from(other)
    }
}

impl Operand for i32 {
    fn add_digit(self, d: u8, sign: u8, shift: u32) -> i32 {
        self.wrapping_add((i32::from(d ^ sign) - i32::from(sign)) << shift)
    }
    fn times(self, other: i32) -> i32 {
        self.wrapping_mul(other)
    }
}

/// A digit plane of an operand.
#[derive(Clone, Copy, Debug)]
struct Plane {
    /// Added to the address.
    offset: i16,
    /// Top bit of a digit if it is signed, else 0.
    sign: u8,
    /// Weight: 2^shift.
    shift: u32,
}

/// The digit planes of an operand, least significant first.
#[derive(Clone, Debug)]
pub(crate) struct Planes {
    planes: Vec<Plane>,
    bits: usize,
    signed: bool,
}

impl Planes {
    /// `count` planes of `digit` bits, `stride` addresses apart.
    pub(crate) fn new(count: u8, digit: usize, stride: i16, signed: bool) -> Self {
        let planes = (0..count)
            .map(|p| Plane {
                offset: stride.wrapping_mul(p.into()),
                sign: if signed && p + 1 == count { 1 << (digit - 1) } else { 0 },
                shift: u32::from(p) * digit as u32,
            })
            .collect();
        Planes { planes, bits: usize::from(count) * digit, signed }
    }

    /// Whether every number fits 16 signed bits.
    pub(crate) fn fit_16_bits(&self) -> bool {
        self.bits <= 15 + usize::from(self.signed)
    }

    /// The numbers of a word, those of addresses outside the memory being zero.
    fn word<T: Operand, const L: usize>(&self, words: &impl Words<L>, address: i16, or: usize) -> [T; L] {
        let mut sum = [T::default(); L];
        for (number, plane) in self.planes.iter().enumerate() {
            if let Some(digits) = words.digits(number, address.wrapping_add(plane.offset), or) {
                for (s, d) in sum.iter_mut().zip(digits) {
                    *s = s.add_digit(d, plane.sign, plane.shift);
                }
            }
        }
        sum
    }
}

/// The words of an element.
pub(crate) trait Words<const L: usize> {
    /// Digits of plane number `plane` at an address, whose lower bits are at least `or`; none outside the memory.
    fn digits(&self, plane: usize, address: i16, or: usize) -> Option<[u8; L]>;
}

/// Words of digits; addresses end at `reach`.
pub(crate) struct Digits<'a, const L: usize> {
    words: &'a [[u8; L]],
    reach: u16,
}

/// A column's codes: `[address][bit][word · lanes + lane]`, and its levels: `[digit][code]`.
pub(crate) struct Codes<'a> {
    bits: &'a [u8],
    levels: &'a [u8],
    /// Bits of a code.
    width: usize,
    /// Words of codes at an address.
    words: usize,
    reach: u16,
}

impl<'a, const L: usize> Digits<'a, L> {
    /// Those of element `e` of a memory.
    fn of(pad: &'a Pad, e: usize) -> Self {
        let (words, _) = pad.element(e).as_chunks::<L>();
        Digits { words, reach: pad.reach }
    }
}

impl<const L: usize> Words<L> for Digits<'_, L> {
    #[inline(always)]
    fn digits(&self, _: usize, address: i16, or: usize) -> Option<[u8; L]> {
        self.words.get(usize::from(address as u16 & self.reach) | or).copied()
    }
}

impl<const L: usize> Words<L> for Codes<'_> {
    fn digits(&self, plane: usize, address: i16, _: usize) -> Option<[u8; L]> {
        let flat = usize::from(address as u16 & self.reach);
        let (at, word) = (flat / self.words, flat % self.words);
        let bank = self.words * L;
        let bits = self.bits.get(at * self.width * bank..(at + 1) * self.width * bank)?;
        let code = |lane: usize| {
            (0..self.width).map(|b| usize::from(bits[b * bank + word * L + lane]) << b).sum::<usize>()
        };
        Some(std::array::from_fn(|lane| self.levels[(plane << self.width) + code(lane)]))
    }
}

/// Fills `panel` with the operands of one side, an element after the other, each with its offset: for every address
/// the words of a window.
pub(crate) fn pack<T: Operand, const L: usize>(
    panel: &mut Vec<T>,
    elements: impl Iterator<Item = (impl Words<L>, i16)>,
    planes: &Planes,
    window: usize,
    addresses: impl Iterator<Item = i16> + Clone,
) {
    panel.clear();
    for (words, offset) in elements {
        for address in addresses.clone() {
            for v in 0..window {
                panel.extend_from_slice(&planes.word::<T, L>(&words, address.wrapping_add(offset), v));
            }
        }
    }
}

/// The operands of rows, each with its offset.
pub(crate) fn rows<const L: usize>(
    memories: &Memories,
    rows: usize,
) -> impl Iterator<Item = (Digits<'_, L>, i16)> {
    (0..rows).map(|r| (Digits::of(&memories[Memory::Row], r), memories.row_offset(r)))
}

/// The operands of columns.
pub(crate) fn columns<const L: usize>(
    memories: &Memories,
    cols: usize,
) -> impl Iterator<Item = (Digits<'_, L>, i16)> {
    (0..cols).map(|c| (Digits::of(&memories[Memory::Col], c), 0))
}

/// The codes of columns, of words of so many lanes.
pub(crate) fn codes(
    memories: &Memories,
    cols: usize,
    lanes: usize,
) -> impl Iterator<Item = (Codes<'_>, i16)> {
    let pad = &memories[Memory::Code];
    (0..cols).map(move |c| {
        let levels = memories[Memory::Level].element(c);
        let (bits, width, words) = (pad.element(c), pad.banks, pad.lanes / lanes);
        (Codes { bits, levels, width, words, reach: pad.reach }, 0)
    })
}

/// Fills `panel` with compressed operands of columns: the lanes of a word are spread over a window, to where
/// their indices say, which lie `base` addresses on.
pub(crate) fn spread<T: Operand, const L: usize>(
    panel: &mut Vec<T>,
    columns: impl Iterator<Item = (impl Words<L>, i16)>,
    (memories, base): (&Memories, i16),
    planes: &Planes,
    window: usize,
    addresses: impl Iterator<Item = i16> + Clone,
) {
    panel.clear();
    for (c, (words, _)) in columns.enumerate() {
        for address in addresses.clone() {
            let word = planes.word::<T, L>(&words, address, 0);
            let picks = memories.index_word(c, address.wrapping_add(base));
            let start = panel.len();
            panel.resize(start + window * L, T::default());
            for (l, x) in word.into_iter().enumerate() {
                let pick = picks.map_or(0, |p| usize::from(p[l])) & (window - 1);
                panel[start + pick * L + l] = x;
            }
        }
    }
}
