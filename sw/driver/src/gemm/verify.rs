//! Results against the integer product, computed in the plainest way.

use super::request::{GemmRequest, ResultFormat};
use super::sparsity::Sparsity;
use crate::integers::Integers;
use crate::narrow::narrow;
use ndarray::Array2;

/// The exact product in 64-bit integers, narrowed as the request says, without the entries that it does not
/// want: one loop inside the other.
///
/// # Panics
/// If the inner dimensions of the request disagree.
pub fn reference(request: &GemmRequest<'_>) -> Array2<i64> {
    let (x, w) = (request.x.values.to_owned(), request.w.values.to_owned());
    assert_eq!(x.ncols(), w.nrows(), "inner dimensions");
    let mut y = Array2::<i64>::zeros((x.nrows(), w.ncols()));
    for (x, mut y) in x.rows().into_iter().zip(y.rows_mut()) {
        for (x, w) in x.iter().zip(w.rows()) {
            y.iter_mut().zip(w).for_each(|(y, w)| *y += i64::from(*x) * i64::from(*w));
        }
    }
    if let Sparsity::Results(_, kept) = request.sparsity {
        y.indexed_iter_mut().filter(|(at, _)| !kept[*at]).for_each(|(_, y)| *y = 0);
    }
    if let ResultFormat::Narrow { bits, shift } = request.result {
        y.mapv_inplace(|v| narrow(v, bits, shift).0);
    }
    y
}

/// Number of results that differ from [`reference()`]; all of them if the shape does.
pub fn mismatches(request: &GemmRequest<'_>, y: &Integers) -> usize {
    let expected = reference(request);
    if expected.dim() != y.dim() {
        return expected.len().max(y.dim().0 * y.dim().1);
    }
    expected.iter().zip(&y.to_long()).filter(|(a, b)| a != b).count()
}
