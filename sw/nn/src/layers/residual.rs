//! Residual addition of an earlier layer's output.
//!
//! ```text
//! y = a + b          a: the layer before, b: the layer named by `from`          da = db = dy
//! ```

use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::{Range, Signal};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Residual>("residual");

/// A residual addition, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// Name of an earlier layer, or `input`.
    from: String,
}

impl LayerSpec for Residual {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let [a, b] = [inputs[0], inputs[1]];
        if a.shape != b.shape {
            return Err(SpecError {
                key: "from",
                problem: format!("its output is {}, but {} is added to", b.shape, a.shape),
            });
        }
        let range =
            if a.range == Range::Real || b.range == Range::Real { Range::Real } else { Range::NonNegative };
        Ok(Signal { shape: a.shape, range })
    }

    fn second_input(&self) -> Option<&str> {
        Some(&self.from)
    }

    fn build(&self, _: &Site<'_>) -> Box<dyn Layer> {
        Box::new(Add)
    }
}

#[derive(Clone, Copy, Debug)]
struct Add;

impl Layer for Add {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let (a, b) = (slice(inputs[0]), slice(inputs[1]));
        for_blocks(slice_mut(output), BLOCK, |start, y| {
            for ((y, a), b) in y.iter_mut().zip(&a[start..]).zip(&b[start..]) {
                *y = a + b;
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
        for dx in dx.iter_mut().flatten() {
            dx.assign(tape.dy);
        }
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

impl Unquantized for Add {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let both =
            |dy: &Array2<f64>, _: bool| Gradients { inputs: vec![dy.clone(), dy.clone()], weight: None };
        (inputs[0] + inputs[1], Box::new(both))
    }
}
