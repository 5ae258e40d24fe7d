//! N:M patterns of a product: which operand or result is sparse, and its compressed form.
//!
//! ```text
//! k = position·run + c          groups of m consecutive c at each position; the last one of a run may be shorter
//! W compressed                  values[column][group·n + t], banks alike: t-th nonzero of the group, then zeros
//! Y compressed                  banks[group·n + t][column]: t-th kept row of the group, then bank 0
//! ```

use crate::device::{DeviceError, GemmRequest};
use crate::matrix::Matrix;
use ndarray::{Array2, ArrayView2};
use std::ops::Range;

/// N:M along one dimension: at most `n` of every `m` consecutive entries, in runs of `run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Entries that a group keeps at most, 1 to `m`.
    pub n: usize,
    /// Entries of a group: a power of two up to the accelerator's largest.
    pub m: usize,
    /// Groups start anew after so many entries (channels of a convolution); divides the dimension.
    pub run: usize,
}

impl Pattern {
    /// N:M without runs, over a dimension of `k`.
    pub fn whole(n: usize, m: usize, k: usize) -> Self {
        Pattern { n, m, run: k }
    }

    /// Groups of a dimension of `k` entries.
    pub fn groups(&self, k: usize) -> usize {
        k / self.run * self.run.div_ceil(self.m)
    }

    /// Entries of group `g`.
    pub fn members(&self, g: usize) -> Range<usize> {
        let per_run = self.run.div_ceil(self.m);
        let (position, first) = (g / per_run * self.run, g % per_run * self.m);
        position + first..position + (first + self.m).min(self.run)
    }

    /// Keeps the `n` largest magnitudes of every group (the first of equal ones) of a matrix `[k, columns]`,
    /// zeroes the rest, and returns what it kept.
    pub fn project(&self, w: &mut Array2<i32>) -> Array2<bool> {
        let mut kept = Array2::from_elem(w.raw_dim(), false);
        for column in 0..w.ncols() {
            for g in 0..self.groups(w.nrows()) {
                let mut members: Vec<_> = self.members(g).collect();
                members.sort_by_key(|k| std::cmp::Reverse(w[[*k, column]].unsigned_abs()));
                members.iter().take(self.n).for_each(|k| kept[[*k, column]] = true);
                members.iter().skip(self.n).for_each(|k| w[[*k, column]] = 0);
            }
        }
        kept
    }

    /// log2 of m.
    pub fn select(&self) -> u8 {
        self.m.trailing_zeros() as u8
    }
}

/// Which part of a request is sparse.
#[derive(Clone, Copy, Debug, Default)]
pub enum Sparsity<'a> {
    /// Nothing.
    #[default]
    Dense,
    /// W: at most n of m consecutive rows are not zero in each column (forward product, input gradient).
    Weights(Pattern),
    /// Y: only the marked entries are wanted, at most n of m consecutive rows in each column (weight
    /// gradient); the others are returned as zero.
    Results(Pattern, ArrayView2<'a, bool>),
}

impl<'a> Sparsity<'a> {
    /// A pattern of the results if their marks are given, else of W; dense without a pattern.
    pub fn new(pattern: Option<Pattern>, kept: Option<&'a Array2<bool>>) -> Self {
        match (pattern, kept) {
            (None, _) => Sparsity::Dense,
            (Some(pattern), None) => Sparsity::Weights(pattern),
            (Some(pattern), Some(kept)) => Sparsity::Results(pattern, kept.view()),
        }
    }
}

/// What a plan knows of a request's sparsity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Selection {
    /// No selection.
    #[default]
    Dense,
    /// Lanes select: W is compressed along k.
    Weights(Pattern),
    /// Elements select: rows of Y are groups, passes give their kept entries.
    Results(Pattern),
}

impl Selection {
    /// The pattern, if any.
    pub fn pattern(&self) -> Option<Pattern> {
        match self {
            Selection::Dense => None,
            Selection::Weights(p) | Selection::Results(p) => Some(*p),
        }
    }

    /// Flat words of the row and of the column memory per word of the sum.
    pub fn expansion(&self) -> [usize; 2] {
        match self {
            Selection::Dense => [1, 1],
            Selection::Weights(p) => [p.m, p.n],
            Selection::Results(p) => [p.m, 1],
        }
    }

    /// Passes over the sum: kept entries of a group of results.
    pub fn passes(&self) -> usize {
        if let Selection::Results(p) = self { p.n } else { 1 }
    }

    /// Steps per word of the sum and pair of planes in one pass.
    pub fn turns(&self) -> usize {
        if let Selection::Weights(p) = self { p.n } else { 1 }
    }
}

/// Banks of kept entries, and the values if it is W that is sparse.
#[derive(Clone, Debug)]
pub(crate) struct Compressed {
    /// `[column][group·n + t]`; empty for results.
    pub values: Vec<i32>,
    /// Weights: `[column][group·n + t]`; results: `[group·n + t][column]`.
    pub banks: Vec<u8>,
    /// Results: whether the entry is one (absent entries are computed as bank 0 and dropped).
    pub present: Vec<bool>,
}

