//! The three products of a convolution in floating point: windows are read where they lie.

use super::carried::{self, Carrier, Source, carried_in_f32};
use super::{Formatted, Product};
use crate::conv::{ConvProduct, Window};
use crate::layout::Matrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

/// Values of dY·Wᵀ that are made at a time.
const TILE: usize = 1 << 15;

/// The sums of a product.
pub(super) fn sums(product: ConvProduct, window: &Window, x: Formatted<'_>, w: Formatted<'_>) -> Product {
    let ((x, x_format), (w, w_format)) = (x, w);
    let y = match product {
        ConvProduct::Forward => carried::sums((Source::Windows(window, &x.data), x_format), (w, w_format)).y,
        ConvProduct::WeightGradient => {
            carried::sums((Source::WindowsTransposed(window, &x.data), x_format), (w, w_format)).y
        }
        ConvProduct::InputGradient if window.taps() * w.cols <= carried_in_f32([x_format, w_format]) => {
            input_gradient::<f32>(window, x, w).into()
        }
        ConvProduct::InputGradient => input_gradient::<f64>(window, x, w).into(),
    };
    let ors = [x.or_above(x_format.range().0), w.or_above(w_format.range().0)];
    Product { y, ors, magnitude_or: None }
}

/// dY·Wᵀ for some positions of an image at a time, added where it belongs.
///
/// # Numeric  exact: every partial sum is an integer that T holds
fn input_gradient<T: Carrier + std::ops::AddAssign>(
    window: &Window,
    dy: &Matrix<'_>,
    w: &Matrix<'_>,
) -> Array2<i64> {
    let (outputs, volume, places) = (w.cols, window.volume(), window.places());
    let weights: Vec<T> = (0..volume)
        .flat_map(|k| (0..outputs).map(move |o| (k, o)))
        .map(|(k, o)| T::from_int(w.at(k, o)))
        .collect();
    let weights = ArrayView2::from_shape((volume, outputs), &weights).expect("as many");
    let images = dy.data.len() / (places * outputs);
    let mut dx = Array2::zeros((images * window.pixels(), window.channels));
    let step = (TILE / volume).clamp(1, places);
    let scratch = || {
        (vec![T::zero(); step * outputs], vec![T::zero(); step * volume], vec![T::zero(); window.features()])
    };
    let all = dx.as_slice_mut().expect("just made");
    all.par_chunks_mut(window.features()).enumerate().for_each_init(
        scratch,
        |(dys, rows, image), (i, out)| {
            image.fill(T::zero());
            for first in (0..places).step_by(step) {
                let count = step.min(places - first);
                let from = &dy.data[(i * places + first) * outputs..][..count * outputs];
                dys.iter_mut().zip(from).for_each(|(to, v)| *to = T::from_int(*v));
                let dys = ArrayView2::from_shape((count, outputs), &dys[..count * outputs]).expect("as many");
                let rows = &mut rows[..count * volume];
                let mut product = ArrayViewMut2::from_shape((count, volume), &mut *rows).expect("as many");
                general_mat_mul(T::one(), &dys, &weights.t(), T::zero(), &mut product);
                window.add_rows(rows, first..first + count, image);
            }
            out.iter_mut().zip(image.iter()).for_each(|(to, v)| *to = v.to_int());
        },
    );
    dx
}
