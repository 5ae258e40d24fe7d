//! Tables of integer levels: what codes of a few bits stand for.
//!
//! ```text
//! code c ──► level L_c          L_0 < L_1 < …, at most 2^b of them, integers of a format
//! ```
//! Weights that have a codebook may lie in the accelerator, and cross the link, as codes of b bits; the array multiplies
//! levels (docs/accelerator.md, "Codes"). On the accelerator the code of level 0 is 0, so that what no weight fills is
//! zero without further ado.

use crate::device::{DeviceError, Format};
use crate::layout::Matrix;
use tandem_spec::Config;

/// Sorted levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codebook {
    levels: Vec<i32>,
    format: Format,
    /// Levels in the order of the accelerator's codes: 0 first, if it is one.
    order: Vec<i32>,
    bits: u8,
}

/// Why a table is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodebookError {
    /// None, or more than a code of 8 bits tells apart.
    #[error("a codebook of {0} levels: expected 1 to 256")]
    Count(usize),
    /// A level that is not above the one before.
    #[error("level {at} is {level}: expected more than the one before, {before}")]
    Order {
        /// Its place.
        at: usize,
        /// Itself.
        level: i32,
        /// The one before.
        before: i32,
    },
    /// A level outside its format.
    #[error("level {at} is {level}: expected {lo} to {hi}", lo = format.range().0, hi = format.range().1)]
    Level {
        /// Its place.
        at: usize,
        /// Itself.
        level: i32,
        /// The format of levels.
        format: Format,
    },
}

impl Codebook {
    /// A table of these levels, integers of a format.
    ///
    /// # Errors   if there are none or too many, they do not rise, or one is not of the format
    pub fn new(levels: Vec<i32>, format: Format) -> Result<Self, CodebookError> {
        if !(1..=256).contains(&levels.len()) {
            return Err(CodebookError::Count(levels.len()));
        }
        let (lo, hi) = format.range();
        if let Some((at, &level)) = levels.iter().enumerate().find(|(_, l)| !(lo..=hi).contains(*l)) {
            return Err(CodebookError::Level { at, level, format });
        }
        if let Some(i) = levels.windows(2).position(|w| w[0] >= w[1]) {
            return Err(CodebookError::Order { at: i + 1, level: levels[i + 1], before: levels[i] });
        }
        let mut order = levels.clone();
        order.sort_by_key(|level| *level != 0);
        let bits = (usize::BITS - (levels.len() - 1).leading_zeros()).max(1) as u8;
        Ok(Codebook { levels, format, order, bits })
    }

    /// The same with codes of at least so many bits: plans of tables that are fitted do not depend on how many levels
    /// they happen to have.
    #[must_use]
    pub fn with_bits(self, bits: u8) -> Self {
        Codebook { bits: bits.max(self.bits), ..self }
    }

    /// The levels, rising. Code c is the level of index c.
    pub fn levels(&self) -> &[i32] {
        &self.levels
    }