/// Checks that no group keeps more than a request's pattern allows.
///
/// # Errors   the first such group, with its column and rows
pub(crate) fn check_groups(request: &GemmRequest<'_>, w: &Matrix<'_>) -> Result<(), DeviceError> {
    match request.sparsity {
        Sparsity::Dense => Ok(()),
        Sparsity::Weights(p) => p.check("W", (w.rows, w.cols), |k, column| w.at(k, column) != 0),
        Sparsity::Results(p, kept) => p.check("Y", kept.dim(), |row, column| kept[[row, column]]),
    }
}

impl Pattern {
    fn check(
        &self,
        what: &str,
        (rows, cols): (usize, usize),
        is_kept: impl Fn(usize, usize) -> bool,
    ) -> Result<(), DeviceError> {
        let mut counts = vec![0; cols];
        for g in 0..self.groups(rows) {
            counts.fill(0);
            let members = self.members(g);
            for row in members.clone() {
                counts.iter_mut().enumerate().for_each(|(c, n)| *n += usize::from(is_kept(row, c)));
            }
            if let Some(column) = counts.iter().position(|n| *n > self.n) {
                let (first, last) = (members.start, members.end - 1);
                let what = format!(
                    "{what}: group {g} of column {column} (rows {first} to {last}) keeps more than {} of {}",
                    self.n, self.m
                );
                return Err(DeviceError::Request { what });
            }
        }
        Ok(())
    }
}

/// Compresses what a request says is sparse.
///
/// # Errors   as [`check_groups`]
pub(crate) fn compress(request: &GemmRequest<'_>, w: &Matrix<'_>) -> Result<Option<Compressed>, DeviceError> {
    check_groups(request, w)?;
    Ok(match request.sparsity {
        Sparsity::Dense => None,
        Sparsity::Weights(p) => Some(compress_weights(w, &p)),
        Sparsity::Results(p, kept) => Some(compress_results(kept, &p)),
    })
}

/// Compresses W, `[k, n]`, whose groups were checked.
fn compress_weights(w: &Matrix<'_>, p: &Pattern) -> Compressed {
    let groups = p.groups(w.rows);
    let pitch = groups * p.n;
    let (mut values, mut banks) = (vec![0; w.cols * pitch], vec![0; w.cols * pitch]);
    for column in 0..w.cols {
        for g in 0..groups {
            let values_of = p.members(g).map(|k| w.at(k, column)).enumerate();
            for (t, (bank, v)) in values_of.filter(|(_, v)| *v != 0).enumerate() {
                let at = column * pitch + g * p.n + t;
                (values[at], banks[at]) = (v, bank as u8);
            }
        }
    }
    Compressed { values, banks, present: vec![] }
}

/// Compresses the marks of Y, `[m, n]`, whose groups were checked.
fn compress_results(kept: ArrayView2<'_, bool>, p: &Pattern) -> Compressed {
    let (rows, cols) = kept.dim();
    let size = p.groups(rows) * p.n * cols;
    let (mut banks, mut present) = (vec![0; size], vec![false; size]);
    for g in 0..p.groups(rows) {
        for column in 0..cols {
            let members = p.members(g).enumerate().filter(|(_, row)| kept[[*row, column]]);
            for (t, (bank, _)) in members.enumerate() {
                let at = (g * p.n + t) * cols + column;
                (banks[at], present[at]) = (bank as u8, true);
            }
        }
    }
    Compressed { values: vec![], banks, present }
}

/// Zeroes what is not kept.
pub(crate) fn zip_mask(y: &mut Array2<i64>, kept: ArrayView2<'_, bool>) {
    ndarray::Zip::from(y).and(kept).for_each(|y, &kept| *y = if kept { *y } else { 0 });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Format, Operand, ResultFormat};
    use ndarray::array;

    #[test]
    fn groups_end_with_their_run() {
        let p = Pattern { n: 1, m: 4, run: 6 };
        let members: Vec<_> = (0..p.groups(12)).map(|g| p.members(g)).collect();
        assert_eq!(members, [0..4, 4..6, 6..10, 10..12]);
    }

    #[test]
    fn weights_are_values_and_banks() {
        let w = array![[0, 5], [3, 0], [0, 0], [2, 7], [0, 1], [4, 0]];
        let p = Pattern { n: 2, m: 4, run: 6 };
        let c = compress_weights(&Matrix::new(w.view()), &p);
        assert_eq!(c.values, [3, 2, 4, 0, 5, 7, 1, 0]);
        assert_eq!(c.banks, [1, 3, 1, 0, 0, 3, 0, 0]);
        let tight = Pattern { n: 1, ..p };
        let operand = |values| Operand { values, format: Format::signed(4) };
        let x = array![[0; 6]];
        let request = GemmRequest {
            x: operand(x.view()),
            w: operand(w.view()),
            result: ResultFormat::Full,
            sparsity: Sparsity::Weights(tight),
        };
        let refused = compress(&request, &Matrix::new(w.view())).unwrap_err().to_string();
        assert_eq!(refused, "W: group 0 of column 0 (rows 0 to 3) keeps more than 1 of 4");
    }

    #[test]
    fn results_are_banks() {
        let kept = array![[true, false], [false, false], [false, true]];
        let c = compress_results(kept.view(), &Pattern::whole(1, 2, 3));
        assert_eq!((c.banks, c.present), (vec![0, 0, 0, 0], vec![true, false, false, true]));
    }
}
