//! What a trainer sees of the FFT unit: integer transforms, exactly (docs/fft.md).
//!
//! ```text
//! X[k] = Σ_n x[n]·e^(∓2πi·nk/N) ≈ y[k]·2^exponent        x, y complex integers, exponent one a transform
//! ```
//! Every device returns the same integers for the same request.

mod image;
mod lower;
mod pack;
mod plan;

use crate::device::Cost;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex;
use tandem_spec::engine::TransformKind;

pub use image::{ImageFft, fft_image};
pub(crate) use lower::{FftPlanner, check, nothing};
pub use plan::FftPlan;

/// The points of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Points {
    /// One dimension of so many points, a power of two from 4.
    Line(usize),
    /// A square of 4, 8 or 16 points a side, row-major, transformed along both.
    Tile(usize),
}

impl Points {
    /// All of them.
    pub const fn count(self) -> usize {
        match self {
            Points::Line(n) => n,
            Points::Tile(side) => side * side,
        }
    }
}

/// How a transform keeps its values in range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scaling {
    /// 1/2 a stage: `exponent` is log2 N.
    Scaled,
    /// Grows inside and is normalised at the end.
    #[default]
    Block,
}

/// Transforms to compute, all of one kind.
#[derive(Clone, Copy, Debug)]
pub struct FftRequest<'a> {
    /// `[transforms, points]`, both parts in the range of the unit's data width (16 bits: −32768 … 32767).
    pub x: ArrayView2<'a, Complex<i32>>,
    /// Points of one transform; `x` has as many columns.
    pub points: Points,
    /// The inverse transform: e^(+2πi·nk/N), without the factor 1/N, which is in the exponent's gift.
    pub inverse: bool,
    /// Scaling.
    pub scaling: Scaling,
}

impl FftRequest<'_> {
    /// What its transforms are.
    pub(crate) fn kind(&self) -> TransformKind {
        TransformKind {
            log_points: self.points.count().trailing_zeros() as u8,
            tile: matches!(self.points, Points::Tile(_)),
            inverse: self.inverse,
            block: self.scaling == Scaling::Block,
        }
    }
}

/// The answer to an [`FftRequest`].
#[derive(Clone, Debug)]
pub struct FftResult {
    /// `[transforms, points]`, natural order.
    pub y: Array2<Complex<i32>>,
    /// Per transform: the transform is `y · 2^exponent`.
    pub exponents: Vec<u8>,
    /// Per transform: whether a value was clamped.
    pub saturated: Vec<bool>,
    /// What it cost.
    pub cost: Cost,
}

/// A number of transforms of one kind, for predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FftProblem {
    /// Transforms.
    pub transforms: usize,
    /// Points of one.
    pub points: Points,
}
