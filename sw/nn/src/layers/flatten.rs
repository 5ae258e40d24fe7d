//! An image as a vector; the order (h, w, c) stays.
//!
//! ```text
//! [B, h, w, c] → [B, 1, 1, h·w·c]
//! ```

use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::Signal;
use crate::tensor::Shape;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Flatten>("flatten");

/// A change of shape: nothing to describe.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl LayerSpec for Flatten {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        Ok(Signal { shape: Shape::flat(inputs[0].shape.features()), range: inputs[0].range })
    }

    fn build(&self, _: &Site<'_>) -> Box<dyn Layer> {
        Box::new(*self)
    }
}

impl Layer for Flatten {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        output.assign(inputs[0]);
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        if let Some(dx) = &mut dx[0] {
            dx.assign(tape.dy);
        }
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

impl Unquantized for Flatten {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        (inputs[0].clone(), Box::new(|dy: &Array2<f64>, _: bool| Gradients::of_input(dy.clone())))
    }
}
