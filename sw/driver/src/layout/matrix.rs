//! An integer matrix as one slice and two strides, whatever the layout it came in.

use crate::entries::{Entries, Entry};
use ndarray::ArrayView2;
use rayon::prelude::*;
use std::borrow::Cow;
use tandem_kernels::Level;

/// Elements that one thread checks at a time.
const CHUNK: usize = 1 << 16;

/// `[rows, cols]`; one of the strides is 1, and the slice holds nothing but the matrix.
#[derive(Clone, Debug)]
pub struct Matrix<'a, T: Entry = i32> {
    pub data: Cow<'a, [T]>,
    pub rows: usize,
    pub cols: usize,
    pub row_stride: usize,
    pub col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Entries at 32 bits.
    pub fn wide(entries: Entries<'a>) -> Self {
        match entries {
            Entries::Bytes(bytes) => {
                let narrow = Matrix::new(bytes);
                narrow.with(narrow.widened().data.into_owned())
            }
            Entries::Words(words) => Matrix::new(words),
        }
    }
}

impl<'a, T: Entry> Matrix<'a, T> {
    /// Borrows `view` if it is dense in row-major or column-major order, else copies it.
    pub fn new(view: ArrayView2<'a, T>) -> Self {
        let (rows, cols) = view.dim();
        if let Some(data) = view.to_slice() {
            return Self::row_major(data, rows, cols);
        }
        if let Some(data) = view.reversed_axes().to_slice() {
            return Self::column_major(data, rows, cols);
        }
        Self::row_major(view.iter().copied().collect::<Vec<_>>(), rows, cols)
    }

    /// Rows one after the other.
    pub fn row_major(data: impl Into<Cow<'a, [T]>>, rows: usize, cols: usize) -> Self {
        Matrix { data: data.into(), rows, cols, row_stride: cols.max(1), col_stride: 1 }
    }

    /// Columns one after the other.
    pub fn column_major(data: impl Into<Cow<'a, [T]>>, rows: usize, cols: usize) -> Self {
        Matrix { data: data.into(), rows, cols, row_stride: 1, col_stride: rows.max(1) }
    }

    /// The same matrix.
    pub fn borrowed(&self) -> Matrix<'_, T> {
        self.with(&self.data[..])
    }

    /// The same matrix with rows and columns exchanged.
    pub fn transposed(&self) -> Matrix<'_, T> {
        Matrix {
            data: Cow::Borrowed(&self.data),
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// The element in a row and a column.
    pub fn at(&self, row: usize, col: usize) -> i32 {
        self.data[row * self.row_stride + col * self.col_stride].into()
    }

    /// The same matrix at 32 bits.
    pub fn widened(&self) -> Matrix<'_> {
        self.with(T::widened(&self.data))
    }

    /// Other entries that lie the same way.
    fn with<'b, U: Entry>(&self, data: impl Into<Cow<'b, [U]>>) -> Matrix<'b, U> {
        let Matrix { rows, cols, row_stride, col_stride, .. } = *self;
        Matrix { data: data.into(), rows, cols, row_stride, col_stride }
    }

    /// The same matrix, row after row.
    pub fn into_row_major(self) -> Self {
        if self.is_row_major() || self.rows == 1 || self.cols == 1 {
            return Matrix { row_stride: self.cols.max(1), col_stride: 1, ..self };
        }
        let all = (0..self.rows).flat_map(|i| (0..self.cols).map(move |j| (i, j)));
        let at = |(i, j): (usize, usize)| self.data[i * self.row_stride + j * self.col_stride];
        let values: Vec<T> = all.map(at).collect();
        Matrix::row_major(values, self.rows, self.cols)
    }

    /// Whether rows are contiguous.
    pub fn is_row_major(&self) -> bool {
        self.col_stride == 1
    }

    /// OR over all elements of (v − `lo`), as unsigned numbers.
    pub fn or_above(&self, lo: i32) -> u32 {
        let or = |c: &[T]| {
            Level::current().run(
                #[inline(always)]
                || T::or_above(c, lo),
            )
        };
        if self.data.len() <= CHUNK {
            return or(&self.data);
        }
        self.data.par_chunks(CHUNK).map(or).reduce(|| 0, |a, b| a | b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    #[test]
    fn every_layout_reads_the_same() {
        let a = Array2::from_shape_fn((6, 10), |(i, j)| (10 * i + j) as i32);
        let views = [a.view(), a.t(), a.slice(s![1..5;2, ..]), a.slice(s![.., ..;-3]), a.slice(s![2..3, ..])];
        for view in views {
            let m = Matrix::new(view);
            for ((i, j), v) in view.indexed_iter() {
                assert_eq!(m.at(i, j), *v);
                let t = m.transposed();
                assert_eq!(t.at(j, i), *v);
            }
        }
    }
}
