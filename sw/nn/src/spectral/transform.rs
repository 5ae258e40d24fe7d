//! Transforms of the host, in f64: the float reference's, and those that masks depend on.

use crate::tensor::blocks::for_blocks;
use crate::tensor::slice_mut;
use ndarray::Array2;
use num_complex::Complex;
use rustfft::{Fft, FftDirection, FftPlannerScalar};
use std::sync::Arc;
use tandem_driver::Points;

/// Transforms in a parallel block.
const BLOCK: usize = 32;

/// One kind of transform.
#[derive(Clone)]
pub struct Transform {
    points: Points,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
}

impl std::fmt::Debug for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transform({:?})", self.points)
    }
}

impl Transform {
    /// Of so many points.
    pub fn new(points: Points) -> Self {
        let length = match points {
            Points::Line(n) => n,
            Points::Tile(side) => side,
        };
        // without the CPU's vector instructions, whose choice would decide bits
        let mut planner = FftPlannerScalar::new();
        let mut plan = |direction| planner.plan_fft(length, direction);
        Transform { points, forward: plan(FftDirection::Forward), inverse: plan(FftDirection::Inverse) }
    }

    /// `X[k] = Σ_n x[n]·e^(−2πi·nk/N)`, in place.
    ///
    /// # Shape    `[transforms, points]`
    pub fn forward(&self, x: &mut Array2<Complex<f64>>) {
        self.run(&*self.forward, x);
    }

    /// The inverse with its factor 1/N, in place.
    ///
    /// # Shape    `[transforms, points]`
    pub fn inverse(&self, x: &mut Array2<Complex<f64>>) {
        self.run(&*self.inverse, x);
        let scale = 1.0 / self.points.count() as f64;
        x.mapv_inplace(|v| v * scale);
    }

    fn run(&self, fft: &dyn Fft<f64>, x: &mut Array2<Complex<f64>>) {
        let count = self.points.count();
        for_blocks(slice_mut(x), BLOCK * count, |_, block| {
            fft.process(block);
            if let Points::Tile(side) = self.points {
                for tile in block.chunks_exact_mut(count) {
                    transpose(tile, side);
                    fft.process(tile);
                    transpose(tile, side);
                }
            }
        });
    }
}

fn transpose(tile: &mut [Complex<f64>], side: usize) {
    for row in 0..side {
        for column in row + 1..side {
            tile.swap(row * side + column, column * side + row);
        }
    }
}
