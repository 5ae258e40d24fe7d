//! The fast path of training: exact integers from the host, cost from the plan.

use crate::device::{Cost, Device, DeviceError, GemmRequest, GemmResult, ResultFormat};
use crate::matrix::Matrix;
use crate::narrow::narrow;
use crate::plan::Problem;
use crate::planner::Planner;
use crate::product::product;
use crate::request::{check_values, empty, fits, problem};
use crate::sparsity::{Sparsity, check_groups, zip_mask};
use crate::transform::{FftPlanner, FftProblem, FftRequest, FftResult, check, nothing};
use ndarray::Array2;
use rayon::prelude::*;
use std::sync::Arc;
use tandem_spec::Config;
use tandem_spec::engine::{Predict, Transforms};

/// Results that one thread narrows at a time.
const CHUNK: usize = 1 << 15;

/// A device that returns what the accelerator would, without running a program on it.
///
/// # Numeric  the integers, magnitudes and saturation counts of [`crate::Offload`] on any engine
pub struct Exact {
    planner: Planner,
    transforms: FftPlanner,
    fft: Arc<dyn Transforms>,
}

impl Exact {
    /// A device for an accelerator whose cycles and transforms `model` knows.
    pub fn new(config: Config, model: impl Predict + Transforms + 'static) -> Self {
        let model = Arc::new(model);
        let predict: Arc<dyn Predict> = model.clone();
        let transforms = FftPlanner::new(predict.clone());
        Exact { planner: Planner::new(config, predict), transforms, fft: model }
    }

    /// Its planner.
    pub fn planner(&mut self) -> &mut Planner {
        &mut self.planner
    }
}

impl Device for Exact {
    fn name(&self) -> &str {
        "model"
    }

    fn gemm(&mut self, request: &GemmRequest<'_>) -> Result<GemmResult, DeviceError> {
        let problem = problem(request)?;
        if let Some(result) = empty(&problem) {
            return Ok(result);
        }
        let (x, w) = (Matrix::new(request.x.values), Matrix::new(request.w.values));
        let (mut y, ors) = product((&x, request.x.format), (&w, request.w.format));
        for (name, operand, matrix, or) in [("X", &request.x, &x, ors[0]), ("W", &request.w, &w, ors[1])] {
            if !fits(operand.format, or) {
                check_values(name, operand, matrix)?;
            }
        }
        check_groups(request, &w)?;
        let cost = self.planner.plan(&problem)?.cost;
        if let Sparsity::Results(_, kept) = request.sparsity {
            zip_mask(&mut y, kept);
        }
        let (magnitude_or, saturated) = finish(&mut y, request.result);
        Ok(GemmResult { y, cost, magnitude_or, saturated })
    }

    fn predict(&mut self, problem: &Problem) -> Option<Cost> {
        self.planner.plan(problem).ok().map(|planned| planned.cost)
    }

    fn fft(&mut self, request: &FftRequest<'_>) -> Result<FftResult, DeviceError> {
        if request.x.nrows() == 0 {
            return Ok(nothing(request.points));
        }
        let config = self.planner.config();
        let problem = FftProblem { transforms: request.x.nrows(), points: request.points };
        let cost = self.transforms.plan(config, &problem)?.cost;
        check(config, request)?;
        let mut y = request.x.as_standard_layout().into_owned();
        let samples = y.as_slice_mut().expect("row-major");
        let bits = config.fft.as_ref().map_or(0, |f| f.bits);
        let done = self.fft.transforms(bits, &request.kind(), samples);
        let exponents = done.iter().map(|d| d.exponent).collect();
        Ok(FftResult { y, exponents, saturated: done.iter().map(|d| d.clamped).collect(), cost })
    }

    fn predict_fft(&mut self, problem: &FftProblem) -> Option<Cost> {
        let plan = self.transforms.plan(self.planner.config(), problem);
        plan.ok().map(|plan| plan.cost)
    }
}

/// Narrows sums if asked; returns the OR of their magnitudes and how many saturated.
pub(crate) fn finish(y: &mut Array2<i64>, result: ResultFormat) -> (u64, u64) {
    let pass = |chunk: &mut [i64]| {
        let or = chunk.iter().fold(0, |or, v| or | v.unsigned_abs());
        let mut saturated = 0;
        if let ResultFormat::Narrow { bits, shift } = result {
            for v in chunk {
                let (y, clamped) = narrow(*v, bits, shift);
                *v = y;
                saturated += u64::from(clamped);
            }
        }
        (or, saturated)
    };
    let all = y.as_slice_mut().expect("results are row-major");
    if all.len() <= CHUNK {
        return pass(all);
    }
    all.par_chunks_mut(CHUNK).map(pass).reduce(|| (0, 0), |a, b| (a.0 | b.0, a.1 + b.1))
}
