//! The three products of a convolution, exactly.
//!
//! ```text
//! Y [b, y, x, o]       = Σ_{ky, kx, c} X[b, y·s + ky − p, x·s + kx − p, c] · W[ky, kx, c, o]
//! dX[b, y, x, c]       = Σ_{ky, kx, o} dY[b, (y + p − ky)/s, (x + p − kx)/s, o] · W[ky, kx, c, o]     whole positions only
//! dW[ky, kx, c, o]     = Σ_{b, y, x}   X[b, y·s + ky − p, x·s + kx − p, c] · dY[b, y, x, o]
//! ```
//! A request names images, a kernel, a stride and a padding, no rows of windows: every image crosses the link once, in
//! bands, and COMPUTEs walk over it in the memories (`walk`, `gradient`). Where no walk is possible, or a matrix
//! product is faster, it is one (`rows`).

mod axis;
mod gradient;
mod plan;
mod reach;
mod request;
mod rows;
mod search;
mod stage;
mod verify;
mod walk;
mod window;

pub(crate) use axis::{Axis, Phase};
pub use gradient::{Form as GradientForm, Rows as GradientRows};
pub use plan::{ConvPlan, Lowering};
pub use request::{ConvProblem, ConvProduct, ConvRequest, ConvResult};
pub use rows::Rows;
pub use search::candidates;
pub use verify::{mismatches, reference};
pub use walk::Form as WalkForm;
pub use window::Window;

use crate::device::{Cost, DeviceError};
use crate::gemm::{self, Compressed, GemmResult};
use crate::gemm::{check_groups, check_seen, check_values, compress, finish, stamp_shift, summaries};
use crate::host;
use crate::integers::Integers;
use crate::layout::{Matrix, Side};
use crate::planner::{Lowered, Planned};
use crate::request::{Plannable, RequestKind, Sources};
use crate::results::Results;
use gradient::Gradient;
use ndarray::Array2;
use stage::Block;
use tandem_kernels::Level;
use tandem_spec::engine::{Predict, UnitModel};
use tandem_spec::{Config, Instruction, Memory, Packet};
use walk::{Line, Walk};

impl Plannable for ConvProblem {
    type Plan = ConvPlan;

    fn search(&self, config: &Config, predict: &dyn Predict) -> Result<Planned<ConvPlan>, DeviceError> {
        let plain = search::search(config, predict, &ConvProblem { codes: None, ..*self });
        // Levels in place of codes are the same product. Where weights are laid out there are holes, which are zero.
        let coded = self.codes.filter(|codes| codes.zero && codes.suit(config, self.w));
        let coded = coded.and_then(|_| search::search(config, predict, self).ok());
        Planned::better(coded, plain)
    }
}

/// The operands of a product, as they are read.
#[derive(Debug)]
pub enum Operands<'a> {
    /// Of a walk: images, and weights with outputs as lines, or output gradients of each image.
    Walked {
        /// `[B, values of an image]`
        x: Matrix<'a>,
        /// Weights `[outputs, k]`, or dY `[B, h'·w'·O]`.
        w: Matrix<'a>,
        /// What N:M leaves.
        compressed: Option<Compressed>,
        /// Offsets of rows, if there are any.
        offsets: Option<Matrix<'static>>,
        /// What weights stand for, if they are codes.
        levels: Option<Matrix<'static>>,
    },
    /// Of a matrix product.
    Rows(gemm::Operands<'a>),
}

