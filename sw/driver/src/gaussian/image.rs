//! Pictures: a pass along rows and one along columns, through the host.

use super::{RESULT_FRACTION, SmoothRequest};
use crate::device::{Cost, Device, DeviceError};
use ndarray::{Array2, ArrayView2, Axis};
use tandem_spec::StoreWidth;
use tandem_spec::engine::CosineWindow;

/// A filtered picture.
#[derive(Clone, Debug)]
pub struct SmoothImage {
    /// `[rows, cols]`.
    pub y: Array2<i32>,
    /// What both passes cost.
    pub cost: Cost,
}

/// Filters `x`, `[rows, cols]`, along rows and columns. `extend` gives a line with as many pixels of border on either side as it
/// is told. Results are divided by 2^`shift` and come in `width` bits.
///
/// # Numeric
/// Between the passes pixels are rounded to integers (half to even), so a picture of fewer than 16 bits should be scaled to the range of 16.
///
/// # Errors
/// Those of [`Device::run`].
pub fn smooth_image(
    device: &mut dyn Device,
    x: ArrayView2<'_, i16>,
    window: &CosineWindow,
    extend: impl Fn(&[i16], usize) -> Vec<i16>,
    (width, shift): (StoreWidth, u8),
) -> Result<SmoothImage, DeviceError> {
    let radius = usize::from(window.radius);
    let mut cost = Cost::default();
    let mut pass = |x: ArrayView2<'_, i16>, width, shift| {
        let mut lines = Array2::zeros((x.nrows(), x.ncols() + 2 * radius));
        for (line, mut extended) in x.axis_iter(Axis(0)).zip(lines.axis_iter_mut(Axis(0))) {
            extended.assign(&ndarray::aview1(&extend(&line.to_vec(), radius)));
        }
        let request = SmoothRequest { lines: lines.view(), window: *window, width, shift };
        let result = device.run(request.into())?.into_smooth();
        cost += result.cost;
        Ok::<_, DeviceError>(result.y)
    };
    let rows = pass(x, StoreWidth::S16, RESULT_FRACTION)?.mapv(|v| v as i16);
    let columns = rows.reversed_axes();
    let y = pass(columns.view(), width, shift)?.reversed_axes();
    Ok(SmoothImage { y: y.as_standard_layout().into_owned(), cost })
}
