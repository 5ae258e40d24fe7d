//! The mask of a structure that keeps the largest scores.
//!
//! ```text
//! unstructured       the k largest
//! bins               the positions with the largest sums, to the nearest number of them, at least one
//! N:M                the N largest of each group
//! transposable N:M   in each M×M block at most N of every row and column, with the largest sum
//! ```
//!
//! Of equal scores (sums) the one with the lower row-major index (indices) is kept.

use super::transposable::{FixedPoint, keep_block};
use crate::layers::prunable::{Groups, MaskPattern};
use crate::tensor::{Mask, slice, slice_mut};
use ndarray::Array2;
use rayon::prelude::*;
use std::cmp::Ordering;

/// Keeps the `count` largest scores, or all if there are fewer.
///
/// # Panics   if a score is not a number
pub fn top_k(scores: &Array2<f64>, count: usize) -> Mask {
    let mut mask = Array2::from_elem(scores.dim(), false);
    let flat = slice(scores);
    let kept = slice_mut(&mut mask);
    let mut order: Vec<usize> = (0..flat.len()).collect();
    keep_first(&mut order, count, |&a, &b| larger_first(flat[a], flat[b]).then(a.cmp(&b)));
    order.into_iter().for_each(|i| kept[i] = true);
    mask
}

/// Keeps the positions with the largest sums: as many as come nearest to `count` scores, at least one.
///
/// # Shape    `[K, N]` of `groups`
/// # Panics   if a sum is not a number
pub fn top_positions(scores: &Array2<f64>, groups: Groups, count: usize) -> Mask {
    let size = groups.channels * groups.outputs;
    let positions = ((count as f64 / size as f64).round() as usize).max(1);
    let sums: Vec<f64> = slice(scores).chunks(size).map(|position| position.iter().sum()).collect();
    let mut order: Vec<usize> = (0..sums.len()).collect();
    keep_first(&mut order, positions, |&a, &b| larger_first(sums[a], sums[b]).then(a.cmp(&b)));
    let mut mask = Array2::from_elem(scores.dim(), false);
    order.into_iter().for_each(|i| slice_mut(&mut mask)[i * size..][..size].fill(true));
    mask
}

/// How many of each matrix are among the `count` largest scores of all together.
///
/// Of equal scores the one in the earlier matrix counts, and there the one with the lower index.
///
/// # Panics   if a score is not a number
pub fn top_k_counts(scores: &[&Array2<f64>], count: usize) -> Vec<usize> {
    let flat: Vec<&[f64]> = scores.iter().map(|s| slice(s)).collect();
    let mut order: Vec<(usize, usize)> =
        flat.iter().enumerate().flat_map(|(l, s)| (0..s.len()).map(move |i| (l, i))).collect();
    keep_first(&mut order, count, |a, b| larger_first(flat[a.0][a.1], flat[b.0][b.1]).then(a.cmp(b)));
    let mut counts = vec![0; scores.len()];
    order.into_iter().for_each(|(l, _)| counts[l] += 1);
    counts
}

/// Leaves the first `count` of a total order, in any order.
fn keep_first<T>(items: &mut Vec<T>, count: usize, order: impl FnMut(&T, &T) -> Ordering) {
    if count == 0 {
        items.clear();
    } else if count < items.len() {
        items.select_nth_unstable_by(count - 1, order);
        items.truncate(count);
    }
}

fn larger_first(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).expect("a score that is a number")
}

