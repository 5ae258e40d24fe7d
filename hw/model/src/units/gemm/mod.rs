//! COMPUTE: walks, operands, accumulators, drain.
//!
//! ```text
//! tile levels ─► base ─┐
//! sum levels ──► turns ┴► [walk] ─► [panel] x, w ─► [kernel] acc += x·w ─► drain ─► result memory
//! ```
//! A tile's accumulators are those of all elements of the array, valid or not: `keep` may add to them
//! later. They are only computed where something can see them: the valid ones of every tile that is
//! drained, and all of them before a tile that keeps and at the end of the instruction.

mod kernel;
mod panel;
mod run;
mod tiles;
mod touch;
mod unit;
mod walk;

use crate::memory::Memories;
use panel::{Operand, Planes};
use tandem_spec::{Compute, Config};
use walk::{Turn, Walk};

/// Numbers of a row or column that are multiplied at a time.
const PANEL: usize = 8192;

/// The accumulators. They start as zeros.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    acc: Vec<i32>,
}

impl Array {
    /// The array of `config`.
    pub(crate) fn new(config: &Config) -> Self {
        Array { acc: vec![0; config.array.rows * config.array.cols] }
    }

    fn compute(&mut self, config: &Config, c: &Compute, memories: &mut Memories) {
        let a = &config.array;
        let planes = (
            Planes::new(c.row_planes, a.row_digit, c.row_plane_stride, c.row_signed),
            Planes::new(c.col_planes, a.col_digit, c.col_plane_stride, c.col_signed),
        );
        let narrow = planes.0.fit_16_bits() && planes.1.fit_16_bits();
        let mut job = Job { config, c, planes, acc: &mut self.acc };
        match (a.lanes, narrow) {
            (1, true) => job.run::<i16, 1>(memories),
            (2, true) => job.run::<i16, 2>(memories),
            (4, true) => job.run::<i16, 4>(memories),
            (8, true) => job.run::<i16, 8>(memories),
            (16, true) => job.run::<i16, 16>(memories),
            (_, true) => job.run::<i16, 32>(memories),
            (1, false) => job.run::<i32, 1>(memories),
            (2, false) => job.run::<i32, 2>(memories),
            (4, false) => job.run::<i32, 4>(memories),
            (8, false) => job.run::<i32, 8>(memories),
            (16, false) => job.run::<i32, 16>(memories),
            (_, false) => job.run::<i32, 32>(memories),
        }
    }
}

/// An instruction being executed.
struct Job<'a> {
    config: &'a Config,
    c: &'a Compute,
    planes: (Planes, Planes),
    acc: &'a mut [i32],
}

/// The panels with what they were packed for.
struct Panels<T> {
    x: Vec<T>,
    x_of: Option<(i16, usize)>,
    w: Vec<T>,
    w_of: Option<(i16, usize)>,
}

impl Job<'_> {
    fn run<T: Operand, const L: usize>(&mut self, memories: &mut Memories) {
        let (c, a) = (self.c, &self.config.array);
        let (tile_loops, sum_loops) = c.loops[..self.config.loops].split_at(c.tiles.into());
        let turns = Walk::turns(sum_loops);
        let block = (PANEL / (L << c.select)).clamp(1, turns);
        let mut stretch: Vec<Turn> = Walk::new(sum_loops).take(block).collect();
        let mut panels = Panels::<T> { x: vec![], x_of: None, w: vec![], w_of: None };
        let mut result = usize::from(c.result_base);
        let mut tiles = Walk::new(tile_loops);
        for tile in 0usize.. {
            let tile = tile as i16;
            let edge = |level: u8| tiles.in_last_turn(level.into());
            let rows = usize::from(if edge(c.row_edge) { c.rows_last } else { c.rows });
            let cols = usize::from(if edge(c.col_edge) { c.cols_last } else { c.cols });
            let Some(base) = tiles.next() else { return };
            if !c.keep {
                self.acc.fill(0);
            }
            let all = c.keep || tiles.done();
            if all || !c.hold {
                let side = if all { (a.rows, a.cols) } else { (rows, cols) };
                if turns == block {
                    self.add::<T, L>(memories, &mut panels, (tile, base), &stretch, side);
                } else {
                    let mut walk = Walk::new(sum_loops);
                    loop {
                        stretch.clear();
                        stretch.extend(walk.by_ref().take(block));
                        if stretch.is_empty() {
                            break;
                        }
                        (panels.x_of, panels.w_of) = (None, None);
                        self.add::<T, L>(memories, &mut panels, (tile, base), &stretch, side);
                    }
                }
                let unused = 32 - a.acc_bits;
                self.acc.iter_mut().for_each(|v| *v = *v << unused >> unused);
            }
            if !c.hold {
                self.drain(&mut memories.result, &mut result, rows, cols);
            }
        }
    }

    /// Adds a stretch of a tile's turns to the accumulators of the first rows and columns.
    fn add<T: Operand, const L: usize>(
        &mut self,
        m: &Memories,
        panels: &mut Panels<T>,
        (tile, base): (i16, Turn),
        stretch: &[Turn],
        (rows, cols): (usize, usize),
    ) {
        let c = self.c;
        let window = 1usize << c.select;
        let from = Turn { row: c.row_base.wrapping_add(base.row), col: c.col_base.wrapping_add(base.col) };
        if panels.x_of != Some((from.row, rows)) {
            let addresses = stretch.iter().map(|t| from.row.wrapping_add(t.row));
            panel::pack::<T, L>(&mut panels.x, panel::rows(m, rows), &self.planes.0, window, addresses);
            panels.x_of = Some((from.row, rows));
        }
        if panels.w_of != Some((from.col, cols)) {
            let addresses = stretch.iter().map(|t| from.col.wrapping_add(t.col));
            let (w, planes, indices) =
                (&mut panels.w, &self.planes.1, (m, c.index_base.wrapping_sub(c.col_base)));
            match (c.held || window == 1, c.coded) {
                (true, false) => panel::pack::<T, L>(w, panel::columns(m, cols), planes, 1, addresses),
                (true, true) => panel::pack::<T, L>(w, panel::codes(m, cols, L), planes, 1, addresses),
                (false, false) => {
                    panel::spread::<T, L>(w, panel::columns(m, cols), indices, planes, window, addresses);
                }
                (false, true) => {
                    panel::spread::<T, L>(w, panel::codes(m, cols, L), indices, planes, window, addresses);
                }
            }
            panels.w_of = Some((from.col, cols));
        }
        if c.held {
            let word = c.index_base.wrapping_add(tile);
            let pick =
                |r: usize, c: usize| usize::from(m.index_word(c, word).map_or(0, |w| w[r])) & (window - 1);
            kernel::multiply_picked::<T, L>(
                (self.acc, self.config.array.cols),
                (&panels.x, &panels.w),
                window,
                stretch.len(),
                pick,
            );
            return;
        }
        let k = stretch.len() * window * L;
        kernel::multiply(self.acc, self.config.array.cols, &panels.x, &panels.w, k);
    }

    /// Writes the valid results, row by row.
    fn drain(&self, memory: &mut [i32], address: &mut usize, rows: usize, cols: usize) {
        let a = &self.config.array;
        let depth = self.config.memory.result;
        for row in self.acc.chunks(a.cols).take(rows) {
            for group in row[..cols].chunks(a.drain) {
                let word = &mut memory[*address % depth * a.drain..][..a.drain];
                word.fill(0);
                word[..group.len()].copy_from_slice(group);
                *address += 1;
            }
        }
    }
}
