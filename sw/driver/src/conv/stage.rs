//! Walks as programs: bands that follow each other, and the COMPUTEs that walk over them.
//!
//! ```text
//! stage    what lies in memory at a time: a band of images beside weights, or bands of X and dY
//! cell     one COMPUTE over a part of it
//! block    cells whose results leave with one STORE
//!
//! LOAD rows of band 0   COMPUTE cell   STORE   LOAD some rows of band 1   COMPUTE cell   …   COMPUTE of band 1
//! ```
//! Where two bands fit, the rows of the next one come between the cells of the one before, after those that take long, so
//! that neither queue runs dry while the front end passes on a payload.

use crate::layout::Layout;
use crate::schedule::{Longest, Program, Schedule, Tiles};
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::isa::Loop;
use tandem_spec::{Compute, Config, Instruction, Memory, StoreWidth};

/// One COMPUTE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its fields; bases count from the first flat word of the stage's operands.
    pub compute: Compute,
    /// Result words.
    pub words: usize,
    /// Per operand: tiles that it reads, from the first on.
    pub needs: Vec<usize>,
    /// An operand that no other cell of the stage has.
    pub own: Option<Arc<Layout>>,
    /// Which phase of either axis (of a walk).
    pub phase: [usize; 2],
    /// What its levels of tiles go over, outermost first.
    pub over: [Range<usize>; 3],
}

impl Cell {
    /// Cycles that it takes about: its steps, or one a result word.
    fn time(&self) -> u64 {
        let compute = &self.compute;
        let turns = compute.loops.iter().map(|l| u64::from(l.count.max(1))).product::<u64>();
        let steps = turns * u64::from(compute.row_planes) * u64::from(compute.col_planes);
        steps.max(self.words as u64)
    }
}

/// Cells whose results leave together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub cells: Vec<Cell>,
    /// First image of the stage.
    pub image: usize,
    /// Images of the stage.
    pub images: usize,
}

impl Block {
    /// Cells of these images in blocks of at most `quota` result words, or of one cell.
    pub fn of(cells: Vec<Cell>, quota: usize, images: &Range<usize>) -> Vec<Block> {
        let mut blocks: Vec<Block> = vec![];
        for cell in cells {
            match blocks.last_mut() {
                Some(last) if last.words() + cell.words <= quota => last.cells.push(cell),
                _ => blocks.push(Block { cells: vec![cell], image: images.start, images: images.len() }),
            }
        }
        blocks
    }

    /// Lanes of a result word that are returned, if the accelerator can leave the others out and all tiles have as many
    /// columns; else 0: all.
    pub fn lanes(&self, config: &Config) -> u8 {
        let all = |cols: u8| self.cells.iter().all(|c| c.compute.cols == cols && c.compute.cols_last == cols);
        let first = self.cells[0].compute.cols;
        if config.pack && usize::from(first) < config.array.drain && all(first) { first } else { 0 }
    }

    /// Result words.
    pub fn words(&self) -> usize {
        self.cells.iter().map(|cell| cell.words).sum()
    }
}

/// What lies in memory together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Row, column, index and offset operand and levels, as far as there are any.
    pub operands: Vec<Arc<Layout>>,
    pub blocks: Vec<Block>,
}

/// A program for stages; blocks are counted through. `finally` is loaded at the end.
pub(crate) fn schedule(
    config: &Config,
    stages: &[Stage],
    finally: Option<&Arc<Layout>>,
    transport: StoreWidth,
) -> Program {
    let mut longest = Longest::default();
    for stage in stages {
        let own = stage.blocks.iter().flat_map(|block| &block.cells).filter_map(|cell| cell.own.as_ref());
        stage.operands.iter().chain(own).for_each(|layout| longest.add(layout));
        longest.results = stage.blocks.iter().map(Block::words).chain([longest.results]).max().unwrap_or(0);
    }
    longest.slots = streamed(stages);
    let streams = longest.slots.clone();
    let mut program = Schedule::new(config, &longest);
    let ahead: Vec<Memory> = streams.into_iter().filter(|m| program.has_room_for_two(*m)).collect();
    let mut block_number = 0;
    for (i, stage) in stages.iter().enumerate() {
        let next = stages.get(i + 1).map_or(&[][..], |next| &next.operands);
        let next: Vec<_> = next.iter().filter(|layout| ahead.contains(&layout.pad.memory)).collect();
        let times = stage.blocks.iter().flat_map(|block| &block.cells).map(|cell| cell.time());
        let (all, mut done) = (times.sum::<u64>(), 0);
        for block in &stage.blocks {
            let mut results = None;
            let mut address = 0;
            for cell in &block.cells {
                let operands: Vec<_> = stage
                    .operands
                    .iter()
                    .zip(&cell.needs)
                    .map(|(layout, end)| Tiles { layout: layout.clone(), tiles: 0..*end })
                    .chain(cell.own.iter().map(|layout| Tiles { layout: layout.clone(), tiles: 0..1 }))
                    .collect();
                operands.iter().for_each(|operand| program.load(operand, block_number));
                let results = results.get_or_insert_with(|| {
                    let results = program.results(block_number, block.words());
                    address = results.address;
                    results
                });
                let used: Vec<_> = operands.iter().collect();
                program.compute(&used, Some(results), |bases| {
                    Instruction::Compute(placed(&cell.compute, &used, bases, address))
                });
                address += cell.words;
                done += cell.time();
                for layout in &next {
                    let tiles = 0..(layout.tiles.len() as u64 * done / all) as usize;
                    if !tiles.is_empty() {
                        program.load(&Tiles { layout: (*layout).clone(), tiles }, block_number);
                    }
                }
            }
            if let Some(results) = &results {
                program.store_lanes(results, transport, block.lanes(config));
            }
            block_number += 1;
        }
    }
    if let Some(layout) = finally {
        program.load(&Tiles { layout: layout.clone(), tiles: 0..1 }, block_number);
    }
    program.finish()
}