/// The best mask of a pattern.
///
/// # Shape    `[K, N]` of `groups`
/// # Numeric  N:M exact; transposable: exact in the fixed point of 36 bits below the largest |score|
/// # Panics   if a score is not finite, or negative for a transposable pattern; if the shapes differ
pub fn best(scores: &Array2<f64>, groups: Groups, pattern: MaskPattern) -> Mask {
    assert_eq!(scores.dim(), (groups.contraction(), groups.outputs), "shape of scores");
    let mut mask = Array2::from_elem(scores.dim(), false);
    let (position, group) = (groups.run(pattern) * groups.outputs, pattern.m * groups.outputs);
    let fixed = FixedPoint::of(slice(scores));
    slice_mut(&mut mask)
        .par_chunks_mut(position)
        .zip(slice(scores).par_chunks(position))
        .flat_map(|(mask, scores)| mask.par_chunks_mut(group).zip(scores.par_chunks(group)))
        .for_each(|(mask, scores)| {
            let strip = Strip { scores, outputs: groups.outputs, own: groups.outputs / groups.blocks };
            if pattern.transposable {
                strip.blocks(mask, pattern, fixed);
            } else {
                strip.columns(mask, pattern.n);
            }
        });
    mask
}

/// The sum of the kept scores, in row-major order.
pub fn retained(scores: &Array2<f64>, mask: &Mask) -> f64 {
    scores.iter().zip(mask).filter(|(_, kept)| **kept).map(|(s, _)| s).sum()
}

/// One group of inputs, for all outputs.
struct Strip<'a> {
    scores: &'a [f64],
    outputs: usize,
    /// Outputs of a block.
    own: usize,
}

