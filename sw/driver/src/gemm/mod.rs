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

pub(crate) use compress::{Compressed, check_groups, compress};
pub(crate) use request::{check_pattern, check_seen, check_values, result_width};
pub(crate) use unpack::finish;

use crate::codebook::Codebook;
use crate::device::{Cost, Description, DeviceError};
use crate::host;
use crate::layout::Matrix;
use crate::planner::{Lowered, Planned};
use crate::request::{Plan, Plannable, RequestKind, Sources};
use crate::schedule::Program;
use ndarray::Array2;
use request::problem;
use tandem_kernels::Level;
use tandem_spec::engine::{Predict, UnitModel};
use tandem_spec::{Config, Instruction, Memory, Packet};
use unpack::add_block;

impl Plan for GemmPlan {
    fn schedule(&self, config: &Config) -> Program {
        schedule(config, self)
    }

    fn describe(&self) -> Description {
        let [x, w] = if self.transposed { [&self.col, &self.row] } else { [&self.row, &self.col] };
        let side = if self.transposed { "columns" } else { "rows" };
        let (blocks, parts) = (self.blocks.len(), self.parts.len());
        let weights =
            self.codes().map_or(String::new(), |codes| format!("W as codes of {} bits, ", codes.bits));
        let plan = format!(
            "X on the {side}, {weights}{} × {} tiles in {blocks} COMPUTEs, the sum in {parts} {}",
            x.tiles,
            w.tiles,
            if parts == 1 { "part" } else { "parts" }
        );
        Description { plan, why: None }
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
        // What has no room for indices runs without them.
        let whole = |problem: &GemmProblem| {
            search(config, predict, problem).or_else(|error| match problem.selection.pattern() {
                Some(_) => {
                    search(config, predict, &GemmProblem { selection: Selection::default(), ..*problem })
                }
                None => Err(error),
            })
        };
        let plain = whole(&GemmProblem { codes: None, ..*self });
        // Levels in place of codes are the same product.
        let has_holes = self.selection.is_of_weights();
        let coded = self.codes.filter(|codes| codes.suit(config, self.w) && (codes.zero || !has_holes));
        let coded = coded.and_then(|_| whole(self).ok());
        Planned::better(coded, plain).map_err(|error| refuse(error.to_string()))
    }
}

/// The operands of a product, as they are read.
#[derive(Debug)]
pub struct Operands<'a> {
    x: Matrix<'a>,
    /// Of codes if the plan's columns are.
    w: Matrix<'a>,
    compressed: Option<Compressed>,
    /// What the codes stand for.
    levels: Option<Matrix<'static>>,
}

impl<'a> Operands<'a> {
    /// X, W and what is sparse, checked.
    ///
    /// # Errors   the first group that keeps too many
    pub(crate) fn new(
        x: Matrix<'a>,
        w: Matrix<'a>,
        sparsity: &Sparsity<'_>,
    ) -> Result<Operands<'a>, DeviceError> {
        let compressed = compress(sparsity, &w)?;
        Ok(Operands { x, w, compressed, levels: None })
    }

    /// The same with W as codes, if the plan says so.
    ///
    /// # Errors   those of [`Operands::new`], and the first weight that is no level
    pub(crate) fn coded(
        config: &Config,
        plan: &GemmPlan,
        x: Matrix<'a>,
        (w, codebook): (Matrix<'a>, Option<&Codebook>),
        sparsity: &Sparsity<'_>,
    ) -> Result<Operands<'a>, DeviceError> {
        let (Some(book), Some(_)) = (codebook, plan.codes()) else {
            return Operands::new(x, w, sparsity);
        };
        let codes = book.codes("W", &w)?;
        Ok(Operands { levels: Some(book.table(config)), ..Operands::new(x, codes, sparsity)? })
    }

    /// The matrix that the payloads for each memory are taken from.
    pub(crate) fn sources(&self, plan: &GemmPlan) -> Sources<'_> {
        let (x, w) = (self.x.borrowed(), self.w.transposed());
        let (rows, cols) = if plan.transposed { (w, x) } else { (x, w) };
        let column = if self.levels.is_some() { Memory::Code } else { Memory::Col };
        let levels = self.levels.iter().map(|levels| (Memory::Level, levels.borrowed()));
        let Some(kept) = self.compressed.as_ref().filter(|_| plan.problem.selection.pattern().is_some())
        else {
            return Sources::new([(Memory::Row, rows), (column, cols)].into_iter().chain(levels));
        };
        let cols = if plan.problem.selection.is_of_weights() { kept.values() } else { cols };
        let all = [(Memory::Row, rows), (column, cols), (Memory::Index, kept.indices())];
        Sources::new(all.into_iter().chain(levels))
    }

    /// The sums in result packets, one a block of `stores`, and what was seen when they were narrowed on chip: the OR
    /// of their magnitudes, and how many saturated.
    ///
    /// # Errors   if a sum exceeds the bound that its width was chosen by
    pub(crate) fn collect(
        &self,
        config: &Config,
        plan: &GemmPlan,
        stores: &[usize],
        packets: &[Packet],
    ) -> Result<(Array2<i64>, u64, u64), String> {
        let mut y = Array2::zeros((plan.problem.shape.m, plan.problem.shape.n));
        let kept = self.compressed.as_ref().filter(|_| plan.problem.selection.is_of_results());
        for (block, packet) in stores.iter().zip(packets) {
            add_block(config, plan, *block, &packet.data, kept, &mut y);
        }
        let (or, saturated) = summaries(packets, plan.chip_narrows())?;
        Ok((y, or, saturated))
    }
}

