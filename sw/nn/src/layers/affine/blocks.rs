//! Convolutions in blocks (grouped ones): each block of channels has outputs of its own.
//!
//! ```text
//! X [B, h, w, G·c], W [kh·kw·c, G·o], Y [B, h', w', G·o]
//! Y[.., g·o …] = conv(X[.., g·c …], W[.., g·o …])          depthwise: c = 1
//! ```
//! Whichever of the three products it is, block g has its own channels of the first operand, columns of the second and columns of the
//! answer: each is a request of its own, or a few of them are one, with weights that are 0 between blocks: whichever takes fewer cycles.

use crate::backend::{Pass, Product, ProductError, Sums};
use crate::layers::product::cheapest;
use crate::prune::pattern::GROUP_SIZES;
use crate::tensor::{slice, slice_mut};
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;
use tandem_driver::gemm::ResultWidth;
use tandem_driver::{ConvProblem, ConvProduct, Operand, Pattern, ResultFormat, Selection};
use tandem_driver::{Sparsity, Window};

/// Most channels, or outputs, of blocks that share a request.
const MOST: [usize; 2] = [8, 4];

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

/// The ways to request one product: of `one` block at a time, and of several as one convolution, whose weights between blocks are 0, with
/// how many requests make the product of all `blocks`.
///
/// The zeros are an N:M pattern, which devices that select do not multiply: of f blocks of c channels c of every f·c are not 0. What a mask
/// drops are zeros among the others. Few channels a request leave rows of the array without work; beyond 8 nothing is gained.
pub fn alternatives(one: ConvProblem, blocks: usize) -> Vec<(ConvProblem, u64)> {
    let mut all = vec![(one, blocks as u64)];
    if blocks == 1 {
        return all;
    }
    let widest = one.window.channels.max(one.outputs);
    let fits = |most: usize| (2..=most / widest).rev().find(|fused| blocks.is_multiple_of(*fused));
    let mut sizes: Vec<usize> = MOST.into_iter().filter_map(fits).collect();
    sizes.dedup();
    for fused in sizes {
        let window = Window { channels: one.window.channels * fused, ..one.window };
        let outputs = one.outputs * fused;
        let n = if one.product == ConvProduct::InputGradient { one.outputs } else { one.window.channels };
        let pattern = Pattern { n, m: n * fused, run: n * fused };
        let selection = match one.product {
            ConvProduct::WeightGradient => Selection::Results(pattern),
            ConvProduct::Forward | ConvProduct::InputGradient => Selection::Weights(pattern),
        };
        for selection in [selection, Selection::Dense] {
            let fused_problem = ConvProblem { window, outputs, selection, codes: None, ..one };
            if selection == Selection::Dense || GROUP_SIZES.contains(&pattern.m) {
                all.push((fused_problem, (blocks / fused) as u64));
            }
        }
    }
    all
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
    /// # Numeric  as [`Pass::convolve`]; how many blocks a request has changes nothing
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

    /// The problem of one block.
    fn one(&self, x: &Operand<'_>, w: &Operand<'_>, sparsity: &Sparsity<'_>) -> ConvProblem {
        ConvProblem {
            product: self.product.of_convolution(),
            window: self.window,
            images: x.values.nrows(),
            outputs: w.values.ncols() / self.blocks,
            x: x.format,
            w: w.format,
            result: match self.result {
                ResultFormat::Full => ResultWidth::Full,
                ResultFormat::Narrow { bits, .. } => ResultWidth::Narrow(bits),
            },
            selection: match sparsity {
                Sparsity::Dense => Selection::Dense,
                Sparsity::Weights(pattern) => Selection::Weights(*pattern),
                Sparsity::Results(pattern, _) => Selection::Results(*pattern),
            },
            codes: None,
        }
    }

    fn by_blocks(
        self,
        pass: &mut Pass<'_>,
        x: Operand<'_>,
        w: Operand<'_>,
        sparsity: &Sparsity<'_>,
    ) -> Result<Sums, ProductError> {
        let one = self.one(&x, &w, sparsity);
        let ways = alternatives(one, self.blocks);
        let chosen = cheapest(ways, |problem| pass.predict(problem));
        let (problem, requests) = chosen.map_or((one, self.blocks), |((p, times), _)| (p, times as usize));
        let fused = self.blocks / requests;
        let channels = problem.channels();
        let (images, outputs) = (problem.images, w.values.ncols());
        let values = split(slice(&x.values.to_owned()), images, requests, channels);
        let between = Between { fused, channels: one.window.channels, outputs: one.outputs };
        let (mut all, mut magnitude_or) = (vec![], 0);
        for request in 0..requests {
            let size = values.len() / requests;
            let shape = (images, size / images.max(1));
            let own_x =
                ArrayView2::from_shape(shape, &values[request * size..][..size]).expect("an equal part");
            let columns = columns(outputs, requests, request);
            let own = |(row, column)| w.values.at(row, columns.start + column);
            let mut own_w = Array2::from_shape_fn((w.values.nrows(), columns.len()), own);
            if fused > 1 && self.product != Product::WeightGradient {
                own_w = between.spread(&own_w);
            }
            let own_kept = match sparsity {
                Sparsity::Results(_, kept) => Some(kept.slice(s![.., columns])),
                Sparsity::Dense | Sparsity::Weights(_) => None,
            };
            let kept;
            let sparsity = match problem.selection {
                Selection::Dense => Sparsity::Dense,
                Selection::Weights(pattern) => Sparsity::Weights(pattern),
                Selection::Results(pattern) => {
                    kept = between.kept(problem.window.volume(), own_kept);
                    Sparsity::Results(pattern, kept.view())
                }
            };
            let x = Operand::new(own_x, x.format);
            let w = Operand {
                codebook: w.codebook.filter(|_| fused == 1),
                ..Operand::new(own_w.view(), w.format)
            };
            let sums = pass.convolve(self.product, problem.window, x, w, sparsity, self.result)?;
            magnitude_or |= sums.magnitude_or;
            all.push(match self.product {
                Product::WeightGradient if fused > 1 => between.gather(&sums.y.into_long(), own_kept),
                _ => sums.y.into_long(),
            });
        }
        let (rows, own) = all[0].dim();
        let stacked: Vec<i64> = all.iter().flat_map(|y| slice(y).iter().copied()).collect();
        let mut y = Array2::zeros((rows, own * requests));
        merge(&stacked, requests, own, slice_mut(&mut y));
        Ok(Sums { y: y.into(), magnitude_or })
    }
}

