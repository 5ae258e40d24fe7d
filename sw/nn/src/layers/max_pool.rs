//! Maximum over windows.
//!
//! ```text
//! y[b, oy, ox, c] = max_{ky, kx} x[b, oy·stride + ky, ox·stride + kx, c]          dx: dy where the maximum is
//! ```
//!
//! Of equal values the one in the first column counts, and there the one in the first row.

use super::pool::{pooled, window};
use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::Signal;
use crate::number::Pair;
use crate::tensor::blocks::{for_block_pairs, for_blocks};
use crate::tensor::{Shape, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tandem_driver::Window;

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<MaxPool>("max_pool");

/// A maximum over windows, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    size: Pair<1, 15>,
    /// The size if absent.
    stride: Option<Pair<1, 15>>,
}

impl LayerSpec for MaxPool {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        pooled(window(inputs[0].shape, self.size, self.stride), inputs[0])
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        Box::new(MaxPoolLayer {
            window: window(site.inputs[0].shape, self.size, self.stride),
            output: site.output.shape,
            places: Vec::new(),
        })
    }
}

struct MaxPoolLayer {
    window: Window,
    output: Shape,
    /// Position of each output's maximum in its image.
    places: Vec<u32>,
}

/// The largest values of each column of a row of windows, and their positions in the image.
struct Columns {
    values: Vec<f32>,
    places: Vec<u32>,
}

impl MaxPoolLayer {
    /// One image: columns first, which are contiguous, then along each row of windows.
    fn pool(&self, x: &[f32], y: &mut [f32], places: &mut [u32]) {
        let Window { kernel: [kernel, _], stride: [stride, _], .. } = self.window;
        let row = self.window.image[1] * self.window.channels;
        let outputs = self.output.w * self.output.c;
        let mut columns = Columns { values: vec![0.0; row], places: vec![0; row] };
        let rows = y.chunks_mut(outputs).zip(places.chunks_mut(outputs));
        for (oy, (y, places)) in rows.enumerate() {
            columns.start(&x[oy * stride * row..][..row], oy * stride * row);
            for ky in 1..kernel {
                let first = (oy * stride + ky) * row;
                columns.add(&x[first..][..row], first);
            }
            self.along_row(&columns, y, places);
        }
    }

    fn along_row(&self, columns: &Columns, y: &mut [f32], places: &mut [u32]) {
        let Window { kernel: [_, kernel], stride: [_, stride], channels: c, .. } = self.window;
        let positions = y.chunks_mut(c).zip(places.chunks_mut(c));
        for (ox, (y, places)) in positions.enumerate() {
            let range = ox * stride * c..(ox * stride + kernel) * c;
            let (values, at) = (&columns.values[range.clone()], &columns.places[range]);
            for (channel, (y, place)) in y.iter_mut().zip(places).enumerate() {
                let (mut best, mut best_at) = (values[channel], at[channel]);
                for i in (channel + c..kernel * c).step_by(c) {
                    let larger = values[i] > best;
                    best = if larger { values[i] } else { best };
                    best_at = if larger { at[i] } else { best_at };
                }
                (*y, *place) = (best, best_at);
            }
        }
    }
}

impl Columns {
    fn start(&mut self, x: &[f32], first: usize) {
        self.values.copy_from_slice(x);
        self.places.iter_mut().enumerate().for_each(|(i, at)| *at = (first + i) as u32);
    }

    fn add(&mut self, x: &[f32], first: usize) {
        let first = first as u32;
        let best = self.values.iter_mut().zip(&mut self.places);
        for (i, ((best, at), &x)) in best.zip(x).enumerate() {
            let larger = x > *best;
            *best = if larger { x } else { *best };
            *at = if larger { first + i as u32 } else { *at };
        }
    }
}

impl Layer for MaxPoolLayer {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let x = slice(inputs[0]);
        let (features, outputs) = (self.window.features(), self.output.features());
        let mut places = std::mem::take(&mut self.places);
        places.resize(output.len(), 0);
        for_block_pairs((slice_mut(output), outputs), (&mut places, outputs), |image, y, places| {
            self.pool(&x[image * features..][..features], y, places);
        });
        self.places = places;
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let dy = slice(tape.dy);
        let (features, outputs) = (self.window.features(), self.output.features());
        let Some(dx) = &mut dx[0] else { return Ok(()) };
        for_blocks(slice_mut(dx), features, |start, dx| {
            let range = start / features * outputs..(start / features + 1) * outputs;
            dx.fill(0.0);
            for (&place, &dy) in self.places[range.clone()].iter().zip(&dy[range]) {
                dx[place as usize] += dy;
            }
        });
        Ok(())
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(UnquantizedMaxPool { window: self.window, outputs: self.output.features() }))
    }
}

#[derive(Debug)]
struct UnquantizedMaxPool {
    window: Window,
    outputs: usize,
}

impl UnquantizedMaxPool {
    /// Position of each maximum in its image.
    fn maxima(&self, x: &Array2<f64>) -> Vec<usize> {
        let outputs = self.outputs;
        let (_, width) = self.window.positions().expect("a window that fits");
        let Window { image: [_, columns], kernel: [kh, kw], stride: [down, across], channels, .. } =
            self.window;
        let flat = slice(x);
        let place = |i: usize| {
            let (image, at) = (i / outputs, i % outputs);
            let (oy, ox, channel) = (at / channels / width, at / channels % width, at % channels);
            let pixels = (0..kw).flat_map(|kx| (0..kh).map(move |ky| (ky, kx)));
            let pixels =
                pixels.map(|(ky, kx)| ((oy * down + ky) * columns + ox * across + kx) * channels + channel);
            let value = |place: usize| flat[image * self.window.features() + place];
            pixels.reduce(|best, place| if value(place) > value(best) { place } else { best })
        };
        (0..x.nrows() * outputs).map(|i| place(i).expect("a window has a pixel")).collect()
    }
}

impl Unquantized for UnquantizedMaxPool {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let (x, outputs, features) = (inputs[0], self.outputs, self.window.features());
        let places = self.maxima(x);
        let flat = slice(x);
        let y = places.iter().enumerate().map(|(i, place)| flat[i / outputs * features + place]).collect();
        let y = Array2::from_shape_vec((x.nrows(), outputs), y).expect("one maximum a window");
        let dim = x.dim();
        let pullback = move |dy: &Array2<f64>, _: bool| {
            let mut dx = Array2::zeros(dim);
            let flat = slice_mut(&mut dx);
            for (i, (place, d)) in places.iter().zip(slice(dy)).enumerate() {
                flat[i / outputs * features + place] += d;
            }
            Gradients::of_input(dx)
        };
        (y, Box::new(pullback))
    }
}
