//! Ranks: scores of any scale on one of [0, 1].
//!
//! ```text
//! rank = number of lower scores / (n − 1)          over all matrices that are ranked together
//! ```
//!
//! Of equal scores the one in the earlier matrix, and there the one with the lower index, is the higher.

use crate::tensor::{slice, slice_mut};
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
}
