//! A table of integer levels: what a code of a few bits stands for.
//!
//! ```text
//! code c ──► level L_c          L_0 < L_1 < …, at most 2^b of them, integers of `level_bits`
//! ```
//!
//! Products multiply levels; codes and table are enough to have them. A pruned weight is 0: where a mask drops weights, level 0 is
//! in the table, so that every value that is stored has a code. (What an N:M pattern leaves out is not stored at all, but a group may
//! keep fewer than N.)

use tandem_driver::Format;

/// Sorted levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codebook {
    levels: Vec<i32>,
    format: Format,
}

impl Codebook {
    /// A table of these levels, integers of a format.
    ///
    /// # Panics   if there is none, they do not rise, or one is not of the format
    pub fn new(levels: Vec<i32>, format: Format) -> Self {
        let (lo, hi) = format.range();
        assert!(!levels.is_empty() && levels.windows(2).all(|w| w[0] < w[1]), "levels rise: {levels:?}");
        assert!(lo <= levels[0] && levels[levels.len() - 1] <= hi, "levels of {format:?}: {levels:?}");
        Codebook { levels, format }
    }

    /// The levels, rising. Code c is the level of index c.
    pub fn levels(&self) -> &[i32] {
        &self.levels
    }

    /// The format of levels; its width is `level_bits`.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The code of a level.
    pub fn code(&self, level: i32) -> Option<usize> {
        self.levels.binary_search(&level).ok()
    }

    /// The codes of levels; `None` if one is not in the table.
    pub fn encode(&self, levels: &[i32]) -> Option<Vec<u8>> {
        levels.iter().map(|&level| self.code(level).and_then(|code| u8::try_from(code).ok())).collect()
    }

    /// The levels of codes; `None` if one is not in the table.
    pub fn decode(&self, codes: &[u8]) -> Option<Vec<i32>> {
        codes.iter().map(|&code| self.levels.get(usize::from(code)).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_places_in_the_table() {
        let table = Codebook::new(vec![-7, -2, 0, 3], Format::signed(4));
        let levels = [0, -7, 3, -2, 0];
        let codes = table.encode(&levels).expect("levels of the table");
        assert_eq!(codes, [2, 0, 3, 1, 2]);
        assert_eq!(table.decode(&codes).as_deref(), Some(&levels[..]));
        assert_eq!((table.encode(&[1]), table.decode(&[4])), (None, None));
    }
}
