//! Low frequencies first.
//!
//! ```text
//! s = 1 / (1 + r)          r the ring of a bin, its rounded distance from frequency 0
//! ```
//!
//! For spectral layers only.

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "bands", score: &Bands, rounds: 1 };

/// How low a bin's frequency is.
#[derive(Clone, Copy, Debug)]
pub struct Bands;

impl Score for Bands {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        let score = |(weights, rings): (&Array2<f64>, &Vec<usize>)| {
            let rows = weights.nrows() / rings.len().max(1);
            let ring = |row: usize| rings.get(row / rows.max(1)).copied().unwrap_or(0);
            Array2::from_shape_fn(weights.dim(), |(row, _)| 1.0 / (1 + ring(row)) as f64)
        };
        Ok(context.weights().iter().zip(context.rings()).map(score).collect())
    }
    fn needs_frequencies(&self) -> bool {
        true
    }
}
