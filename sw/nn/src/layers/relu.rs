//! The rectifier.
//!
//! ```text
//! y = max(x, 0)          dx = dy where y > 0, else 0
//! ```

use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::{Range, Signal};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{keep, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Relu>("relu");

/// max(x, 0); 0 for NaN.
#[inline(always)]
pub(super) fn rectified(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// `dy` where the rectifier's output `y` is above 0, else 0.
#[inline(always)]
pub(super) fn passed(y: f32, dy: f32) -> f32 {
    if y > 0.0 { dy } else { 0.0 }
}

/// A rectifier: nothing to describe.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl LayerSpec for Relu {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let range = match inputs[0].range {
            Range::Pixel => Range::Pixel,
            Range::NonNegative | Range::Real => Range::NonNegative,
        };
        Ok(Signal { shape: inputs[0].shape, range })
    }

    fn build(&self, _: &Site<'_>) -> Box<dyn Layer> {
        Box::new(*self)
    }
}

impl Layer for Relu {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let x = slice(inputs[0]);
        for_blocks(slice_mut(output), BLOCK, move |start, y| {
            for (y, &x) in y.iter_mut().zip(&x[start..]) {
                *y = rectified(x);
            }
        });
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let (y, dy) = (slice(tape.output), slice(tape.dy));
        let Some(dx) = &mut dx[0] else { return Ok(()) };
        for_blocks(slice_mut(dx), BLOCK, move |start, dx| {
            for ((dx, &y), &dy) in dx.iter_mut().zip(&y[start..]).zip(&dy[start..]) {
                *dx = passed(y, dy);
            }
        });
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

impl Unquantized for Relu {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let y = inputs[0].mapv(|x| if x > 0.0 { x } else { 0.0 });
        let positive = inputs[0].mapv(|x| x > 0.0);
        let pullback = move |dy: &Array2<f64>, _: bool| {
            let mut dx = dy.clone();
            keep(&mut dx, &positive);
            Gradients::of_input(dx)
        };
        (y, Box::new(pullback))
    }
}
