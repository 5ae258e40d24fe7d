//! Plans by problem, and the whole way from a request to a stream.

use crate::device::{DeviceError, GemmRequest, ResultFormat};
use crate::matrix::Matrix;
use crate::pack::{Sources, payload};
use crate::plan::{Planned, Problem, search};
use crate::recent::Recent;
use crate::request::{check_values, empty, problem};
use crate::schedule::{Fill, Program, schedule};
use crate::sparsity::{Compressed, Selection, compress};
use rayon::prelude::*;
use std::sync::Arc;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Instruction, Stream};

/// Payloads that are made at a time.
const BATCH: usize = 64;

/// Plans that are remembered: more than networks have products, and a few megabytes.
pub(crate) const PLANS: usize = 1024;

/// Finds plans and remembers those used last.
pub struct Planner {
    config: Config,
    predict: Arc<dyn Predict>,
    plans: Recent<Problem, Arc<Planned>>,
}

/// A request as a program.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Plan and prediction.
    pub planned: Arc<Planned>,
    /// Its instructions.
    pub program: Program,
    /// The link words.
    pub stream: Stream,
    /// Banks of what is kept, if something is selected.
    pub(crate) compressed: Option<Compressed>,
}

impl Planner {
    /// A planner for an accelerator.
    pub fn new(config: Config, predict: Arc<dyn Predict>) -> Self {
        Planner { config, predict, plans: Recent::new(PLANS) }
    }

    /// The accelerator.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Plans that are remembered now: never more than 1,024.
    pub fn remembered(&self) -> usize {
        self.plans.len()
    }

    /// The plan of a problem, searched for when it is not remembered.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if the product is far too large for the accelerator.
    ///
    /// # Panics
    /// If a dimension is zero.
    pub fn plan(&mut self, problem: &Problem) -> Result<Arc<Planned>, DeviceError> {
        if let Some(planned) = self.plans.get(problem) {
            return Ok(planned);
        }
        let refuse = |what: String| DeviceError::Request { what };
        let most = self.config.array.select;
        if let Some(p) = problem.selection.pattern().filter(|p| p.m > most) {
            return Err(refuse(format!("pattern {}:{}: the accelerator selects up to 1:{most}", p.n, p.m)));
        }
        let dense = Problem { selection: Selection::Dense, ..*problem };
        let planned = match search(&self.config, &*self.predict, problem) {
            Ok(planned) => Arc::new(planned),
            // What has no room for indices runs without them.
            Err(_) if dense != *problem => self.plan(&dense)?,
            Err(e) => return Err(refuse(e.to_string())),
        };
        self.plans.insert(*problem, planned.clone());
        Ok(planned)
    }

    /// Plans, schedules and packs a product without running it.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if shapes disagree, a dimension is zero, a value does not fit, or the product
    /// is far too large for the accelerator.
    pub fn lower(&mut self, request: &GemmRequest<'_>) -> Result<Lowered, DeviceError> {
        let problem = problem(request)?;
        if empty(&problem).is_some() {
            let s = problem.shape;
            let what = format!("an empty product ({} × {} × {}) has no program", s.m, s.k, s.n);
            return Err(DeviceError::Request { what });
        }
        let (x, w) = (Matrix::new(request.x.values), Matrix::new(request.w.values));
        let compressed = compress(request, &w)?;
        check_values("X", &request.x, &x)?;
        check_values("W", &request.w, &w)?;
        let planned = self.plan(&problem)?;
        let mut program = schedule(&self.config, &planned.plan);
        if let (true, ResultFormat::Narrow { shift, .. }) = (planned.plan.chip_narrows(), request.result) {
            for i in &mut program.instructions {
                if let Instruction::Store(s) = i {
                    s.shift = shift;
                }
            }
        }
        let stream = self.emit(&planned, &program, (&x, &w), compressed.as_ref());
        Ok(Lowered { planned, program, stream, compressed })
    }

    fn emit(
        &self,
        planned: &Planned,
        program: &Program,
        (x, w): (&Matrix<'_>, &Matrix<'_>),
        compressed: Option<&Compressed>,
    ) -> Stream {
        let plan = &planned.plan;
        let w = w.transposed();
        let (rows, cols) = if plan.transposed { (&w, x) } else { (x, &w) };
        let sources = Sources { rows, cols, compressed };
        let pack = |fill: &Fill| payload(&self.config, plan, fill, &sources);
        let mut stream = Stream::new(&self.config);
        let words = (planned.traffic.instructions + planned.traffic.payloads) as usize;
        stream.bytes.reserve(words * stream.link_bytes);
        stream.first.reserve(words);
        let mut batches = program.fills.chunks(BATCH);
        let mut payloads = vec![].into_iter();
        for instruction in &program.instructions {
            let Instruction::Load(load) = instruction else {
                stream.push(instruction);
                continue;
            };
            let data = payloads.next().unwrap_or_else(|| {
                let batch = batches.next().expect("a fill per load");
                payloads = batch.par_iter().map(pack).collect::<Vec<_>>().into_iter();
                payloads.next().expect("batches are not empty")
            });
            stream.push_load(*load, &data);
        }
        stream
    }
}
