//! Integer matrix products, exactly.
//!
//! ```text
//! Y[m, n] = Σ_k X[m, k] · W[k, n]        X, W integers of 1 to 16 bits, Y exact, or narrowed to 8 or 16 bits
//! ```
//! Rows of X enter the array from the rows and columns of W from the columns, or the other way round; a plan says
//! which, how either is cut into tiles and bit slices, and the sum into parts.

mod compress;
mod layout;
mod plan;
mod product;
mod request;
mod schedule;
mod sparsity;
mod unpack;
mod verify;

pub use plan::*;
pub use request::{GemmRequest, GemmResult, Operand, ResultFormat};
pub use schedule::schedule;
pub use sparsity::{Pattern, Selection, Sparsity};
pub use verify::{mismatches, reference};

use crate::device::{Cost, DeviceError};
use crate::layout::Matrix;
use crate::planner::{Lowered, Planned};
use crate::request::{Plan, Plannable, RequestKind, Sources};
use crate::schedule::Program;
use compress::{Compressed, check_groups, compress};
use ndarray::Array2;
use product::product;
use request::{check_values, fits, problem};
use tandem_spec::engine::{Predict, Transforms};
use tandem_spec::{Config, Instruction, Memory, Packet};
use unpack::{add_block, finish};

impl Plan for GemmPlan {
    fn schedule(&self, config: &Config) -> Program {
        schedule(config, self)
    }

    fn products(&self, config: &Config) -> u64 {
        self.products(config)
    }
}

impl Plannable for GemmProblem {
    type Plan = GemmPlan;

    fn search(&self, config: &Config, predict: &dyn Predict) -> Result<Planned<GemmPlan>, DeviceError> {
        let refuse = |what: String| DeviceError::Request { what };
        let most = config.array.select;
        if let Some(p) = self.selection.pattern().filter(|p| p.m > most) {
            return Err(refuse(format!("pattern {}:{}: the accelerator selects up to 1:{most}", p.n, p.m)));
        }
        let dense = GemmProblem { selection: Selection::default(), ..*self };
        search(config, predict, self)
            .or_else(|error| match self.selection.pattern() {
                // What has no room for indices runs without them.
                Some(_) => search(config, predict, &dense),
                None => Err(error),
            })
            .map_err(|error| refuse(error.to_string()))
    }
}

/// The operands of a product, as they are read.
#[derive(Debug)]
pub struct Operands<'a> {
    x: Matrix<'a>,
    w: Matrix<'a>,
    compressed: Option<Compressed>,
}

impl RequestKind for GemmRequest<'_> {
    type Problem = GemmProblem;
    type Operands<'a>
        = Operands<'a>
    where
        Self: 'a;
    type Answer = GemmResult;

    fn problem(&self) -> Result<GemmProblem, DeviceError> {
        problem(self)
    }

    fn nothing(&self) -> Option<GemmResult> {
        let ((m, k), n) = (self.x.values.dim(), self.w.values.ncols());
        [m, k, n].contains(&0).then(|| GemmResult::new(Array2::zeros((m, n)), 0, 0))
    }

    fn operands(&self, _config: &Config) -> Result<Operands<'_>, DeviceError> {
        if self.nothing().is_some() {
            let ((m, k), n) = (self.x.values.dim(), self.w.values.ncols());
            let what = format!("an empty product ({m} × {k} × {n}) has no program");
            return Err(DeviceError::Request { what });
        }
        let (x, w) = (Matrix::new(self.x.values), Matrix::new(self.w.values));
        let compressed = compress(self, &w)?;
        check_values("X", &self.x, &x)?;
        check_values("W", &self.w, &w)?;
        Ok(Operands { x, w, compressed })
    }

    fn sources<'a>(&self, plan: &GemmPlan, operands: &'a Operands<'_>) -> Sources<'a> {
        let (x, w) = (operands.x.borrowed(), operands.w.transposed());
        let (rows, cols) = if plan.transposed { (w, x) } else { (x, w) };
        let Some(kept) = operands.compressed.as_ref().filter(|_| plan.problem.selection.pattern().is_some())
        else {
            return Sources::new([(Memory::Row, rows), (Memory::Col, cols)]);
        };
        let cols = if plan.problem.selection.is_of_weights() { kept.values() } else { cols };
        Sources::new([(Memory::Row, rows), (Memory::Col, cols), (Memory::Index, kept.indices())])
    }

    /// How far sums are shifted.
    fn stamp(&self, plan: &GemmPlan, program: &mut [Instruction]) {
        if let (true, ResultFormat::Narrow { shift, .. }) = (plan.chip_narrows(), self.result) {
            for i in program {
                if let Instruction::Store(store) = i {
                    store.shift = shift;
                }
            }
        }
    }

    fn collect(
        &self,
        config: &Config,
        lowered: &Lowered<GemmPlan>,
        operands: &Operands<'_>,
        packets: &[Packet],
    ) -> Result<GemmResult, String> {
        let plan = &lowered.planned.plan;
        let mut y = Array2::zeros((plan.problem.shape.m, plan.problem.shape.n));
        let kept = operands.compressed.as_ref().filter(|_| plan.problem.selection.is_of_results());
        for (block, packet) in lowered.program.stores.iter().zip(packets) {
            add_block(config, plan, *block, &packet.data, kept, &mut y);
        }
        let summary = |i: usize| packets.iter().map(move |p| u64::from(p.summary[i]));
        let saturated: u64 = summary(1).sum();
        if !plan.chip_narrows() && saturated > 0 {
            return Err(format!("{saturated} sums exceed their proven bound"));
        }
        if matches!(self.sparsity, Sparsity::Results(..)) || plan.host_adds() || plan.host_narrows() {
            return Ok(finish(y, self));
        }
        Ok(GemmResult::new(y, summary(0).fold(0, |a, b| a | b), saturated))
    }

    fn exact(&self, _config: &Config, _model: &dyn Transforms) -> Result<GemmResult, DeviceError> {
        let (x, w) = (Matrix::new(self.x.values), Matrix::new(self.w.values));
        let (y, ors) = product((&x, self.x.format), (&w, self.w.format));
        for (name, operand, matrix, or) in [("X", &self.x, &x, ors[0]), ("W", &self.w, &w, ors[1])] {
            if !fits(operand.format, or) {
                check_values(name, operand, matrix)?;
            }
        }
        check_groups(self, &w)?;
        Ok(finish(y, self))
    }

    fn cost(answer: &mut GemmResult) -> &mut Cost {
        &mut answer.cost
    }
}
