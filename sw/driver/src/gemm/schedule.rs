//! A product's plan as a program: one COMPUTE a block.
//!
//! ```text
//! levels   row tiles, column tiles, passes if results are selected,       (tiles: outer levels)
//!          words of the sum, …, and innermost the kept entries of a word if weights are compressed
//! ```

use super::plan::{Block, GemmPlan};
use crate::layout::Side;
use crate::schedule::{Longest, Program, Schedule, Tiles};
use tandem_spec::isa::Loop;
use tandem_spec::{Compute, Config, Instruction, Memory};

/// Level of row tiles, of column tiles, of passes if results are selected, and of the sum after them.
const ROWS: usize = 0;
const COLS: usize = 1;
const PASS: usize = 2;
/// No edge.
const NONE: u8 = 7;

/// Turns a plan into a program.
///
/// # Panics
/// If a block exceeds a memory (no plan of [`super::search`] does).
pub fn schedule(config: &Config, plan: &GemmPlan) -> Program {
    let mut longest = Longest::default();
    for block in &plan.blocks {
        for side in Side::BOTH {
            longest.add(&plan.layout(config, side, block.part, plan.region(side, block)));
        }
        plan.indices(config, block).iter().for_each(|indices| longest.add(&indices.layout));
        plan.levels(config).iter().for_each(|levels| longest.add(&levels.layout));
        longest.results = longest.results.max(plan.result_words(config, block));
    }
    let mut program = Schedule::new(config, &longest);
    for (index, block) in plan.blocks.iter().enumerate() {
        let operands = Side::BOTH.map(|side| plan.operand(config, side, block));
        let (indices, levels) = (plan.indices(config, block), plan.levels(config));
        // What need not wait goes first.
        let mut loads = operands.each_ref();
        loads.sort_by_key(|operand| program.free_after(operand));
        levels.iter().chain(loads).chain(&indices).for_each(|operand| program.load(operand, index));
        let used: Vec<_> = operands.iter().chain(&indices).chain(&levels).collect();
        let results = (!block.hold).then(|| program.results(index, plan.result_words(config, block)));
        let address = results.map_or(0, |results| results.address);
        program.compute(&used, results.as_ref(), |bases| {
            Instruction::Compute(compute(config, plan, block, &used, bases, address))
        });
        let lanes = plan.lanes(config, block);
        results.iter().for_each(|results| program.store_lanes(results, plan.transport, lanes));
    }
    program.finish()
}

fn compute(
    config: &Config,
    plan: &GemmPlan,
    block: &Block,
    operands: &[&Tiles],
    bases: &[usize],
    result: usize,
) -> Compute {
    let (part, selection) = (&plan.parts[block.part], plan.problem.selection);
    let index = operands.iter().position(|operand| operand.layout.pad.memory == Memory::Index);
    let index = index.map_or(0, |at| bases[at]);
    let (row, col) = (&operands[0].layout, &operands[1].layout);
    let [(row_planes, row_plane_stride), (col_planes, col_plane_stride)] =
        [row, col].map(|layout| layout.digit_planes(config));
    let mut loops = [Loop::default(); tandem_spec::config::MAX_LOOPS];
    if block.rows.len() > 1 {
        let row_stride = row.tile_stride as i16;
        loops[ROWS] = Loop { count: block.rows.len() as u16, row_stride, col_stride: 0 };
    }
    if block.cols.len() > 1 {
        let col_stride = col.tile_stride as i16;
        loops[COLS] = Loop { count: block.cols.len() as u16, row_stride: 0, col_stride };
    }
    let mut tiles = PASS;
    if selection.is_of_results() {
        loops[PASS].count = selection.passes() as u16;
        tiles = PASS + 1;
    }
    let [row_stride, col_stride] = [row, col].map(|layout| layout.order.turns() as i16);
    loops[tiles] = Loop { count: part.words(config.array.lanes) as u16, row_stride, col_stride };
    if selection.is_of_weights() {
        loops[config.loops - 1] = Loop { count: selection.turns() as u16, row_stride: 0, col_stride: 1 };
    }
    let edge = |side: Side, level: usize| {
        let (operand, tiles) = (plan.side(side), block.tiles(side));
        let (first, last) = (operand.rows_of(tiles.start), operand.rows_of(tiles.end - 1));
        (first as u8, last as u8, if first == last { NONE } else { level as u8 })
    };
    let (rows, rows_last, row_edge) = edge(Side::Row, ROWS);
    let (cols, cols_last, col_edge) = edge(Side::Col, COLS);
    Compute {
        keep: block.keep,
        hold: block.hold,
        row_signed: row.slice.format.signed,
        col_signed: col.slice.format.signed,
        row_base: bases[0] as i16,
        col_base: bases[1] as i16,
        index_base: index as i16,
        result_base: result as u16,
        rows,
        rows_last,
        row_edge,
        cols,
        cols_last,
        col_edge,
        coded: col.pad.codes.is_some(),
        row_planes,
        col_planes,
        tiles: tiles as u8,
        select: selection.pattern().map_or(0, |p| p.select()),
        held: selection.is_of_results(),
        row_plane_stride,
        col_plane_stride,
        loops,
        ..Compute::default()
    }
}
