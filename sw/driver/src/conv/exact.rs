//! The three products on the host, exactly: windows are read where they lie.

use super::request::{ConvProduct, ConvRequest};
use super::window::Window;
use crate::gemm::{Carrier, Source, carried_in_f32, product};
use crate::layout::Matrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

/// Values of dY·Wᵀ that are made at a time.
const TILE: usize = 1 << 15;

/// The sums of a product whose operands were checked.
pub(super) fn sums(request: &ConvRequest<'_>, x: &Matrix<'_>, w: &Matrix<'_>) -> Array2<i64> {
    let window = &request.window;
    let (x_format, w_format) = (request.x.format, request.w.format);
    match request.product {
        ConvProduct::Forward => product((Source::Windows(window, &x.data), x_format), (w, w_format)).0,
        ConvProduct::WeightGradient => {
            product((Source::WindowsTransposed(window, &x.data), x_format), (w, w_format)).0
        }
        ConvProduct::InputGradient => {
            let formats = [x_format, w_format];
            if window.taps() * w.cols <= carried_in_f32(formats) {
                input_gradient::<f32>(window, x, w)
            } else {
                input_gradient::<f64>(window, x, w)
            }
        }
    }
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
