//! Where each entry of an operand lies in its memory: one description for plans, schedules, packing and unpacking.
//!
//! ```text
//! source     a matrix [lines, columns] of integers     rows of X, columns of W, kept weights, indices, samples
//! tile       `width` lines, one an element of the memory; the last tile may have fewer
//! terms      what a line contributes to the sum: a range of k, or of its groups
//!
//! flat word  =  tile·tile_stride + plane·plane_stride + word·turns + turn          0 ≤ word < ⌈terms/lanes⌉
//! digit      =  lane of the flat word                     term = word·lanes + lane, at `turn` what its order says
//! value      =  digit `plane` of the entry's slice:       (v >> shift + plane·digit) & (2^digit − 1)
//! ```
//! An order tells the kinds of operands apart:
//!
//! | order | turns | element e, term i, turn t holds | operand |
//! |---|---|---|---|
//! | `Dense` | 1 | line e, column i | dense X and W |
//! | `Members` | m | line e, member t of group i | the operand that compressed weights select from |
//! | `Kept` | n | line e, column i·n + t | compressed weights, and their indices |
//! | `Groups` | m | member t of group e of lines, column i | the operand that selected results select from |
//! | `Held` | n | as `Kept`, the terms being the rows of a tile of results | indices of selected results |
//! | `Samples` | 1 | every lane a line, or its n-th: parts of its column i | transforms (real, imaginary), lines of pixels |
//! | `Gathered` | - | what a table says, tile by tile | bands of images and their weights ([`crate::conv`]) |
//!
//! What has no entry is zero. Codes ([`Scratchpad::codes`]) are digits of one plane.

mod matrix;
mod memory;
mod pack;
#[cfg(test)]
mod tests;

pub(crate) use matrix::Matrix;
pub use memory::{Scratchpad, Side};
pub(crate) use pack::payload;

use crate::device::Format;
use crate::gemm::Pattern;
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::{Config, Memory};

/// Bits `shift … shift + format.bits − 1` of an operand: v = Σ slice · 2^shift.
///
/// Most operands are one slice. Several are needed if a product of whole operands could overflow the
/// accumulator, or if an operand has more digits than the array takes. Only the top slice is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Position of its lowest bit.
    pub shift: u8,
    /// Its width and sign.
    pub format: Format,
}

impl Slice {
    /// All bits of a format.
    pub const fn whole(format: Format) -> Self {
        Slice { shift: 0, format }
    }
}

/// Lines cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lines {
    /// All lines.
    pub count: usize,
    /// Lines of a tile; the last one may have fewer.
    pub width: usize,
}

impl Lines {
    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.count.div_ceil(self.width)
    }

    /// Lines of tiles that follow each other.
    pub fn within(&self, tiles: &Range<usize>) -> Range<usize> {
        tiles.start * self.width..(tiles.end * self.width).min(self.count)
    }

    /// Lines of a tile.
    pub fn of(&self, tile: usize) -> Range<usize> {
        self.within(&(tile..tile + 1))
    }
}

/// What stands at a term and a turn of an element: see the table of this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The terms themselves.
    Dense,
    /// Terms are groups of columns, turns their members.
    Members(Pattern),
    /// Terms are groups of so many columns, turns what each of them keeps.
    Kept(usize),
    /// Elements are groups of lines, turns their members.
    Groups(Pattern),
    /// Tiles are pairs of a row tile and a column tile, rows outer; terms are the rows, each with `n` indices.
    Held {
        /// Indices of a row.
        n: usize,
        /// Row tiles.
        rows: Range<usize>,
        /// How rows are cut.
        height: Lines,
        /// Column tiles.
        cols: Range<usize>,
    },
    /// Lines are transforms or rows of pixels, as many as a tile has in lockstep; terms are points or pixels, of so many parts.
    Samples(usize),
    /// Tiles are these pieces.
    Gathered(Arc<[Piece]>),
}

/// A tile of which a table says where its entries are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its lines.
    pub lines: Range<usize>,
    /// Added to the columns of the table; `None` leaves the tile zero.
    pub column: Option<usize>,
    /// What stands where.
    pub table: Arc<Table>,
}

