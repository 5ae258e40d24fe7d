//! Scores of any scale on one of [0, 1]: ranks, and shares of the sum.
//!
//! ```text
//! rank  = number of lower scores / (n − 1)          over all matrices that are ranked together
//! share = max(s, 0) / Σ max(s, 0)
//! ```
//!
//! Of equal scores the one in the earlier matrix, and there the one with the lower index, is the higher.

use crate::tensor::{Mask, keep, slice, slice_mut};
use ndarray::Array2;

/// The ranks of scores that are ranked together: the lowest is 0, the highest 1.
///
/// # Shape   as `scores`
pub fn ranks(scores: &[&Array2<f64>]) -> Vec<Array2<f64>> {
    let flat: Vec<&[f64]> = scores.iter().map(|s| slice(s)).collect();
    let places = flat.iter().enumerate().flat_map(|(l, s)| (0..s.len()).map(move |i| (l, i)));
    let mut order: Vec<(usize, usize)> = places.collect();
    order.sort_unstable_by(|a, b| flat[a.0][a.1].total_cmp(&flat[b.0][b.1]).then(b.cmp(a)));
    let last = order.len().saturating_sub(1).max(1) as f64;
    let mut result: Vec<_> = scores.iter().map(|s| Array2::ones(s.dim())).collect();
    if order.len() > 1 {
        for (place, (l, i)) in order.into_iter().enumerate() {
            slice_mut(&mut result[l])[i] = place as f64 / last;
        }
    }
    result
}

/// The shares of scores in their sum: negative ones count as 0, and if all are 0 so are the shares.
///
/// # Shape   as `scores`
pub fn shares(scores: &[&Array2<f64>]) -> Vec<Array2<f64>> {
    let positive = |s: &f64| s.max(0.0);
    let total: f64 = scores.iter().map(|s| slice(s).iter().map(positive).sum::<f64>()).sum();
    let share = |s: &f64| if total > 0.0 { positive(s) / total } else { 0.0 };
    scores.iter().map(|s| s.map(share)).collect()
}

/// The scores of all pruned layers, on two scales.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// By which masks are chosen: [`ranks`].
    pub ranks: Vec<Array2<f64>>,
    /// By which layers are weighed against each other: [`shares`]. A rank says that a weight matters
    /// more, but never a hundred times more.
    pub shares: Vec<Array2<f64>>,
}

impl Scores {
    /// (1 − λ)·`first` + λ·`self`, on both scales.
    pub fn mix(&mut self, first: &Scores, lambda: f64) {
        let pairs = self.ranks.iter_mut().zip(&first.ranks).chain(self.shares.iter_mut().zip(&first.shares));
        for (now, first) in pairs {
            now.zip_mut_with(first, |now, first| *now = (1.0 - lambda) * first + lambda * *now);
        }
    }

    /// Sets the scores of what the mask of a layer does not keep to 0.
    pub fn clear(&mut self, layer: usize, mask: &Mask) {
        for scores in [&mut self.ranks[layer], &mut self.shares[layer]] {
            keep(scores, mask);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ranks_count_the_lower_ones_and_ties_go_to_the_first() {
        let (a, b) = (array![[-3.0, 7.0], [7.0, 0.0]], array![[7.0]]);
        let together = ranks(&[&a, &b]);
        assert_eq!(together[0], array![[0.0, 1.0], [0.75, 0.25]]);
        assert_eq!(together[1], array![[0.5]]);
        assert_eq!(ranks(&[&b])[0], array![[1.0]]);
    }

    #[test]
    fn shares_sum_to_1() {
        let (a, b) = (array![[-3.0, 1.0]], array![[5.0, 2.0]]);
        assert_eq!(shares(&[&a, &b]), [array![[0.0, 0.125]], array![[0.625, 0.25]]]);
        assert_eq!(shares(&[&array![[0.0, -1.0]]]), [array![[0.0, 0.0]]]);
    }
}
