//! Layers. Each file opens with its equation and shapes.
//!
//! ```text
//! TOML table ── LayerKind::parse ──► dyn LayerSpec ── infer ──► Signal     (before anything runs)
//!                                         └───────── build ──► dyn Layer  (forward, backward, state)
//!                                                               └─── unquantized ──► dyn Unquantized (f64)
//! ```
//!
//! What a layer says of itself is in [`signal`], [`bits`], [`product`], [`prunable`] and [`unquantized`]. Layers with weights
//! share [`affine`], a contraction in three products (with [`bias`], [`cosine`]), or [`spectral`].
//!
//! A new layer is one file here, one `mod` line and one line in [`LAYERS`].

pub mod affine;
pub mod avg_pool;
pub mod batch_norm;
pub mod bias;
pub mod bits;
pub mod circulant_linear;
pub mod conv2d;
pub mod cosine;
pub mod dropout;
pub mod flatten;
pub mod linear;
pub mod max_pool;
mod pool;
pub mod product;
pub mod prunable;
pub mod relu;
pub mod residual;
pub mod signal;
pub mod spectral;
pub mod spectral_conv2d;
pub mod unquantized;
pub use crate::backend::{Pass, ProductError};
use crate::quant::Quantized;
use crate::spectral::power::Power;
use crate::tensor::Slot;
use ndarray::Array2;
use prunable::Prunable;
use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::fmt::Debug;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeValue;
use unquantized::Unquantized;

pub use bits::LayerBits;
pub use product::ProductPlan;
pub(crate) use product::{moves_as_codes, three_products};
pub use signal::{Range, Signal};

/// All kinds of layers.
pub const LAYERS: &[LayerKind] = &[
    linear::KIND,
    conv2d::KIND,
    spectral_conv2d::KIND,
    circulant_linear::KIND,
    batch_norm::KIND,
    relu::KIND,
    max_pool::KIND,
    avg_pool::KIND,
    avg_pool::GLOBAL,
    flatten::KIND,
    residual::KIND,
    dropout::KIND,
];

/// A layer's table, read.
pub type Parsed = Result<Arc<dyn LayerSpec>, toml::de::Error>;

/// A kind of layer: its name in experiments and how its table is read.
#[derive(Clone, Copy)]
pub struct LayerKind {
    /// The value of `type`.
    pub name: &'static str,
    /// Reads the table's remaining keys.
    pub parse: fn(Spanned<DeValue<'_>>) -> Parsed,
}

impl LayerKind {
    /// The kind whose tables deserialize to `S`.
    pub const fn of<S: LayerSpec + DeserializeOwned + 'static>(name: &'static str) -> Self {
        LayerKind { name, parse: |table| Ok(Arc::new(S::deserialize(table.into_deserializer())?)) }
    }
}

/// A layer's own keys.
pub trait Described {
    /// Them, as a JSON object.
    fn described(&self) -> serde_json::Value;
}

impl<T: Serialize> Described for T {
    fn described(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("keys of a layer are plain data")
    }
}

/// One layer of an experiment.
#[derive(Clone, Debug)]
pub struct LayerEntry {
    /// Its name: as given, or kind and count, such as `linear2`.
    pub name: String,
    /// The value of `type`.
    pub kind: &'static str,
    /// Name of the layer whose output is its input, or `input`; the layer before it if absent.
    pub input: Option<String>,
    /// What its file describes.
    pub spec: Arc<dyn LayerSpec>,
    /// Widths and quantizers.
    pub bits: LayerBits,
    /// Whether the layer overrides `[bits]`.
    pub overrides_bits: bool,
}

/// A layer as the experiment describes it: plain data.
pub trait LayerSpec: Debug + Described + Send + Sync {
    /// The output for these inputs.
    ///
    /// # Errors   the key that does not suit the inputs, and what would
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError>;

    /// Whether it has parameters to train.
    fn trained(&self) -> bool {
        false
    }

    /// Whether its weights are kernels, maybe of one position: `erk` budgets count their height and width.
    fn has_kernel(&self) -> bool {
        true
    }

    /// Whether scales of weights and of output gradients may follow an axis: not where transforms mix the axes.
    fn has_scales_by_axis(&self) -> bool {
        false
    }

    /// Name of the layer whose output is a second input.
    fn second_input(&self) -> Option<&str> {
        None
    }

    /// The products that go to the device in a training step with `batch` examples.
    fn products(&self, _input: Signal, _bits: &LayerBits, _batch: usize) -> Vec<ProductPlan> {
        Vec::new()
    }

    /// The layer, with initial weights.
    fn build(&self, site: &Site<'_>) -> Box<dyn Layer>;
}

/// A key of a layer's table that does not suit its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// The key, or `type` if the kind of layer itself is in the wrong place.
    pub key: &'static str,
    /// What is wrong and what is allowed.
    pub problem: String,
}

/// Where a layer is built.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Index in the network, the layer's address in random streams.
    pub index: usize,
    /// What arrives.
    pub inputs: &'a [Signal],
    /// What leaves.
    pub output: Signal,
    /// Widths and quantizers.
    pub bits: &'a LayerBits,
    /// Seed of the initial weights.
    pub seed: u64,
}

/// What a layer did in the forward pass, and the derivative of the loss by its output.
#[derive(Clone, Copy, Debug)]
pub struct Tape<'a> {
    /// Its inputs.
    pub inputs: &'a [&'a Array2<f32>],
    /// Its output.
    pub output: &'a Array2<f32>,
    /// ∂L/∂output.
    pub dy: &'a Array2<f32>,
}

/// A layer that runs.
///
/// Arrays are `[batch, features]`, row-major, already of the right shape; results overwrite them.
pub trait Layer: Send {
    /// Computes the output.
    ///
    /// # Errors   a product that failed
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError>;

    /// Sets the gradients of its parameters and ∂L/∂input for those inputs that need it.
    ///
    /// # Errors   a product that failed
    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError>;

    /// Takes the rectifier that follows, the only reader of its output, into its own passes: its output is then the rectified one, and
    /// `dy` the gradient of that. Whether it does.
    fn rectify(&mut self) -> bool {
        false
    }

    /// Parameters, buffers and masks, always in the same order.
    fn slots(&mut self) -> Vec<Slot<'_>> {
        Vec::new()
    }

    /// The tensors that may be pruned.
    fn prunables(&mut self) -> Vec<&mut dyn Prunable> {
        Vec::new()
    }

    /// Weights and input as they were quantized last; `None` where they are not, or not as such.
    fn quantized(&self) -> Option<[&Quantized; 2]> {
        None
    }

    /// Power spectra of its first input in the last forward pass, whose `inputs` these were: what scores in the frequency domain
    /// are made of. `None` if it has no weights to prune.
    ///
    /// # Errors   a transform that failed
    fn input_power(&self, _: &[&Array2<f32>], _: &mut Pass<'_>) -> Result<Option<Power>, ProductError> {
        Ok(None)
    }

    /// The layer in f64, without quantization; `None` if it has no such form.
    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        None
    }
}
