//! The hook that pruning and spectral layers share.
//!
//! A layer lists its prunable tensors. Whoever sets a mask gets, in every later step: masked weights
//! are zero in the forward product and in dX, and dW is masked. The values under the mask are left
//! alone, so that they can come back. A mask that comes with a [`MaskPattern`] is run as N:M selection:
//! its zeros cost no cycles on a device that can select.

use crate::backend::Product;
use crate::layers::cosine::Cosine;
use crate::tensor::{Mask, Parameter};
use ndarray::Array2;
use num_complex::Complex;

/// What the numbers of a prunable tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// One number is one weight.
    Real,
    /// Masks are of frequency bins: an entry keeps a complex coefficient, a position of [`Groups`] is a bin. How the
    /// parameter itself is stored is up to the layer.
    Complex,
    /// Masks are of the coefficients of [`Cosine`], a position of [`Groups`] is one of them; the weights themselves
    /// are dense, and follow their whole gradient, so that coefficients can return.
    Cosine,
}

/// How the rows of a weight matrix `[K, N]` are ordered: k = (k_h·width + k_w)·channels + c, and its columns: block after block.
///
/// N:M patterns run along `channels` at each kernel position, or, where a group does not divide them, along
/// (k_w, channels) in each row of the kernel: such groups are what a walk over an image meets in one word. Short groups end
/// at the end of their run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Kernel height, 1 for a linear layer.
    pub height: usize,
    /// Kernel width, 1 for a linear layer.
    pub width: usize,
    /// Input channels or features, of one block.
    pub channels: usize,
    /// Output channels or features, N, of all blocks.
    pub outputs: usize,
    /// Equal parts of the outputs, each with input channels of its own: 1 but in grouped convolutions.
    pub blocks: usize,
}

impl Groups {
    /// Rows of the weight matrix, K.
    pub const fn contraction(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Inputs after which the groups of a pattern start anew: the channels of a kernel position, or those of a row of the
    /// kernel if groups do not divide them.
    pub const fn run(&self, pattern: MaskPattern) -> usize {
        if self.channels.is_multiple_of(pattern.m) { self.channels } else { self.width * self.channels }
    }

    /// A mask's pattern as one of the three products sees it: along K of the forward product, along the
    /// outputs of the input gradient (if it is transposable), along the rows of dW. `None` is dense.
    pub fn selection(
        &self,
        product: Product,
        pattern: Option<MaskPattern>,
    ) -> Option<tandem_driver::Pattern> {
        let pattern = pattern.filter(|p| p.n < p.m)?;
        let run = match product {
            Product::InputGradient if !pattern.transposable => return None,
            Product::InputGradient => self.outputs / self.blocks,
            Product::Forward | Product::WeightGradient => self.run(pattern),
        };
        Some(tandem_driver::Pattern { n: pattern.n, m: pattern.m, run })
    }
}

/// N:M: at most `n` of every `m` consecutive inputs (of one output) are kept; if `transposable`, also at
/// most `n` of every `m` consecutive outputs of one input.
///
/// Groups of inputs start anew after each [`Groups::run`], groups of outputs at the first one of a block; the last one
/// may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaskPattern {
    /// Kept weights of a group, 1 to `m`; `n == m` is dense.
    pub n: usize,
    /// Weights of a group: 1, 2, 4, 8 or 16.
    pub m: usize,
    /// Both directions, so that dX skips too.
    pub transposable: bool,
}

/// A tensor that may be pruned.
pub trait Prunable {
    /// The trained weights, with gradient and moments: `[K, N]` in [`Domain::Real`].
    fn weight(&self) -> &Parameter;

    /// The same, to change.
    fn weight_mut(&mut self) -> &mut Parameter;

    /// What its numbers are.
    fn domain(&self) -> Domain;

    /// How its rows are ordered.
    fn groups(&self) -> Groups;

    /// The transform of [`Domain::Cosine`].
    fn cosine(&self) -> Option<&Cosine> {
        None
    }

    /// What scores look at: the weights, or the magnitudes of complex coefficients, masked ones too.
    ///
    /// # Shape    that of masks, `[K, N]` of [`groups`](Self::groups)
    fn coefficients(&self) -> Array2<f64> {
        self.weight().value.mapv(f64::from)
    }

    /// The complex coefficients; `None` in [`Domain::Real`].
    ///
    /// # Shape    that of masks
    fn spectrum(&self) -> Option<Array2<Complex<f64>>> {
        None
    }

    /// The distance of each position of its groups from frequency 0; empty in [`Domain::Real`].
    fn rings(&self) -> Vec<usize> {
        Vec::new()
    }

    /// The mask; `None` keeps all.
    fn mask(&self) -> Option<&Mask>;

    /// Replaces the mask. `pattern` is one that it satisfies, or `None` for an unstructured mask.
    ///
    /// # Panics   if its shape is not `[K, N]`
    fn set_mask(&mut self, mask: Option<Mask>, pattern: Option<MaskPattern>);

    /// Whether the next backward passes also leave the gradient of all weights, masked ones too, in
    /// [`dense_gradient`](Self::dense_gradient). It costs the dense product.
    fn want_dense_gradient(&mut self, wanted: bool);

    /// ∂L/∂W before masking, from the last backward pass that was asked for it.
    fn dense_gradient(&self) -> Option<&Array2<f32>>;
}