    /// The format of levels.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bits of a code.
    pub fn bits(&self) -> u8 {
        self.bits
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

    /// The place of a level among the accelerator's codes.
    fn place(&self, level: i32) -> Option<usize> {
        self.order.iter().position(|of| *of == level)
    }

    /// A matrix of levels as the accelerator's codes.
    ///
    /// # Errors   the first value that is no level
    pub(crate) fn codes(&self, name: &str, levels: &Matrix<'_>) -> Result<Matrix<'static>, DeviceError> {
        let code = |level: &i32| self.place(*level).map(|place| place as i32);
        let Some(codes) = levels.data.iter().map(code).collect::<Option<Vec<_>>>() else {
            return Err(self.stranger(name, levels));
        };
        Ok(Matrix { data: codes.into(), ..*levels })
    }

    /// Checks that a matrix holds levels only.
    ///
    /// # Errors   the first value that is none
    pub(crate) fn check(&self, name: &str, levels: &Matrix<'_>) -> Result<(), DeviceError> {
        let known = levels.data.iter().all(|level| self.code(*level).is_some());
        if known { Ok(()) } else { Err(self.stranger(name, levels)) }
    }

    fn stranger(&self, name: &str, levels: &Matrix<'_>) -> DeviceError {
        let mut all = (0..levels.rows).flat_map(|i| (0..levels.cols).map(move |j| (i, j)));
        let (i, j) =
            all.find(|(i, j)| self.code(levels.at(*i, *j)).is_none()).expect("a value that is no level");
        let what =
            format!("{name}[{i}, {j}] = {}: expected a level, one of {:?}", levels.at(i, j), self.levels);
        DeviceError::Request { what }
    }

    /// The word of a level memory, of digits: those of all codes' lowest digits first. Bits of a code that are
    /// generated beyond [`Codebook::bits`] do not matter.
    ///
    /// # Shape   `[1, digits · 2^code_bits]`
    pub(crate) fn table(&self, config: &Config) -> Matrix<'static> {
        let digit = config.array.col_digit;
        let codes = 1usize << config.codebook.as_ref().map_or(0, |book| book.code_bits);
        let of = |code: usize| self.order.get(code & ((1 << self.bits()) - 1)).copied().unwrap_or(0);
        let cut = |q: usize| move |level: i32| level >> (q * digit) & ((1 << digit) - 1);
        let values: Vec<i32> =
            (0..config.level_digits()).flat_map(|q| (0..codes).map(of).map(cut(q))).collect();
        let length = values.len();
        Matrix::row_major(values, 1, length)
    }
}

/// Codes of W: all that a plan knows of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Codes {
    /// Bits of a code.
    pub bits: u8,
    /// Whether level 0 has a code: what no weight fills needs one, unless the other operand is zero there.
    pub zero: bool,
}

impl Codes {
    /// Those of a table.
    pub(crate) fn of(codebook: Option<&Codebook>) -> Option<Codes> {
        codebook.map(|book| Codes { bits: book.bits(), zero: book.code(0).is_some() })
    }

    /// Whether an accelerator takes them, with levels of a format.
    pub fn suit(self, config: &Config, levels: Format) -> bool {
        let digits = usize::from(levels.bits).div_ceil(config.array.col_digit);
        let bits = config.codebook.as_ref().map_or(0, |book| book.code_bits);
        usize::from(self.bits) <= bits && digits <= config.level_digits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_places_in_the_table() {
        let table = Codebook::new(vec![-7, -2, 0, 3], Format::signed(4)).unwrap();
        let levels = [0, -7, 3, -2, 0];
        let codes = table.encode(&levels).expect("levels of the table");
        assert_eq!(codes, [2, 0, 3, 1, 2]);
        assert_eq!(table.decode(&codes).as_deref(), Some(&levels[..]));
        assert_eq!((table.encode(&[1]), table.decode(&[4])), (None, None));
        let on_chip = table.codes("W", &Matrix::row_major(levels.to_vec(), 1, 5)).unwrap();
        assert_eq!(on_chip.data[..], [0, 1, 3, 2, 0], "0 first");
        let error = table.check("W", &Matrix::row_major(vec![0, 1], 2, 1)).unwrap_err().to_string();
        assert_eq!(error, "W[1, 0] = 1: expected a level, one of [-7, -2, 0, 3]");
    }

    #[test]
    fn bits_hold_all_levels() {
        let bits = |n: i32| Codebook::new((0..n).collect(), Format::unsigned(8)).unwrap().bits();
        assert_eq!([1, 2, 3, 4, 5, 8, 9, 16, 255].map(bits), [1, 1, 2, 2, 3, 3, 4, 4, 8]);
    }

    #[test]
    fn tables_that_are_none() {
        let of = |levels: &[i32]| Codebook::new(levels.to_vec(), Format::signed(4)).unwrap_err().to_string();
        assert_eq!(of(&[]), "a codebook of 0 levels: expected 1 to 256");
        assert_eq!(of(&[0, 8]), "level 1 is 8: expected -8 to 7");
        assert_eq!(of(&[0, 2, 2]), "level 2 is 2: expected more than the one before, 2");
    }
}