/// Columns of entries, [`NOWHERE`] for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Table {
    /// Elements are lines: the columns of a flat word's lanes, word after word.
    Elements(Vec<u32>),
    /// Lanes are lines: the column of each flat word, element after element.
    Lanes(Vec<u32>),
}

/// No entry.
pub const NOWHERE: u32 = u32::MAX;

impl Order {
    /// Flat words for each word of terms.
    pub fn turns(&self) -> usize {
        match self {
            Order::Dense | Order::Samples(_) | Order::Gathered(_) => 1,
            Order::Members(p) | Order::Groups(p) => p.m,
            Order::Kept(n) | Order::Held { n, .. } => *n,
        }
    }
}

/// Tiles of an operand that lie in one memory together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Which tiles, in this order (of pairs of tiles: 0 … their number).
    pub tiles: Range<usize>,
    /// Which terms.
    pub terms: Range<usize>,
    /// Which bits.
    pub slice: Slice,
    /// What stands where.
    pub order: Order,
    /// How lines are cut.
    pub lines: Lines,
    /// Terms of a flat word.
    pub lanes: usize,
    /// Flat words of one plane of a tile.
    pub words: usize,
    /// Digit planes.
    pub planes: usize,
    /// Flat words from tile to tile.
    pub tile_stride: usize,
    /// Flat words from plane to plane.
    pub plane_stride: usize,
    /// All elements of the memory get what the first one gets.
    pub broadcast: bool,
    /// The memory.
    pub pad: Scratchpad,
}

impl Layout {
    /// Tile after tile, each with all planes.
    pub fn new(
        pad: Scratchpad,
        order: Order,
        lines: Lines,
        tiles: Range<usize>,
        (terms, lanes): (Range<usize>, usize),
        slice: Slice,
    ) -> Self {
        let words = terms.len().div_ceil(lanes) * order.turns();
        let planes = pad.planes(slice.format.bits.into());
        let (tile_stride, plane_stride) = (planes * words, words);
        let broadcast = false;
        Layout {
            tiles,
            terms,
            slice,
            order,
            lines,
            lanes,
            words,
            planes,
            tile_stride,
            plane_stride,
            broadcast,
            pad,
        }
    }

    /// Pieces, one after the other, each of `words` flat words of `lanes` digits with all planes.
    pub fn gathered(pad: Scratchpad, pieces: Vec<Piece>, words: usize, lanes: usize, slice: Slice) -> Self {
        let planes = pad.planes(slice.format.bits.into());
        Layout {
            tiles: 0..pieces.len(),
            terms: 0..0,
            slice,
            order: Order::Gathered(pieces.into()),
            lines: Lines { count: 0, width: pad.width },
            lanes,
            words,
            planes,
            tile_stride: planes * words,
            plane_stride: words,
            broadcast: false,
            pad,
        }
    }

    /// The word of a level memory, which all columns get.
    pub fn levels(config: &Config) -> Self {
        let pad = Scratchpad::new(config, Memory::Level);
        let (lines, slice) = (Lines { count: 1, width: 1 }, Slice::whole(Format::unsigned(pad.digit as u8)));
        let layout = Layout::new(pad, Order::Dense, lines, 0..1, (0..pad.lanes, pad.lanes), slice);
        Layout { broadcast: true, ..layout }
    }

    /// What a COMPUTE says of the operand's planes: how many of digits there are, and flat words from one to the next.
    pub fn digit_planes(&self, config: &Config) -> (u8, i16) {
        match self.pad.codes {
            None => (self.planes as u8, self.plane_stride as i16),
            Some(_) => (usize::from(self.slice.format.bits).div_ceil(config.array.col_digit) as u8, 0),
        }
    }

    /// Plane after plane, each with all tiles.
    #[must_use]
    pub fn by_planes(self) -> Self {
        Layout { tile_stride: self.words, plane_stride: self.words * self.tiles.len(), ..self }
    }

    /// Flat words of a tile, all planes.
    pub fn tile_words(&self) -> usize {
        self.planes * self.words
    }

    /// Addresses of all tiles.
    pub fn addresses(&self) -> usize {
        self.pad.addresses(self.tiles.len() * self.tile_words())
    }