impl Strip<'_> {
    fn columns(&self, mask: &mut [bool], n: usize) {
        let rows = self.scores.len() / self.outputs;
        let mut order = Vec::with_capacity(rows);
        for column in 0..self.outputs {
            let score = |row: usize| self.scores[row * self.outputs + column];
            order.clear();
            order.extend(0..rows);
            keep_first(&mut order, n, |&a, &b| larger_first(score(a), score(b)).then(a.cmp(&b)));
            order.iter().for_each(|row| mask[row * self.outputs + column] = true);
        }
    }

    fn blocks(&self, mask: &mut [bool], pattern: MaskPattern, fixed: FixedPoint) {
        let rows = self.scores.len() / self.outputs;
        let mut block = Vec::with_capacity(rows * pattern.m);
        let starts = (0..self.outputs).step_by(self.own);
        for first in starts.flat_map(|start| (start..start + self.own).step_by(pattern.m)) {
            let columns = pattern.m.min(self.own - first % self.own);
            let at = |i: usize| i / columns * self.outputs + first + i % columns;
            block.clear();
            block.extend((0..rows * columns).map(|i| fixed.weight(self.scores[at(i)], i)));
            for (i, kept) in keep_block(&block, rows, columns, pattern.n).into_iter().enumerate() {
                mask[at(i)] = kept;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prune::pattern::check;
    use ndarray::array;
    use proptest::prelude::*;

    /// Small integers, so that there are ties.
    fn scores(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f64>> {
        prop::collection::vec(-20i32..60, rows * columns)
            .prop_map(move |v| Array2::from_shape_fn((rows, columns), |(i, j)| f64::from(v[i * columns + j])))
    }

    fn cases() -> impl Strategy<Value = (Groups, MaskPattern, Array2<f64>)> {
        let sizes = (1usize..3, 1usize..3, 1usize..20, 1usize..20);
        let pattern = (prop::sample::select(vec![2usize, 4, 8, 16]), 1usize..17, any::<bool>());
        (sizes, pattern).prop_flat_map(|((height, width, channels, outputs), (m, n, transposable))| {
            let groups = Groups { height, width, channels, outputs, blocks: 1 };
            let pattern = MaskPattern { n: n.min(m), m, transposable };
            (Just(groups), Just(pattern), scores(groups.contraction(), outputs))
        })
    }

    proptest! {
        /// In both directions, and nothing could be added.
        #[test]
        fn masks_satisfy_their_pattern_and_are_full((groups, pattern, scores) in cases()) {
            let mut mask = best(&scores.mapv(f64::abs), groups, pattern);
            prop_assert_eq!(check(&mask, groups, pattern), Ok(()));
            for at in ndarray::indices(mask.dim()) {
                if !mask[at] {
                    mask[at] = true;
                    prop_assert!(check(&mask, groups, pattern).is_err(), "{:?} could be kept", at);
                    mask[at] = false;
                }
            }
        }

        #[test]
        fn top_k_keeps_exactly_k_and_none_smaller(scores in scores(7, 5), k in 0usize..40) {
            let mask = top_k(&scores, k);
            prop_assert_eq!(mask.iter().filter(|k| **k).count(), k.min(35));
            let entries: Vec<_> = scores.iter().zip(&mask).collect();
            for (i, (a, kept)) in entries.iter().enumerate() {
                for (j, (b, other)) in entries.iter().enumerate() {
                    if **kept && !**other {
                        prop_assert!(a > b || (a == b && i < j));
                    }
                }
            }
        }

        #[test]
        fn counts_are_those_of_one_long_matrix(a in scores(3, 4), b in scores(2, 5), k in 0usize..23) {
            let long = Array2::from_shape_vec((1, 22), a.iter().chain(&b).copied().collect()).unwrap();
            let mask = top_k(&long, k);
            let first = mask.iter().take(12).filter(|k| **k).count();
            prop_assert_eq!(top_k_counts(&[&a, &b], k), [first, k.min(22) - first]);
        }

        /// Every group by itself, by sorting.
        #[test]
        fn groups_keep_their_largest((groups, pattern, scores) in cases()) {
            let pattern = MaskPattern { transposable: false, ..pattern };
            let mask = best(&scores, groups, pattern);
            // Groups that do not divide the channels run along a row of the kernel.
            let run = if groups.channels % pattern.m == 0 { groups.channels } else { groups.width * groups.channels };
            for position in 0..groups.contraction() / run {
                for first in (0..run).step_by(pattern.m) {
                    for column in 0..groups.outputs {
                        let end = (first + pattern.m).min(run);
                        let rows = (first..end).map(|c| position * run + c);
                        let mut group: Vec<_> =
                            rows.map(|row| (-scores[[row, column]] as i64, row)).collect();
                        group.sort_unstable();
                        for (place, (_, row)) in group.into_iter().enumerate() {
                            prop_assert_eq!(mask[[row, column]], place < pattern.n);
                        }
                    }
                }
            }
        }
    }

    proptest! {
        /// Against all 2¹⁶ masks of a block.
        #[test]
        fn transposable_blocks_are_the_optimum(scores in scores(4, 4), n in 1usize..4) {
            let scores = scores.mapv(f64::abs);
            let groups = Groups { height: 1, width: 1, channels: 4, outputs: 4, blocks: 1 };
            let mask = best(&scores, groups, MaskPattern { n, m: 4, transposable: true });
            let optimum = all_blocks(n).map(|bits| {
                let kept = scores.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
                kept.map(|(_, s)| s).sum::<f64>()
            });
            prop_assert_eq!(retained(&scores, &mask), optimum.fold(0.0, f64::max));
        }
    }

    /// All masks of 4×4 with at most `n` in each row and column.
    fn all_blocks(n: usize) -> impl Iterator<Item = u32> {
        let fits = move |bits: u32| (bits.count_ones() as usize) <= n;
        let lines = (0..4).flat_map(|i| [0xf << (4 * i), 0x1111 << i]);
        let lines: Vec<u32> = lines.collect();
        (0..1 << 16).filter(move |bits| lines.iter().all(|line| fits(bits & line)))
    }

    #[test]
    fn equal_scores_keep_the_lower_index() {
        let groups = Groups { height: 1, width: 1, channels: 3, outputs: 2, blocks: 1 };
        let equal = Array2::from_elem((3, 2), 0.5);
        let pattern = |n, transposable| MaskPattern { n, m: 4, transposable };
        let plain = best(&equal, groups, pattern(1, false));
        assert_eq!(plain, array![[true, true], [false, false], [false, false]]);
        assert_eq!(top_k(&equal, 3), array![[true, true], [true, false], [false, false]]);
        let both = best(&equal, groups, pattern(1, true));
        assert_eq!(both, array![[true, false], [false, true], [false, false]]);
    }
}
