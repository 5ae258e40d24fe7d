//! The hook that pruning and spectral layers share.
//!
//! A layer lists its prunable tensors. Whoever sets a mask gets, in every later step: masked weights
//! are zero in the forward product and in dX, and dW is masked. The values under the mask are left
//! alone, so that they can come back.

use crate::tensor::{Mask, Parameter};

/// What the numbers of a prunable tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// One number is one weight.
    Real,
    /// Rows 2i and 2i + 1 are the real and imaginary part of one weight.
    Complex,
}

/// How the rows of a weight matrix `[K, N]` are ordered: k = (k_h·width + k_w)·channels + c.
///
/// N:M patterns run along `channels`, at each kernel position; short groups end at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Kernel height, 1 for a linear layer.
    pub height: usize,
    /// Kernel width, 1 for a linear layer.
    pub width: usize,
    /// Input channels or features.
    pub channels: usize,
    /// Output channels or features, N.
    pub outputs: usize,
}

impl Groups {
    /// Rows of the weight matrix, K.
    pub const fn contraction(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// A tensor that may be pruned.
pub trait Prunable {
    /// The weights `[K, N]`, with gradient and moments.
    fn weight(&self) -> &Parameter;

    /// The same, to change.
    fn weight_mut(&mut self) -> &mut Parameter;

    /// What its numbers are.
    fn domain(&self) -> Domain;

    /// How its rows are ordered.
    fn groups(&self) -> Groups;

    /// The mask; `None` keeps all.
    fn mask(&self) -> Option<&Mask>;

    /// Replaces the mask.
    ///
    /// # Panics   if its shape is not the weights'
    fn set_mask(&mut self, mask: Option<Mask>);
}
