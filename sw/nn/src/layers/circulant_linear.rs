//! Fully connected layer whose matrix consists of circulant blocks.
//!
//! ```text
//! y_i = Σ_j w_ij ∗ x_j + b_i = IFFT(Σ_j ŵ_ij ⊙ x̂_j) + b_i        x_j, y_i, w_ij [b], ∗ circular
//! dx_j = IFFT Σ_i conj(ŵ_ij) ⊙ dŷ_i        dw_ij = IFFT Σ_batch conj(x̂_j) ⊙ dŷ_i
//! ```
//!
//! w_ij is the first column of block (i, j). Inputs and outputs that are no multiple of b are padded. The weights
//! `[b·⌈inputs/b⌉, ⌈outputs/b⌉]` are b times fewer than those of a full matrix. See [`crate::spectral`].
//!
//! # Source   Ding et al., "CirCNN: accelerating and compressing deep neural networks using block-circulant weight
//! matrices", 2017

use super::spectral::layer::SpectralLayer;
use super::spectral::products;
use super::spectral::weights::SpectralWeights;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError};
use crate::layers::{LayerBits, ProductPlan, Range, Signal};
use crate::number::{Int, yes};
use crate::spectral::frame::{Blocks, Frame};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<CirculantLinear>("circulant_linear");

/// A block-circulant layer, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CirculantLinear {
    outputs: Int<1, 65536>,
    block: Int<4, 64>,
    #[serde(default = "yes")]
    bias: bool,
}

impl CirculantLinear {
    fn frame(&self, input: Signal) -> Frame {
        let (inputs, outputs) = (input.shape.features(), self.outputs.get());
        Frame::Blocks(Blocks { inputs, outputs, block: self.block.get() })
    }
}

impl LayerSpec for CirculantLinear {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let shape = inputs[0].shape;
        if shape.positions() != 1 {
            let problem = format!("needs a flat input, got {shape}: put a `flatten` layer before it");
            return Err(SpecError { key: "type", problem });
        }
        if !self.block.get().is_power_of_two() {
            return Err(SpecError {
                key: "block",
                problem: "must be a power of two from 4 to 64".to_owned(),
            });
        }
        Ok(Signal { shape: Shape::flat(self.outputs.get()), range: Range::Real })
    }

    fn trained(&self) -> bool {
        true
    }

    fn products(&self, input: Signal, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
        products(&self.frame(input), bits, batch)
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let frame = self.frame(site.inputs[0]);
        let places = (0..self.block.get()).collect();
        let inputs = site.inputs[0].shape.features();
        let weights = SpectralWeights::new(&frame, places, false, inputs, site);
        Box::new(SpectralLayer::new(frame, weights, self.bias.then_some(self.outputs.get()), site))
    }
}