/// The memories in which more than one layout lies in turn.
fn streamed(stages: &[Stage]) -> Vec<Memory> {
    let mut found: Vec<Memory> = vec![];
    for pair in stages.windows(2) {
        for (a, b) in pair[0].operands.iter().zip(&pair[1].operands) {
            if !Arc::ptr_eq(a, b) && !found.contains(&a.pad.memory) {
                found.push(a.pad.memory);
            }
        }
    }
    found
}

/// The fields of a cell where its operands lie.
fn placed(compute: &Compute, operands: &[&Tiles], bases: &[usize], results: usize) -> Compute {
    let mut placed = Compute { result_base: compute.result_base.wrapping_add(results as u16), ..*compute };
    for (operand, base) in operands.iter().zip(bases) {
        let base = *base as i16;
        match operand.layout.pad.memory {
            Memory::Row => placed.row_base = placed.row_base.wrapping_add(base),
            Memory::Col | Memory::Code => placed.col_base = placed.col_base.wrapping_add(base),
            Memory::Index => placed.index_base = placed.index_base.wrapping_add(base),
            _ => {}
        }
    }
    placed
}

/// Turns of a loop and its strides on the two sides of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub count: usize,
    pub row: usize,
    pub col: usize,
}

impl Level {
    fn turns(&self) -> Loop {
        Loop { count: self.count as u16, row_stride: self.row as i16, col_stride: self.col as i16 }
    }
}

/// Levels as the fields of a COMPUTE: those of one turn take none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nest {
    pub loops: [Loop; tandem_spec::config::MAX_LOOPS],
    /// Levels from tile to tile.
    pub tiles: usize,
    /// The level of each level of tiles; 7 if it has none.
    pub of_tiles: [u8; 3],
}

impl Nest {
    /// Levels from tile to tile and levels of the sum, outermost first, of which the one that goes on choosing from the
    /// same windows (with N:M selection) comes last, or if `held` last of the tiles; `None` if they are too many.
    pub fn new(
        config: &Config,
        tiles: [Level; 3],
        sum: &[Level],
        turns: Option<Level>,
        held: bool,
    ) -> Option<Nest> {
        let lasting = |level: &&Level| level.count > 1;
        let within = turns.filter(|_| held);
        let outer: Vec<&Level> = tiles.iter().filter(lasting).chain(&within).collect();
        let all: Vec<&Level> = outer.iter().copied().chain(sum.iter().filter(lasting)).collect();
        let last = turns.filter(|_| !held);
        if all.len() + usize::from(last.is_some()) > config.loops {
            return None;
        }
        let mut nest = Nest { loops: Default::default(), tiles: outer.len(), of_tiles: [7; 3] };
        let lasting = tiles.iter().zip(&mut nest.of_tiles).filter(|(level, _)| level.count > 1);
        lasting.enumerate().for_each(|(at, (_, of))| *of = at as u8);
        nest.loops.iter_mut().zip(all).for_each(|(to, level)| *to = level.turns());
        if let Some(level) = last {
            nest.loops[config.loops - 1] = level.turns();
        }
        Some(nest)
    }
}

/// Valid rows or columns of a COMPUTE: those of all tiles, those of the last one on a level, and the level.
pub(crate) fn edge(first: usize, last: usize, level: u8) -> (u8, u8, u8) {
    if first == last || level == 7 { (last as u8, last as u8, 7) } else { (first as u8, last as u8, level) }
}

/// What the `products` register counts for a COMPUTE: Σ over tiles of valid rows · valid columns, times its steps a tile.
pub(crate) fn products(compute: &Compute) -> u64 {
    let counts: Vec<u64> = compute.loops.iter().map(|l| u64::from(l.count.max(1))).collect();
    let (tiles, sum) = counts.split_at(compute.tiles.into());
    let planes = u64::from(compute.row_planes) * u64::from(compute.col_planes);
    let steps = sum.iter().product::<u64>() * planes;
    let all: u64 = tiles.iter().product();
    let of = |level: u8| tiles.get(usize::from(level)).copied();
    let (rows, rows_last) = (u64::from(compute.rows), u64::from(compute.rows_last));
    let (cols, cols_last) = (u64::from(compute.cols), u64::from(compute.cols_last));
    // Tiles in the last turn of the level of an edge are one in so many.
    let valid = match (of(compute.row_edge), of(compute.col_edge)) {
        (None, None) => all * rows * cols,
        (Some(r), None) => all / r * ((r - 1) * rows + rows_last) * cols,
        (None, Some(c)) => all / c * rows * ((c - 1) * cols + cols_last),
        (Some(r), Some(_)) if compute.row_edge == compute.col_edge => {
            all / r * ((r - 1) * rows * cols + rows_last * cols_last)
        }
        (Some(r), Some(c)) => all / r / c * ((r - 1) * rows + rows_last) * ((c - 1) * cols + cols_last),
    };
    valid * steps
}

/// The value of `key`, made if it is not there.
pub(crate) fn shared<K: PartialEq, V: Clone>(list: &mut Vec<(K, V)>, key: K, make: impl FnOnce() -> V) -> V {
    if let Some((_, value)) = list.iter().find(|entry| entry.0 == key) {
        return value.clone();
    }
    list.push((key, make()));
    list.last().expect("just pushed").1.clone()
}
