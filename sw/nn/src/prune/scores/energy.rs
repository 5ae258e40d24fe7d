//! The energy of its layer's output that a weight carries, to first order: no labels, no backward pass.
//!
//! ```text
//! weight in space       s = |w·(R_x w)| = |w·F⁻¹(S_x ⊙ Ŵ)|          Σ w·(R_x w) = E, the energy behind the kernel
//! weight of a linear layer      s = w²·R_x(0)                              a map of one point: `wanda`
//! bin and its mirror            s = p/N·|Ŵ_f|²·S_x(f)                      exact: bins do not interact
//! cosine coefficient            s = |c·(D·R_x(Dᵀ·c))|
//! ```
//!
//! S_x is the power spectrum of the quantized maps that enter the layer, each channel alone, in the first batches;
//! R_x = F⁻¹ S_x their autocorrelation. The FFT unit measures S_x: see [`crate::spectral::power`] for tiles, formats and what happens
//! without one. Values under masks count as they are stored.
//!
//! # Source   our own; Wiener–Khinchin; with R_x(0) in place of R_x it is [`wanda`](super::wanda)

use super::{Correlation, Score, ScoreContext, ScoreKind};
use crate::prune::probe::ProbeError;
use ndarray::Array2;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "energy", score: &Energy, rounds: 1 };

/// The output energy of a weight, with all weights of its kernel.
#[derive(Clone, Copy, Debug)]
pub struct Energy;

impl Score for Energy {
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
        context.energies(Correlation::Whole)
    }
}
