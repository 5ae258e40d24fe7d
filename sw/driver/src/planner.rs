//! Plans by problem, and the whole way from a request to a stream.

use crate::device::{Cost, DeviceError};
use crate::layout::payload;
use crate::recent::Recent;
use crate::request::{Plan, PlanOf, Plannable, Problem, RequestKind, Sources};
use crate::schedule::{Fill, Program};
use crate::traffic::{Traffic, cost};
use rayon::prelude::*;
use std::any::Any;
use std::sync::Arc;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Counters, Instruction, Stream};

/// Payloads that are made at a time.
const BATCH: usize = 64;

/// Plans that are remembered: more than networks have products, and a few megabytes.
const PLANS: usize = 1024;

/// A plan and what it will cost.
#[derive(Clone, Debug)]
pub struct Planned<P> {
    /// The plan.
    pub plan: P,
    /// Instructions of its program.
    pub length: usize,
    /// Registers at its end, predicted.
    pub predicted: Counters,
    /// Link words.
    pub traffic: Traffic,
    /// Its cost, predicted.
    pub cost: Cost,
}

impl<P: Plan> Planned<P> {
    /// Predicts what a plan costs.
    pub(crate) fn new(config: &Config, predict: &dyn Predict, plan: P) -> Self {
        let program = plan.schedule(config).instructions;
        let predicted = predict.predict(config, &program);
        let traffic = Traffic::of(config, &program);
        let cost = cost(config, plan.products(config), &traffic, &predicted, &predicted);
        Planned { plan, length: program.len(), predicted, traffic, cost }
    }

    /// The one with fewer cycles, then link words; the first of equal ones.
    pub(crate) fn better<E>(first: Option<Self>, second: Result<Self, E>) -> Result<Self, E> {
        let cost = |planned: &Self| (planned.cost.cycles, planned.cost.link_words);
        match (first, second) {
            (Some(a), Ok(b)) => Ok(if cost(&a) <= cost(&b) { a } else { b }),
            (first, second) => first.map_or(second, Ok),
        }
    }
}

/// Finds plans and remembers those used last.
pub struct Planner {
    config: Config,
    predict: Arc<dyn Predict>,
    /// Plans by problem, each of the kind that belongs to its problem.
    plans: Recent<Problem, Arc<dyn Any + Send + Sync>>,
}

/// A request as a program.
#[derive(Clone, Debug)]
pub struct Lowered<P> {
    /// Plan and prediction.
    pub planned: Arc<Planned<P>>,
    /// Its instructions.
    pub program: Program,
    /// The link words.
    pub stream: Stream,
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
    /// [`DeviceError::Request`] if the accelerator cannot run it: a product that is far too large, or transforms that
    /// its FFT unit does not take.
    ///
    /// # Panics
    /// If a dimension of a product is zero.
    pub fn plan<P: Plannable>(&mut self, problem: &P) -> Result<Arc<Planned<P::Plan>>, DeviceError> {
        let key: Problem = (*problem).into();
        if let Some(planned) = self.plans.get(&key) {
            return Ok(planned.downcast().expect("problems of a kind have plans of a kind"));
        }
        let planned = Arc::new(problem.search(&self.config, &*self.predict)?);
        self.plans.insert(key, planned.clone());
        Ok(planned)
    }

    /// Takes a plan for a problem instead of searching for one.
    pub fn adopt<P: Plannable>(&mut self, problem: &P, planned: Planned<P::Plan>) {
        self.plans.insert((*problem).into(), Arc::new(planned));
    }

    /// Plans, schedules and packs a request without running it.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if shapes disagree, there is nothing to compute, a value does not fit, or the
    /// accelerator cannot run it.
    pub fn lower<K: RequestKind>(&mut self, request: &K) -> Result<Lowered<PlanOf<K>>, DeviceError> {
        let problem = request.problem()?;
        if request.nothing().is_some() {
            return Err(DeviceError::Request { what: "nothing to compute: there is no program".into() });
        }
        self.lower_with(request, &problem).map(|(_, lowered)| lowered)
    }

    /// The same for a problem that is not empty, with the operands.
    pub(crate) fn lower_with<'r, K: RequestKind>(
        &mut self,
        request: &'r K,
        problem: &K::Problem,
    ) -> Result<(K::Operands<'r>, Lowered<PlanOf<K>>), DeviceError> {
        let planned = self.plan(problem)?;
        let operands = request.operands(&self.config, &planned.plan)?;
        let mut program = planned.plan.schedule(&self.config);
        request.stamp(&planned.plan, &mut program.instructions);
        let sources = request.sources(&planned.plan, &operands);
        let stream = stream(&self.config, &planned.traffic, &program, &sources);
        Ok((operands, Lowered { planned, program, stream }))
    }
}

/// A program's link words.
fn stream(config: &Config, traffic: &Traffic, program: &Program, sources: &Sources<'_>) -> Stream {
    let pack = |fill: &Fill| payload(fill, sources.of(fill.layout.pad.memory));
    let mut stream = Stream::new(config);
    let words = (traffic.instructions + traffic.payloads) as usize;
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
