//! A layer without quantization, in f64: what the [`Probe`](crate::prune::probe::Probe) of pruning scores runs.
//!
//! ```text
//! forward     inputs, W ─► y, pullback
//! pullback    ∂L/∂y ─► ∂L/∂input of each input, ∂L/∂W
//! ```
//!
//! # Numeric  f64; sums in index order; the same bits for every number of threads

use ndarray::Array2;
use std::fmt::Debug;

/// Which function of its weights a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The layer itself, with statistics of the batch, as in training.
    Training,
    /// With the magnitudes of all other parameters and with recorded statistics: positive weights and inputs give positive
    /// outputs.
    Positive,
}

/// The derivatives of the loss.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// By each input, if any is wanted.
    pub inputs: Vec<Array2<f64>>,
    /// By the weights, whatever their mask.
    pub weight: Option<Array2<f64>>,
}

impl Gradients {
    /// Those of a layer with one input and without weights.
    pub fn of_input(dx: Array2<f64>) -> Self {
        Gradients { inputs: vec![dx], weight: None }
    }
}

/// From ∂L/∂y to the other derivatives, for the values of one forward pass; the flag asks for those by the inputs.
pub type Pullback<'a> = Box<dyn Fn(&Array2<f64>, bool) -> Gradients + 'a>;

/// A layer without quantization, with the parameters that it had when it was asked for.
pub trait Unquantized: Debug + Send + Sync {
    /// The output, and the way back. `weight` is what scores look at: see
    /// [`coefficients`](crate::layers::prunable::Prunable::coefficients).
    ///
    /// # Shape   `[B, features]` each → `[B, outputs]`
    /// # Panics  if a layer with weights gets none
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        weight: Option<&Array2<f64>>,
        form: Form,
    ) -> (Array2<f64>, Pullback<'_>);

    /// Whether [`Form::Positive`] exists.
    fn has_positive_form(&self) -> bool {
        true
    }
}
