//! Connection sensitivity.
//!
//! ```text
//! s = |w·∂L/∂w|          ∂L/∂w at the masked weights
//! ```
//!
//! # Source   Lee, Ajanthan, Torr, "SNIP: single-shot network pruning based on connection sensitivity", 2019;
//! deviation: not normalised, which changes no order

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "snip", score: &Snip, rounds: 1 };

/// The change of the loss, to first order, when a weight is left out (or let in again).
#[derive(Clone, Copy, Debug)]
pub struct Snip;

impl Score for Snip {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        let gradient = context.gradient()?;
        let pairs = context.weights().iter().zip(&gradient);
        Ok(pairs.map(|(w, g)| (w * g).mapv(f64::abs)).collect())
    }
}