/// Weights of several blocks as those of one convolution: 0 between blocks.
#[derive(Clone, Copy, Debug)]
struct Between {
    fused: usize,
    /// Of one block.
    channels: usize,
    /// Of one block.
    outputs: usize,
}

impl Between {
    /// The row in all blocks of row `row` of the block that has this column.
    fn row(&self, row: usize, column: usize) -> usize {
        let (tap, channel) = (row / self.channels, row % self.channels);
        (tap * self.fused + column / self.outputs) * self.channels + channel
    }

    /// # Shape    `[taps·c, f·o]` → `[taps·f·c, f·o]`
    fn spread(&self, w: &Array2<i32>) -> Array2<i32> {
        let mut all = Array2::zeros((w.nrows() * self.fused, w.ncols()));
        w.indexed_iter().for_each(|((row, column), v)| all[[self.row(row, column), column]] = *v);
        all
    }

    /// # Shape    `[taps·f·c, f·o]` → `[taps·c, f·o]`, 0 where the mask drops it
    fn gather(&self, all: &Array2<i64>, mask: Option<ArrayView2<'_, bool>>) -> Array2<i64> {
        let shape = (all.nrows() / self.fused, all.ncols());
        Array2::from_shape_fn(shape, |(row, column)| {
            let kept = mask.is_none_or(|mask| mask[[row, column]]);
            if kept { all[[self.row(row, column), column]] } else { 0 }
        })
    }

    /// Which of `rows` rows are within a block, and kept there by the mask.
    fn kept(&self, rows: usize, mask: Option<ArrayView2<'_, bool>>) -> Array2<bool> {
        let shape = (rows, self.fused * self.outputs);
        Array2::from_shape_fn(shape, |(row, column)| {
            let (tap, block, channel) =
                (row / self.channels / self.fused, row / self.channels % self.fused, row % self.channels);
            let own = || mask.is_none_or(|mask| mask[[tap * self.channels + channel, column]]);
            block == column / self.outputs && own()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three blocks of two channels and one output, two taps.
    #[test]
    fn weights_between_blocks_are_zero() {
        let between = Between { fused: 3, channels: 2, outputs: 1 };
        let w = Array2::from_shape_fn((4, 3), |(row, column)| (10 * row + column + 1) as i32);
        let all = between.spread(&w);
        let mask = Array2::from_shape_fn((4, 3), |(row, column)| row != column);
        let kept = between.kept(12, Some(mask.view()));
        for ((row, column), v) in all.indexed_iter() {
            let (tap, block, channel) = (row / 6, row / 2 % 3, row % 2);
            let expected = if block == column { w[[2 * tap + channel, column]] } else { 0 };
            let own = block == column && mask[[2 * tap + channel, column]];
            assert_eq!((*v, kept[[row, column]]), (expected, own));
        }
        assert_eq!(between.gather(&all.mapv(i64::from), None), w.mapv(i64::from));
        let masked = between.gather(&all.mapv(i64::from), Some(mask.view()));
        assert_eq!((masked[[1, 1]], masked[[2, 1]]), (0, i64::from(w[[2, 1]])));
    }

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
