//! A product to compute, and what it must satisfy before anything is planned.

use super::plan::{GemmProblem, ResultWidth, Shape};
use super::sparsity::{Pattern, Selection, Sparsity};
use crate::codebook::{Codebook, Codes};
use crate::device::{Cost, DeviceError, Format};
use crate::entries::Entries;
use crate::integers::Integers;
use crate::layout::Matrix;

/// An integer matrix and its format.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// The integers.
    pub values: Entries<'a>,
    /// The format that all values fit.
    pub format: Format,
    /// The table whose levels all values are, if they have one: where the accelerator can, they move as its codes.
    pub codebook: Option<&'a Codebook>,
}

impl<'a> Operand<'a> {
    /// An operand without a codebook.
    pub fn new(values: impl Into<Entries<'a>>, format: Format) -> Self {
        Operand { values: values.into(), format, codebook: None }
    }
}

/// How results leave the accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResultFormat {
    /// The exact sum.
    #[default]
    Full,
    /// `saturate(round_half_to_even(sum / 2^shift))`, two's complement of 8 or 16 bits.
    Narrow {
        /// 8 or 16.
        bits: u8,
        /// 0 to 31.
        shift: u8,
    },
}

/// One product to compute.
#[derive(Clone, Copy, Debug)]
pub struct GemmRequest<'a> {
    /// `[m, k]`.
    pub x: Operand<'a>,
    /// `[k, n]`.
    pub w: Operand<'a>,
    /// How results leave.
    pub result: ResultFormat,
    /// What N:M selection may skip.
    pub sparsity: Sparsity<'a>,
}

/// The answer to a [`GemmRequest`].
#[derive(Clone, Debug)]
pub struct GemmResult {
    /// `[m, n]`, exact (or narrowed, if the request says so).
    pub y: Integers,
    /// What it cost.
    pub cost: Cost,
    /// OR of the magnitudes of all sums before narrowing.
    pub magnitude_or: u64,
    /// Number of results that saturated when they were narrowed.
    pub saturated: u64,
}

impl GemmResult {
    /// A result whose cost is not known yet.
    pub(crate) fn new(y: Integers, magnitude_or: u64, saturated: u64) -> Self {
        GemmResult { y, cost: Cost::default(), magnitude_or, saturated }
    }
}

fn refuse<T>(what: String) -> Result<T, DeviceError> {
    Err(DeviceError::Request { what })
}

/// Shapes and formats of the request.
///
/// # Errors
/// [`DeviceError::Request`] if the inner dimensions disagree, a width is not in 1 to 16, or a result
/// format is not 8 or 16 bits with a shift of 0 to 31.
pub(super) fn problem(request: &GemmRequest<'_>) -> Result<GemmProblem, DeviceError> {
    let ((m, k), (rows, n)) = (request.x.values.dim(), request.w.values.dim());
    if k != rows {
        return refuse(format!("X is {m} × {k} and W is {rows} × {n}: expected {k} rows of W"));
    }
    for (name, operand) in [("X", &request.x), ("W", &request.w)] {
        if !(1..=16).contains(&operand.format.bits) {
            return refuse(format!("{name} has {} bits: expected 1 to 16", operand.format.bits));
        }
    }
    let result = result_width(request.result)?;
    let selection = selection(request, (m, k, n))?;
    let (x, w, codes) = (request.x.format, request.w.format, Codes::of(request.w.codebook));
    Ok(GemmProblem { shape: Shape { m, k, n }, x, w, result, selection, codes })
}

/// The width of a result format.
///
/// # Errors   if it is not 8 or 16 bits with a shift of 0 to 31
pub(crate) fn result_width(result: ResultFormat) -> Result<ResultWidth, DeviceError> {
    match result {
        ResultFormat::Full => Ok(ResultWidth::Full),
        ResultFormat::Narrow { bits: bits @ (8 | 16), shift: 0..=31 } => Ok(ResultWidth::Narrow(bits)),
        ResultFormat::Narrow { bits, shift } => {
            refuse(format!("results of {bits} bits, shift {shift}: expected 8 or 16 bits, shift 0 to 31"))
        }
    }
}

/// Checks a pattern along so many entries.
///
/// # Errors   if it is no N:M, or its runs do not divide the entries
pub(crate) fn check_pattern(pattern: Pattern, along: usize) -> Result<(), DeviceError> {
    let Pattern { n: kept, m: of, run } = pattern;
    if !of.is_power_of_two() || of > 16 || !(1..=of).contains(&kept) {
        return refuse(format!(
            "pattern {kept}:{of}: expected N:M with M of 1, 2, 4, 8 or 16 and N of 1 to M"
        ));
    }
    if along > 0 && (run == 0 || !along.is_multiple_of(run)) {
        return refuse(format!("runs of {run} in {along} entries: expected a divisor"));
    }
    Ok(())
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
    check_pattern(pattern, along)?;
    Ok(if pattern.n == pattern.m { Selection::Dense } else { selection })
}

/// Whether the OR of (v − smallest value) shows that all values fit.
fn fits(format: Format, or_above: u32) -> bool {
    or_above >> format.bits == 0
}

/// Checks operands of which the ORs of (v − smallest value) are known.
///
/// # Errors   as [`check_values`]
pub(crate) fn check_seen(operands: [(&str, &Operand<'_>); 2], ors: [u32; 2]) -> Result<(), DeviceError> {
    for ((name, operand), or) in operands.into_iter().zip(ors) {
        if !fits(operand.format, or) || operand.codebook.is_some() {
            check_values(name, operand, &Matrix::wide(operand.values))?;
        }
    }
    Ok(())
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
        return operand.codebook.map_or(Ok(()), |book| book.check(name, matrix));
    }
    let (lo, hi) = operand.format.range();
    let mut all = (0..matrix.rows).flat_map(|i| (0..matrix.cols).map(move |j| (i, j)));
    let Some((i, j)) = all.find(|&(i, j)| !(lo..=hi).contains(&matrix.at(i, j))) else {
        return Ok(());
    };
    let v = matrix.at(i, j);
    let sign = if operand.format.signed { "signed" } else { "unsigned" };
    let bits = operand.format.bits;
    refuse(format!("{name}[{i}, {j}] = {v}: expected {lo} to {hi} ({sign}, {bits} bits)"))
}
