//! The integers of an operand as they are stored: in bytes where they fit, at a quarter of the traffic of 32 bits.

use ndarray::{Array2, ArrayView2};
use std::borrow::Cow;

/// What an integer is stored as.
pub trait Entry: Copy + Default + Send + Sync + Into<i32> + 'static {
    /// `v`, for which there is room.
    fn of(v: i32) -> Self;

    /// All of them at 32 bits.
    fn widened(all: &[Self]) -> Cow<'_, [i32]>;

    /// The bytes that they are, if they are.
    #[inline(always)]
    fn bytes(_: &[Self]) -> Option<&[i8]> {
        None
    }

    /// OR over all of (v − `lo`), as unsigned numbers.
    #[inline(always)]
    fn or_above(all: &[Self], lo: i32) -> u32 {
        all.iter().fold(0, |or, v| or | (*v).into().wrapping_sub(lo) as u32)
    }
}

impl Entry for i8 {
    #[inline(always)]
    fn of(v: i32) -> Self {
        v as i8
    }

    fn widened(all: &[Self]) -> Cow<'_, [i32]> {
        all.iter().map(|v| i32::from(*v)).collect()
    }

    #[inline(always)]
    fn bytes(all: &[Self]) -> Option<&[i8]> {
        Some(all)
    }

    /// In bytes, of which there are more in a register: beyond its 8 bits a difference has only its sign.
    #[inline(always)]
    fn or_above(all: &[Self], lo: i32) -> u32 {
        let Ok(least) = i8::try_from(lo) else {
            return all.iter().fold(0, |or, v| or | i32::from(*v).wrapping_sub(lo) as u32);
        };
        let pass = |(or, any): (u8, bool), v: &i8| (or | v.wrapping_sub(least) as u8, any | (*v < least));
        let (or, is_below) = all.iter().fold((0, false), pass);
        u32::from(or) | if is_below { !0xff } else { 0 }
    }
}

impl Entry for i32 {
    #[inline(always)]
    fn of(v: i32) -> Self {
        v
    }

    fn widened(all: &[Self]) -> Cow<'_, [i32]> {
        Cow::Borrowed(all)
    }
}

/// A matrix of integers of any memory layout: a transposed view costs nothing.
#[derive(Clone, Copy, Debug)]
pub enum Entries<'a> {
    /// From −128 to 127.
    Bytes(ArrayView2<'a, i8>),
    /// Any others.
    Words(ArrayView2<'a, i32>),
}

/// Does the same with entries of either width.
macro_rules! with_entries {
    ($entries:expr, $matrix:ident => $body:expr) => {
        match $entries {
            Entries::Bytes($matrix) => $body,
            Entries::Words($matrix) => $body,
        }
    };
}

impl<'a> Entries<'a> {
    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        with_entries!(self, v => v.dim())
    }

    /// Rows.
    pub fn nrows(&self) -> usize {
        self.dim().0
    }

    /// Columns.
    pub fn ncols(&self) -> usize {
        self.dim().1
    }

    /// The entry in a row and a column.
    ///
    /// # Panics   if there is none
    pub fn at(&self, row: usize, column: usize) -> i32 {
        match self {
            Entries::Bytes(v) => v[[row, column]].into(),
            Entries::Words(v) => v[[row, column]],
        }
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub fn reversed_axes(self) -> Entries<'a> {
        with_entries!(self, v => v.reversed_axes().into())
    }

    /// The same in another shape.
    ///
    /// # Panics   if there are not as many entries, or they are not row-major
    #[must_use]
    pub fn reshaped(self, shape: (usize, usize)) -> Entries<'a> {
        with_entries!(self, v => v.into_shape_with_order(shape).expect("as many entries, row-major").into())
    }

    /// The same for a shorter time: views are invariant in their lifetime.
    pub fn view(&self) -> Entries<'_> {
        with_entries!(self, v => v.view().into())
    }

    /// A copy at 32 bits.
    pub fn to_owned(&self) -> Array2<i32> {
        match self {
            Entries::Bytes(v) => v.mapv(i32::from),
            Entries::Words(v) => v.to_owned(),
        }
    }
}

impl<'a> From<ArrayView2<'a, i8>> for Entries<'a> {
    fn from(entries: ArrayView2<'a, i8>) -> Self {
        Entries::Bytes(entries)
    }
}

impl<'a> From<ArrayView2<'a, i32>> for Entries<'a> {
    fn from(entries: ArrayView2<'a, i32>) -> Self {
        Entries::Words(entries)
    }
}
