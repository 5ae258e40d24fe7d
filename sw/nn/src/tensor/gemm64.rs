//! Matrix products in f64: the same bits on every machine and thread count.
//!
//! Sums run in index order, without FMA.

use crate::tensor::blocks::for_blocks;
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;

/// Rows of a result in a parallel block.
const ROWS: usize = 16;

/// A·B.
///
/// # Shape   `[m, k]`, `[k, n]` → `[m, n]`
pub(crate) fn product(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let ((m, k), n) = (a.dim(), b.ncols());
    let (a, b) = (slice(a), slice(b));
    let mut y = Array2::zeros((m, n));
    for_blocks(slice_mut(&mut y), ROWS * n, |start, y| {
        for (y, a) in y.chunks_mut(n).zip(a[start / n * k..].chunks(k)) {
            for (&a, b) in a.iter().zip(b.chunks(n)) {
                y.iter_mut().zip(b).for_each(|(y, b)| *y += a * b);
            }
        }
    });
    y
}

/// Aᵀ·B.
///
/// # Shape   `[k, m]`, `[k, n]` → `[m, n]`
pub(crate) fn transposed_product(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let (m, n) = (a.ncols(), b.ncols());
    let (a, b) = (slice(a), slice(b));
    let mut y = Array2::zeros((m, n));
    for_blocks(slice_mut(&mut y), ROWS * n, |start, y| {
        for (a, b) in a.chunks(m).zip(b.chunks(n)) {
            for (y, &a) in y.chunks_mut(n).zip(&a[start / n..]) {
                y.iter_mut().zip(b).for_each(|(y, b)| *y += a * b);
            }
        }
    });
    y
}
