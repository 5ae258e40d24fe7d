//! Integer products by floating-point arithmetic that cannot round.
//!
//! ```text
//! every partial sum of K products is an integer of magnitude ≤ K · max|x| · max|w|
//! f32 holds all integers up to 2^24, f64 up to 2^53
//! ⇒ K ≤ 2^24 / (max|x| · max|w|) products sum exactly in f32, in any order, fused or not
//! ```
//! k is cut into blocks that short, whose sums are added as integers. So the result does not depend on
//! threads, blocks or instruction sets, and equals what the accelerator returns.

use super::{Formatted, Product as Answer, over_chunks};
use crate::conv::Window;
use crate::device::Format;
use crate::layout::Matrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, LinalgScalar, ShapeBuilder};
use rayon::prelude::*;
use std::ops::Range;

/// Shortest block for which f32 is worth its conversions.
const SHORT: usize = 32;
/// Products below which one thread is faster.
const SMALL: usize = 1 << 17;
/// Values of X and Y that one thread works on at a time, so that they stay in its cache.
const TILE: usize = 1 << 15;

/// A floating-point type, as a carrier of integers.
pub(super) trait Carrier: LinalgScalar + Send + Sync {
    /// All integers up to 2^MANTISSA are exact.
    const MANTISSA: u32;
    fn from_int(v: i32) -> Self;
    fn to_int(self) -> i64;
}

impl Carrier for f32 {
    const MANTISSA: u32 = 24;
    fn from_int(v: i32) -> Self {
        v as f32
    }
    fn to_int(self) -> i64 {
        i64::from(self as i32)
    }
}

impl Carrier for f64 {
    const MANTISSA: u32 = 53;
    fn from_int(v: i32) -> Self {
        f64::from(v)
    }
    fn to_int(self) -> i64 {
        self as i64
    }
}

/// The left operand, as its blocks are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// A matrix.
    Matrix(&'a Matrix<'a>),
    /// The pixels under a window, a row for each position of each image ([`Window::im2col`]), never written out as a whole.
    Windows(&'a Window, &'a [i32]),
    /// The same, transposed.
    WindowsTransposed(&'a Window, &'a [i32]),
}

impl Source<'_> {
    fn dim(&self) -> (usize, usize) {
        let windows = |w: &Window, images: &[i32]| (images.len() / w.features() * w.places(), w.volume());
        match self {
            Source::Matrix(m) => (m.rows, m.cols),
            Source::Windows(w, images) => windows(w, images),
            Source::WindowsTransposed(w, images) => {
                let (rows, cols) = windows(w, images);
                (cols, rows)
            }
        }
    }

    fn is_row_major(&self) -> bool {
        match self {
            Source::Matrix(m) => m.is_row_major(),
            Source::Windows(..) => true,
            Source::WindowsTransposed(..) => false,
        }
    }

    /// Converts a block, densely in the operand's own order; returns the OR of (v − lo), or 0 where others check.
    ///
    /// # Panics   if a block of windows does not span them whole
    fn convert<T: Carrier>(&self, rows: Range<usize>, cols: Range<usize>, lo: i32, out: &mut [T]) -> u32 {
        match self {
            Source::Matrix(m) => convert(m, rows, cols, lo, out),
            Source::Windows(w, images) => {
                assert_eq!(cols, 0..w.volume());
                w.rows(images, rows, T::zero(), T::from_int, out);
                0
            }
            Source::WindowsTransposed(w, images) => {
                assert_eq!(rows, 0..w.volume());
                w.rows(images, cols, T::zero(), T::from_int, out);
                0
            }
        }
    }
}

/// Products of two formats whose sum is exact in f32, whatever their order.
pub(super) fn carried_in_f32(formats: [Format; 2]) -> usize {
    longest::<f32>(formats)
}

fn longest<T: Carrier>(formats: [Format; 2]) -> usize {
    let largest = formats.map(|f| u64::from(f.range().0.unsigned_abs().max(f.range().1.unsigned_abs())));
    ((1u64 << T::MANTISSA) / (largest[0] * largest[1]).max(1)) as usize
}

/// X · W.
pub(super) fn product((x, x_format): Formatted<'_>, w: Formatted<'_>) -> Answer {
    sums((Source::Matrix(x), x_format), w)
}

/// X · W; of windows there is no OR.
///
/// # Numeric  exact if all values fit their formats (which the ORs tell), else meaningless
pub(super) fn sums(x: (Source<'_>, Format), w: Formatted<'_>) -> Answer {
    let formats = [x.1, w.1];
    let offsets = formats.map(|f| f.range().0);
    let (_, k) = x.0.dim();
    let (y, ors) = match longest::<f32>(formats) {
        block if block >= SHORT.min(k) => Product::<f32>::new(x.0, w.0, offsets, block).run(),
        _ => Product::<f64>::new(x.0, w.0, offsets, longest::<f64>(formats)).run(),
    };
    Answer { y: y.into(), ors, magnitude_or: None }
}

struct Product<'a, T> {
    x: Source<'a>,
    w: &'a Matrix<'a>,
    /// Smallest values of the formats.
    offsets: [i32; 2],
    /// Longest sum.
    block: usize,
    carrier: std::marker::PhantomData<T>,
}

impl<'a, T: Carrier> Product<'a, T> {
    fn new(x: Source<'a>, w: &'a Matrix<'a>, offsets: [i32; 2], block: usize) -> Self {
        Product { x, w, offsets, block, carrier: std::marker::PhantomData }
    }

    fn run(&self) -> (Array2<i64>, [u32; 2]) {
        let (m, k) = self.x.dim();
        match self.x {
            Source::Windows(..) => self.by_rows(),
            Source::WindowsTransposed(..) => self.by_sums(),
            Source::Matrix(_) if k > 4 * m => self.by_sums(),
            Source::Matrix(_) => self.by_rows(),
        }
    }

