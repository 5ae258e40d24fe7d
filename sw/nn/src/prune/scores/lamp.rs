//! Layer-adaptive magnitude.
//!
//! ```text
//! s_u = w_u² / Σ_{v ≥ u} w_v²          in the ascending order of w² in the layer, ties by index
//! ```
//!
//! The largest weight of each layer has the score 1. A layer of zeros has scores of 0.
//!
//! # Source   Lee, Park, Mo, Ahn, Shin, "Layer-adaptive sparsity for the magnitude-based pruning", 2021

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "lamp", score: &Lamp, rounds: 1 };

/// The share of a weight in what is left of its layer.
#[derive(Clone, Copy, Debug)]
pub struct Lamp;

impl Score for Lamp {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        Ok(context.weights().iter().map(shares).collect())
    }
}

fn shares(weights: &Array2<f64>) -> Array2<f64> {
    let squares: Vec<f64> = slice(weights).iter().map(|w| w * w).collect();
    let mut order: Vec<usize> = (0..squares.len()).collect();
    order.sort_by(|&a, &b| squares[a].total_cmp(&squares[b]).then(a.cmp(&b)));
    let mut scores = Array2::zeros(weights.dim());
    let mut rest = 0.0;
    for i in order.into_iter().rev() {
        rest += squares[i];
        slice_mut(&mut scores)[i] = if rest > 0.0 { squares[i] / rest } else { 0.0 };
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Squares 4, 1, 9, 1, 0: ascending 0, 1 (index 1), 1 (index 3), 4, 9; sums from the top 15, 15, 14, 13, 9.
    #[test]
    fn a_layer_by_hand() {
        let scores = shares(&array![[-2.0, 1.0, 3.0, 1.0, 0.0]]);
        assert_eq!(scores, array![[4.0 / 13.0, 1.0 / 15.0, 1.0, 1.0 / 14.0, 0.0]]);
        assert_eq!(shares(&array![[0.0, 0.0]]), array![[0.0, 0.0]]);
    }
}
