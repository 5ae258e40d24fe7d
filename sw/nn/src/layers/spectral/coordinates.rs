//! The three forms of a layer's weights: rows of a parameter, planes, coefficients.
//!
//! ```text
//! kernel        [k²·channels, outputs]         at the points `places` of planes
//! rows          [N·channels, outputs]          bin by bin, all real parts, then all imaginary parts, over √N
//! coefficients  [bins·channels, outputs]       complex
//! ```

use crate::layers::prunable::Groups;
use crate::spectral::bins::{Bin, Bins};
use crate::spectral::frame::Frame;
use crate::spectral::hermitian::{Layout, Spectra};
use crate::tensor::{slice, slice_mut};
use ndarray::{Array2, ArrayView1};
use num_complex::Complex;
use rustfft::num_traits::Float;

/// Shapes of weights.
#[derive(Clone, Debug)]
pub(super) struct Coordinates {
    pub bins: Bins,
    /// One row of channels · outputs planes.
    pub layout: Layout,
    /// Of coefficients: a position is a bin.
    pub groups: Groups,
}

impl Coordinates {
    pub fn new(frame: &Frame) -> Self {
        let (channels, outputs, bins) = (frame.channels(), frame.outputs(), frame.bins());
        Coordinates {
            layout: Layout { channels: channels * outputs, examples: 1, rows: 1, ..frame.input_layout(1) },
            groups: Groups { height: bins.len(), width: 1, channels, outputs, blocks: 1 },
            bins,
        }
    }

    /// Shape of coefficients.
    pub fn shape(&self) -> (usize, usize) {
        (self.groups.contraction(), self.groups.outputs)
    }

    /// Place in the planes of value `i` of a kernel.
    pub fn place(&self, places: &[usize], i: usize) -> usize {
        let width = self.layout.channels;
        i % width * self.layout.points + places[i / width]
    }

    /// Puts a kernel's values into their planes.
    pub fn pad<T: Copy>(&self, places: &[usize], planes: &mut [T], value: impl Fn(usize) -> T) {
        for i in 0..places.len() * self.layout.channels {
            planes[self.place(places, i)] = value(i);
        }
    }

    /// Rows, times √N.
    pub fn coefficients_of_rows(&self, rows: &[f32]) -> Array2<Complex<f32>> {
        let root = (self.layout.points as f32).sqrt();
        let width = self.layout.channels;
        let coefficients = self.bins.iter().enumerate().flat_map(|(i, bin)| {
            let start = self.bins.start(i) * width;
            let imaginary = move |at: usize| if bin.is_real() { 0.0 } else { rows[start + width + at] };
            (0..width).map(move |at| Complex::new(rows[start + at] * root, imaginary(at) * root))
        });
        self.array(coefficients.collect())
    }

    /// Coefficients over √N: the inverse of [`coefficients_of_rows`](Self::coefficients_of_rows).
    pub fn rows_of(&self, coefficients: &Array2<Complex<f32>>) -> Array2<f32> {
        let root = (self.layout.points as f32).sqrt();
        let width = self.layout.channels;
        let mut rows = Array2::zeros((self.layout.points * self.groups.channels, self.groups.outputs));
        let out = slice_mut(&mut rows);
        for ((i, bin), w) in self.bins.iter().enumerate().zip(slice(coefficients).chunks_exact(width)) {
            let start = self.bins.start(i) * width;
            out[start..start + width].iter_mut().zip(w).for_each(|(out, w)| *out = w.re / root);
            if !bin.is_real() {
                let out = out[start + width..start + 2 * width].iter_mut();
                out.zip(w).for_each(|(out, w)| *out = w.im / root);
            }
        }
        rows
    }

    /// Spectra of one row.
    pub fn coefficients_of_spectra<T: Float>(&self, spectra: &Spectra<T>) -> Array2<Complex<T>> {
        let width = self.layout.channels;
        let coefficients = self.bins.iter().zip(spectra).flat_map(|(bin, s)| {
            let imaginary = move |i: usize| if bin.is_real() { T::zero() } else { s[[0, width + i]] };
            (0..width).map(move |i| Complex::new(s[[0, i]], imaginary(i)))
        });
        self.array(coefficients.collect())
    }

    /// The inverse of [`coefficients_of_spectra`](Self::coefficients_of_spectra).
    pub fn spectra_of<T: Float>(&self, coefficients: &Array2<Complex<T>>) -> Spectra<T> {
        let width = self.layout.channels;
        let bins = self.bins.iter().zip(slice(coefficients).chunks_exact(width));
        let of = |(bin, w): (&Bin, &[Complex<T>])| {
            let part = |i: usize| if i < width { w[i].re } else { w[i - width].im };
            Array2::from_shape_fn((1, bin.parts() * width), |(_, i)| part(i))
        };
        bins.map(of).collect()
    }

    fn array<T>(&self, coefficients: Vec<Complex<T>>) -> Array2<Complex<T>> {
        Array2::from_shape_vec(self.shape(), coefficients).expect("a coefficient a bin, channel and output")
    }
}

/// The planes in transforms, one after the other.
pub(super) fn real_planes<T: Copy>(z: &Array2<Complex<T>>) -> Vec<T> {
    let parts = |row: ArrayView1<'_, Complex<T>>| {
        let (re, im): (Vec<T>, Vec<T>) = row.iter().map(|v| (v.re, v.im)).unzip();
        [re, im].concat()
    };
    z.rows().into_iter().flat_map(parts).collect()
}
