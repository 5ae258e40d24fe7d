//! What a request must satisfy before anything is planned.

use crate::device::{Cost, DeviceError, Format, GemmRequest, GemmResult, Operand, ResultFormat};
use crate::matrix::Matrix;
use crate::plan::{Problem, ResultWidth, Shape};
use ndarray::Array2;

fn refuse<T>(what: String) -> Result<T, DeviceError> {
    Err(DeviceError::Request { what })
}

/// Shapes and formats of the request.
///
/// # Errors
/// [`DeviceError::Request`] if the inner dimensions disagree, a width is not in 1 to 16, or a result
/// format is not 8 or 16 bits with a shift of 0 to 31.
pub fn problem(request: &GemmRequest<'_>) -> Result<Problem, DeviceError> {
    let ((m, k), (rows, n)) = (request.x.values.dim(), request.w.values.dim());
    if k != rows {
        return refuse(format!("X is {m} × {k} and W is {rows} × {n}: expected {k} rows of W"));
    }
    for (name, operand) in [("X", &request.x), ("W", &request.w)] {
        if !(1..=16).contains(&operand.format.bits) {
            return refuse(format!("{name} has {} bits: expected 1 to 16", operand.format.bits));
        }
    }
    let result = match request.result {
        ResultFormat::Full => ResultWidth::Full,
        ResultFormat::Narrow { bits: bits @ (8 | 16), shift: 0..=31 } => ResultWidth::Narrow(bits),
        ResultFormat::Narrow { bits, shift } => {
            return refuse(format!(
                "results of {bits} bits, shift {shift}: expected 8 or 16 bits, shift 0 to 31"
            ));
        }
    };
    Ok(Problem { shape: Shape { m, k, n }, x: request.x.format, w: request.w.format, result })
}

/// The answer if there is nothing to compute: zeros, at no cost.
pub(crate) fn empty(problem: &Problem) -> Option<GemmResult> {
    let Shape { m, k, n } = problem.shape;
    let y = [m, k, n].contains(&0).then(|| Array2::zeros((m, n)))?;
    Some(GemmResult { y, cost: Cost::default(), magnitude_or: 0, saturated: 0 })
}

/// Whether the OR of (v − smallest value) shows that all values fit.
pub(crate) fn fits(format: Format, or_above: u32) -> bool {
    or_above >> format.bits == 0
}

/// Checks that every value fits its format.
///
/// # Errors
/// [`DeviceError::Request`] with the position and value of the first that does not.
pub(crate) fn check_values(
    name: &str,
    operand: &Operand<'_>,
    matrix: &Matrix<'_>,
) -> Result<(), DeviceError> {
    if fits(operand.format, matrix.or_above(operand.format.range().0)) {
        return Ok(());
    }
    let (lo, hi) = operand.format.range();
    let Some(((i, j), v)) = operand.values.indexed_iter().find(|(_, v)| !(lo..=hi).contains(*v)) else {
        return Ok(());
    };
    let sign = if operand.format.signed { "signed" } else { "unsigned" };
    let bits = operand.format.bits;
    refuse(format!("{name}[{i}, {j}] = {v}: expected {lo} to {hi} ({sign}, {bits} bits)"))
}
