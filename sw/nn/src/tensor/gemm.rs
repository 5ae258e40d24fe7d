//! The float reference's matrix product: f32, the same bits on every machine and thread count.
//!
//! ```text
//! Y[m, n] = Σ_k A[m, k] · B[k, n]       k ascending in slabs of 4096, slab sums added in order
//! ```
//!
//! Tiles of 8 × 16 accumulators keep the inner loop in registers; a tile never changes the order in
//! which one element's terms are added, and nothing is fused ([`tandem_kernels::add_products`]).

use crate::tensor::blocks::for_blocks;
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;
use tandem_kernels::{COLUMNS, FloatTile, Level, ROWS, Terms, add_products};

/// Rows in a parallel block: whole tiles.
const BLOCK: usize = 64;
/// Terms in a slab.
pub(super) const SLAB: usize = 4096;

/// A·B in f32.
///
/// # Shape    `[m, k]`, `[k, n]` → `[m, n]`, row-major; operands of any layout
/// # Numeric  f32 products and sums, no FMA; Σ in the order of k, over fixed slabs of 4096
/// # Panics   if the inner dimensions differ
pub fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let ((m, k), (inner, n)) = (a.dim(), b.dim());
    assert_eq!(k, inner, "inner dimensions of a product");
    let panels = Panels::new(b);
    let mut y = Array2::zeros((m, n));
    if n == 0 {
        return y;
    }
    for_blocks(y.as_slice_mut().expect("a fresh array is row-major"), BLOCK * n, |start, out| {
        let mut rows = vec![0.0; BLOCK * k];
        let block = a.slice(s![start / n..(start + out.len()) / n, ..]);
        rows.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
        panels.multiply(&rows, k, out);
    });
    y
}

/// B in panels of 16 columns: `[⌈n/16⌉][k][16]`, padded with zeros.
pub(super) struct Panels {
    values: Vec<f32>,
    terms: usize,
    columns: usize,
}

impl Panels {
    pub fn new(b: ArrayView2<'_, f32>) -> Self {
        let (terms, columns) = b.dim();
        let mut values = vec![0.0; columns.div_ceil(COLUMNS) * terms * COLUMNS];
        for (p, panel) in values.chunks_mut((terms * COLUMNS).max(1)).enumerate() {
            let columns = p * COLUMNS..((p + 1) * COLUMNS).min(columns);
            for (to, from) in panel.chunks_exact_mut(COLUMNS).zip(b.slice(s![.., columns]).rows()) {
                match from.to_slice() {
                    Some(from) => to[..from.len()].copy_from_slice(from),
                    None => to.iter_mut().zip(from).for_each(|(t, &f)| *t = f),
                }
            }
        }
        Panels { values, terms, columns }
    }

    /// Some terms of 16 columns.
    pub fn block(&self, block: usize, terms: Range<usize>) -> &[f32] {
        &self.values[block * self.terms * COLUMNS..][terms.start * COLUMNS..terms.end * COLUMNS]
    }

    /// Blocks of 16 columns.
    pub fn blocks(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// `out` = A·B for some rows of A, which lie `step` apart; `a` has room for whole tiles of rows.
    pub fn multiply(&self, a: &[f32], step: usize, out: &mut [f32]) {
        let level = Level::current();
        let slabs = self.terms.div_ceil(SLAB);
        if slabs != 1 {
            out.fill(0.0);
        }
        for (i, out) in out.chunks_mut(ROWS * self.columns).enumerate() {
            for block in 0..self.blocks() {
                for slab in 0..slabs {
                    let terms = slab * SLAB..((slab + 1) * SLAB).min(self.terms);
                    let mut tile: FloatTile = [[0.0; COLUMNS]; ROWS];
                    let rows = std::array::from_fn(|row| (i * ROWS + row) * step);
                    let runs = &[terms.start];
                    let from = Terms { rows, runs, length: terms.len(), step: 1, apart: false };
                    add_products(level, a, from, self.block(block, terms), &mut tile);
                    for (tile, out) in tile.iter().zip(out.chunks_mut(self.columns)) {
                        let own = out[block * COLUMNS..].iter_mut().zip(tile);
                        match slabs {
                            1 => own.for_each(|(y, v)| *y = *v),
                            _ => own.for_each(|(y, v)| *y += v),
                        }
                    }
                }
            }
        }
    }
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
