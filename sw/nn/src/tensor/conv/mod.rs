//! The float reference's three products of a convolution: windows are read where they lie in an image with its padding, none is laid out.
//!
//! ```text
//! Y  = R·W        R [B·h'·w', k_h·k_w·C]: the rows of im2col
//! dW = Rᵀ·dY
//! dX = col2im(dY·Wᵀ)
//! ```
//! Sums are in the order of [`super::gemm`]: over slabs of 4096 terms, slab sums added in order; rows are added to images in the order of positions.

mod input_gradient;

use super::gemm::{Panels, SLAB};
pub use input_gradient::input_gradient;
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;
use std::ops::Range;
use tandem_driver::Window;
use tandem_kernels::{COLUMNS, FloatTile, Level, ROWS, Terms, add_products};

/// An image with its padding: its rows, one after another.
struct Padded<'a> {
    window: &'a Window,
    /// Values of a row.
    pitch: usize,
    /// Positions of a row.
    across: usize,
}

impl<'a> Padded<'a> {
    fn new(window: &'a Window) -> Self {
        let across = window.along(1).expect("a window that fits");
        Padded { window, pitch: (window.image[1] + 2 * window.padding[1]) * window.channels, across }
    }

    /// Room for one.
    fn scratch(&self) -> Vec<f32> {
        vec![0.0; (self.window.image[0] + 2 * self.window.padding[0]) * self.pitch]
    }

    /// Fills in an image; what lies around it stays 0.
    fn fill(&self, image: &[f32], to: &mut [f32]) {
        let Window { padding: [above, left], channels, .. } = *self.window;
        let width = self.window.image[1] * channels;
        for (from, to) in image.chunks_exact(width).zip(to.chunks_exact_mut(self.pitch).skip(above)) {
            to[left * channels..][..width].copy_from_slice(from);
        }
    }

    /// Where the window at a position begins.
    fn position(&self, position: usize) -> usize {
        let (y, x) = (position / self.across, position % self.across);
        y * self.window.stride[0] * self.pitch + x * self.step()
    }

    /// From a position to the next one in its row.
    fn step(&self) -> usize {
        self.window.stride[1] * self.window.channels
    }

    /// How far an element of the window is from where it begins.
    fn element(&self, at: usize) -> usize {
        let row = self.window.kernel[1] * self.window.channels;
        at / row * self.pitch + at % row
    }

    /// The elements of the window by slabs.
    fn slabs(&self) -> Vec<(Range<usize>, Vec<Runs>)> {
        let (volume, row) = (self.window.volume(), self.window.kernel[1] * self.window.channels);
        let slab = |first: usize| {
            let elements = first..(first + SLAB).min(volume);
            let starts =
                |part: Range<usize>, length| part.step_by(length).map(|at| self.element(at)).collect();
            let runs = whole_rows(elements.clone(), row).map(|(part, length)| (starts(part, length), length));
            (elements, runs.collect())
        };
        (0..volume).step_by(SLAB).map(slab).collect()
    }
}

/// Runs of as many terms each: where they begin.
type Runs = (Vec<usize>, usize);

/// `range` cut where whole rows of `row` begin and end: a part of one, whole ones, a part of one.
fn whole_rows(range: Range<usize>, row: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
    let whole = range.start.next_multiple_of(row).min(range.end);
    let rest = (range.end / row * row).max(whole);
    let parts =
        [(range.start..whole, whole - range.start), (whole..rest, row), (rest..range.end, range.end - rest)];
    parts.into_iter().filter(|(part, _)| !part.is_empty())
}

/// Y.
///
/// # Shape    images `[B, h·w·C]`, W `[k_h·k_w·C, O]` → `[B·h'·w', O]`
pub fn forward(window: &Window, images: &[f32], w: ArrayView2<'_, f32>) -> Array2<f32> {
    let (level, outputs, places) = (Level::current(), w.ncols(), window.places());
    let (panels, padded) = (Panels::new(w), Padded::new(window));
    let slabs = padded.slabs();
    let mut y = Array2::zeros((images.len() / window.features() * places, outputs));
    let image = |laid: &mut Vec<f32>, (image, y): (&[f32], &mut [f32])| {
        padded.fill(image, laid);
        for (i, y) in y.chunks_mut(ROWS * outputs).enumerate() {
            let rows = std::array::from_fn(|row| padded.position((i * ROWS + row).min(places - 1)));
            for block in 0..panels.blocks() {
                let mut all: FloatTile = [[0.0; COLUMNS]; ROWS];
                for (slab, runs) in &slabs {
                    let mut tile: FloatTile = [[0.0; COLUMNS]; ROWS];
                    let mut b = panels.block(block, slab.clone());
                    for (runs, length) in runs {
                        let from = Terms { rows, runs, length: *length, step: 1, apart: false };
                        add_products(level, laid, from, b, &mut tile);
                        b = &b[runs.len() * length * COLUMNS..];
                    }
                    // a sum that began at 0 is never −0: of one slab, this is the tile
                    all.as_flattened_mut().iter_mut().zip(tile.as_flattened()).for_each(|(y, v)| *y += v);
                }
                for (tile, y) in all.iter().zip(y.chunks_exact_mut(outputs)) {
                    y[block * COLUMNS..].iter_mut().zip(tile).for_each(|(y, v)| *y = *v);
                }
            }
        }
    };
    let images = images.par_chunks_exact(window.features());
    let all = images.zip(y.as_slice_mut().expect("just made").par_chunks_exact_mut(places * outputs));
    all.for_each_init(|| padded.scratch(), image);
    y
}