impl ConvRequest<'_> {
    fn answer_of(&self, y: Integers, magnitude_or: Option<u64>) -> ConvResult {
        let GemmResult { y, magnitude_or, saturated, .. } =
            finish(y, magnitude_or, self.result, &self.sparsity);
        ConvResult { y, cost: Cost::default(), magnitude_or, saturated }
    }

    /// Both operands as matrices, their values checked.
    fn checked(&self) -> Result<(Matrix<'_>, Matrix<'_>), DeviceError> {
        let (x, w) = (Matrix::wide(self.x.values).into_row_major(), Matrix::wide(self.w.values));
        check_values("X", &self.x, &x)?;
        check_values("W", &self.w, &w)?;
        Ok((x, w))
    }

    /// W as the walk, or the matrix product, of an input gradient reads it, else as it is.
    fn weights<'a>(&self, w: Matrix<'a>) -> Matrix<'a> {
        match self.product {
            ConvProduct::InputGradient => rows::by_outputs(&self.window, &w),
            _ => w,
        }
    }

    /// dX from the rows dY·Wᵀ.
    fn gathered(&self, rows: &Array2<i64>) -> Array2<i64> {
        let window = &self.window;
        let images = rows.nrows() / window.places();
        let mut dx = Array2::zeros((images * window.pixels(), window.channels));
        let rows = rows.as_standard_layout();
        let (from, to) = (rows.as_slice().expect("row-major"), dx.as_slice_mut().expect("row-major"));
        window.col2im(from, to, |sum| sum);
        dx
    }

    /// Results of a walk: every one once.
    fn collect_walk(
        &self,
        config: &Config,
        plan: &ConvPlan,
        walk: &Walk<'_>,
        packets: &[Packet],
    ) -> Array2<i64> {
        let mut y = Array2::zeros(plan.problem.answer());
        let columns = y.ncols();
        let to = y.as_slice_mut().expect("just made");
        for (block, packet) in plan.blocks().zip(packets) {
            let (results, word) = results(config, plan, block, packet);
            let mut at = 0;
            walk.lines(block, |Line { row, column, count, down }| {
                let first = row * columns + column;
                let step = if down == 0 { 1 } else { down * columns };
                for i in 0..count {
                    to[first + i * step] = results.at(at + i);
                }
                at += count.next_multiple_of(word);
            });
        }
        y
    }

    /// Sums over the bands of a weight gradient.
    fn collect_gradient(
        &self,
        config: &Config,
        plan: &ConvPlan,
        gradient: &Gradient<'_>,
        compressed: Option<&Compressed>,
        packets: &[Packet],
    ) -> Array2<i64> {
        let mut y = Array2::zeros(plan.problem.answer());
        for (block, packet) in plan.blocks().zip(packets) {
            let (results, word) = results(config, plan, block, packet);
            let mut at = 0;
            gradient.lines(block, |line, pass, outputs| {
                let values = (at..at + outputs.len()).map(|i| results.at(i));
                at += outputs.len().next_multiple_of(word);
                let Some(line) = line else { return };
                for (output, v) in outputs.zip(values) {
                    let row = match compressed {
                        None => Some(line),
                        Some(kept) => kept.row(gradient.group(line), pass, output),
                    };
                    if let Some(row) = row {
                        y[[row, output]] += v;
                    }
                }
            });
        }
        y
    }
}

/// Results of a block's packet, and how many of them a word has.
fn results<'a>(config: &Config, plan: &ConvPlan, block: &Block, packet: &'a Packet) -> (Results<'a>, usize) {
    let word = match block.lanes(config) {
        0 => config.array.drain,
        lanes => lanes.into(),
    };
    (Results::new(&packet.data, plan.transport.bits()), word)
}

