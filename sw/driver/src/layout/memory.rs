//! The memories that a LOAD fills, as the driver counts them.
//!
//! ```text
//! flat word a  =  `lanes` digits of one plane, the first in the lowest bits
//! address w    =  for every element its `banks` flat words         a = w·banks + bank
//!
//! memory   elements   banks         lanes                          bits of a digit
//! Row      rows       select        lanes                          row_digit
//! Col      columns    1             lanes                          col_digit
//! Index    columns    1             one index a lane, or a row     log2 select, as stored
//! Offset   rows       1             1                              16
//! Sample   1          groups        2 · samples (re, im)           16
//! ```

use tandem_spec::{Config, Memory};

/// The side of the array that an operand enters from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Broadcast along rows.
    Row,
    /// Broadcast along columns.
    Col,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Side; 2] = [Side::Row, Side::Col];

    /// The memory that feeds this side.
    pub fn memory(self) -> Memory {
        match self {
            Side::Row => Memory::Row,
            Side::Col => Memory::Col,
        }
    }
}

impl From<Side> for Memory {
    fn from(side: Side) -> Memory {
        side.memory()
    }
}

/// Shape of one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scratchpad {
    /// Which one.
    pub memory: Memory,
    /// Elements: rows or columns of the array, or the one FFT unit.
    pub width: usize,
    /// Digits of a flat word.
    pub lanes: usize,
    /// Bits of a digit.
    pub digit: usize,
    /// Flat words of an address.
    pub banks: usize,
    /// Addresses.
    pub depth: usize,
    /// Most digit planes that an instruction walks over.
    pub max_planes: usize,
    /// Bits of a link word.
    pub link_bits: usize,
}

impl Scratchpad {
    /// The shape of `memory`; without an FFT unit its sample memory is empty.
    pub fn new(config: &Config, memory: impl Into<Memory>) -> Self {
        let (memory, a, m) = (memory.into(), &config.array, &config.memory);
        let (width, lanes, digit, banks, depth) = match memory {
            Memory::Row => (a.rows, a.lanes, a.row_digit, a.select, m.row),
            Memory::Col => (a.cols, a.lanes, a.col_digit, 1, m.col),
            Memory::Index => (a.cols, config.index_lanes(), config.index_bits(), 1, m.index),
            Memory::Offset => (a.rows, 1, 16, 1, 1),
            Memory::Sample => match &config.fft {
                Some(fft) => (1, 2 * fft.samples, 16, fft.groups(config.link_bits), fft.depth),
                None => (1, 2, 16, 1, 0),
            },
        };
        let max_planes = match memory {
            Memory::Row => config.row_planes(a.row_bits),
            Memory::Col => config.col_planes(a.col_bits),
            Memory::Index | Memory::Offset | Memory::Sample => 1,
        };
        Scratchpad { memory, width, lanes, digit, banks, depth, max_planes, link_bits: config.link_bits }
    }

    /// Flat words that an element has room for.
    pub fn capacity(&self) -> usize {
        self.banks * self.depth
    }

    /// Bits of a flat word.
    pub fn unit_bits(&self) -> usize {
        self.lanes * self.digit
    }

    /// Addresses that hold `flat` words from the start of an address on.
    pub fn addresses(&self, flat: usize) -> usize {
        flat.div_ceil(self.banks)
    }

    /// Link words that fill one address of the first `elements` elements.
    pub fn link_words(&self, elements: usize) -> usize {
        (elements * self.banks * self.unit_bits()).div_ceil(self.link_bits)
    }

    /// Digit planes of an operand of `bits`: ⌈bits / digit⌉.
    pub fn planes(&self, bits: usize) -> usize {
        bits.div_ceil(self.digit)
    }
}
