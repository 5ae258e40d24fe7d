//! How memory words are cut for writing: into *pieces* that never straddle a link word.

use tandem_spec::{Config, Memory};

/// The pieces of one element's word: all banks of a row, a column's word, a column's indices.
///
/// Piece i of element e lies at bit [`number`](Pieces::number)`(e, i) · bits` of an address's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Elements of the memory.
    pub elements: usize,
    /// Pieces of an element, 0 if the memory is not generated.
    pub count: usize,
    /// Bits of a piece.
    pub bits: usize,
    /// Link words that cover one address.
    pub words: usize,
    /// Addresses.
    pub depth: usize,
    /// Pieces of a bank where banks are outermost, else all of an element.
    pub run: usize,
}

/// How the words of `memory` are cut.
pub fn pieces(c: &Config, memory: Memory) -> Pieces {
    let Some(s) = memory.shape(c) else {
        return Pieces { elements: 0, count: 0, bits: 8, words: 0, depth: 0, run: 1 };
    };
    let bits = (s.lanes * s.digit).min(c.link_bits).min(s.piece);
    let count = s.banks * s.lanes * s.digit / bits;
    Pieces {
        elements: s.elements,
        count,
        bits,
        words: (s.elements * count * bits).div_ceil(c.link_bits),
        depth: s.depth,
        run: if s.planar { count / s.banks } else { count },
    }
}

impl Pieces {
    /// Pieces of all elements.
    pub fn total(self) -> usize {
        self.elements * self.count
    }

    /// The place of piece `i` of element `e` among all of an address.
    pub fn number(self, e: usize, i: usize) -> usize {
        (i / self.run * self.elements + e) * self.run + i % self.run
    }
}
