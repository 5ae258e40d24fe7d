//! Result packets as the matrix of a product.
//!
//! ```text
//! packet of a block:  for row tile, for column tile, for pass, for row, ⌈valid columns / w⌉ · w results, w lanes of a word
//! Y[i, j]          =  Σ over parts of result · 2^(row slice's shift + column slice's shift)
//! ```
//! Row i of the array is row i of Y or, where results are selected, a group of them, whose entries the passes
//! give one after the other.

use super::compress::Compressed;
use super::plan::GemmPlan;
use super::request::{GemmResult, ResultFormat};
use super::sparsity::Sparsity;
use crate::integers::{Integer, Integers};
use crate::narrow::narrow;
use crate::results::Results;
use ndarray::{Array2, s};
use rayon::prelude::*;
use tandem_kernels::Level;
use tandem_spec::Config;

/// Results that one thread narrows at a time.
const CHUNK: usize = 1 << 15;

/// Adds the results of block `index` to `y`, which is `[m, n]`; `kept` says which rows selected results are.
///
/// # Panics
/// If `data` is shorter than the block's results.
pub(crate) fn add_block(
    config: &Config,
    plan: &GemmPlan,
    index: usize,
    data: &[u8],
    kept: Option<&Compressed>,
    y: &mut Array2<i64>,
) {
    let mut y = if plan.transposed { y.view_mut().reversed_axes() } else { y.view_mut() };
    let block = &plan.blocks[index];
    let part = &plan.parts[block.part];
    let shift = plan.row.slices[part.row_slice].shift + plan.col.slices[part.col_slice].shift;
    let results = Results::new(data, plan.transport.bits());
    let word = match plan.lanes(config, block) {
        0 => config.array.drain,
        lanes => lanes.into(),
    };
    let mut at = 0;
    for line in plan.result_lines(block) {
        let width = line.cols.len();
        let values = (at..at + width).map(|i| results.at(i) << shift);
        at += width.next_multiple_of(word);
        match kept {
            None => {
                let mut to = y.slice_mut(s![line.row, line.cols]);
                to.iter_mut().zip(values).for_each(|(y, v)| *y += v);
            }
            Some(kept) => {
                for (col, v) in line.cols.zip(values) {
                    if let Some(row) = kept.row(line.row, line.pass, col) {
                        y[[row, col]] += v;
                    }
                }
            }
        }
    }
}

/// What the host does with whole sums: drops those that are not wanted, narrows the others if asked. The OR of magnitudes may be
/// known.
pub(crate) fn finish(
    y: Integers,
    magnitude_or: Option<u64>,
    result: ResultFormat,
    sparsity: &Sparsity<'_>,
) -> GemmResult {
    let holds_all = |or: u64| match result {
        ResultFormat::Full => true,
        ResultFormat::Narrow { bits, shift } => shift == 0 && or < 1 << (bits - 1),
    };
    let is_whole = !matches!(sparsity, Sparsity::Results(..));
    if let Some(or) = magnitude_or.filter(|or| is_whole && holds_all(*or)) {
        return GemmResult::new(y, or, 0);
    }
    let ((or, saturated), y) = match y {
        Integers::Short(mut y) => (narrowed(&mut y, result, sparsity), Integers::Short(y)),
        Integers::Long(mut y) => (narrowed(&mut y, result, sparsity), Integers::Long(y)),
    };
    GemmResult::new(y, or, saturated)
}

/// The OR of magnitudes, and how many saturated.
fn narrowed<T: Integer>(y: &mut Array2<T>, result: ResultFormat, sparsity: &Sparsity<'_>) -> (u64, u64) {
    if let Sparsity::Results(_, kept) = sparsity {
        ndarray::Zip::from(&mut *y).and(kept).for_each(|y, &kept| *y = if kept { *y } else { T::default() });
    }
    let level = Level::current();
    let pass = |chunk: &mut [T]| {
        level.run(
            #[inline(always)]
            || {
                let or = chunk.iter().fold(0, |or, v| or | (*v).into().unsigned_abs());
                let mut saturated = 0;
                if let ResultFormat::Narrow { bits, shift } = result {
                    for v in chunk {
                        let (y, clamped) = narrow((*v).into(), bits, shift);
                        *v = T::truncated(y);
                        saturated += u64::from(clamped);
                    }
                }
                (or, saturated)
            },
        )
    };
    let all = y.as_slice_mut().expect("results are row-major");
    if all.len() <= CHUNK {
        return pass(all);
    }
    all.par_chunks_mut(CHUNK).map(pass).reduce(|| (0, 0), |a, b| (a.0 | b.0, a.1 + b.1))
}
