//! A convolution's product as a matrix product, where no walk is faster or possible.
//!
//! ```text
//! forward          Y = im2col(X) · W
//! weight gradient  dW = im2col(X)ᵀ · dY
//! input gradient   dX = col2im(dY · Wᵀ), or Σ over (ky, kx, o) of the output gradients that each pixel meets
//! ```
//! The last two are the same integers: the second is a longer sum, where patterns along the outputs skip more and k²
//! times fewer results come back, but dY goes over the link k² times.

use super::axis::Axis;
use super::request::{ConvProblem, ConvProduct};
use super::window::Window;
use crate::gemm::{GemmProblem, ResultWidth, Shape};
use crate::layout::Matrix;
use rayon::prelude::*;

/// Which matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Windows as rows.
    Windows,
    /// dY·Wᵀ, gathered on the host.
    Gathered,
    /// Output gradients that each pixel meets as rows.
    Pixels,
}

impl Rows {
    /// The ways to a product.
    pub fn of(product: ConvProduct) -> &'static [Rows] {
        match product {
            ConvProduct::InputGradient => &[Rows::Gathered, Rows::Pixels],
            ConvProduct::Forward | ConvProduct::WeightGradient => &[Rows::Windows],
        }
    }

    /// The matrix product.
    pub fn problem(self, problem: &ConvProblem) -> GemmProblem {
        let &ConvProblem { window, images, outputs, x, w, result, selection, codes, .. } = problem;
        let rows = images * window.places();
        let (shape, result) = match (self, problem.product) {
            (Rows::Windows, ConvProduct::WeightGradient) => {
                (Shape { m: window.volume(), k: rows, n: outputs }, result)
            }
            (Rows::Windows, _) => (Shape { m: rows, k: window.volume(), n: outputs }, result),
            // The host gathers whole sums.
            (Rows::Gathered, _) => (Shape { m: rows, k: outputs, n: window.volume() }, ResultWidth::Full),
            (Rows::Pixels, _) => {
                let (m, k) = (images * window.pixels(), window.taps() * outputs);
                (Shape { m, k, n: window.channels }, result)
            }
        };
        GemmProblem { shape, x, w, result, selection, codes }
    }
}

/// The output gradients that each pixel meets, in the order (ky, kx, o).
///
/// # Shape    `[B, h'·w'·O]` → `[B·h·w, k²·O]`
pub(super) fn pixels(window: &Window, outputs: usize, dy: &[i32]) -> Matrix<'static> {
    let [rows, columns] = [0, 1].map(|axis| sources(window, axis));
    let (width, k) = (window.along(1).expect("a window that fits"), window.taps() * outputs);
    let (per_image, per_gradient) = (window.pixels() * k, window.places() * outputs);
    let images = dy.len() / per_gradient;
    let mut out = vec![0; images * per_image];
    out.par_chunks_mut(per_image).zip(dy.par_chunks(per_gradient)).for_each(|(out, dy)| {
        for (pixel, row) in out.chunks_exact_mut(k).enumerate() {
            let (y, x) = (pixel / window.image[1], pixel % window.image[1]);
            for (ky, oy) in &rows[y] {
                for (kx, ox) in &columns[x] {
                    let tap = ky * window.kernel[1] + kx;
                    let from = &dy[(oy * width + ox) * outputs..][..outputs];
                    row[tap * outputs..][..outputs].copy_from_slice(from);
                }
            }
        }
    });
    Matrix::row_major(out, images * window.pixels(), k)
}

/// Per pixel of an axis: the taps and outputs that meet there.
fn sources(window: &Window, axis: usize) -> Vec<Vec<(usize, usize)>> {
    let walk = Axis::input_gradient(window, axis);
    let mut found = vec![vec![]; window.image[axis]];
    for phase in &walk.phases {
        for span in phase.spans(walk.inputs, true, &(0..walk.outputs())) {
            for i in span.outputs {
                let of = span.taps.clone().map(|u| (phase.taps[u], phase.input(i, u) as usize));
                found[phase.first + phase.step * i].extend(of);
            }
        }
    }
    found
}

/// Weights in this order.
///
/// # Shape    `[k²·C, O]` → `[k²·O, C]`
pub(super) fn by_outputs(window: &Window, w: &Matrix<'_>) -> Matrix<'static> {
    let (channels, outputs, taps) = (window.channels, w.cols, window.taps());
    let entry = |row: usize, c: usize| w.at(row / outputs * channels + c, row % outputs);
    let all = (0..taps * outputs).flat_map(|row| (0..channels).map(move |c| entry(row, c)));
    Matrix::row_major(all.collect::<Vec<_>>(), taps * outputs, channels)
}
