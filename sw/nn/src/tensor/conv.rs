//! The float reference's three products of a convolution: windows are laid out a few at a time, bits are those of whole matrices.
//!
//! ```text
//! Y  = R·W        R [B·h'·w', k_h·k_w·C]: the rows of im2col
//! dW = Rᵀ·dY
//! dX = col2im(dY·Wᵀ)
//! ```
//! Sums are in the order of [`super::gemm`]: over slabs of 4096 terms, slab sums added in order; rows are added to images in the order of positions.

use super::gemm::{Panels, SLAB};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use tandem_driver::Window;
use tandem_kernels::{COLUMNS, FloatTile, Level, ROWS, add_products};

/// Rows that are laid out at a time.
const STRIP: usize = 64;

/// Y.
///
/// # Shape    images `[B, h·w·C]`, W `[k_h·k_w·C, O]` → `[B·h'·w', O]`
pub fn forward(window: &Window, images: &[f32], w: ArrayView2<'_, f32>) -> Array2<f32> {
    let (volume, outputs) = w.dim();
    let rows = images.len() / window.features() * window.places();
    let panels = Panels::new(w);
    let mut y = Array2::zeros((rows, outputs));
    let strip = |laid: &mut Vec<f32>, (i, y): (usize, &mut [f32])| {
        let count = y.len() / outputs;
        window.rows(images, i * STRIP..i * STRIP + count, 0.0, |v| v, &mut laid[..count * volume]);
        panels.multiply(laid, volume, y);
    };
    let scratch = || vec![0.0; STRIP * volume];
    let all = y.as_slice_mut().expect("just made").par_chunks_mut(STRIP * outputs).enumerate();
    all.for_each_init(scratch, strip);
    y
}

/// dW.
///
/// # Shape    images `[B, h·w·C]`, dY `[B·h'·w', O]` → `[k_h·k_w·C, O]`
pub fn weight_gradient(window: &Window, images: &[f32], dy: ArrayView2<'_, f32>) -> Array2<f32> {
    let (level, volume, (rows, outputs)) = (Level::current(), window.volume(), dy.dim());
    let (down, across) = (volume.div_ceil(ROWS), outputs.div_ceil(COLUMNS));
    let slab = |first: usize| {
        let mut tiles: Vec<FloatTile> = vec![[[0.0; COLUMNS]; ROWS]; down * across];
        let mut laid = vec![0.0; STRIP * volume + ROWS];
        for strip in (first..(first + SLAB).min(rows)).step_by(STRIP) {
            let count = STRIP.min(first + SLAB - strip).min(rows - strip);
            window.rows(images, strip..strip + count, 0.0, |v| v, &mut laid[..count * volume]);
            let panels = Panels::new(dy.slice(ndarray::s![strip..strip + count, ..]));
            for (tile, c) in tiles.iter_mut().enumerate() {
                let from = &laid[tile / across * ROWS..];
                add_products(level, from, [1, volume], panels.block(tile % across, 0..count), c);
            }
        }
        tiles
    };
    let firsts: Vec<_> = (0..rows).step_by(SLAB).collect();
    let slabs: Vec<_> = firsts.into_par_iter().map(slab).collect();
    let of = |tiles: &[FloatTile], row: usize, o: usize| {
        tiles[row / ROWS * across + o / COLUMNS][row % ROWS][o % COLUMNS]
    };
    Array2::from_shape_fn((volume, outputs), |(row, o)| match &slabs[..] {
        [only] => of(only, row, o),
        all => all.iter().fold(0.0, |sum, tiles| sum + of(tiles, row, o)),
    })
}

/// dX.
///
/// # Shape    dY `[B·h'·w', O]`, W `[k_h·k_w·C, O]` → `[B, h·w·C]`
pub fn input_gradient(window: &Window, dy: ArrayView2<'_, f32>, w: ArrayView2<'_, f32>, dx: &mut [f32]) {
    let (volume, outputs, places) = (w.nrows(), w.ncols(), window.places());
    let panels = Panels::new(w.reversed_axes());
    let dy = dy.as_standard_layout();
    let dy = dy.as_slice().expect("row-major");
    let image = |(padded, rows): &mut (Vec<f32>, Vec<f32>), (i, dx): (usize, &mut [f32])| {
        dx.fill(0.0);
        for first in (0..places).step_by(STRIP) {
            let count = STRIP.min(places - first);
            let from = &dy[(i * places + first) * outputs..][..count * outputs];
            padded[..from.len()].copy_from_slice(from);
            let rows = &mut rows[..count * volume];
            panels.multiply(padded, outputs, rows);
            window.add_rows(rows, first..first + count, dx);
        }
    };
    let scratch = || (vec![0.0; STRIP * outputs], vec![0.0; STRIP * volume]);
    dx.par_chunks_mut(window.features()).enumerate().for_each_init(scratch, image);
}
