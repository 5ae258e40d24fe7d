//! The memories that a LOAD fills, as the driver counts them.
//!
//! ```text
//! flat word a  =  `lanes` digits of one plane, the first in the lowest bits
//! address w    =  for every element its `banks` flat words         a = w·banks + bank
//! ```
//! Their shapes are rows of [`tandem_spec::isa::MEMORIES`].

use crate::codebook::Codes;
use tandem_spec::isa::Shape;
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
    /// Bits of the codes that it holds, a bank each; they are one plane, whatever the digits of their levels.
    pub codes: Option<usize>,
}

impl Scratchpad {
    /// The shape of `memory`.
    ///
    /// # Panics
    /// If the accelerator has none.
    pub fn new(config: &Config, memory: impl Into<Memory>) -> Self {
        let memory = memory.into();
        let Some(Shape { elements: width, depth, banks, lanes, digit, .. }) = memory.shape(config) else {
            panic!("{}: has no {}", config.name, memory.row().name)
        };
        let max_planes = match memory {
            Memory::Row => config.row_planes(config.array.row_bits),
            Memory::Col => config.col_planes(config.array.col_bits),
            _ => 1,
        };
        let link_bits = config.link_bits;
        Scratchpad { memory, width, lanes, digit, banks, depth, max_planes, link_bits, codes: None }
    }

    /// What the columns' operands lie in: words of digits, or of codes.
    ///
    /// # Panics
    /// If they are codes and the accelerator has no memory for them.
    pub fn columns(config: &Config, codes: Option<Codes>) -> Self {
        let Some(Codes { bits, .. }) = codes else { return Scratchpad::new(config, Side::Col) };
        let (bits, lanes) = (usize::from(bits), config.array.lanes);
        let pad = Scratchpad::new(config, Memory::Code);
        Scratchpad { lanes, digit: bits, banks: pad.lanes / lanes, codes: Some(bits), ..pad }
    }

    /// The same memory with flat words of `lanes` digits of `digit` bits.
    #[must_use]
    pub fn with_words(self, lanes: usize, digit: usize) -> Self {
        Scratchpad { lanes, digit, banks: self.banks * self.unit_bits() / (lanes * digit), ..self }
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
        // a bit of the codes of all elements before the next bit
        let elements = if self.codes.is_some() { self.width } else { elements };
        (elements * self.banks * self.unit_bits()).div_ceil(self.link_bits)
    }

    /// Digit planes of an operand of `bits`: ⌈bits / digit⌉.
    pub fn planes(&self, bits: usize) -> usize {
        if self.codes.is_some() { 1 } else { bits.div_ceil(self.digit) }
    }
}
