//! Dropout: in training each value is 0 with probability p, and the others grow, so that the mean stays.
//!
//! ```text
//! training     y_i = x_i/(1 − p) if u_i ≥ p, else 0        dx_i likewise from dy_i
//! evaluation   y = x
//! u_i uniform in [0, 1): Philox(seed; step, layer, i), i the flat index in the batch
//! ```
//! Without `rate` nothing is dropped. Masks are drawn again in the backward pass, not kept: they depend on nothing but their address.
//!
//! # Source   Srivastava et al. 2014, "Dropout"; deviation: scaled in training, not in evaluation

use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::{Range, Signal};
use crate::number::{Fraction, Real};
use crate::random::{GROUP, Stream};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Dropout>("dropout");

/// Dropout, as described.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    #[serde(default = "nothing")]
    rate: Real<Fraction>,
}

fn nothing() -> Real<Fraction> {
    Real::new(0.0)
}

impl LayerSpec for Dropout {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let Signal { shape, range } = inputs[0];
        // pixels that grow are above 1
        let range = if range == Range::Pixel && self.rate.get() > 0.0 { Range::NonNegative } else { range };
        Ok(Signal { shape, range })
    }

    fn build(&self, _: &Site<'_>) -> Box<dyn Layer> {
        Box::new(*self)
    }
}

impl Dropout {
    fn apply(&self, masks: Stream, from: &[f32], to: &mut [f32]) {
        let rate = self.rate.get() as f32;
        let scale = 1.0 / (1.0 - rate);
        for_blocks(to, BLOCK, move |start, to| {
            let mut uniforms = [0.0; GROUP];
            for (i, to) in to.chunks_mut(GROUP).enumerate() {
                let first = start + i * GROUP;
                masks.uniforms((first / GROUP) as u32, &mut uniforms);
                for ((to, &from), &u) in to.iter_mut().zip(&from[first..]).zip(&uniforms) {
                    *to = if u >= rate { from * scale } else { 0.0 };
                }
            }
        });
    }

    fn drops(&self, pass: &Pass<'_>) -> bool {
        pass.drops() && self.rate.get() > 0.0
    }
}

impl Layer for Dropout {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        if self.drops(pass) {
            self.apply(pass.dropout(), slice(inputs[0]), slice_mut(output));
        } else {
            output.assign(inputs[0]);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let Some(dx) = &mut dx[0] else { return Ok(()) };
        if self.drops(pass) {
            self.apply(pass.dropout(), slice(tape.dy), slice_mut(dx));
        } else {
            dx.assign(tape.dy);
        }
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

/// Scores are of the whole network: nothing is dropped.
impl Unquantized for Dropout {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        (inputs[0].clone(), Box::new(|dy, _| Gradients::of_input(dy.clone())))
    }
}
