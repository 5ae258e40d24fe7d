//! Mean over windows, or over all positions.
//!
//! ```text
//! y[b, oy, ox, c] = 1/(k_h·k_w) · Σ_{ky, kx} x[b, oy·stride + ky, ox·stride + kx, c]        dx = dy/(k_h·k_w) for each window with x
//! ```
//! `global_avg_pool` is the window of the whole image. The mean of pixels, or of values that are not negative, is one too.
//!
//! # Numeric  sums in f64, in the order of (ky, kx), or of windows for dx; one division, rounded to f32

use super::pool::{pooled, window};
use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::Signal;
use crate::number::Pair;
use crate::tensor::blocks::for_blocks;
use crate::tensor::{Shape, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;
use tandem_driver::Window;

/// The mean over windows under its name.
pub const KIND: LayerKind = LayerKind::of::<AvgPool>("avg_pool");

/// The mean over all positions under its name.
pub const GLOBAL: LayerKind = LayerKind::of::<GlobalAvgPool>("global_avg_pool");

/// A mean over windows, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
    size: Pair<1, 255>,
    /// The size if absent.
    stride: Option<Pair<1, 255>>,
}

/// A mean over all positions: nothing to describe.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl LayerSpec for AvgPool {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        pooled(window(inputs[0].shape, self.size, self.stride), inputs[0])
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        Box::new(Mean { window: window(site.inputs[0].shape, self.size, self.stride) })
    }
}

impl LayerSpec for GlobalAvgPool {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let Signal { shape, range } = inputs[0];
        Ok(Signal { shape: Shape::flat(shape.c), range })
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let shape = site.inputs[0].shape;
        Box::new(Mean { window: shape.window([shape.h, shape.w], [1, 1], [0, 0]) })
    }
}

#[derive(Clone, Copy, Debug)]
struct Mean {
    window: Window,
}

impl Mean {
    fn outputs(&self) -> usize {
        self.window.places() * self.window.channels
    }

    /// Calls `f(position's first value, pixel's first value)` for every pixel of every window of an image.
    fn for_pixels(&self, mut f: impl FnMut(usize, usize)) {
        let Window { image: [_, columns], kernel: [kh, kw], stride: [down, across], channels: c, .. } =
            self.window;
        let (_, width) = self.window.positions().expect("a window that fits");
        for position in 0..self.window.places() {
            let (oy, ox) = (position / width * down, position % width * across);
            for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                f(position * c, ((oy + ky) * columns + ox + kx) * c);
            }
        }
    }

    /// Means of one image.
    fn pool<T: Copy + Into<f64>>(&self, x: &[T], sums: &mut [f64]) {
        let c = self.window.channels;
        self.for_pixels(|to, from| add(&mut sums[to..][..c], &x[from..][..c]));
        self.divide(sums);
    }

    /// The derivative by one image.
    fn spread<T: Copy + Into<f64>>(&self, dy: &[T], sums: &mut [f64]) {
        let c = self.window.channels;
        self.for_pixels(|from, to| add(&mut sums[to..][..c], &dy[from..][..c]));
        self.divide(sums);
    }

    fn divide(&self, sums: &mut [f64]) {
        let pixels = self.window.taps() as f64;
        sums.iter_mut().for_each(|sum| *sum /= pixels);
    }
}

fn add<T: Copy + Into<f64>>(to: &mut [f64], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| to.add_assign(from.into()));
}

/// Applies `f(values of an example, sums)` to every example, sums being 0 before.
fn each(from: &Array2<f32>, to: &mut Array2<f32>, f: impl Fn(&[f32], &mut [f64]) + Sync) {
    let (ins, outs) = (from.ncols(), to.ncols());
    let from = slice(from);
    for_blocks(slice_mut(to), outs, move |start, to| {
        for (i, to) in to.chunks_exact_mut(outs).enumerate() {
            let mut sums = vec![0.0; outs];
            f(&from[(start / outs + i) * ins..][..ins], &mut sums);
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum as f32);
        }
    });
}

impl Layer for Mean {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        each(inputs[0], output, |x, sums| self.pool(x, sums));
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        if let Some(dx) = &mut dx[0] {
            each(tape.dy, dx, |dy, sums| self.spread(dy, sums));
        }
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

impl Unquantized for Mean {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let x = inputs[0];
        let mut y = Array2::zeros((x.nrows(), self.outputs()));
        let (ins, outs) = (x.ncols(), self.outputs());
        let images = slice(x).chunks_exact(ins).zip(slice_mut(&mut y).chunks_exact_mut(outs));
        images.for_each(|(x, y)| self.pool(x, y));
        let dim = x.dim();
        let pullback = move |dy: &Array2<f64>, _: bool| {
            let mut dx = Array2::zeros(dim);
            let images = slice(dy).chunks_exact(outs).zip(slice_mut(&mut dx).chunks_exact_mut(ins));
            images.for_each(|(dy, dx)| self.spread(dy, dx));
            Gradients::of_input(dx)
        };
        (y, Box::new(pullback))
    }
}
