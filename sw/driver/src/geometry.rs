//! The two operand memories of an array, as the driver counts them.
//!
//! ```text
//! flat word a  =  `lanes` digits of one plane           k = a·lanes + lane
//! address w    =  `banks` flat words of every element   a = w·banks + bank   (columns: one bank)
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

/// Shape of one side's operand memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scratchpad {
    /// Elements (rows or columns) of the array.
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
    link_bits: usize,
}

impl Scratchpad {
    /// The memory of `side`.
    pub fn new(config: &Config, side: Side) -> Self {
        let (a, m) = (&config.array, &config.memory);
        let (width, digit, banks, depth, max_planes) = match side {
            Side::Row => (a.rows, a.row_digit, a.select, m.row, config.row_planes(a.row_bits)),
            Side::Col => (a.cols, a.col_digit, 1, m.col, config.col_planes(a.col_bits)),
        };
        Scratchpad { width, lanes: a.lanes, digit, banks, depth, max_planes, link_bits: config.link_bits }
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