/// OR of magnitudes and number of saturated results of packets; without narrowing nothing may saturate.
pub(crate) fn summaries(packets: &[Packet], narrowed: bool) -> Result<(u64, u64), String> {
    let summary = |i: usize| packets.iter().map(move |p| u64::from(p.summary[i]));
    let saturated: u64 = summary(1).sum();
    if !narrowed && saturated > 0 {
        return Err(format!("{saturated} sums exceed their proven bound"));
    }
    Ok((summary(0).fold(0, |a, b| a | b), saturated))
}

/// Sets how far sums are shifted.
pub(crate) fn stamp_shift(result: ResultFormat, program: &mut [Instruction]) {
    let ResultFormat::Narrow { shift, .. } = result else { return };
    for i in program {
        if let Instruction::Store(store) = i {
            store.shift = shift;
        }
    }
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
        [m, k, n].contains(&0).then(|| GemmResult::new(Array2::<i64>::zeros((m, n)).into(), 0, 0))
    }

    fn operands(&self, config: &Config, plan: &GemmPlan) -> Result<Operands<'_>, DeviceError> {
        let (x, w) = (Matrix::wide(self.x.values), Matrix::wide(self.w.values));
        check_values("X", &self.x, &x)?;
        check_values("W", &self.w, &w)?;
        Operands::coded(config, plan, x, (w, self.w.codebook), &self.sparsity)
    }

    fn sources<'a>(&self, plan: &GemmPlan, operands: &'a Operands<'_>) -> Sources<'a> {
        operands.sources(plan)
    }

    fn stamp(&self, plan: &GemmPlan, program: &mut [Instruction]) {
        if plan.chip_narrows() {
            stamp_shift(self.result, program);
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
        let (y, or, saturated) = operands.collect(config, plan, &lowered.program.stores, packets)?;
        if matches!(self.sparsity, Sparsity::Results(..)) || plan.host_adds() || plan.host_narrows() {
            return Ok(finish(y.into(), None, self.result, &self.sparsity));
        }
        Ok(GemmResult::new(y.into(), or, saturated))
    }

    fn exact(&self, _: &Config, _: &dyn UnitModel, level: Level) -> Result<GemmResult, DeviceError> {
        let product = host::product(level, &self.x, &self.w);
        check_seen([("X", &self.x), ("W", &self.w)], product.ors)?;
        check_groups(&self.sparsity, self.w.values.dim(), |row, column| self.w.values.at(row, column))?;
        Ok(finish(product.y, product.magnitude_or, self.result, &self.sparsity))
    }

    fn cost(answer: &mut GemmResult) -> &mut Cost {
        &mut answer.cost
    }
}
