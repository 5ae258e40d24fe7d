//! Images too large for a tile: a pass along rows and one along columns, through the host.

use super::{FftRequest, Points, Scaling};
use crate::device::{Cost, Device, DeviceError};
use crate::narrow::rounded;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex;

/// A two-dimensional spectrum.
#[derive(Clone, Debug)]
pub struct ImageFft {
    /// `[rows, cols]`, natural order.
    pub y: Array2<Complex<i32>>,
    /// The transform is `y · 2^exponent`.
    pub exponent: u8,
    /// Lines of either pass in which a value was clamped.
    pub saturated: usize,
    /// What both passes cost.
    pub cost: Cost,
}

/// The two-dimensional transform of `x`, `[rows, cols]`, both powers of two.
///
/// # Numeric
/// Rows are brought to their largest exponent (rounded half to even) before the columns are transformed, and
/// columns likewise at the end.
///
/// # Errors
/// Those of [`Device::run`].
pub fn fft_image(
    device: &mut dyn Device,
    x: ArrayView2<'_, Complex<i32>>,
    inverse: bool,
    scaling: Scaling,
) -> Result<ImageFft, DeviceError> {
    let mut image = ImageFft { y: x.to_owned(), exponent: 0, saturated: 0, cost: Cost::default() };
    for _ in 0..2 {
        let points = Points::Line(image.y.ncols());
        let request = FftRequest { x: image.y.view(), points, inverse, scaling };
        let lines = device.run(request.into())?.into_fft();
        let exponent = lines.exponents.iter().copied().max().unwrap_or(0);
        let mut y = lines.y;
        for (mut line, e) in y.outer_iter_mut().zip(&lines.exponents) {
            let part = |v: i32| rounded(v.into(), exponent - e) as i32;
            line.mapv_inplace(|z| Complex::new(part(z.re), part(z.im)));
        }
        image.y = y.reversed_axes().as_standard_layout().into_owned();
        image.exponent += exponent;
        image.saturated += lines.saturated.iter().filter(|s| **s).count();
        image.cost += lines.cost;
    }
    Ok(image)
}
