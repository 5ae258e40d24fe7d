//! The fast path of training: exact integers from the host, cost from the plan.

use crate::device::{Cost, Description, Device, DeviceError};
use crate::planner::Planner;
use crate::request::{Answers, Problem, Request, RequestKind, Response};
use std::sync::Arc;
use tandem_kernels::Level;
use tandem_spec::Config;
use tandem_spec::engine::{Predict, UnitModel};

/// A device that returns what the accelerator would, without running a program on it.
///
/// # Numeric  the integers, magnitudes and saturation counts of [`crate::Offload`] on any engine
pub struct Exact {
    planner: Planner,
    model: Arc<dyn UnitModel>,
    level: Level,
}

impl Exact {
    /// A device for an accelerator whose cycles and transforms `model` knows.
    pub fn new(config: Config, model: impl Predict + UnitModel + 'static) -> Self {
        let model = Arc::new(model);
        Exact { planner: Planner::new(config, model.clone()), model, level: Level::current() }
    }

    /// Runs a request with the vector units of a level: the same answer.
    ///
    /// # Errors   as [`Device::run`]
    pub fn run_at(&mut self, level: Level, request: Request<'_>) -> Result<Response, DeviceError> {
        let usual = std::mem::replace(&mut self.level, level);
        let answer = self.run(request);
        self.level = usual;
        answer
    }

    /// Its planner.
    pub fn planner(&mut self) -> &mut Planner {
        &mut self.planner
    }
}

impl Answers for Exact {
    fn answer<K: RequestKind>(&mut self, request: &K) -> Result<K::Answer, DeviceError> {
        let problem = request.problem()?;
        if let Some(nothing) = request.nothing() {
            return Ok(nothing);
        }
        let mut answer = request.exact(self.planner.config(), &*self.model, self.level)?;
        *K::cost(&mut answer) = self.planner.plan(&problem)?.cost;
        Ok(answer)
    }
}

impl Device for Exact {
    fn name(&self) -> &str {
        "model"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        request.answered_by(self)
    }

    fn describe(&mut self, problem: &Problem) -> Option<Description> {
        problem.describe(&mut self.planner)
    }

    fn predict(&mut self, problem: &Problem) -> Option<Cost> {
        problem.cost(&mut self.planner)
    }
}
