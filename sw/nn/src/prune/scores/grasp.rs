//! Gradient signal preservation.
//!
//! ```text
//! s = w·(H·g)          g = ∂L/∂w, H = ∂²L/∂w²: signed, the largest are kept
//! ```
//!
//! Leaving out a weight with a large w·(H·g) lowers the gradient norm gᵀg the most.
//!
//! # Source   Wang, Zhang, Grosse, "Picking winning tickets before training by preserving gradient flow", 2020;
//! deviation: the sign, there the weights with the largest −w·(H·g) are removed

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use crate::tensor::keep;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "grasp", score: &Grasp, rounds: 1 };

/// What a weight does for the gradient flow.
#[derive(Clone, Copy, Debug)]
pub struct Grasp;

impl Score for Grasp {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        let mut gradient = context.gradient()?;
        for (g, mask) in gradient.iter_mut().zip(context.masks()) {
            if let Some(mask) = mask {
                keep(g, mask);
            }
        }
        let product = context.hessian_product(&gradient)?;
        Ok(context.masked_weights().iter().zip(&product).map(|(w, hg)| w * hg).collect())
    }
}
