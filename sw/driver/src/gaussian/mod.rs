//! What a host sees of the Gaussian unit: lines of pixels through a window of cosines, exactly (docs/gaussian.md).
//!
//! ```text
//! y[line, i] = (Σ_n h(n)·p[line, i + radius + n]) · 2^12        h as the window says, to the unit's rounding
//! ```
//! Every device returns the same integers for the same request.

mod image;
mod plan;
mod window;

pub use image::{SmoothImage, smooth_image};
pub use plan::SmoothPlan;
pub use window::cosine_window;

use crate::device::{Cost, DeviceError};
use crate::layout::Matrix;
use crate::narrow::rounded;
use crate::planner::Lowered;
use crate::request::{RequestKind, Sources};
use ndarray::{Array2, ArrayView2};
use tandem_kernels::Level;
use tandem_spec::engine::{CosineWindow, UnitModel, WAVES};
use tandem_spec::{Config, Instruction, Memory, Packet, StoreWidth};

/// Bits of the unit's results after the binary point.
pub const RESULT_FRACTION: u8 = 12;

/// Lines to filter.
#[derive(Clone, Copy, Debug)]
pub struct SmoothRequest<'a> {
    /// `[lines, pixels]`, of each line `window.radius` pixels of border on either side.
    pub lines: ArrayView2<'a, i16>,
    /// The window; its radius is at least 1.
    pub window: CosineWindow,
    /// Width of results on the link: 8, 16 or 32 bits.
    pub width: StoreWidth,
    /// Results are divided by 2^shift, half to even, then saturated; 0 with 32 bits.
    pub shift: u8,
}

/// The answer to a [`SmoothRequest`].
#[derive(Clone, Debug)]
pub struct SmoothResult {
    /// `[lines, pixels − 2·radius]`.
    pub y: Array2<i32>,
    /// What it cost.
    pub cost: Cost,
}

/// Lines, for predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SmoothProblem {
    /// Lines.
    pub lines: usize,
    /// Pixels of each, with borders.
    pub pixels: usize,
    /// The window's radius.
    pub radius: u8,
    /// Width of results on the link.
    pub width: StoreWidth,
}

impl SmoothProblem {
    /// Results of a line.
    pub(crate) fn results(&self) -> usize {
        self.pixels - 2 * usize::from(self.radius)
    }
}

impl SmoothRequest<'_> {
    /// Whether the unit has as many cosines.
    fn check(&self, config: &Config) -> Result<(), DeviceError> {
        let unit = plan::unit(config, self.window.radius)?;
        match (unit.terms..WAVES).find(|k| self.window.turn[*k] != 0 || self.window.edge[*k] != 0) {
            Some(k) => Err(DeviceError::Request {
                what: format!(
                    "a window of {} cosines: the accelerator's Gaussian unit has gaussian.terms = {}",
                    k + 1,
                    unit.terms
                ),
            }),
            None => Ok(()),
        }
    }
}

impl RequestKind for SmoothRequest<'_> {
    type Problem = SmoothProblem;
    /// `[lines, pixels]`.
    type Operands<'a>
        = Matrix<'a>
    where
        Self: 'a;
    type Answer = SmoothResult;

    fn problem(&self) -> Result<SmoothProblem, DeviceError> {
        let refuse = |what: String| Err(DeviceError::Request { what });
        let (lines, pixels) = self.lines.dim();
        let radius = self.window.radius;
        if radius == 0 || pixels <= 2 * usize::from(radius) {
            return refuse(format!(
                "lines of {pixels} pixels, radius {radius}: expected a radius of at least 1 and more than 2·radius pixels"
            ));
        }
        if !matches!(self.width, StoreWidth::S8 | StoreWidth::S16 | StoreWidth::S32) {
            return refuse(format!("results of {} bits: expected 8, 16 or 32", self.width.bits()));
        }
        if self.shift > 31 || self.width == StoreWidth::S32 && self.shift > 0 {
            return refuse(format!(
                "results of {} bits shifted by {}: expected 0 to 31, 0 with 32 bits",
                self.width.bits(),
                self.shift
            ));
        }
        Ok(SmoothProblem { lines, pixels, radius, width: self.width })
    }

    fn nothing(&self) -> Option<SmoothResult> {
        (self.lines.nrows() == 0).then(|| SmoothResult {
            y: Array2::zeros((0, self.lines.ncols().saturating_sub(2 * usize::from(self.window.radius)))),
            cost: Cost::default(),
        })
    }

    fn operands(&self, config: &Config, _plan: &SmoothPlan) -> Result<Matrix<'_>, DeviceError> {
        self.check(config)?;
        let pixels: Vec<_> = self.lines.iter().map(|p| i32::from(*p)).collect();
        Ok(Matrix::row_major(pixels, self.lines.nrows(), self.lines.ncols()))
    }

    fn sources<'a>(&self, _plan: &SmoothPlan, operands: &'a Matrix<'_>) -> Sources<'a> {
        Sources::new([(Memory::Pixel, operands.borrowed())])
    }

    /// Coefficients and shift.
    fn stamp(&self, _plan: &SmoothPlan, program: &mut [Instruction]) {
        for i in program {
            match i {
                Instruction::Smooth(s) => *s = s.with(&self.window),
                Instruction::Store(s) => s.shift = self.shift,
                _ => {}
            }
        }
    }

    fn collect(
        &self,
        _config: &Config,
        lowered: &Lowered<SmoothPlan>,
        _operands: &Matrix<'_>,
        packets: &[Packet],
    ) -> Result<SmoothResult, String> {
        let plan = &lowered.planned.plan;
        let mut y = Array2::zeros((plan.problem.lines, plan.problem.results()));
        let bytes = plan.problem.width.bits() / 8;
        for ((batch, results), packet) in plan.stored().zip(packets) {
            for line in plan.lines().of(batch) {
                let lane = line - batch * plan.lanes;
                for (n, at) in results.clone().enumerate() {
                    let from = (n * plan.lanes + lane) * bytes;
                    y[[line, at]] = match packet.data[from..from + bytes] {
                        [a] => (a as i8).into(),
                        [a, b] => i16::from_le_bytes([a, b]).into(),
                        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
                        _ => unreachable!("8, 16 or 32 bits"),
                    };
                }
            }
        }
        Ok(SmoothResult { y, cost: Cost::default() })
    }

    fn exact(&self, config: &Config, model: &dyn UnitModel, _: Level) -> Result<SmoothResult, DeviceError> {
        self.check(config)?;
        let problem = self.problem()?;
        let skip = 2 * usize::from(self.window.radius);
        let most = (1i64 << (self.width.bits() - 1)) - 1;
        let mut y = Array2::zeros((problem.lines, problem.results()));
        let narrow = |v: i32| rounded(v.into(), self.shift).clamp(-most - 1, most) as i32;
        ndarray::Zip::from(y.rows_mut()).and(self.lines.rows()).par_for_each(|mut y, line| {
            let line = line.to_vec();
            for (y, v) in y.iter_mut().zip(model.smooth(&self.window, &line).drain(skip..)) {
                *y = narrow(v);
            }
        });
        Ok(SmoothResult { y, cost: Cost::default() })
    }

    fn cost(answer: &mut SmoothResult) -> &mut Cost {
        &mut answer.cost
    }
}
