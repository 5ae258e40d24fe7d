//! An image as a vector; the order (h, w, c) stays.
//!
//! ```text
//! [B, h, w, c] → [B, 1, 1, h·w·c]
//! ```

use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::engine::{Pass, ProductError};
use crate::plan::Signal;
use crate::prune::probe::Operation;
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

    fn operation(&self, _: Signal) -> Option<Operation> {
        Some(Operation::Identity)
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
}
