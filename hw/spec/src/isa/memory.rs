//! What a row of the table of memories says: those that a LOAD fills.

use super::table::{MEMORIES, Memory};
use crate::config::Config;

/// Shape of a memory: `elements` × `depth` addresses × `banks` × `lanes` × `digit` bits.
///
/// Address a of all elements is one piece of payload: elements outermost, then banks (`planar`: banks, then elements), lanes,
/// bits, packed without gaps.
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
    /// Banks are outermost, so that the first link words of an address hold the first banks of all elements.
    pub planar: bool,
}

impl Shape {
    /// One element of one address, of one bank; operands are moved in pieces of at most 32 bits.
    pub(super) const PLAIN: Shape =
        Shape { elements: 1, depth: 1, banks: 1, lanes: 1, digit: 1, piece: 32, planar: false };

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

/// Declares the memories, in the order of their codes: `Memory "name" (what has one) => shape;`, the doc comment is the help.
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
pub(super) use memories;

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
