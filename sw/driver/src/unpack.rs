//! Result packets as the matrix of a product.
//!
//! ```text
//! packet of a block:  for row tile, for column tile, for pass, for row, ⌈valid columns / drain⌉ · drain results
//! Y[i, j]          =  Σ over parts of result · 2^(row slice's shift + column slice's shift)
//! ```

use crate::plan::GemmPlan;
use crate::sparsity::{Compressed, Selection};
use ndarray::{Array2, ArrayViewMut2, s};
use tandem_spec::{Config, Format as Transport};

/// Adds the results of block `index` to `y`, which is `[m, n]`.
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
    let y = if plan.transposed { y.view_mut().reversed_axes() } else { y.view_mut() };
    match plan.transport {
        Transport::S32 => {
            add(config, plan, index, data, kept, y, |b: &[u8; 4]| i32::from_le_bytes(*b).into())
        }
        Transport::S16 => {
            add(config, plan, index, data, kept, y, |b: &[u8; 2]| i16::from_le_bytes(*b).into())
        }
        Transport::S8 => add(config, plan, index, data, kept, y, |b: &[u8; 1]| i8::from_le_bytes(*b).into()),
    }
}

fn add<const BYTES: usize>(
    config: &Config,
    plan: &GemmPlan,
    index: usize,
    data: &[u8],
    kept: Option<&Compressed>,
    mut y: ArrayViewMut2<'_, i64>,
    value: impl Fn(&[u8; BYTES]) -> i64,
) {
    let (block, drain) = (&plan.blocks[index], config.array.drain);
    let part = &plan.parts[block.part];
    let shift = plan.row.slices[part.row_slice].shift + plan.col.slices[part.col_slice].shift;
    let (mut results, _) = data.as_chunks::<BYTES>();
    for row_tile in block.rows.clone() {
        for col_tile in block.cols.clone() {
            let cols = plan.col.rows_of(col_tile);
            let first = col_tile * plan.col.width;
            let lines = (0..plan.problem.selection.passes())
                .flat_map(|pass| (0..plan.row.rows_of(row_tile)).map(move |row| (pass, row)));
            for (pass, row) in lines {
                let (line, rest) = results.split_at(cols.next_multiple_of(drain));
                results = rest;
                let row = row_tile * plan.row.width + row;
                if let (Selection::Results(p), Some(kept)) = (plan.problem.selection, kept) {
                    let start = p.members(row).start;
                    let at = (row * p.n + pass) * plan.col.elements + first;
                    for (c, v) in line[..cols].iter().enumerate() {
                        if kept.present[at + c] {
                            y[[start + usize::from(kept.banks[at + c]), first + c]] += value(v) << shift;
                        }
                    }
                    continue;
                }
                let mut to = y.slice_mut(s![row, first..first + cols]);
                to.iter_mut().zip(line).for_each(|(y, v)| *y += value(v) << shift);
            }
        }
    }
}
