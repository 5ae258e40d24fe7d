//! Where the terms of a pattern lie in memory.
//!
//! ```text
//! k = (word·lanes + lane)·m + bank      a group is the window of one lane
//! ```

use crate::matrix::Matrix;
use crate::sparsity::Pattern;
use std::ops::Range;

/// The order of a pattern's terms in memory: (word, bank) or (word, kept entry), then lane.
pub(super) struct Order<'a> {
    pub(super) pattern: &'a Pattern,
    /// Terms of the part: groups of compressed weights, else k.
    pub(super) k: Range<usize>,
    pub(super) lanes: usize,
}

impl Order<'_> {
    /// Rows × members of groups: value (word·m + bank)·lanes + lane is member `bank` of a group.
    pub(super) fn gather_terms(
        &self,
        source: &Matrix<'_>,
        rows: Range<usize>,
        cut: impl Fn(i32) -> u16,
        values: &mut [u16],
        pitch: usize,
    ) {
        let m = self.pattern.m;
        values.fill(0);
        for (i, g) in self.k.clone().enumerate() {
            let to = i / self.lanes * m * self.lanes + i % self.lanes;
            for (bank, k) in self.pattern.members(g).enumerate() {
                for (row, values) in rows.clone().zip(values.chunks_exact_mut(pitch)) {
                    values[to + bank * self.lanes] = cut(source.at(row, k));
                }
            }
        }
    }

    /// Columns of compressed weights: value (word·n + t)·lanes + lane is kept value `t` of a group.
    pub(super) fn gather_kept(
        &self,
        kept: &[i32],
        depth: usize,
        cols: Range<usize>,
        cut: impl Fn(i32) -> u16,
        values: &mut [u16],
        pitch: usize,
    ) {
        let n = self.pattern.n;
        values.fill(0);
        for (col, values) in cols.zip(values.chunks_exact_mut(pitch)) {
            let kept = &kept[col * depth * n..][..depth * n];
            for (i, g) in self.k.clone().enumerate() {
                let to = i / self.lanes * n * self.lanes + i % self.lanes;
                for t in 0..n {
                    values[to + t * self.lanes] = cut(kept[g * n + t]);
                }
            }
        }
    }

    /// Groups of rows: value (word·m + bank)·lanes + lane is term word·lanes + lane of row `bank`.
    pub(super) fn gather_lines(
        &self,
        source: &Matrix<'_>,
        groups: Range<usize>,
        cut: impl Fn(i32) -> u16,
        values: &mut [u16],
        pitch: usize,
    ) {
        let m = self.pattern.m;
        values.fill(0);
        for (g, values) in groups.zip(values.chunks_exact_mut(pitch)) {
            for (bank, row) in self.pattern.members(g).enumerate() {
                for (i, k) in self.k.clone().enumerate() {
                    let to = (i / self.lanes * m + bank) * self.lanes + i % self.lanes;
                    values[to] = cut(source.at(row, k));
                }
            }
        }
    }
}