    /// First address that the first `tiles` tiles leave free, if they come one by one.
    pub fn until(&self, tiles: usize) -> usize {
        self.pad.addresses(tiles * self.tile_stride)
    }

    /// Whether the tiles cannot come one by one: several planes, each with all tiles.
    pub fn comes_at_once(&self) -> bool {
        self.tile_stride < self.tile_words()
    }

    /// Lines and terms of the tile at a position.
    pub fn tile(&self, at: usize) -> (Range<usize>, Range<usize>) {
        match &self.order {
            Order::Held { rows, height, cols, .. } => {
                let (row, col) = (rows.start + at / cols.len(), cols.start + at % cols.len());
                (self.lines.of(col), height.of(row))
            }
            Order::Gathered(pieces) => (pieces[at].lines.clone(), 0..0),
            _ => (self.lines.of(self.tiles.start + at), self.terms.clone()),
        }
    }

    /// Elements that the tile at a position fills.
    pub fn elements(&self, at: usize) -> usize {
        match &self.order {
            Order::Samples(_) => 1,
            Order::Gathered(_) if self.broadcast => 1,
            Order::Gathered(pieces) => match &*pieces[at].table {
                Table::Elements(_) => pieces[at].lines.len(),
                Table::Lanes(columns) => columns.len() / self.words,
            },
            _ => self.tile(at).0.len(),
        }
    }

    /// Calls `entry(at, line, column)` for every entry of the first `elements` elements of the tile at a
    /// position; `at` counts digits of a plane, element after element, [`Layout::digits`] each.
    pub(crate) fn entries(&self, tile: usize, elements: usize, mut entry: impl FnMut(usize, usize, usize)) {
        let (lines, terms) = self.tile(tile);
        let (digits, turns, wide) = (self.digits(), self.order.turns(), self.pad.lanes);
        let at = |i: usize| i / self.lanes * turns * wide + i % self.lanes;
        let elements_of = elements;
        let elements = || lines.clone().take(elements_of).enumerate();
        match &self.order {
            Order::Dense => elements().for_each(|(e, line)| {
                terms.clone().enumerate().for_each(|(i, k)| entry(e * digits + at(i), line, k));
            }),
            Order::Members(p) => {
                for (i, group) in terms.enumerate() {
                    for (t, k) in p.members(group).enumerate() {
                        elements().for_each(|(e, line)| entry(e * digits + at(i) + t * wide, line, k));
                    }
                }
            }
            Order::Kept(n) | Order::Held { n, .. } => {
                for (e, line) in elements() {
                    for (i, group) in terms.clone().enumerate() {
                        (0..*n).for_each(|t| entry(e * digits + at(i) + t * wide, line, group * n + t));
                    }
                }
            }
            Order::Groups(p) => {
                for (e, group) in elements() {
                    for (t, line) in p.members(group).enumerate() {
                        let terms = terms.clone().enumerate();
                        terms.for_each(|(i, k)| entry(e * digits + at(i) + t * wide, line, k));
                    }
                }
            }
            Order::Samples(parts) => {
                for (lane, line) in lines.enumerate() {
                    for (i, k) in terms.clone().enumerate() {
                        (0..*parts).for_each(|p| entry(i * wide + parts * lane + p, line, parts * k + p));
                    }
                }
            }
            Order::Gathered(pieces) => {
                let Piece { column: Some(base), table, .. } = &pieces[tile] else { return };
                let there =
                    |(i, column): (usize, &u32)| (*column != NOWHERE).then(|| (i, base + *column as usize));
                match &**table {
                    Table::Elements(columns) => {
                        for (i, column) in columns.iter().enumerate().filter_map(there) {
                            elements().for_each(|(e, line)| entry(e * digits + at(i), line, column));
                        }
                    }
                    Table::Lanes(columns) => {
                        let columns = columns.iter().take(elements_of * self.words).enumerate();
                        for (i, column) in columns.filter_map(there) {
                            for (lane, line) in lines.clone().enumerate() {
                                entry(i * wide + lane, line, column);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Digits of one plane of an element of a tile.
    pub(crate) fn digits(&self) -> usize {
        self.words * self.pad.lanes
    }
}
