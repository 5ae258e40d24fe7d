//! Kernels in the domain of the discrete cosine transform.
//!
//! ```text
//! C = D·W·Dᵀ for every pair of channels, D[u, x] = √(2/k)·cos(π(2x + 1)u / 2k), u = 0: √(1/k)
//! W = Dᵀ·C·D, D orthonormal
//! ```
//!
//! A mask of C keeps the k×k support: it saves storage and traffic, and no cycles of products.
//!
//! # Source   Liu et al., "Frequency-domain dynamic pruning for convolutional neural networks", 2018; deviation: one
//! threshold for all bands of a layer (or of all layers, by the budget), at the intervals of the schedule

use ndarray::Array2;

/// The transform of kernels of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Cosine {
    kernel: usize,
    /// D, row-major.
    matrix: Vec<f64>,
}

impl Cosine {
    /// Of k×k kernels.
    pub fn new(kernel: usize) -> Self {
        let k = kernel as f64;
        let entry = |i: usize| {
            let (u, x) = ((i / kernel) as f64, (i % kernel) as f64);
            let scale = if i < kernel { 1.0 / k } else { 2.0 / k };
            scale.sqrt() * libm::cos(std::f64::consts::PI * (2.0 * x + 1.0) * u / (2.0 * k))
        };
        Cosine { kernel, matrix: (0..kernel * kernel).map(entry).collect() }
    }

    /// C of W.
    ///
    /// # Shape    `[k·k·channels, outputs]`, as [`Groups`](crate::layers::prunable::Groups)
    pub fn forward(&self, w: &Array2<f64>) -> Array2<f64> {
        self.along(&self.along(w, true, false), false, false)
    }

    /// W of C.
    ///
    /// # Shape    as [`forward`](Self::forward)
    pub fn inverse(&self, c: &Array2<f64>) -> Array2<f64> {
        self.along(&self.along(c, true, true), false, true)
    }

    /// u + v of each coefficient: its distance from frequency 0.
    pub fn rings(&self) -> Vec<usize> {
        (0..self.kernel * self.kernel).map(|i| i / self.kernel + i % self.kernel).collect()
    }

    /// D (or Dᵀ, if `transposed`) along the height, or the width, of kernels.
    fn along(&self, w: &Array2<f64>, height: bool, transposed: bool) -> Array2<f64> {
        let k = self.kernel;
        let channels = w.nrows() / (k * k);
        Array2::from_shape_fn(w.dim(), |(row, output)| {
            let (position, c) = (row / channels, row % channels);
            let (y, x) = (position / k, position % k);
            let u = if height { y } else { x };
            let term = |i: usize| {
                let d = if transposed { self.matrix[i * k + u] } else { self.matrix[u * k + i] };
                let from = if height { i * k + x } else { y * k + i };
                d * w[[from * channels + c, output]]
            };
            (0..k).map(term).sum()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 25 terms of at most 1 in each of two transforms.
    #[test]
    fn it_is_orthonormal_and_starts_with_the_mean() {
        let cosine = Cosine::new(5);
        let w = Array2::from_shape_fn((75, 2), |(i, j)| ((i * 31 + j * 17) % 23) as f64 / 23.0 - 0.5);
        let c = cosine.forward(&w);
        let back = cosine.inverse(&c);
        assert!(w.iter().zip(&back).all(|(a, b)| (a - b).abs() <= 50.0 * f64::EPSILON));
        let mean: f64 = (0..25).map(|position| w[[position * 3 + 1, 1]]).sum::<f64>() / 5.0;
        assert!((c[[1, 1]] - mean).abs() <= 50.0 * f64::EPSILON);
        assert_eq!(cosine.rings()[..6], [0, 1, 2, 3, 4, 1]);
    }
}
