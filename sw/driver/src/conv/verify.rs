//! The three products straight from their sums, for checks.

use super::request::{ConvProduct, ConvRequest};
use crate::gemm::{ResultFormat, Sparsity};
use crate::integers::Integers;
use crate::narrow::narrow;
use ndarray::Array2;

/// What a request should return: every sum term by term.
///
/// # Panics
/// If shapes disagree or the window does not fit.
pub fn reference(request: &ConvRequest<'_>) -> Array2<i64> {
    let window = &request.window;
    let ([height, width], channels, [kh, kw]) = (window.image, window.channels, window.kernel);
    let (out_h, out_w) = window.positions().expect("a window that fits");
    let (images, outputs) = (request.x.values.nrows(), request.w.values.ncols());
    let (x, w) = (request.x.values.to_owned(), request.w.values.to_owned());
    let shape = match request.product {
        ConvProduct::Forward => (images * out_h * out_w, outputs),
        ConvProduct::InputGradient => (images * height * width, channels),
        ConvProduct::WeightGradient => (window.volume(), outputs),
    };
    let mut y = Array2::<i64>::zeros(shape);
    for b in 0..images {
        for (oy, ox) in (0..out_h).flat_map(|oy| (0..out_w).map(move |ox| (oy, ox))) {
            for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                let inside = |axis: usize, o: usize, k: usize| {
                    let at = (o * window.stride[axis] + k).checked_sub(window.padding[axis]);
                    at.filter(|at| *at < window.image[axis])
                };
                let (Some(iy), Some(ix)) = (inside(0, oy, ky), inside(1, ox, kx)) else { continue };
                let (position, pixel) = (oy * out_w + ox, iy * width + ix);
                for c in 0..channels {
                    let k = (ky * kw + kx) * channels + c;
                    for o in 0..outputs {
                        let long = i64::from;
                        match request.product {
                            ConvProduct::Forward => {
                                let term = long(x[[b, pixel * channels + c]]) * long(w[[k, o]]);
                                y[[b * out_h * out_w + position, o]] += term;
                            }
                            ConvProduct::InputGradient => {
                                let term = long(x[[b, position * outputs + o]]) * long(w[[k, o]]);
                                y[[b * height * width + pixel, c]] += term;
                            }
                            ConvProduct::WeightGradient => {
                                let dy = w[[b * out_h * out_w + position, o]];
                                y[[k, o]] += long(x[[b, pixel * channels + c]]) * long(dy);
                            }
                        }
                    }
                }
            }
        }
    }
    if let Sparsity::Results(_, kept) = request.sparsity {
        y.zip_mut_with(&kept, |y, kept| *y = if *kept { *y } else { 0 });
    }
    if let ResultFormat::Narrow { bits, shift } = request.result {
        y.mapv_inplace(|v| narrow(v, bits, shift).0);
    }
    y
}

/// Number of results that are not those of [`reference()`].
pub fn mismatches(request: &ConvRequest<'_>, y: &Integers) -> usize {
    reference(request).iter().zip(&y.to_long()).filter(|(a, b)| a != b).count()
}
