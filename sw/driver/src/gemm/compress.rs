//! What N of M leaves of an operand: kept values and where they stood.
//!
//! ```text
//! W compressed    values[column, group·n + t]: t-th nonzero of the group, then zeros; indices alike: its member
//! Y selected      indices[group·n + t, column]: t-th kept row of the group, then member 0
//! ```

use super::sparsity::{Pattern, Sparsity};
use crate::device::DeviceError;
use crate::layout::Matrix;
use ndarray::ArrayView2;

/// What is kept of W, or of Y.
#[derive(Clone, Debug)]
pub struct Compressed {
    pattern: Pattern,
    /// Of W, or of Y.
    columns: usize,
    /// Of W; empty for results.
    values: Vec<i32>,
    /// Members of groups.
    indices: Vec<i32>,
    /// Results: whether the entry is one (absent entries are computed as member 0 and dropped).
    present: Vec<bool>,
}

impl Compressed {
    /// `[column, group·n + t]`
    pub fn values(&self) -> Matrix<'_> {
        Matrix::row_major(&self.values, self.columns, self.values.len() / self.columns)
    }

    /// `[column, group·n + t]`
    pub fn indices(&self) -> Matrix<'_> {
        let entries = self.indices.len() / self.columns;
        if self.present.is_empty() {
            Matrix::row_major(&self.indices, self.columns, entries)
        } else {
            Matrix::column_major(&self.indices, self.columns, entries)
        }
    }

    /// The row of Y that entry `t` of a group of results is, if it is one.
    pub fn row(&self, group: usize, t: usize, column: usize) -> Option<usize> {
        let at = (group * self.pattern.n + t) * self.columns + column;
        self.present[at].then(|| self.pattern.members(group).start + self.indices[at] as usize)
    }
}

/// Checks that no group keeps more than a pattern allows, of W, of which shape and entries are given, or of the answer.
///
/// # Errors   the first such group, with its column and rows
pub(crate) fn check_groups(
    sparsity: &Sparsity<'_>,
    of_w: (usize, usize),
    w: impl Fn(usize, usize) -> i32,
) -> Result<(), DeviceError> {
    match sparsity {
        Sparsity::Dense => Ok(()),
        Sparsity::Weights(p) => check("W", p, of_w, |row, column| w(row, column) != 0),
        Sparsity::Results(p, kept) => check("Y", p, kept.dim(), |row, column| kept[[row, column]]),
    }
}

fn check(
    what: &str,
    p: &Pattern,
    (rows, cols): (usize, usize),
    is_kept: impl Fn(usize, usize) -> bool,
) -> Result<(), DeviceError> {
    let mut counts = vec![0; cols];
    for g in 0..p.groups(rows) {
        counts.fill(0);
        let members = p.members(g);
        for row in members.clone() {
            counts.iter_mut().enumerate().for_each(|(c, n)| *n += usize::from(is_kept(row, c)));
        }
        if let Some(column) = counts.iter().position(|n| *n > p.n) {
            let (first, last) = (members.start, members.end - 1);
            let what = format!(
                "{what}: group {g} of column {column} (rows {first} to {last}) keeps more than {} of {}",
                p.n, p.m
            );
            return Err(DeviceError::Request { what });
        }
    }
    Ok(())
}

/// Compresses what a request says is sparse.
///
/// # Errors   as [`check_groups`]
pub(crate) fn compress(sparsity: &Sparsity<'_>, w: &Matrix<'_>) -> Result<Option<Compressed>, DeviceError> {
    check_groups(sparsity, (w.rows, w.cols), |row, column| w.at(row, column))?;
    Ok(match sparsity {
        Sparsity::Dense => None,
        Sparsity::Weights(p) => Some(compress_weights(w, *p)),
        Sparsity::Results(p, kept) => Some(compress_results(kept.view(), *p)),
    })
}

/// Compresses W, `[k, n]`, whose groups were checked.
fn compress_weights(w: &Matrix<'_>, pattern: Pattern) -> Compressed {
    let (groups, n) = (pattern.groups(w.rows), pattern.n);
    let pitch = groups * n;
    let (mut values, mut indices) = (vec![0; w.cols * pitch], vec![0; w.cols * pitch]);
    for column in 0..w.cols {
        for g in 0..groups {
            let members = pattern.members(g).map(|k| w.at(k, column)).enumerate();
            for (t, (member, v)) in members.filter(|(_, v)| *v != 0).enumerate() {
                let at = column * pitch + g * n + t;
                (values[at], indices[at]) = (v, member as i32);
            }
        }
    }
    Compressed { pattern, columns: w.cols, values, indices, present: vec![] }
}

/// Compresses the marks of Y, `[m, n]`, whose groups were checked.
fn compress_results(kept: ArrayView2<'_, bool>, pattern: Pattern) -> Compressed {
    let (rows, columns) = kept.dim();
    let size = pattern.groups(rows) * pattern.n * columns;
    let (mut indices, mut present) = (vec![0; size], vec![false; size]);
    for g in 0..pattern.groups(rows) {
        for column in 0..columns {
            let members = pattern.members(g).enumerate().filter(|(_, row)| kept[[*row, column]]);
            for (t, (member, _)) in members.enumerate() {
                let at = (g * pattern.n + t) * columns + column;
                (indices[at], present[at]) = (member as i32, true);
            }
        }
    }
    Compressed { pattern, columns, values: vec![], indices, present }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn weights_are_values_and_members() {
        let w = array![[0, 5], [3, 0], [0, 0], [2, 7], [0, 1], [4, 0]];
        let p = Pattern { n: 2, m: 4, run: 6 };
        let c = compress_weights(&Matrix::new(w.view()), p);
        assert_eq!(c.values, [3, 2, 4, 0, 5, 7, 1, 0]);
        assert_eq!(c.indices, [1, 3, 1, 0, 0, 3, 0, 0]);
        let tight = Pattern { n: 1, ..p };
        let sparsity = Sparsity::Weights(tight);
        let refused = compress(&sparsity, &Matrix::new(w.view())).unwrap_err().to_string();
        assert_eq!(refused, "W: group 0 of column 0 (rows 0 to 3) keeps more than 1 of 4");
    }

    #[test]
    fn results_are_members() {
        let kept = array![[true, false], [false, false], [false, true]];
        let c = compress_results(kept.view(), Pattern::whole(1, 2, 3));
        assert_eq!((&c.indices, &c.present), (&vec![0, 0, 0, 0], &vec![true, false, false, true]));
        let rows = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[group, column]| c.row(group, 0, column));
        assert_eq!(rows, [Some(0), None, None, Some(2)]);
    }
}
