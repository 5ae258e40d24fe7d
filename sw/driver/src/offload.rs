//! Requests on an engine: plan, pack, run, check, unpack.

use crate::device::{Cost, Description, Device, DeviceError};
use crate::failure::{Failure, explain};
use crate::planner::Planner;
use crate::request::{Answers, Plan, Problem, Request, RequestKind, Response};
use crate::traffic::cost;
use std::sync::Arc;
use tandem_spec::engine::Predict;
use tandem_spec::packet::Kind;
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Counters, Engine, Instruction, Packet, RunOptions, Status, Store};
use tandem_spec::{EngineError, Stream, Tokens};

/// A program to run.
#[derive(Clone, Copy)]
struct Job<'a> {
    instructions: &'a [Instruction],
    stream: &'a Stream,
    predicted: &'a Counters,
}

/// A device that runs every request on an engine: twin, simulator or board.
///
/// A program that fails on a damaged link word is sent once more after a reset.
pub struct Offload<E> {
    engine: E,
    planner: Planner,
    options: RunOptions,
    /// Instructions since the last reset, `None` if the engine must be reset first.
    issued: Option<u32>,
    strict: bool,
}

impl<E: Engine> Offload<E> {
    /// A device on `engine`, whose cycles `predict` knows. The engine is reset before the first request.
    pub fn new(engine: E, predict: impl Predict + 'static) -> Self {
        let planner = Planner::new(engine.config().clone(), Arc::new(predict));
        Offload { engine, planner, options: RunOptions::default(), issued: None, strict: false }
    }

    /// Runs with other options: stalls, a cycle limit, a waveform.
    #[must_use]
    pub fn with_options(mut self, options: RunOptions) -> Self {
        self.options = options;
        self
    }

    /// Makes it an error if any counter differs from its prediction (which holds without stalls only).
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Its planner.
    pub fn planner(&mut self) -> &mut Planner {
        &mut self.planner
    }

    /// The engine.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    fn error(&self, what: String) -> DeviceError {
        DeviceError::Engine { engine: self.engine.name().into(), what }
    }

    /// Resets engine and counters, and checks that it is the accelerator that plans are made for.
    fn reset(&mut self) -> Result<(), DeviceError> {
        let config = self.planner.config();
        let expected = config.hash();
        let mut stream = Stream::new(config);
        stream.push(&Instruction::Reset);
        // row offsets outlive a reset, and products are lowered for offsets of zero
        stream.push_row_offsets(config, 0);
        stream.push(&Instruction::Read(Tokens::default()));
        let outcome = self.engine.run(&stream, &self.options).map_err(|e| self.error(e.to_string()))?;
        let ready = outcome.packets.iter().position(|p| p.kind == Kind::Ready);
        let rest = ready.map(|i| &outcome.packets[i..]);
        let (Some([ready, registers]), Status::Idle) = (rest, outcome.status) else {
            return Err(self.error(format!("does not answer a reset: {:?}", outcome.status)));
        };
        let [lo, hi, identity, _] = ready.summary;
        let found = u64::from(hi) << 32 | u64::from(lo);
        if found != expected {
            return Err(self.error(EngineError::Mismatch { expected, found }.to_string()));
        }
        if identity != IDENTITY || registers.kind != Kind::Registers {
            let what = format!("identity {identity:#010x}: expected {IDENTITY:#010x}");
            return Err(self.error(what));
        }
        self.issued = Some(2);
        Ok(())
    }

    /// Runs a program; results and counters, or why there are none.
    fn execute(&mut self, job: Job<'_>, base: u32) -> Result<(Vec<Packet>, Counters), Failure> {
        let outcome = self.engine.run(job.stream, &self.options).map_err(Failure::from)?;
        let instructions = job.instructions;
        let config = self.planner.config();
        if outcome.status != Status::Idle {
            return Err(explain(config, instructions, base, &outcome));
        }
        let mut packets = outcome.packets;
        let counters = packets.pop().and_then(|p| p.counters());
        let counters = counters.ok_or_else(|| Failure::lasting("sent no registers at the end".into()))?;
        let stores = instructions.iter().enumerate().filter_map(|(i, instruction)| match instruction {
            Instruction::Store(s) => Some((base.wrapping_add(i as u32), s)),
            _ => None,
        });
        let bytes = |s: &Store| s.data_words(config) * config.link_bytes();
        let expected: Vec<_> = stores.map(|(n, s)| (Kind::Result, n, bytes(s))).collect();
        let found: Vec<_> = packets.iter().map(|p| (p.kind, p.instruction, p.data.len())).collect();
        if found != expected {
            let at = found.iter().zip(&expected).position(|(f, e)| f != e).unwrap_or(found.len());
            let (f, e) = (found.get(at), expected.get(at));
            return Err(Failure::lasting(format!("packet {at} is {f:?}: expected {e:?}")));
        }
        Ok((packets, counters))
    }

    /// Runs a program, once more if the link damaged it, and checks its counters.
    fn perform(&mut self, job: Job<'_>) -> Result<(Vec<Packet>, Counters), DeviceError> {
        let done = match self.attempt(job) {
            Err((_, true)) => self.attempt(job),
            other => other,
        };
        let (packets, counters) = done.map_err(|(error, _)| error)?;
        self.check(job.predicted, &counters)?;
        Ok((packets, counters))
    }

    fn attempt(&mut self, job: Job<'_>) -> Result<(Vec<Packet>, Counters), (DeviceError, bool)> {
        if self.issued.is_none() {
            self.reset().map_err(|e| (e, false))?;
        }
        let base = self.issued.take().expect("just reset");
        match self.execute(job, base) {
            Ok(done) => {
                self.issued = Some(base.wrapping_add(job.instructions.len() as u32));
                Ok(done)
            }
            Err(failure) => Err((self.error(failure.what), failure.replay)),
        }
    }

    fn check(&self, predicted: &Counters, counters: &Counters) -> Result<(), DeviceError> {
        let predicted = &predicted.generated(self.planner.config());
        let same = |c: &Counters| Counters { identity: 0, config_lo: 0, config_hi: 0, ..*c };
        if self.strict && same(counters) != same(predicted) {
            return Err(self.error(format!("counters {counters:?}: predicted {predicted:?}")));
        }
        Ok(())
    }
}

impl<E: Engine> Answers for Offload<E> {
    fn answer<K: RequestKind>(&mut self, request: &K) -> Result<K::Answer, DeviceError> {
        let problem = request.problem()?;
        if let Some(nothing) = request.nothing() {
            return Ok(nothing);
        }
        let (operands, lowered) = self.planner.lower_with(request, &problem)?;
        let planned = &lowered.planned;
        let (packets, counters) = self.perform(Job {
            instructions: &lowered.program.instructions,
            stream: &lowered.stream,
            predicted: &planned.predicted,
        })?;
        let config = self.planner.config();
        let answer = request.collect(config, &lowered, &operands, &packets);
        let mut answer = answer.map_err(|what| self.error(what))?;
        let products = planned.plan.products(config);
        *K::cost(&mut answer) = cost(config, products, &planned.traffic, &counters, &planned.predicted);
        Ok(answer)
    }
}

impl<E: Engine> Device for Offload<E> {
    fn name(&self) -> &str {
        self.engine.name()
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

impl<E> std::fmt::Debug for Offload<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offload").field("issued", &self.issued).field("strict", &self.strict).finish()
    }
}
