//! The integers of an answer, as narrow as their bound allows: at 32 bits they are half the traffic.

use ndarray::Array2;
use std::fmt;

/// A row-major matrix of integers.
///
/// Matrices are equal if all their values are, whatever the width.
#[derive(Clone)]
pub enum Integers {
    /// Of values that 32 bits hold.
    Short(Array2<i32>),
    /// Of any values.
    Long(Array2<i64>),
}

/// Does the same with the matrix of either width.
#[macro_export]
macro_rules! with_integers {
    ($integers:expr, $matrix:ident => $body:expr) => {
        match $integers {
            $crate::Integers::Short($matrix) => $body,
            $crate::Integers::Long($matrix) => $body,
        }
    };
}

/// A width of [`Integers`].
pub trait Integer: Copy + Default + Send + Sync + Into<i64> {
    /// The lower bits of `v`.
    fn truncated(v: i64) -> Self;

    /// At 64 bits.
    fn wide(self) -> i64 {
        self.into()
    }

    /// In f32, rounded to the nearest.
    fn to_f32(self) -> f32;
}

impl Integer for i32 {
    #[inline(always)]
    fn truncated(v: i64) -> i32 {
        v as i32
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }
}

impl Integer for i64 {
    #[inline(always)]
    fn truncated(v: i64) -> i64 {
        v
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }
}

impl Integers {
    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        with_integers!(self, y => y.dim())
    }

    /// The value in a row and a column.
    ///
    /// # Panics   if there is none
    pub fn at(&self, row: usize, column: usize) -> i64 {
        with_integers!(self, y => y[[row, column]].wide())
    }

    /// All of them at 64 bits.
    pub fn into_long(self) -> Array2<i64> {
        match self {
            Integers::Short(y) => y.mapv(i64::from),
            Integers::Long(y) => y,
        }
    }

    /// The same, borrowed.
    pub fn to_long(&self) -> Array2<i64> {
        with_integers!(self, y => y.mapv(i64::from))
    }
}

impl From<Array2<i64>> for Integers {
    fn from(y: Array2<i64>) -> Self {
        Integers::Long(if y.is_standard_layout() { y } else { y.as_standard_layout().into_owned() })
    }
}

impl fmt::Debug for Integers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_integers!(self, y => y.fmt(f))
    }
}

impl PartialEq<Array2<i64>> for Integers {
    fn eq(&self, other: &Array2<i64>) -> bool {
        self.dim() == other.dim()
            && with_integers!(self, y => y.iter().zip(other).all(|(a, b)| a.wide() == *b))
    }
}

impl PartialEq for Integers {
    fn eq(&self, other: &Integers) -> bool {
        match (self, other) {
            (Integers::Short(a), Integers::Short(b)) => a == b,
            (a, Integers::Long(b)) => a == b,
            (Integers::Long(a), b) => b == a,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equal_values_are_equal_at_any_width() {
        let (short, long) =
            (Integers::Short(array![[1, -2], [3, 4]]), Integers::Long(array![[1, -2], [3, 4]]));
        assert_eq!(short, long);
        assert_eq!(long, short);
        assert_eq!(short, array![[1, -2], [3, 4]]);
        assert_ne!(short, array![[1, -2], [3, 5]]);
        assert_ne!(short, array![[1, -2, 3, 4]]);
        assert_eq!(
            (short.at(0, 1), short.dim(), short.clone().into_long()),
            (-2, (2, 2), array![[1, -2], [3, 4]])
        );
        let transposed = Integers::from(array![[1, 3], [-2, 4]].reversed_axes());
        assert_eq!(transposed, short);
    }
}
