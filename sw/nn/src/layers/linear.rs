//! Fully connected.
//!
//! ```text
//! Y = X·W + b          X [B, in], W [in, out], Y [B, out]
//! ```

use super::affine::{Affine, Input, InputGradient};
use super::unquantized::Unquantized;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape, three_products};
use crate::backend::{Pass, ProductError};
use crate::layers::prunable::{Groups, Prunable};
use crate::layers::{LayerBits, ProductPlan, Range, Signal};
use crate::number::{Int, yes};
use crate::quant::Quantized;
use crate::spectral::power::Power;
use crate::tensor::{Shape, Slot, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tandem_driver::Window;

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Linear>("linear");

/// A fully connected layer, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    outputs: Int<1, 65_536>,
    #[serde(default = "yes")]
    bias: bool,
}

impl Linear {
    fn groups(&self, input: Signal) -> Groups {
        Groups {
            height: 1,
            width: 1,
            channels: input.shape.features(),
            outputs: self.outputs.get(),
            blocks: 1,
        }
    }
}

impl LayerSpec for Linear {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let shape = inputs[0].shape;
        if shape.positions() != 1 {
            return Err(SpecError {
                key: "type",
                problem: format!("needs a flat input, got {shape}: put a `flatten` layer before it"),
            });
        }
        Ok(Signal { shape: Shape::flat(self.outputs.get()), range: Range::Real })
    }

    fn trained(&self) -> bool {
        true
    }

    fn has_kernel(&self) -> bool {
        false
    }

    fn has_scales_by_axis(&self) -> bool {
        true
    }

    fn products(&self, input: Signal, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
        three_products(input, bits, batch, self.groups(input))
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        Box::new(LinearLayer {
            affine: Affine::new(self.groups(site.inputs[0]), self.bias, site),
            x: Quantized::new(site.bits.input_quantizer(site.inputs[0])),
            pixel: site.inputs[0].shape.window([1, 1], [1, 1], [0, 0]),
        })
    }
}

struct LinearLayer {
    affine: Affine,
    x: Quantized,
    /// The input as a window.
    pixel: Window,
}

impl Layer for LinearLayer {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        if pass.is_float() {
            return self.affine.forward(Input::Real(inputs[0].view()), output, pass);
        }
        self.x.quantize(inputs[0], None, pass.moment());
        let rows = Input::Rows(self.x.operand(), self.x.scales().one());
        self.affine.forward(rows, output, pass)
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let x = tape.inputs[0];
        let rows = if pass.is_float() {
            Input::Real(x.view())
        } else {
            Input::Rows(self.x.operand(), self.x.scales().one())
        };
        let gradient = self.affine.backward(rows, tape.dy, dx[0].is_some(), pass)?;
        if let (Some(gradient), Some(dx)) = (gradient, &mut dx[0]) {
            match gradient {
                InputGradient::Real(rows) => dx.assign(&rows),
                InputGradient::Integer(values, scales) => {
                    scales.apply(&values, slice_mut(dx));
                    self.x.straight_through(x, None, slice_mut(dx));
                }
            }
        }
        Ok(())
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        let mut slots = self.affine.slots();
        slots.extend(self.x.slots());
        slots
    }

    fn prunables(&mut self) -> Vec<&mut dyn Prunable> {
        vec![&mut self.affine]
    }

    fn quantized(&self) -> Option<[&Quantized; 2]> {
        Some([self.affine.quantized(), &self.x])
    }

    /// Each feature is a map of one point.
    fn input_power(
        &self,
        inputs: &[&Array2<f32>],
        pass: &mut Pass<'_>,
    ) -> Result<Option<Power>, ProductError> {
        let shape = Shape::flat(inputs[0].ncols());
        Power::of_maps(shape, [1, 1], (inputs[0], &self.x), pass).map(Some)
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(self.affine.unquantized(self.pixel))
    }
}
