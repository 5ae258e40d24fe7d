//! Convolutions in blocks (grouped ones): each block of channels has outputs of its own.
//!
//! ```text
//! X [B, h, w, G·c], W [kh·kw·c, G·o], Y [B, h', w', G·o]
//! Y[.., g·o …] = conv(X[.., g·c …], W[.., g·o …])          depthwise: c = 1
//! ```
//! Whichever of the three products it is, block g has its own channels of the first operand, columns of the second and columns of the
//! answer: each is a request of its own.

use crate::backend::{Pass, Product, ProductError, Sums};
use crate::tensor::{slice, slice_mut};
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;
use tandem_driver::{Operand, ResultFormat, Sparsity, Window};

/// Columns of block `block` of `blocks`.
pub fn columns(all: usize, blocks: usize, block: usize) -> Range<usize> {
    let own = all / blocks;
    block * own..(block + 1) * own
}

/// Channels, block after block.
///
/// # Shape    `[pixels, blocks·c]` → `[blocks, pixels, c]`; `images` says how many pixels are read at a time
pub fn split<T: Copy + Default>(values: &[T], images: usize, blocks: usize, c: usize) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    let (pixels, width) = (values.len() / (blocks * c), blocks * c);
    let each = pixels / images.max(1);
    for first in (0..images).map(|image| image * each) {
        for block in 0..blocks {
            let to = &mut out[(block * pixels + first) * c..][..each * c];
            let from = values[first * width..][..each * width].chunks_exact(width);
            for (to, from) in to.chunks_exact_mut(c).zip(from) {
                to.copy_from_slice(&from[block * c..][..c]);
            }
        }
    }
    out
}

/// The inverse of [`split`].
///
/// # Shape    `[blocks, pixels, c]` → `[pixels, blocks·c]`
pub fn merge<T: Copy>(values: &[T], blocks: usize, c: usize, out: &mut [T]) {
    let pixels = values.len() / (blocks * c);
    for (pixel, out) in out.chunks_exact_mut(blocks * c).enumerate() {
        for (block, out) in out.chunks_exact_mut(c).enumerate() {
            out.copy_from_slice(&values[(block * pixels + pixel) * c..][..c]);
        }
    }
}

/// One product of a convolution, without its data.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Which of the three.
    pub product: Product,
    /// Image and window of one block.
    pub window: Window,
    /// Number of blocks.
    pub blocks: usize,
    /// How results leave.
    pub result: ResultFormat,
}

impl Convolution {
    /// The product on the device; the operands are those of all blocks.
    ///
    /// # Numeric  as [`Pass::convolve`]
    /// # Errors   a product that failed
    pub fn run(
        self,
        pass: &mut Pass<'_>,
        x: Operand<'_>,
        w: Operand<'_>,
        sparsity: Sparsity<'_>,
    ) -> Result<Sums, ProductError> {
        match self.blocks {
            1 => pass.convolve(self.product, self.window, x, w, sparsity, self.result),
            _ => self.by_blocks(pass, x, w, &sparsity),
        }
    }

    fn by_blocks(
        self,
        pass: &mut Pass<'_>,
        x: Operand<'_>,
        w: Operand<'_>,
        sparsity: &Sparsity<'_>,
    ) -> Result<Sums, ProductError> {
        let Convolution { product, window, blocks, result } = self;
        let outputs = w.values.ncols();
        let channels = match product {
            Product::InputGradient => outputs / blocks,
            Product::Forward | Product::WeightGradient => window.channels,
        };
        let images = x.values.nrows();
        let values = x.values.as_standard_layout();
        let values = split(values.as_slice().expect("row-major"), images, blocks, channels);
        let (mut all, mut magnitude_or) = (vec![], 0);
        for block in 0..blocks {
            let size = values.len() / blocks;
            let shape = (images, size / images.max(1));
            let own_x =
                ArrayView2::from_shape(shape, &values[block * size..][..size]).expect("an equal part");
            let columns = columns(outputs, blocks, block);
            let own_w = w.values.slice(s![.., columns.clone()]).to_owned();
            let sparsity = match sparsity {
                Sparsity::Dense => Sparsity::Dense,
                Sparsity::Weights(pattern) => Sparsity::Weights(*pattern),
                Sparsity::Results(pattern, kept) => Sparsity::Results(*pattern, kept.slice(s![.., columns])),
            };
            let x = Operand { codebook: x.codebook, ..Operand::new(own_x, x.format) };
            let w = Operand { codebook: w.codebook, ..Operand::new(own_w.view(), w.format) };
            let sums = pass.convolve(product, window, x, w, sparsity, result)?;
            magnitude_or |= sums.magnitude_or;
            all.push(sums.y);
        }
        let (rows, own) = all[0].dim();
        let stacked: Vec<i64> = all.iter().flat_map(|y| slice(y).iter().copied()).collect();
        let mut y = Array2::zeros((rows, own * blocks));
        merge(&stacked, blocks, own, slice_mut(&mut y));
        Ok(Sums { y, magnitude_or })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_channels_of_every_pixel() {
        // two images of three pixels, two blocks of two channels: value = 10·pixel + channel
        let values: Vec<i32> = (0..6).flat_map(|pixel| (0..4).map(move |c| 10 * pixel + c)).collect();
        let stacked = split(&values, 2, 2, 2);
        assert_eq!(stacked[..6], [0, 1, 10, 11, 20, 21]);
        assert_eq!(stacked[12..18], [2, 3, 12, 13, 22, 23]);
        let mut back = vec![0; values.len()];
        merge(&stacked, 2, 2, &mut back);
        assert_eq!(back, values);
    }
}
