//! The input gradient of a convolution as a convolution of the output gradient.
//!
//! ```text
//! dX[b, y, x, c] = Σ_{ky, kx, o} dY[b, (y + padding − ky)/stride, (x + padding − kx)/stride, o] · W[(ky, kx, c), o]
//! ```
//! over those terms whose position is whole and inside. The same integers as dY·Wᵀ gathered by col2im, but the
//! sum runs on the accelerator: a longer contraction, where patterns along the outputs skip more, and
//! k² times fewer results; the operand is k² times as long.

use super::window::Window;
use crate::layers::prunable::Groups;
use crate::tensor::blocks::for_blocks;
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;

/// Geometry of the gradient.
#[derive(Clone, Copy, Debug)]
pub struct Transposed {
    /// The window of the forward product.
    pub window: Window,
    /// Its weights.
    pub groups: Groups,
}

impl Transposed {
    /// `[m, k, n]` of the product for a batch.
    pub fn shape(&self, batch: usize) -> [usize; 3] {
        let groups = self.groups;
        let taps = groups.height * groups.width;
        [batch * self.window.input.positions(), taps * groups.outputs, groups.channels]
    }

    /// The output gradients that each pixel meets, in the order (ky, kx, o).
    ///
    /// # Shape    `[B·h'·w', out]` → `[B·h·w, k²·out]`
    pub fn rows(&self, dy: &Array2<i32>) -> Array2<i32> {
        let Window { input, kernel, stride, padding } = self.window;
        let (out_h, out_w) = self.window.positions().expect("a window that fits");
        let outputs = self.groups.outputs;
        let per_image = out_h * out_w * outputs;
        let [m, k, _] = self.shape(dy.len() / per_image);
        let mut rows = Array2::zeros((m, k));
        let dy = slice(dy);
        let source = |pixel: usize, tap: usize, size: usize| {
            let at = (pixel + padding).checked_sub(tap)?;
            (at.is_multiple_of(stride) && at / stride < size).then_some(at / stride)
        };
        for_blocks(slice_mut(&mut rows), input.positions() * k, |start, rows| {
            let image = &dy[start / (input.positions() * k) * per_image..][..per_image];
            for (pixel, row) in rows.chunks_exact_mut(k).enumerate() {
                let (y, x) = (pixel / input.w, pixel % input.w);
                for (tap, to) in row.chunks_exact_mut(outputs).enumerate() {
                    let from = source(y, tap / kernel, out_h).zip(source(x, tap % kernel, out_w));
                    if let Some((oy, ox)) = from {
                        to.copy_from_slice(&image[(oy * out_w + ox) * outputs..][..outputs]);
                    }
                }
            }
        });
        rows
    }

    /// The weights in this order.
    ///
    /// # Shape    `[k²·c, out]` → `[k²·out, c]`
    pub fn weights(&self, w: &Array2<i32>) -> Array2<i32> {
        let (channels, outputs) = (self.groups.channels, self.groups.outputs);
        let (rows, w) = (w.nrows() / channels * outputs, slice(w));
        let entry = |(k, c): (usize, usize)| w[((k / outputs) * channels + c) * outputs + k % outputs];
        Array2::from_shape_fn((rows, channels), entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Shape;
    use proptest::prelude::*;

    proptest! {
        /// Both ways to the input gradient are the same integers.
        #[test]
        fn it_is_the_transpose_of_the_convolution(
            (h, w, c) in (1usize..8, 1usize..8, 1usize..4),
            (kernel, stride, padding) in (1usize..5, 1usize..4, 0usize..4),
            (outputs, batch, salt) in (1usize..4, 1usize..3, 0i32..1000),
        ) {
            let window = Window { input: Shape { h, w, c }, kernel, stride, padding };
            prop_assume!(padding < kernel && window.positions().is_some());
            let groups = Groups { height: kernel, width: kernel, channels: c, outputs };
            let (out_h, out_w) = window.positions().unwrap();
            let number = |i: usize| (i as i32 * 7919 + salt) % 13 - 6;
            let dy = Array2::from_shape_fn((batch * out_h * out_w, outputs), |(i, j)| number(i * outputs + j));
            let weights = Array2::from_shape_fn((groups.contraction(), outputs), |(i, j)| number(3 * i + j));
            let rows = dy.dot(&weights.t());
            let mut expected = vec![0.0; batch * h * w * c];
            window.col2im(slice(&rows.as_standard_layout().into_owned()), &mut expected, |sum: i32| sum as f32);
            let transposed = Transposed { window, groups };
            let (x, w) = (transposed.rows(&dy), transposed.weights(&weights));
            prop_assert_eq!([x.nrows(), x.ncols(), w.ncols()], transposed.shape(batch));
            let found = x.dot(&w);
            prop_assert!(found.iter().zip(&expected).all(|(a, b)| *a as f32 == *b));
        }
    }
}
