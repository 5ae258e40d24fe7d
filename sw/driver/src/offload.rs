//! Products on an engine: plan, pack, run, check, unpack.

use crate::device::{Cost, Device, DeviceError, GemmRequest, GemmResult};
use crate::exact::finish;
use crate::failure::{Failure, explain};
use crate::plan::Problem;
use crate::planner::{Lowered, Planner};
use crate::request::{empty, problem};
use crate::sparsity::{Sparsity, zip_mask};
use crate::traffic::cost;
use crate::transform::{FftPlanner, FftProblem, FftRequest, FftResult, nothing};
use crate::unpack::add_block;
use ndarray::Array2;
use std::sync::Arc;
use tandem_spec::engine::Predict;
use tandem_spec::packet::Kind;
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Counters, Engine, Format as Transport, Instruction, Packet, RunOptions, Status};
use tandem_spec::{EngineError, Stream, Tokens};

/// A program to run.
#[derive(Clone, Copy)]
struct Job<'a> {
    instructions: &'a [Instruction],
    stream: &'a Stream,
    predicted: &'a Counters,
}

/// A device that runs every product on an engine: twin, simulator or board.
///
/// A program that fails on a damaged link word is sent once more after a reset.
pub struct Offload<E> {
    engine: E,
    planner: Planner,
    transforms: FftPlanner,
    options: RunOptions,
    /// Instructions since the last reset, `None` if the engine must be reset first.
    issued: Option<u32>,
    strict: bool,
}

impl<E: Engine> Offload<E> {
    /// A device on `engine`, whose cycles `predict` knows. The engine is reset before the first product.
    pub fn new(engine: E, predict: impl Predict + 'static) -> Self {
        let predict: Arc<dyn Predict> = Arc::new(predict);
        let planner = Planner::new(engine.config().clone(), predict.clone());
        let transforms = FftPlanner::new(predict);
        Offload { engine, planner, transforms, options: RunOptions::default(), issued: None, strict: false }
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
    fn run(&mut self, job: Job<'_>, base: u32) -> Result<(Vec<Packet>, Counters), Failure> {
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
        let bytes = |count: u16, format: Transport| {
            let bits = usize::from(count) * config.array.drain * format.bits();
            bits.div_ceil(config.link_bits) * config.link_bytes()
        };
        let expected: Vec<_> = stores.map(|(n, s)| (Kind::Result, n, bytes(s.count, s.format))).collect();
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
        match self.run(job, base) {
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

    fn collect(
        &self,
        lowered: &Lowered,
        packets: &[Packet],
        request: &GemmRequest<'_>,
    ) -> Result<(Array2<i64>, u64, u64), DeviceError> {
        let (plan, config) = (&lowered.planned.plan, self.planner.config());
        let shape = plan.problem.shape;
        let mut y = Array2::zeros((shape.m, shape.n));
        for (block, packet) in lowered.program.stores.iter().zip(packets) {
            add_block(config, plan, *block, &packet.data, lowered.compressed.as_ref(), &mut y);
        }
        let summary = |i: usize| packets.iter().map(move |p| u64::from(p.summary[i]));
        let saturated: u64 = summary(1).sum();
        if !plan.chip_narrows() && saturated > 0 {
            return Err(self.error(format!("{saturated} sums exceed their proven bound")));
        }
        if let Sparsity::Results(_, kept) = request.sparsity {
            zip_mask(&mut y, kept);
            let (or, _) = finish(&mut y, request.result);
            return Ok((y, or, 0));
        }
        if plan.host_adds() || plan.host_narrows() {
            let (or, saturated) = finish(&mut y, request.result);
            return Ok((y, or, saturated));
        }
        Ok((y, summary(0).fold(0, |a, b| a | b), saturated))
    }
}

impl<E: Engine> Device for Offload<E> {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn gemm(&mut self, request: &GemmRequest<'_>) -> Result<GemmResult, DeviceError> {
        if let Some(result) = empty(&problem(request)?) {
            return Ok(result);
        }
        let lowered = self.planner.lower(request)?;
        let (packets, counters) = self.perform(Job {
            instructions: &lowered.program.instructions,
            stream: &lowered.stream,
            predicted: &lowered.planned.predicted,
        })?;
        let (y, magnitude_or, saturated) = self.collect(&lowered, &packets, request)?;
        let planned = &lowered.planned;
        let config = self.planner.config();
        let products = planned.plan.products(config);
        let cost = cost(config, products, &planned.traffic, &counters, &planned.predicted);
        Ok(GemmResult { y, cost, magnitude_or, saturated })
    }

    fn predict(&mut self, problem: &Problem) -> Option<Cost> {
        self.planner.plan(problem).ok().map(|planned| planned.cost)
    }

    fn fft(&mut self, request: &FftRequest<'_>) -> Result<FftResult, DeviceError> {
        if request.x.nrows() == 0 {
            return Ok(nothing(request.points));
        }
        let lowered = self.transforms.lower(self.planner.config(), request)?;
        let plan = &lowered.plan;
        let (packets, counters) = self.perform(Job {
            instructions: &lowered.instructions,
            stream: &lowered.stream,
            predicted: &plan.predicted,
        })?;
        let config = self.planner.config();
        let cost = cost(config, 0, &plan.traffic, &counters, &plan.predicted);
        Ok(lowered.collect(config, &packets, cost))
    }

    fn predict_fft(&mut self, problem: &FftProblem) -> Option<Cost> {
        let plan = self.transforms.plan(self.planner.config(), problem);
        plan.ok().map(|plan| plan.cost)
    }
}

impl<E> std::fmt::Debug for Offload<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offload").field("issued", &self.issued).field("strict", &self.strict).finish()
    }
}