    fn threads(&self) -> usize {
        if self.x.dim().0 * self.x.dim().1 * self.w.cols < SMALL { 1 } else { rayon::current_num_threads() }
    }

    /// Blocks of rows; W is converted once.
    fn by_rows(&self) -> (Array2<i64>, [u32; 2]) {
        let ((m, k), n) = (self.x.dim(), self.w.cols);
        let mut y = Array2::zeros((m, n));
        let mut w = vec![T::zero(); k * n];
        let w_or = convert(self.w, 0..k, 0..n, self.offsets[1], &mut w);
        let w = view(self.w.is_row_major(), &w, k, n);
        let threads = self.threads();
        let share = if threads == 1 { m } else { m.div_ceil(2 * threads) };
        let rows = share.min((TILE / (k + n)).max(16)).max(1);
        let work = |(xs, sums): &mut (Vec<T>, Vec<T>), (i, y): (usize, &mut [i64])| {
            let (first, count) = (i * rows, y.len() / n);
            xs.resize(rows * k, T::zero());
            sums.resize(rows * n, T::zero());
            let or = self.x.convert(first..first + count, 0..k, self.offsets[0], xs);
            let x = view(self.x.is_row_major(), xs, count, k);
            for from in (0..k).step_by(self.block) {
                let range = from as isize..(from + self.block).min(k) as isize;
                let (x, w) = (x.slice(ndarray::s![.., range.clone()]), w.slice(ndarray::s![range, ..]));
                add_product(&x, &w, &mut sums[..count * n], y);
            }
            [or, 0]
        };
        let scratch = || (vec![], vec![]);
        let all = y.as_slice_mut().expect("just made");
        let [x_or, _] = over_chunks((all, rows * n), threads > 1, scratch, work);
        (y, [x_or, w_or])
    }

    /// Blocks of k, whose products are added.
    fn by_sums(&self) -> (Array2<i64>, [u32; 2]) {
        let ((m, k), n) = (self.x.dim(), self.w.cols);
        let threads = self.threads();
        let share = k.div_ceil(if threads == 1 { 1 } else { 2 * threads });
        let length = self.block.min(share).min((TILE / (m + n)).max(64));
        let count = k.div_ceil(length);
        let work = |range: Range<usize>| {
            let mut y = vec![0i64; m * n];
            let mut ors = [0, 0];
            let (mut xs, mut ws) = (vec![T::zero(); m * length], vec![T::zero(); length * n]);
            let mut sums = vec![T::zero(); m * n];
            for b in range {
                let part = b * length..((b + 1) * length).min(k);
                ors[0] |= self.x.convert(0..m, part.clone(), self.offsets[0], &mut xs);
                ors[1] |= convert(self.w, part.clone(), 0..n, self.offsets[1], &mut ws);
                let x = view(self.x.is_row_major(), &xs, m, part.len());
                let w = view(self.w.is_row_major(), &ws, part.len(), n);
                add_product(&x, &w, &mut sums, &mut y);
            }
            (y, ors)
        };
        let groups = threads.min(count);
        let group = |g: usize| work(count * g / groups..count * (g + 1) / groups);
        let all: Vec<_> =
            if groups == 1 { vec![group(0)] } else { (0..groups).into_par_iter().map(group).collect() };
        let first = (Array2::zeros((m, n)), [0, 0]);
        all.into_iter().fold(first, |(mut y, ors), (part, more)| {
            y.iter_mut().zip(part).for_each(|(y, v)| *y += v);
            (y, [ors[0] | more[0], ors[1] | more[1]])
        })
    }
}

/// y += x · w
fn add_product<T: Carrier>(x: &ArrayView2<'_, T>, w: &ArrayView2<'_, T>, sums: &mut [T], y: &mut [i64]) {
    let mut c = ArrayViewMut2::from_shape((x.nrows(), w.ncols()), sums).expect("the buffer's size");
    general_mat_mul(T::one(), x, w, T::zero(), &mut c);
    y.iter_mut().zip(sums.iter()).for_each(|(y, v)| *y += v.to_int());
}

/// Converts a block of `matrix` to `out`, densely in the matrix's own order; returns the OR of (v − lo).
fn convert<T: Carrier>(
    matrix: &Matrix<'_>,
    rows: Range<usize>,
    cols: Range<usize>,
    lo: i32,
    out: &mut [T],
) -> u32 {
    let (lines, along, stride, length) = if matrix.is_row_major() {
        (rows, cols, matrix.row_stride, matrix.cols)
    } else {
        (cols, rows, matrix.col_stride, matrix.rows)
    };
    let mut or = 0;
    let mut run = |from: &[i32], to: &mut [T]| {
        for (t, v) in to.iter_mut().zip(from) {
            or |= v.wrapping_sub(lo) as u32;
            *t = T::from_int(*v);
        }
    };
    if along.len() == length {
        let from = &matrix.data[lines.start * stride..];
        run(&from[..lines.len() * length], out);
    } else {
        let width = along.len();
        for (line, to) in lines.zip(out.chunks_exact_mut(width.max(1))) {
            run(&matrix.data[line * stride..][along.clone()], to);
        }
    }
    or
}

/// A converted block as a matrix.
fn view<T>(row_major: bool, values: &[T], rows: usize, cols: usize) -> ArrayView2<'_, T> {
    let (r, c) = if row_major { (cols, 1) } else { (1, rows) };
    let values = &values[..rows * cols];
    ArrayView2::from_shape((rows, cols).strides((r, c)), values).expect("the block's size")
}
