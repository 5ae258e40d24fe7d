//! What a trainer sees of the FFT unit: integer transforms, exactly (docs/fft.md).
//!
//! ```text
//! X[k] = Σ_n x[n]·e^(∓2πi·nk/N) ≈ y[k]·2^exponent        x, y complex integers, exponent one a transform
//! ```
//! Every device returns the same integers for the same request.

mod image;
mod plan;
mod unpack;

pub use image::{ImageFft, fft_image};
pub use plan::FftPlan;

use crate::device::{Cost, DeviceError};
use crate::layout::Matrix;
use crate::planner::Lowered;
use crate::request::{RequestKind, Sources};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex;
use tandem_kernels::Level;
use tandem_spec::config::Fft;
use tandem_spec::engine::{TransformKind, UnitModel};
use tandem_spec::{Config, Instruction, Memory, Packet};
use unpack::unpack;

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

    /// Their logarithm.
    const fn log2(self) -> u8 {
        self.count().trailing_zeros() as u8
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
    fn kind(&self) -> TransformKind {
        TransformKind {
            log_points: self.points.log2(),
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

impl FftRequest<'_> {
    /// Whether unit, scaling, shape and values suit each other.
    fn check(&self, config: &Config) -> Result<(), DeviceError> {
        let refuse = |what: String| Err(DeviceError::Request { what });
        let (&Fft { bits, block, .. }, _) = plan::unit(config, self.points)?;
        let (points, columns) = (self.points.count(), self.x.ncols());
        if points != columns {
            return refuse(format!("X has {columns} columns: expected {points} points"));
        }
        if self.scaling == Scaling::Block && !block {
            return refuse("block scaling: the accelerator's FFT unit has `block = false`".into());
        }
        let most = (1 << (bits - 1)) - 1;
        let fits = |v: i32| (-most - 1..=most).contains(&v);
        match self.x.indexed_iter().find(|(_, z)| !fits(z.re) || !fits(z.im)) {
            Some(((i, n), z)) => refuse(format!(
                "X[{i}, {n}] = {} + {}i: expected {} to {most} in both parts",
                z.re,
                z.im,
                -most - 1
            )),
            None => Ok(()),
        }
    }
}

impl RequestKind for FftRequest<'_> {
    type Problem = FftProblem;
    /// `[transforms, 2 · points]`: real and imaginary parts in turn.
    type Operands<'a>
        = Matrix<'a>
    where
        Self: 'a;
    type Answer = FftResult;

    fn problem(&self) -> Result<FftProblem, DeviceError> {
        Ok(FftProblem { transforms: self.x.nrows(), points: self.points })
    }

    fn nothing(&self) -> Option<FftResult> {
        (self.x.nrows() == 0).then(|| FftResult {
            y: Array2::default((0, self.points.count())),
            exponents: vec![],
            saturated: vec![],
            cost: Cost::default(),
        })
    }

    fn operands(&self, config: &Config, _plan: &FftPlan) -> Result<Matrix<'_>, DeviceError> {
        self.check(config)?;
        let parts: Vec<_> = self.x.iter().flat_map(|z| [z.re, z.im]).collect();
        Ok(Matrix::row_major(parts, self.x.nrows(), 2 * self.x.ncols()))
    }

    fn sources<'a>(&self, _plan: &FftPlan, operands: &'a Matrix<'_>) -> Sources<'a> {
        Sources::new([(Memory::Sample, operands.borrowed())])
    }

    /// Direction and scaling.
    fn stamp(&self, _plan: &FftPlan, program: &mut [Instruction]) {
        let kind = self.kind();
        for i in program {
            if let Instruction::Transform(t) = i {
                (t.inverse, t.block) = (kind.inverse, kind.block);
            }
        }
    }

    fn collect(
        &self,
        config: &Config,
        lowered: &Lowered<FftPlan>,
        _operands: &Matrix<'_>,
        packets: &[Packet],
    ) -> Result<FftResult, String> {
        let plan = &lowered.planned.plan;
        let mut y = Array2::from_elem(self.x.raw_dim(), Complex::new(0, 0));
        let (mut exponents, mut saturated) = (vec![], vec![]);
        for (block, packet) in plan.blocks.iter().zip(packets) {
            let status = unpack(config, plan, block, &packet.data, &mut y);
            exponents.extend(status.iter().map(|s| s & 31));
            saturated.extend(status.iter().map(|s| s >> 7 == 1));
        }
        Ok(FftResult { y, exponents, saturated, cost: Cost::default() })
    }

    fn exact(&self, config: &Config, model: &dyn UnitModel, _: Level) -> Result<FftResult, DeviceError> {
        self.check(config)?;
        let mut y = self.x.as_standard_layout().into_owned();
        let samples = y.as_slice_mut().expect("row-major");
        let bits = config.fft.as_ref().map_or(0, |f| f.bits);
        let done = model.transforms(bits, &self.kind(), samples);
        let exponents = done.iter().map(|d| d.exponent).collect();
        let saturated = done.iter().map(|d| d.clamped).collect();
        Ok(FftResult { y, exponents, saturated, cost: Cost::default() })
    }

    fn cost(answer: &mut FftResult) -> &mut Cost {
        &mut answer.cost
    }
}
