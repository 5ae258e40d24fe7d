//! The whole way from a request to a stream, and back from packets.

use super::pack::{payload, unpack};
use super::{FftPlan, FftProblem, FftRequest, FftResult, Points, Scaling, plan};
use crate::device::{Cost, DeviceError};
use crate::planner::PLANS;
use crate::recent::Recent;
use ndarray::{Array2, s};
use num_complex::Complex;
use rayon::prelude::*;
use std::sync::Arc;
use tandem_spec::config::Fft;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Instruction, Packet, Stream};

/// Plans of transforms, remembered.
pub(crate) struct FftPlanner {
    predict: Arc<dyn Predict>,
    plans: Recent<FftProblem, Arc<FftPlan>>,
}

/// Transforms as a program.
pub(crate) struct LoweredFft {
    pub plan: Arc<FftPlan>,
    pub instructions: Vec<Instruction>,
    pub stream: Stream,
}

impl FftPlanner {
    pub fn new(predict: Arc<dyn Predict>) -> Self {
        FftPlanner { predict, plans: Recent::new(PLANS) }
    }

    pub fn plan(&mut self, config: &Config, problem: &FftProblem) -> Result<Arc<FftPlan>, DeviceError> {
        if let Some(plan) = self.plans.get(problem) {
            return Ok(plan);
        }
        let plan = Arc::new(plan::plan(config, &*self.predict, problem)?);
        self.plans.insert(*problem, plan.clone());
        Ok(plan)
    }

    /// Plans and packs a request that [`check`] accepts and that is not empty.
    pub fn lower(&mut self, config: &Config, request: &FftRequest<'_>) -> Result<LoweredFft, DeviceError> {
        let problem = FftProblem { transforms: request.x.nrows(), points: request.points };
        let plan = self.plan(config, &problem)?;
        check(config, request)?;
        let fft = config.fft.as_ref().expect("planned");
        let instructions = plan.instructions_for(request);
        let payloads: Vec<_> =
            plan.blocks.par_iter().map(|block| payload(fft, request.x, block.clone())).collect();
        let mut payloads = payloads.iter();
        let mut stream = Stream::new(config);
        for i in &instructions {
            match i {
                Instruction::Load(load) => stream.push_load(*load, payloads.next().expect("one a block")),
                other => stream.push(other),
            }
        }
        Ok(LoweredFft { plan, instructions, stream })
    }
}

/// The answer to a request without transforms.
pub(crate) fn nothing(points: Points) -> FftResult {
    let y = Array2::default((0, points.count()));
    FftResult { y, exponents: vec![], saturated: vec![], cost: Cost::default() }
}

/// Whether scaling, shape and values suit the unit.
///
/// # Errors
/// [`DeviceError::Request`], naming the first position that does not.
pub(crate) fn check(config: &Config, request: &FftRequest<'_>) -> Result<(), DeviceError> {
    let refuse = |what: String| Err(DeviceError::Request { what });
    let (points, columns) = (request.points.count(), request.x.ncols());
    if points != columns {
        return refuse(format!("X has {columns} columns: expected {points} points"));
    }
    let Some(Fft { bits, block, .. }) = config.fft else { return Ok(()) };
    if request.scaling == Scaling::Block && !block {
        return refuse("block scaling: the accelerator's FFT unit has `block = false`".into());
    }
    let most = (1 << (bits - 1)) - 1;
    let fits = |v: i32| (-most - 1..=most).contains(&v);
    match request.x.indexed_iter().find(|(_, z)| !fits(z.re) || !fits(z.im)) {
        Some(((i, n), z)) => refuse(format!(
            "X[{i}, {n}] = {} + {}i: expected {} to {most} in both parts",
            z.re,
            z.im,
            -most - 1
        )),
        None => Ok(()),
    }
}

impl LoweredFft {
    /// What the packets hold.
    pub fn collect(&self, config: &Config, packets: &[Packet], cost: Cost) -> FftResult {
        let fft = config.fft.as_ref().expect("planned");
        let FftProblem { transforms, points } = self.plan.problem;
        let mut y = Array2::from_elem((transforms, points.count()), Complex::new(0, 0));
        let (mut exponents, mut saturated) = (vec![], vec![]);
        for (block, packet) in self.plan.blocks.iter().zip(packets) {
            let rows = y.slice_mut(s![block.clone(), ..]);
            let (e, flags) = unpack(config, fft, &packet.data, rows);
            exponents.extend(e);
            saturated.extend(flags);
        }
        FftResult { y, exponents, saturated, cost }
    }
}
