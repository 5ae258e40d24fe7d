//! The memories, one digit a byte.
//!
//! ```text
//! operand:  [element][flat address][lane]     flat address of a row word: window · M + bank
//! result:   [address][lane]                   32 bits
//! ```
//! Row offsets are an operand memory too: words of two 8-bit digits, one address. So are codes, one bit a byte.

use num_complex::Complex;
use std::ops::{Index, IndexMut};
use tandem_spec::isa::Shape;
use tandem_spec::{Config, Memory};

/// One operand memory: a word of digits per element and address.
#[derive(Clone, Debug)]
pub(crate) struct Pad {
    /// Rows or columns.
    pub(crate) elements: usize,
    /// Words that a memory address holds: M in the row memory, a code's bits in the code memory, else 1.
    pub(crate) banks: usize,
    /// A payload holds bank after bank, each of all elements; else element after element.
    pub(crate) planar: bool,
    /// Flat addresses of an element.
    pub(crate) addresses: usize,
    /// Digits of a word.
    pub(crate) lanes: usize,
    /// Bits of a digit, 1 to 8.
    pub(crate) digit: usize,
    /// Addresses count modulo 2^`address_bits`: the largest one.
    pub(crate) reach: u16,
    /// `[element][flat address][lane]`.
    pub(crate) digits: Vec<u8>,
}

impl Pad {
    fn new(config: &Config, memory: Memory) -> Self {
        let none = Shape { elements: 0, depth: 0, banks: 1, lanes: 1, digit: 1, piece: 1, planar: false };
        let Shape { elements, depth, banks, lanes, digit, planar, .. } = memory.shape(config).unwrap_or(none);
        Pad {
            elements,
            banks,
            planar,
            addresses: banks * depth,
            lanes,
            digit,
            reach: u16::MAX >> (16 - config.address_bits),
            digits: vec![0; elements * banks * depth * lanes],
        }
    }

    /// All words of an element.
    pub(crate) fn element(&self, e: usize) -> &[u8] {
        let size = self.addresses * self.lanes;
        &self.digits[e * size..][..size]
    }
}

/// All memories of an accelerator.
#[derive(Clone, Debug)]
pub(crate) struct Memories {
    /// What loads fill, by their codes; without elements if not generated.
    operands: [Pad; Memory::ALL.len()],
    /// Results.
    pub(crate) result: Vec<i32>,
}

impl Memories {
    /// Memories full of zeros.
    pub(crate) fn new(config: &Config) -> Self {
        Memories {
            operands: Memory::ALL.map(|m| Pad::new(config, m)),
            result: vec![0; config.memory.result * config.array.drain],
        }
    }

    /// The indices of column `c` at an address; `None` outside the memory.
    pub(crate) fn index_word(&self, c: usize, address: i16) -> Option<&[u8]> {
        let at = usize::from(address as u16 & self[Memory::Index].reach);
        (at < self[Memory::Index].addresses).then(|| {
            &self[Memory::Index].element(c)[at * self[Memory::Index].lanes..][..self[Memory::Index].lanes]
        })
    }

    /// Sample number `i` of the sample memory.
    pub(crate) fn sample_at(&self, i: usize) -> Complex<i32> {
        let b = &self[Memory::Sample].digits[4 * i..][..4];
        Complex::new(i16::from_le_bytes([b[0], b[1]]).into(), i16::from_le_bytes([b[2], b[3]]).into())
    }

    /// The offset of row `r`.
    pub(crate) fn row_offset(&self, r: usize) -> i16 {
        i16::from_le_bytes([self[Memory::Offset].digits[2 * r], self[Memory::Offset].digits[2 * r + 1]])
    }
}

impl Index<Memory> for Memories {
    type Output = Pad;

    fn index(&self, memory: Memory) -> &Pad {
        &self.operands[memory as usize]
    }
}

impl IndexMut<Memory> for Memories {
    fn index_mut(&mut self, memory: Memory) -> &mut Pad {
        &mut self.operands[memory as usize]
    }
}
