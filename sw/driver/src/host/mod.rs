//! Exact products on the host: what the accelerator returns, at the speed of the vector units.
//!
//! ```text
//! both operands of up to 8 bits, with VNNI      bytes     tandem_kernels::Bytes
//! both within 16 bits with sign                 words     tandem_kernels::Words
//! sums beyond 32 bits                           carried   in f32 or f64 that cannot round
//! ```
//! Operands are converted once, block by block, to what the kernels read; windows of images are read where they lie in a padded image.

mod carried;
mod carried_conv;
mod convolution;
mod frame;
mod kept_gradient;
mod matrix;
mod planes;
mod sweep;
mod weight_gradient;

use crate::conv::{ConvProduct, Window};
use crate::device::Format;
use crate::entries::{Entries, Entry};
use crate::gemm::{Operand, Sparsity};
use crate::integers::Integers;
use crate::layout::Matrix;
use kept_gradient::Kept;
use rayon::prelude::*;
use tandem_kernels::{Bytes, Element, Level, Words};

/// A product on the host.
pub(crate) struct Product {
    /// The sums; meaningless if an operand does not fit its format.
    pub y: Integers,
    /// Per operand the OR over all values of (v − the smallest value of its format).
    pub ors: [u32; 2],
    /// OR of the magnitudes of all sums, where it was found on the way.
    pub magnitude_or: Option<u64>,
}

/// Products below which one thread is faster.
const SMALL: usize = 1 << 20;

/// Does `work` with every chunk of `size` of an answer, on all threads if there is enough to do; ORs what it returns.
fn over_chunks<S, T: Send>(
    (out, size): (&mut [T], usize),
    is_parallel: bool,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, (usize, &mut [T])) -> [u32; 2] + Sync + Send,
) -> [u32; 2] {
    let both = |a: [u32; 2], b: [u32; 2]| [a[0] | b[0], a[1] | b[1]];
    let size = size.max(1);
    if is_parallel {
        return out.par_chunks_mut(size).enumerate().map_init(scratch, work).reduce(|| [0; 2], both);
    }
    let mut scratch = scratch();
    out.chunks_mut(size).enumerate().map(|chunk| work(&mut scratch, chunk)).fold([0; 2], both)
}

/// An operand and its format.
pub(crate) type Formatted<'a, T = i32> = (&'a Matrix<'a, T>, Format);

/// X · W.
pub(crate) fn product(level: Level, x: &Operand<'_>, w: &Operand<'_>) -> Product {
    match (x.values, w.values) {
        (Entries::Bytes(a), Entries::Bytes(b)) => {
            of_matrices(level, (&Matrix::new(a), x.format), (&Matrix::new(b), w.format))
        }
        (a, b) => of_matrices(level, (&Matrix::wide(a), x.format), (&Matrix::wide(b), w.format)),
    }
}

fn of_matrices<T: Entry>(level: Level, x: Formatted<'_, T>, w: Formatted<'_, T>) -> Product {
    match storage(level, [x.1, w.1], x.0.cols) {
        Some(Storage::Bytes) => matrix::product::<Bytes, T>(level, x, w),
        Some(Storage::Words) => matrix::product::<Words, T>(level, x, w),
        None => carried::product((&x.0.widened(), x.1), (&w.0.widened(), w.1)),
    }
}

/// A product of a convolution. Entries of a weight gradient that the sparsity does not mark are anything.
pub(crate) fn convolution(
    level: Level,
    product: ConvProduct,
    window: &Window,
    x: &Operand<'_>,
    w: &Operand<'_>,
    sparsity: &Sparsity<'_>,
) -> Product {
    let kept = match sparsity {
        Sparsity::Results(_, kept) => Kept::new(level, *kept),
        _ => None,
    };
    let kept = kept.as_ref();
    let formats = [x.format, w.format];
    match (x.values, w.values) {
        (Entries::Bytes(a), Entries::Bytes(b)) => {
            of_images(level, (product, kept), window, [Matrix::new(a), Matrix::new(b)], formats)
        }
        (a, b) => of_images(level, (product, kept), window, [Matrix::wide(a), Matrix::wide(b)], formats),
    }
}

fn of_images<T: Entry>(
    level: Level,
    (product, kept): (ConvProduct, Option<&Kept>),
    window: &Window,
    operands: [Matrix<'_, T>; 2],
    formats: [Format; 2],
) -> Product {
    let [x, w] = operands.map(Matrix::into_row_major);
    let [x, w] = [(&x, formats[0]), (&w, formats[1])];
    let terms = match product {
        ConvProduct::WeightGradient => window.places(),
        ConvProduct::Forward => window.volume(),
        ConvProduct::InputGradient => window.taps() * w.0.cols,
    };
    match storage(level, formats, terms) {
        Some(Storage::Bytes) => match kept {
            Some(kept) => kept_gradient::sums(level, window, x, w, kept),
            None => in_tiles::<Bytes, T>(level, product, window, x, w),
        },
        Some(Storage::Words) => in_tiles::<Words, T>(level, product, window, x, w),
        None => carried_conv::sums(product, window, (&x.0.widened(), x.1), (&w.0.widened(), w.1)),
    }
}

fn in_tiles<E: Element, T: Entry>(
    level: Level,
    product: ConvProduct,
    window: &Window,
    x: Formatted<'_, T>,
    w: Formatted<'_, T>,
) -> Product {
    match product {
        ConvProduct::WeightGradient => weight_gradient::sums::<E, T>(level, window, x, w),
        _ => convolution::sums::<E, T>(level, product, window, x, w),
    }
}

/// What operands are stored as.
enum Storage {
    Bytes,
    Words,
}

/// The storage of a product of so many terms, if there is one that 32 bits suffice for.
fn storage(level: Level, formats: [Format; 2], terms: usize) -> Option<Storage> {
    let [x, w] = formats;
    let signed_bits = |f: Format| f.bits + u8::from(!f.signed);
    if terms > longest(formats) {
        return None;
    }
    if level.multiplies_bytes() && x.bits <= 8 && signed_bits(w) <= 8 {
        return Some(Storage::Bytes);
    }
    (signed_bits(x) <= 16 && signed_bits(w) <= 16).then_some(Storage::Words)
}

/// Terms whose sum 32 bits hold.
fn longest(formats: [Format; 2]) -> usize {
    let [x, w] = formats.map(|f| f.range()).map(|(lo, hi)| lo.unsigned_abs().max(hi.unsigned_abs()).max(1));
    (i32::MAX as u64 / (u64::from(x) * u64::from(w))) as usize
}
