//! Images too large for a tile: a pass along rows and one along columns, through the host.

use super::{FftRequest, Points, Scaling};
use crate::device::{Cost, Device, DeviceError};
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
/// Those of [`Device::fft`].
pub fn fft_image(
    device: &mut dyn Device,
    x: ArrayView2<'_, Complex<i32>>,
    inverse: bool,
    scaling: Scaling,
) -> Result<ImageFft, DeviceError> {
    let mut image = ImageFft { y: x.to_owned(), exponent: 0, saturated: 0, cost: Cost::default() };
    for _ in 0..2 {
        let points = Points::Line(image.y.ncols());
        let lines = device.fft(&FftRequest { x: image.y.view(), points, inverse, scaling })?;
        let exponent = lines.exponents.iter().copied().max().unwrap_or(0);
        let mut y = lines.y;
        for (mut line, e) in y.outer_iter_mut().zip(&lines.exponents) {
            let shift = u32::from(exponent - e);
            line.mapv_inplace(|z| Complex::new(halve(z.re, shift), halve(z.im, shift)));
        }
        image.y = y.reversed_axes().as_standard_layout().into_owned();
        image.exponent += exponent;
        image.saturated += lines.saturated.iter().filter(|s| **s).count();
        image.cost += lines.cost;
    }
    Ok(image)
}

/// v / 2^shift, rounded half to even.
fn halve(v: i32, shift: u32) -> i32 {
    let (floor, rest) = (v >> shift, v & ((1 << shift) - 1));
    let half = if shift == 0 { return v } else { 1 << (shift - 1) };
    floor + i32::from(rest > half || (rest == half && floor & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::halve;

    #[test]
    fn halves_go_to_even() {
        let halved: Vec<_> = [-6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7].map(|v| halve(v, 2)).into();
        assert_eq!(halved, [-2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(halve(-7, 0), -7);
    }
}
