//! Weight and activation: the output energy of a weight by itself. The control of [`energy`](super::energy).
//!
//! ```text
//! s = w²·R_x(0) = (|w|·‖x‖)²          x the map of the weight's input channel, or its input
//! bin and its mirror: p/N·|Ŵ_f|²·R_x(0)
//! ```
//!
//! Measured as `energy` is. In groups along the channels of one output it is the comparison that the source makes.
//!
//! # Source   Sun, Liu, Bair, Kolter, "A simple and effective pruning approach for large language models", 2023;
//! deviation: squared, which changes no order; masks are chosen by pattern and budget, not always output by output

use super::{Correlation, Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "wanda", score: &Wanda, rounds: 1 };

/// The output energy of a weight, without the others.
#[derive(Clone, Copy, Debug)]
pub struct Wanda;

impl Score for Wanda {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        context.energies(Correlation::Diagonal)
    }
}
