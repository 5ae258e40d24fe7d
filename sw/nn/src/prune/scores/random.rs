//! Random: the control.
//!
//! ```text
//! s = U(0, 1)
//! ```

use super::{Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "random", score: &Random, rounds: 1 };

/// A score that knows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Score for Random {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        Ok((0..context.weights().len()).map(|tensor| context.uniform(tensor)).collect())
    }
}