/// dW.
///
/// # Shape    images `[B, h·w·C]`, dY `[B·h'·w', O]` → `[k_h·k_w·C, O]`
pub fn weight_gradient(window: &Window, images: &[f32], dy: ArrayView2<'_, f32>) -> Array2<f32> {
    let (level, volume, (rows, outputs)) = (Level::current(), window.volume(), dy.dim());
    let (places, padded) = (window.places(), Padded::new(window));
    let (down, across) = (volume.div_ceil(ROWS), outputs.div_ceil(COLUMNS));
    let elements: Vec<[usize; ROWS]> = (0..down)
        .map(|i| std::array::from_fn(|row| padded.element((i * ROWS + row).min(volume - 1))))
        .collect();
    let slab = |laid: &mut Vec<f32>, first: usize| {
        let mut tiles: Vec<FloatTile> = vec![[[0.0; COLUMNS]; ROWS]; down * across];
        let end = (first + SLAB).min(rows);
        let mut at = first;
        while at < end {
            let (image, from) = (at / places, at % places);
            let positions = from..places.min(from + end - at);
            padded.fill(&images[image * window.features()..][..window.features()], laid);
            let panels = Panels::new(dy.slice(s![at..at + positions.len(), ..]));
            for (part, length) in whole_rows(positions.clone(), padded.across) {
                let runs: Vec<usize> = part.clone().step_by(length).map(|p| padded.position(p)).collect();
                let terms = part.start - from..part.end - from;
                for (tile, c) in tiles.iter_mut().enumerate() {
                    let (rows, step) = (elements[tile / across], padded.step());
                    let from = Terms { rows, runs: &runs, length, step, apart: false };
                    add_products(level, laid, from, panels.block(tile % across, terms.clone()), c);
                }
            }
            at += positions.len();
        }
        tiles
    };
    let firsts: Vec<_> = (0..rows).step_by(SLAB).collect();
    let slabs: Vec<_> = firsts.into_par_iter().map_init(|| padded.scratch(), slab).collect();
    let of = |tiles: &[FloatTile], row: usize, o: usize| {
        tiles[row / ROWS * across + o / COLUMNS][row % ROWS][o % COLUMNS]
    };
    Array2::from_shape_fn((volume, outputs), |(row, o)| match &slabs[..] {
        [only] => of(only, row, o),
        all => all.iter().fold(0.0, |sum, tiles| sum + of(tiles, row, o)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::gemm::product;
    use proptest::prelude::*;

    fn value(i: usize) -> f32 {
        (i as u32).wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5
    }

    /// The three products of rows that are laid out, bit for bit.
    fn check(window: Window, batch: usize, outputs: usize) {
        let (features, rows, volume) = (window.features(), batch * window.places(), window.volume());
        let images: Vec<f32> = (0..batch * features).map(value).collect();
        let matrix = |rows, columns, salt| {
            Array2::from_shape_fn((rows, columns), |(i, j)| value(i * columns + j + salt))
        };
        let (w, dy) = (matrix(volume, outputs, 7), matrix(rows, outputs, 11));
        let mut laid = Array2::zeros((rows, volume));
        window.im2col(&images, laid.as_slice_mut().expect("row-major"));
        assert_eq!(forward(&window, &images, w.view()), product(laid.view(), w.view()), "{window:?}");
        let dw = weight_gradient(&window, &images, dy.view());
        assert_eq!(dw, product(laid.t(), dy.view()), "{window:?}");
        let mut expected = vec![0.0; images.len()];
        let dx = product(dy.view(), w.t());
        window.col2im(dx.as_slice().expect("row-major"), &mut expected, |sum: f32| sum);
        let mut dx = vec![9.0; images.len()];
        input_gradient(&window, dy.view(), w.view(), &mut dx);
        assert_eq!(dx, expected, "{window:?}");
    }

    proptest! {
        #[test]
        fn products_are_those_of_laid_out_rows(
            image in [1usize..14, 1usize..14], kernel in [1usize..6, 1usize..6], stride in [1usize..4, 1usize..4],
            channels in 1usize..20, outputs in 1usize..20, batch in 1usize..3, padding in [0usize..5, 0usize..5]
        ) {
            let padding = [0, 1].map(|i| padding[i] % kernel[i]);
            let window = Window { image, channels, kernel, stride, padding };
            prop_assume!(window.positions().is_some());
            check(window, batch, outputs);
        }
    }

    /// More terms than a slab has: of Y, of dW with slabs that end inside an image, inside a row, and of dX.
    #[test]
    fn slabs_are_those_of_products() {
        let window = |image, channels, kernel, padding| Window {
            image: [image; 2],
            channels,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [padding; 2],
        };
        check(window(5, 600, 3, 1), 2, 3);
        check(window(31, 2, 3, 1), 5, 5);
        check(window(2, 9, 1, 0), 1, SLAB + 3);
    }
}
