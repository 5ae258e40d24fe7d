//! Synaptic flow: no data, and no layer is cut off.
//!
//! ```text
//! s = |w·∂R/∂w|          R = Σ outputs for an input of ones, every parameter replaced by its magnitude
//! density after round k of 100: d^(k/100)
//! ```
//!
//! # Source   Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow",
//! 2020

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "synflow", score: &SynFlow, rounds: 100 };

/// The flow through a weight.
#[derive(Clone, Copy, Debug)]
pub struct SynFlow;

impl Score for SynFlow {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        let gradient = context.ones()?;
        let pairs = context.masked_weights().into_iter().zip(&gradient);
        Ok(pairs.map(|(w, g)| (w * g).mapv(f64::abs)).collect())
    }
}
