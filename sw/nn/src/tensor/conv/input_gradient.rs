//! dX: each pixel gathers from the positions that saw it.
//!
//! ```text
//! dX[y, x] = Σ over (k_y, k_x) of dY[(y + padding − k_y)/stride, (x + padding − k_x)/stride]·W[k_y, k_x]ᵀ        where these are positions
//! ```
//! Along an axis, pixels whose y + padding has the same remainder by the stride were seen at the same offsets k, by positions that follow one another.

use super::super::gemm::{Panels, SLAB};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use tandem_driver::Window;
use tandem_kernels::{COLUMNS, FloatTile, Level, ROWS, Terms, add_products};

/// Rows of dY·Wᵀ that are found at a time.
const STRIP: usize = 64;

/// dX.
///
/// # Shape    dY `[B·h'·w', O]`, W `[k_h·k_w·C, O]` → `[B, h·w·C]`
pub fn input_gradient(window: &Window, dy: ArrayView2<'_, f32>, w: ArrayView2<'_, f32>, dx: &mut [f32]) {
    let dy = dy.as_standard_layout();
    let dy = dy.as_slice().expect("row-major");
    if window.channels < COLUMNS / 2 || w.ncols() > SLAB {
        by_rows(window, dy, w, dx);
    } else {
        by_pixels(window, dy, w, dx);
    }
}

/// An axis of dY with room for the positions that are none.
struct Axis {
    /// Those before the first one.
    margin: usize,
    /// All.
    length: usize,
    /// Pixels by remainder.
    phases: Vec<Phase>,
}

/// Pixels that were seen at the same offsets.
struct Phase {
    /// Each, and the first position that saw it, the margin counted in.
    pixels: Vec<(usize, usize)>,
    /// The offset at that position, at the next one, and so on.
    offsets: Vec<usize>,
}

impl Axis {
    fn new(window: &Window, axis: usize) -> Self {
        let (pixels, kernel) = (window.image[axis], window.kernel[axis]);
        let (stride, padding) = (window.stride[axis], window.padding[axis]);
        let margin = (kernel - 1) / stride;
        let phase = |remainder: usize| {
            let offsets: Vec<usize> = (remainder..kernel).step_by(stride).rev().collect();
            let first = |pixel: usize| (pixel + padding) / stride + margin + 1 - offsets.len();
            let pixels = (0..pixels).filter(|pixel| (pixel + padding) % stride == remainder);
            Phase { pixels: pixels.map(|pixel| (pixel, first(pixel))).collect(), offsets }
        };
        let length = (pixels - 1 + padding) / stride + margin + 1;
        Axis { margin, length, phases: (0..stride).map(phase).collect() }
    }
}

/// Pixels, down and across, that were seen at the same offsets.
struct Part {
    /// Where each lies in dX, and where in dY with its margins the first position does that saw it.
    pixels: Vec<(usize, usize)>,
    /// From there to each position.
    runs: Vec<usize>,
    /// W of each position's offset, transposed, one below the other.
    panels: Panels,
}

impl Part {
    fn new(window: &Window, pitch: usize, w: ArrayView2<'_, f32>, [down, across]: [&Phase; 2]) -> Self {
        let (channels, outputs) = (window.channels, w.ncols());
        let pixels = pairs(&down.pixels, &across.pixels).map(|((y, from_y), (x, from_x))| {
            ((y * window.image[1] + x) * channels, from_y * pitch + from_x * outputs)
        });
        let offsets: Vec<(usize, usize)> = pairs(&down.offsets, &across.offsets).collect();
        let transposed = Array2::from_shape_fn((offsets.len() * outputs, channels), |(row, c)| {
            let (y, x) = offsets[row / outputs];
            w[[(y * window.kernel[1] + x) * channels + c, row % outputs]]
        });
        let at = |i: usize| i / across.offsets.len() * pitch + i % across.offsets.len() * outputs;
        Part {
            pixels: pixels.collect(),
            runs: (0..offsets.len()).map(at).collect(),
            panels: Panels::new(transposed.view()),
        }
    }
}

fn pairs<'a, T: Copy>(a: &'a [T], b: &'a [T]) -> impl Iterator<Item = (T, T)> + 'a {
    a.iter().flat_map(move |&a| b.iter().map(move |&b| (a, b)))
}

fn by_pixels(window: &Window, dy: &[f32], w: ArrayView2<'_, f32>, dx: &mut [f32]) {
    let (level, channels, outputs) = (Level::current(), window.channels, w.ncols());
    let (down, across) = (Axis::new(window, 0), Axis::new(window, 1));
    let pitch = across.length * outputs;
    let phases = down.phases.iter().flat_map(|down| across.phases.iter().map(move |across| [down, across]));
    let parts: Vec<Part> = phases.map(|phases| Part::new(window, pitch, w, phases)).collect();
    let width = window.along(1).expect("a window that fits") * outputs;
    let image = |laid: &mut Vec<f32>, (dy, dx): (&[f32], &mut [f32])| {
        for (from, to) in dy.chunks_exact(width).zip(laid.chunks_exact_mut(pitch).skip(down.margin)) {
            to[across.margin * outputs..][..width].copy_from_slice(from);
        }
        for Part { pixels, runs, panels } in &parts {
            for pixels in pixels.chunks(ROWS) {
                let rows = std::array::from_fn(|row| pixels[row.min(pixels.len() - 1)].1);
                for block in 0..panels.blocks() {
                    let mut tile: FloatTile = [[0.0; COLUMNS]; ROWS];
                    let from = Terms { rows, runs, length: outputs, step: 1, apart: true };
                    add_products(level, laid, from, panels.block(block, 0..runs.len() * outputs), &mut tile);
                    let columns = block * COLUMNS..((block + 1) * COLUMNS).min(channels);
                    for ((pixel, _), tile) in pixels.iter().zip(&tile) {
                        dx[pixel + columns.start..pixel + columns.end]
                            .copy_from_slice(&tile[..columns.len()]);
                    }
                }
            }
        }
    };
    let all = dy.par_chunks_exact(window.places() * outputs).zip(dx.par_chunks_exact_mut(window.features()));
    all.for_each_init(|| vec![0.0; down.length * pitch], image);
}

/// The same where tiles of channels would be all but empty: dY·Wᵀ, some rows at a time.
fn by_rows(window: &Window, dy: &[f32], w: ArrayView2<'_, f32>, dx: &mut [f32]) {
    let (volume, outputs, places) = (w.nrows(), w.ncols(), window.places());
    let panels = Panels::new(w.reversed_axes());
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
