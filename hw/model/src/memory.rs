//! The memories, one digit a byte.
//!
//! ```text
//! operand:  [element][flat address][lane]     flat address of a row word: window · M + bank
//! result:   [address][lane]                   32 bits
//! ```
//! Row offsets are an operand memory too: words of two 8-bit digits, one address.

use num_complex::Complex;
use tandem_spec::{Config, Memory};

/// One operand memory: a word of digits per element and address.
#[derive(Clone, Debug)]
pub(crate) struct Pad {
    /// Rows or columns.
    pub(crate) elements: usize,
    /// Words that a memory address holds: M in the row memory, else 1.
    pub(crate) banks: usize,
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
    fn new(config: &Config, elements: usize, (banks, depth): (usize, usize), word: (usize, usize)) -> Self {
        let (addresses, (lanes, digit)) = (banks * depth, word);
        let digits = vec![0; elements * addresses * lanes];
        Pad {
            elements,
            banks,
            addresses,
            lanes,
            digit,
            reach: u16::MAX >> (16 - config.address_bits),
            digits,
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
    /// Row operands.
    pub(crate) row: Pad,
    /// Column operands.
    pub(crate) col: Pad,
    /// Indices; without addresses if no selection is generated.
    pub(crate) index: Pad,
    /// Row offsets.
    pub(crate) offset: Pad,
    /// Samples of the FFT unit, bytes; without addresses if there is none.
    pub(crate) sample: Pad,
    /// Results.
    pub(crate) result: Vec<i32>,
}

impl Memories {
    /// Memories full of zeros.
    pub(crate) fn new(config: &Config) -> Self {
        let (a, m) = (&config.array, &config.memory);
        let index_depth = if a.select == 1 { 0 } else { m.index };
        let index = (config.index_lanes(), config.index_bits().max(1));
        Memories {
            row: Pad::new(config, a.rows, (a.select, m.row), (a.lanes, a.row_digit)),
            col: Pad::new(config, a.cols, (1, m.col), (a.lanes, a.col_digit)),
            index: Pad::new(config, a.cols, (1, index_depth), index),
            offset: Pad::new(config, a.rows, (1, 1), (2, 8)),
            sample: match &config.fft {
                Some(f) => Pad::new(config, 1, (1, f.depth), (f.word_bits(config.link_bits) / 8, 8)),
                None => Pad::new(config, 1, (1, 0), (1, 8)),
            },
            result: vec![0; m.result * a.drain],
        }
    }

    /// The indices of column `c` at an address; `None` outside the memory.
    pub(crate) fn index_word(&self, c: usize, address: i16) -> Option<&[u8]> {
        let at = usize::from(address as u16 & self.index.reach);
        (at < self.index.addresses)
            .then(|| &self.index.element(c)[at * self.index.lanes..][..self.index.lanes])
    }

    /// The memory that a load fills.
    pub(crate) fn operand(&self, memory: Memory) -> &Pad {
        match memory {
            Memory::Row => &self.row,
            Memory::Col => &self.col,
            Memory::Index => &self.index,
            Memory::Offset => &self.offset,
            Memory::Sample => &self.sample,
        }
    }

    /// The same, to be filled.
    pub(crate) fn operand_mut(&mut self, memory: Memory) -> &mut Pad {
        match memory {
            Memory::Row => &mut self.row,
            Memory::Col => &mut self.col,
            Memory::Index => &mut self.index,
            Memory::Offset => &mut self.offset,
            Memory::Sample => &mut self.sample,
        }
    }

    /// Sample number `i` of the sample memory.
    pub(crate) fn sample_at(&self, i: usize) -> Complex<i32> {
        let b = &self.sample.digits[4 * i..][..4];
        Complex::new(i16::from_le_bytes([b[0], b[1]]).into(), i16::from_le_bytes([b[2], b[3]]).into())
    }

    /// The offset of row `r`.
    pub(crate) fn row_offset(&self, r: usize) -> i16 {
        i16::from_le_bytes([self.offset.digits[2 * r], self.offset.digits[2 * r + 1]])
    }
}
