//! N of M: which operand or result of a product is sparse, and what a plan makes of it.
//!
//! ```text
//! k = position·run + c          groups of m consecutive c at each position; the last one of a run may be shorter
//!
//!                               terms of the sum     rows of the array     steps for a word of the sum
//! dense                         k                    m                     1
//! compressed weights            groups of k          m                     n: lanes select
//! selected results              k                    groups of m           1 in each of n passes: elements select
//! ```

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

    /// The group of entry `k`.
    pub fn group_of(&self, k: usize) -> usize {
        k / self.run * self.run.div_ceil(self.m) + k % self.run / self.m
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

    /// Whether W is compressed.
    pub fn is_of_weights(&self) -> bool {
        matches!(self, Selection::Weights(_))
    }

    /// Whether results are selected.
    pub fn is_of_results(&self) -> bool {
        matches!(self, Selection::Results(_))
    }

    /// Terms of a sum over k: k, or its groups if W is compressed.
    pub fn terms(&self, k: usize) -> usize {
        if let Selection::Weights(p) = self { p.groups(k) } else { k }
    }

    /// Rows of Y as the array sees them: m, or its groups if results are selected.
    pub fn lines(&self, m: usize) -> usize {
        if let Selection::Results(p) = self { p.groups(m) } else { m }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_with_their_run() {
        let p = Pattern { n: 1, m: 4, run: 6 };
        let members: Vec<_> = (0..p.groups(12)).map(|g| p.members(g)).collect();
        assert_eq!(members, [0..4, 4..6, 6..10, 10..12]);
        assert!(members.iter().enumerate().all(|(g, of)| of.clone().all(|k| p.group_of(k) == g)));
    }
}
