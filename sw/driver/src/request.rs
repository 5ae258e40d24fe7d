//! What a request must satisfy before anything is planned.

use crate::device::{Cost, DeviceError, Format, GemmRequest, GemmResult, Operand, ResultFormat};
use crate::matrix::Matrix;
use crate::plan::{Problem, ResultWidth, Shape};
use crate::sparsity::{Pattern, Selection, Sparsity};
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
    let selection = selection(request, (m, k, n))?;
    Ok(Problem { shape: Shape { m, k, n }, x: request.x.format, w: request.w.format, result, selection })
}

/// The request's pattern, if it is one and leaves something to skip.
fn selection(request: &GemmRequest<'_>, (m, k, n): (usize, usize, usize)) -> Result<Selection, DeviceError> {
    let (pattern, along, selection) = match request.sparsity {
        Sparsity::Dense => return Ok(Selection::Dense),
        Sparsity::Weights(p) => (p, k, Selection::Weights(p)),
        Sparsity::Results(p, kept) => {
            if kept.dim() != (m, n) {
                return refuse(format!("marks are {:?}: expected {m} × {n}, as Y", kept.dim()));
            }
            if request.result != ResultFormat::Full {
                return refuse("selected results leave at full width only".into());
            }
            (p, m, Selection::Results(p))
        }
    };
    let Pattern { n: kept, m: of, run } = pattern;
    if !of.is_power_of_two() || of > 16 || !(1..=of).contains(&kept) {
        return refuse(format!(
            "pattern {kept}:{of}: expected N:M with M of 1, 2, 4, 8 or 16 and N of 1 to M"
        ));
    }
    if along > 0 && (run == 0 || !along.is_multiple_of(run)) {
        return refuse(format!("runs of {run} in {along} entries: expected a divisor"));
    }
    Ok(if kept == of { Selection::Dense } else { selection })
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
