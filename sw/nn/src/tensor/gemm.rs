//! The float reference's matrix product: f32, the same bits on every machine and thread count.
//!
//! ```text
//! Y[m, n] = Σ_k A[m, k] · B[k, n]       k ascending in slabs of 4096, slab sums added in order
//! ```
//!
//! Tiles of 4 × 8 accumulators keep the inner loop in registers; a tile never changes the order in
//! which one element's terms are added.

use crate::tensor::blocks::{for_blocks, map_blocks};
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

const ROWS: usize = 4;
const COLUMNS: usize = 8;
/// Rows in a parallel block.
const BLOCK: usize = 64;
/// Terms in a slab.
const SLAB: usize = 4096;

/// A·B in f32.
///
/// # Shape    `[m, k]`, `[k, n]` → `[m, n]`, row-major; operands of any layout
/// # Numeric  f32 products and sums, no FMA; Σ in the order of k, over fixed slabs of 4096
/// # Panics   if the inner dimensions differ
pub fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let ((m, k), (inner, n)) = (a.dim(), b.dim());
    assert_eq!(k, inner, "inner dimensions of a product");
    let panels = pack_columns(b);
    let mut y = Array2::zeros((m, n));
    if n == 0 {
        return y;
    }
    let out = y.as_slice_mut().expect("a fresh array is row-major");
    if k <= SLAB {
        for_blocks(out, BLOCK * n, |start, out| {
            multiply(a, start / n, 0..k, &panels, n, out);
        });
    } else {
        let partial = map_blocks(k, SLAB, |range| {
            let mut out = vec![0.0; m * n];
            multiply(a, 0, range, &panels, n, &mut out);
            out
        });
        for slab in partial {
            out.iter_mut().zip(slab).for_each(|(y, p)| *y += p);
        }
    }
    y
}

/// B in panels of 8 columns: `[⌈n/8⌉][k][8]`, padded with zeros.
fn pack_columns(b: ArrayView2<'_, f32>) -> Vec<[f32; COLUMNS]> {
    let (k, n) = b.dim();
    let mut panels = vec![[0.0; COLUMNS]; n.div_ceil(COLUMNS) * k];
    for (p, panel) in panels.chunks_mut(k.max(1)).enumerate() {
        let columns = p * COLUMNS..((p + 1) * COLUMNS).min(n);
        for (to, from) in panel.iter_mut().zip(b.slice(s![.., columns]).rows()) {
            to.iter_mut().zip(from).for_each(|(t, &f)| *t = f);
        }
    }
    panels
}

/// `out` = rows `row …` of A, columns `range`, times the same rows of B.
fn multiply(
    a: ArrayView2<'_, f32>,
    row: usize,
    range: Range<usize>,
    panels: &[[f32; COLUMNS]],
    n: usize,
    out: &mut [f32],
) {
    let k = a.ncols();
    let mut strip = vec![[0.0; ROWS]; range.len()];
    for (i, out) in out.chunks_mut(ROWS * n).enumerate() {
        let rows = out.len() / n;
        let first = row + i * ROWS;
        for r in 0..rows {
            let from = a.slice(s![first + r, range.clone()]);
            strip.iter_mut().zip(from).for_each(|(to, &f)| to[r] = f);
        }
        for (p, panel) in panels.chunks(k.max(1)).enumerate() {
            let tile = tile(&strip, &panel[range.clone()]);
            let columns = COLUMNS.min(n - p * COLUMNS);
            for (tile, out) in tile.iter().zip(out.chunks_mut(n)) {
                out[p * COLUMNS..][..columns].copy_from_slice(&tile[..columns]);
            }
        }
    }
}

#[inline(always)]
fn tile(a: &[[f32; ROWS]], b: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (a, b) in a.iter().zip(b) {
        for (row, &a) in sums.iter_mut().zip(a) {
            for (sum, &b) in row.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(m: usize, n: usize, salt: u32) -> Array2<f32> {
        Array2::from_shape_fn((m, n), |(i, j)| {
            ((i * 31 + j * 17) as u32 ^ salt).wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5
        })
    }

    /// The order of the terms is the documented one: bit for bit the plain loop.
    #[test]
    fn equals_the_plain_loop_bit_for_bit() {
        let shapes = [(1, 1, 1), (5, 7, 3), (64, 16, 8), (67, 9, 13), (3, 2 * SLAB + 5, 10)];
        for (m, k, n) in shapes {
            let (a, b) = (matrix(m, k, 1), matrix(k, n, 2));
            let mut expected = Array2::<f32>::zeros((m, n));
            for ((i, j), y) in expected.indexed_iter_mut() {
                for slab in (0..k).step_by(SLAB) {
                    let mut sum = 0.0;
                    for l in slab..(slab + SLAB).min(k) {
                        sum += a[[i, l]] * b[[l, j]];
                    }
                    *y += sum;
                }
            }
            assert_eq!(product(a.view(), b.view()), expected);
            let (at, bt) = (a.t().to_owned(), b.t().to_owned());
            assert_eq!(product(at.t(), bt.t()), expected, "transposed views");
        }
    }
}
