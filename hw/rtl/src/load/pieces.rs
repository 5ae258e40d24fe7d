//! How memory words are cut for writing: into *pieces* that never straddle a link word.

use tandem_spec::Config;

/// The pieces of one element's word: all banks of a row, a column's word, a column's indices.
///
/// Piece i of element e lies at bit `(e · count + i) · bits` of an address's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Pieces of an element.
    pub count: usize,
    /// Bits of a piece.
    pub bits: usize,
}

impl Pieces {
    /// Link words that cover one address of so many elements.
    pub fn words(self, c: &Config, elements: usize) -> usize {
        (elements * self.count * self.bits).div_ceil(c.link_bits)
    }
}

/// Widest piece: operands are moved in words of 32 bits.
const WIDEST: usize = 32;

fn cut(c: &Config, units: usize, unit: usize) -> Pieces {
    let bits = unit.min(c.link_bits).min(WIDEST);
    Pieces { count: (units * unit).checked_div(bits).unwrap_or(0), bits }
}

/// Pieces of a row's window.
pub fn row_pieces(c: &Config) -> Pieces {
    cut(c, c.array.select, c.array.lanes * c.array.row_digit)
}

/// Pieces of a column's word.
pub fn col_pieces(c: &Config) -> Pieces {
    cut(c, 1, c.array.lanes * c.array.col_digit)
}

/// Indices in a word: enough for every lane and for every row, a power of two.
pub fn index_entries(c: &Config) -> usize {
    let mut entries = c.array.lanes;
    while entries < c.array.rows {
        entries *= 2;
    }
    entries
}

/// Pieces of a column's word of indices; none without selection.
pub fn index_pieces(c: &Config) -> Pieces {
    cut(c, 1, index_entries(c) * c.index_bits())
}

/// Pieces of a row's address offset.
pub fn offset_pieces(c: &Config) -> Pieces {
    cut(c, 1, 16)
}

/// Pieces of a word of the sample memory, at most a sample's part; none without FFT unit.
pub fn sample_pieces(c: &Config) -> Pieces {
    let Some(fft) = &c.fft else { return Pieces { count: 0, bits: 8 } };
    let bits = c.link_bits.min(16);
    Pieces { count: fft.word_bits(c.link_bits) / bits, bits }
}
