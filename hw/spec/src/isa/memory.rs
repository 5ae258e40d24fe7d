//! The memories that a LOAD fills: one row each.

use crate::config::Config;

/// Shape of a memory: `elements` × `depth` addresses × `banks` × `lanes` × `digit` bits.
///
/// Address a of all elements is one piece of payload: elements outermost, then banks, lanes, bits, packed without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows or columns that have one, the bits of a LOAD's mask.
    pub elements: usize,
    /// Addresses.
    pub depth: usize,
    /// Words of an address.
    pub banks: usize,
    /// Digits of a word.
    pub lanes: usize,
    /// Bits of a digit.
    pub digit: usize,
    /// Bits that are written at once, at most.
    pub piece: usize,
}

/// Operands are moved in pieces of at most so many bits.
const PIECE: usize = 32;

impl Shape {
    /// Bits of a word: `lanes · digit`.
    pub fn word_bits(&self) -> usize {
        self.lanes * self.digit
    }

    /// Link words that cover one address of the first `elements` elements.
    pub fn link_words(&self, elements: usize, link_bits: usize) -> usize {
        (elements * self.banks * self.word_bits()).div_ceil(link_bits)
    }
}

/// What a row of the table says.
pub struct MemoryRow {
    /// Which one.
    pub memory: Memory,
    /// Name, as in messages.
    pub name: &'static str,
    /// What has one: "row", "column", or nothing.
    pub element: Option<&'static str>,
    /// What it holds, in a line.
    pub help: &'static str,
    /// Its shape, if it is generated.
    pub shape: fn(&Config) -> Option<Shape>,
}

macro_rules! memories {
    ($($(#[doc = $help:literal])+ $id:ident $name:literal $element:expr => $shape:expr;)*) => {
        /// A memory that loads can fill.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Memory { $($(#[doc = $help])+ $id,)* }

        /// Every memory, in the order of their codes.
        pub static MEMORIES: &[MemoryRow] = &[$(MemoryRow {
            memory: Memory::$id,
            name: $name,
            element: $element,
            help: concat!($($help),+),
            shape: $shape,
        },)*];

        impl Memory {
            /// All of them, in the order of their codes.
            pub const ALL: [Memory; [$($name),*].len()] = [$(Memory::$id),*];
        }
    };
}

memories! {
    /// Row operands: windows of `select` banks of `lanes` digits.
    Row "row memory" Some("row") => |c| {
        let a = &c.array;
        let (banks, digit) = (a.select, a.row_digit);
        Some(Shape { elements: a.rows, depth: c.memory.row, banks, lanes: a.lanes, digit, piece: PIECE })
    };
    /// Column operands: words of `lanes` digits.
    Col "column memory" Some("column") => |c| {
        let a = &c.array;
        let (depth, digit) = (c.memory.col, a.col_digit);
        Some(Shape { elements: a.cols, depth, banks: 1, lanes: a.lanes, digit, piece: PIECE })
    };
    /// Indices: words of one index a lane, or a row.
    Index "index memory" Some("column") => |c| {
        let (lanes, digit) = (c.index_lanes(), c.index_bits());
        let shape = Shape { elements: c.array.cols, depth: c.memory.index, banks: 1, lanes, digit, piece: PIECE };
        (c.array.select > 1).then_some(shape)
    };
    /// One signed 16-bit address offset.
    Offset "row offsets" Some("row") => |c| {
        Some(Shape { elements: c.array.rows, depth: 1, banks: 1, lanes: 2, digit: 8, piece: PIECE })
    };
    /// Samples of the FFT unit.
    Sample "sample memory" None => |c| {
        let fft = c.fft.as_ref()?;
        let lanes = fft.word_bits(c.link_bits) / 8;
        Some(Shape { elements: 1, depth: fft.depth, banks: 1, lanes, digit: 8, piece: 16 })
    };
}

impl Memory {
    /// The code in `LOAD.memory`.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// Its row of the table.
    pub fn row(self) -> &'static MemoryRow {
        &MEMORIES[self as usize]
    }

    /// Its shape, if `config` has it.
    pub fn shape(self, config: &Config) -> Option<Shape> {
        (self.row().shape)(config)
    }
}

/// Link words that cover one address of `elements` elements of `memory` (for a broadcast, of one); 0 if there is no such memory.
pub fn words_per_address(config: &Config, memory: Memory, elements: usize) -> usize {
    memory.shape(config).map_or(0, |s| s.link_words(elements, config.link_bits))
}
