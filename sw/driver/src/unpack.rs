//! Result packets as the matrix of a product.
//!
//! ```text
//! packet of a block:  for row tile, for column tile, for row, ⌈valid columns / drain⌉ · drain results
//! Y[i, j]          =  Σ over parts of result · 2^(row slice's shift + column slice's shift)
//! ```

use crate::plan::GemmPlan;
use ndarray::{Array2, ArrayViewMut2, s};
use tandem_spec::{Config, Format as Transport};

/// Adds the results of block `index` to `y`, which is `[m, n]`.
///
/// # Panics
/// If `data` is shorter than the block's results.
pub(crate) fn add_block(config: &Config, plan: &GemmPlan, index: usize, data: &[u8], y: &mut Array2<i64>) {
    let y = if plan.transposed { y.view_mut().reversed_axes() } else { y.view_mut() };
    match plan.transport {
        Transport::S32 => add(config, plan, index, data, y, |b: &[u8; 4]| i32::from_le_bytes(*b).into()),
        Transport::S16 => add(config, plan, index, data, y, |b: &[u8; 2]| i16::from_le_bytes(*b).into()),
        Transport::S8 => add(config, plan, index, data, y, |b: &[u8; 1]| i8::from_le_bytes(*b).into()),
    }
}

fn add<const BYTES: usize>(
    config: &Config,
    plan: &GemmPlan,
    index: usize,
    data: &[u8],
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
            for row in 0..plan.row.rows_of(row_tile) {
                let (line, rest) = results.split_at(cols.next_multiple_of(drain));
                results = rest;
                let row = row_tile * plan.row.width + row;
                let mut to = y.slice_mut(s![row, first..first + cols]);
                to.iter_mut().zip(line).for_each(|(y, v)| *y += value(v) << shift);
            }
        }
    }
}
