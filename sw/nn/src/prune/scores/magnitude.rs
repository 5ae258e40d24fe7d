//! Magnitude.
//!
//! ```text
//! s = |w|
//! ```

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "magnitude", score: &Magnitude, rounds: 1 };

/// The size of a weight.
#[derive(Clone, Copy, Debug)]
pub struct Magnitude;

impl Score for Magnitude {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        Ok(context.weights().iter().map(|w| w.mapv(f64::abs)).collect())
    }
}