impl RequestKind for ConvRequest<'_> {
    type Problem = ConvProblem;
    type Operands<'a>
        = Operands<'a>
    where
        Self: 'a;
    type Answer = ConvResult;

    fn problem(&self) -> Result<ConvProblem, DeviceError> {
        request::problem(self)
    }

    fn nothing(&self) -> Option<ConvResult> {
        let problem = self.problem().ok()?;
        let empty = problem.images == 0 || problem.outputs == 0;
        empty.then(|| self.answer_of(Array2::<i64>::zeros(problem.answer()).into(), None))
    }

    fn operands(&self, config: &Config, plan: &ConvPlan) -> Result<Operands<'_>, DeviceError> {
        let (x, w) = self.checked()?;
        let Lowering::Rows(rows, product) = &plan.lowering else {
            let offsets = match &plan.lowering {
                Lowering::Gradient(form) if form.rows.share_words() => {
                    let gradient = Gradient::new(config, &plan.problem, *form).expect("a plan's form");
                    let stride = plan.stages[0].operands[0].tile_stride;
                    let values = gradient.offset_values(stride);
                    let rows = config.array.rows;
                    let columns = values.len() / rows;
                    Some(Matrix::row_major(values, rows, columns))
                }
                _ => None,
            };
            if self.product == ConvProduct::WeightGradient {
                let compressed = compress(&self.sparsity, &w)?;
                let values = self.window.places() * w.cols;
                let w = Matrix {
                    rows: plan.problem.images,
                    cols: values,
                    row_stride: values,
                    ..w.into_row_major()
                };
                return Ok(Operands::Walked { x, w, compressed, offsets, levels: None });
            }
            let book = self.w.codebook.filter(|_| plan.coded());
            let w = match book {
                Some(book) => book.codes("W", &w)?,
                None => w,
            };
            let mut w = self.weights(w);
            if let Lowering::Walk(form) = &plan.lowering
                && form.beside > 1
            {
                let walk = Walk::new(config, &plan.problem, *form).expect("a plan's form");
                w = walk.side_by_side(&w);
            }
            let compressed = compress(&self.sparsity, &w)?;
            let levels = book.map(|book| book.table(config));
            return Ok(Operands::Walked { x, w, compressed, offsets, levels });
        };
        let window = &self.window;
        let windows = || {
            let mut out = vec![0; plan.problem.images * window.places() * window.volume()];
            window.im2col(&x.data, &mut out);
            out
        };
        let (n, k) = (plan.problem.images * window.places(), window.volume());
        let operands = |x, w| gemm::Operands::coded(config, product, x, (w, self.w.codebook), &self.sparsity);
        let operands = match (rows, self.product) {
            (Rows::Windows, ConvProduct::WeightGradient) => {
                operands(Matrix::column_major(windows(), k, n), w)
            }
            (Rows::Windows, _) => operands(Matrix::row_major(windows(), n, k), w),
            (Rows::Gathered, _) => {
                let outputs = w.cols;
                let dy = Matrix { rows: n, cols: outputs, row_stride: outputs.max(1), col_stride: 1, ..x };
                let transposed = Matrix {
                    rows: w.cols,
                    cols: w.rows,
                    row_stride: w.col_stride,
                    col_stride: w.row_stride,
                    ..w
                };
                operands(dy, transposed)
            }
            (Rows::Pixels, _) => {
                let pixels = rows::pixels(window, w.cols, &x.data);
                operands(pixels, self.weights(w))
            }
        };
        Ok(Operands::Rows(operands?))
    }

    fn sources<'a>(&self, plan: &ConvPlan, operands: &'a Operands<'_>) -> Sources<'a> {
        let (x, w, compressed, offsets, levels) = match (operands, &plan.lowering) {
            (Operands::Rows(operands), Lowering::Rows(_, plan)) => return operands.sources(plan),
            (Operands::Walked { x, w, compressed, offsets, levels }, _) => {
                (x, w, compressed, offsets, levels)
            }
            (Operands::Rows(_), _) => unreachable!("operands of another plan"),
        };
        let across = matches!(&plan.lowering, Lowering::Walk(form) if form.across);
        let weights = match compressed {
            Some(kept) if plan.problem.selection.is_of_weights() => kept.values(),
            _ if self.product == ConvProduct::WeightGradient => w.borrowed(),
            _ => w.transposed(),
        };
        let [image_side, other_side] = if across { [Side::Col, Side::Row] } else { Side::BOTH };
        let of_weights = if levels.is_some() { Memory::Code } else { other_side.memory() };
        let mut all = vec![(image_side.memory(), x.borrowed()), (of_weights, weights)];
        all.extend(levels.iter().map(|levels| (Memory::Level, levels.borrowed())));
        all.extend(compressed.iter().map(|kept| (Memory::Index, kept.indices())));
        all.extend(offsets.iter().map(|offsets| (Memory::Offset, offsets.borrowed())));
        Sources::new(all)
    }

    fn stamp(&self, plan: &ConvPlan, program: &mut [Instruction]) {
        if plan.chip_narrows() {
            stamp_shift(self.result, program);
        }
    }

    fn collect(
        &self,
        config: &Config,
        lowered: &Lowered<ConvPlan>,
        operands: &Operands<'_>,
        packets: &[Packet],
    ) -> Result<ConvResult, String> {
        let plan = &lowered.planned.plan;
        let (or, saturated) = summaries(packets, plan.chip_narrows())?;
        let y = match (&plan.lowering, operands) {
            (Lowering::Rows(rows, gemm), Operands::Rows(operands)) => {
                let (y, ..) = operands.collect(config, gemm, &lowered.program.stores, packets)?;
                if *rows == Rows::Gathered { self.gathered(&y) } else { y }
            }
            (Lowering::Walk(form), _) => {
                let walk = Walk::new(config, &plan.problem, *form).expect("a plan's form");
                self.collect_walk(config, plan, &walk, packets)
            }
            (Lowering::Gradient(form), Operands::Walked { compressed, .. }) => {
                let gradient = Gradient::new(config, &plan.problem, *form).expect("a plan's form");
                let kept = compressed.as_ref().filter(|_| plan.problem.selection.is_of_results());
                self.collect_gradient(config, plan, &gradient, kept, packets)
            }
            _ => unreachable!("operands of another plan"),
        };
        if plan.chip_narrows() {
            return Ok(ConvResult { y: y.into(), cost: Cost::default(), magnitude_or: or, saturated });
        }
        Ok(self.answer_of(y.into(), None))
    }

    fn exact(&self, _: &Config, _: &dyn UnitModel, level: Level) -> Result<ConvResult, DeviceError> {
        let product = host::convolution(level, self.product, &self.window, &self.x, &self.w, &self.sparsity);
        check_seen([("X", &self.x), ("W", &self.w)], product.ors)?;
        let w = match self.product {
            ConvProduct::InputGradient => self.w.values.reversed_axes(),
            _ => self.w.values,
        };
        check_groups(&self.sparsity, w.dim(), |row, column| w.at(row, column))?;
        Ok(self.answer_of(product.y, product.magnitude_or))
    }

    fn cost(answer: &mut ConvResult) -> &mut Cost {
        &mut answer.cost
    }
}
