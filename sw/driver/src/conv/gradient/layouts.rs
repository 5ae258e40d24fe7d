//! Bands of X and dY, indices and row offsets of a weight gradient in their memories.

use super::{Gradient, Rows};
use crate::conv::stage::shared;
use crate::device::Format;
use crate::layout::{Layout, NOWHERE, Piece, Scratchpad, Slice, Table};
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::Memory;

/// Layouts and tables that bands share.
#[derive(Default)]
pub(super) struct Shared {
    /// Per number of positions and first pixel.
    pub x: Vec<((usize, isize), Arc<Table>)>,
    /// Per output columns.
    pub dy: Vec<(Range<usize>, Arc<Table>)>,
    /// Per flat words of a row and tile.
    pub offsets: Vec<((usize, usize), Arc<Layout>)>,
}

impl Gradient<'_> {
    /// X under the outputs of a band.
    pub(super) fn x(
        &self,
        y: &Range<usize>,
        x: &Range<usize>,
        images: &Range<usize>,
        tables: &mut Shared,
    ) -> Layout {
        let [rows, columns] = [0, 1].map(|axis| &self.axes[axis].phases[0]);
        let [kh, kw] = self.problem.window.kernel;
        let (start, grain) = (columns.input(x.start, 0), self.grain());
        let last = columns.input(x.end - 1, (self.reach.steps(kw) - 1) * self.reach.step);
        // Rows beyond the kernel's row in its last tile read on.
        let beyond = match self.form.rows {
            Rows::Broadcast if self.counts()[1] > 1 => self.counts()[1] * self.array() - self.run(),
            _ => 0,
        };
        let positions = (last - start) as usize / grain + 1 + beyond.div_ceil(self.reach.channels);
        let words = positions * self.reach.flat();
        let [elements, _] = self.valid_rows(&(0..self.counts()[1]));
        let table = shared(&mut tables.x, (positions, start), || {
            let by_words = self.reach.columns(positions, start, grain, self.problem.window.image[1]);
            // Row after row of the array instead of word after word.
            let rows = (0..if self.broadcasts() { 1 } else { elements })
                .flat_map(|e| (0..words).map(move |w| (e, w)));
            Arc::new(Table::Lanes(rows.map(|(e, word)| by_words[word * self.reach.width + e]).collect()))
        });
        let row = self.problem.window.image[1] * self.problem.window.channels;
        let piece = |input: isize| Piece {
            lines: images.clone(),
            column: (0..self.axes[0].inputs as isize).contains(&input).then(|| input as usize * row),
            table: table.clone(),
        };
        let inputs = rows.input(y.start, 0)..rows.input(y.end - 1, kh - 1) + 1;
        let pieces = inputs.step_by(self.row_grain()).map(piece).collect();
        let pad = Scratchpad::new(self.config, Memory::Row);
        let layout = Layout::gathered(pad, pieces, words, 1, Slice::whole(self.problem.x));
        Layout { broadcast: self.broadcasts(), ..layout }
    }

    /// dY of a band.
    pub(super) fn dy(
        &self,
        y: &Range<usize>,
        x: &Range<usize>,
        images: &Range<usize>,
        tables: &mut Shared,
    ) -> Layout {
        let (outputs, tiles) = (self.problem.outputs, self.counts()[2]);
        let table = shared(&mut tables.dy, x.clone(), || {
            let cols = self.config.array.cols;
            let column = |e: usize, tile: usize, ox: usize| {
                let output = tile * cols + e;
                if output < outputs { (ox * outputs + output) as u32 } else { NOWHERE }
            };
            let elements = 0..cols.min(outputs);
            let words =
                elements.flat_map(|e| (0..tiles).flat_map(move |t| x.clone().map(move |ox| (e, t, ox))));
            Arc::new(Table::Lanes(words.map(|(e, tile, ox)| column(e, tile, ox)).collect()))
        });
        let row = self.axes[1].outputs() * outputs;
        let piece = |oy: usize| Piece { lines: images.clone(), column: Some(oy * row), table: table.clone() };
        let pad = Scratchpad::new(self.config, Memory::Col);
        Layout::gathered(
            pad,
            y.clone().map(piece).collect(),
            tiles * x.len(),
            1,
            Slice::whole(self.problem.w),
        )
    }

    /// Offsets of the rows of the array: columns of a matrix.
    pub(super) fn offsets(&self, column: usize) -> Layout {
        let pad = Scratchpad::new(self.config, Memory::Offset).with_words(1, 16);
        let table = Arc::new(Table::Elements(vec![0]));
        let piece = Piece { lines: 0..self.array(), column: Some(column), table };
        Layout::gathered(pad, vec![piece], 1, 1, Slice::whole(Format::unsigned(pad.digit as u8)))
    }

    /// Offsets of every tile of a kernel, a column each, and zeros.
    ///
    /// # Shape    `[rows, tiles + 1]`
    pub fn offset_values(&self, row_stride: usize) -> Vec<i32> {
        let tiles = self.counts()[1];
        let run = self.run();
        let value = |row: usize, tile: usize| match self.form.rows {
            Rows::Broadcast if tile < tiles => row.min(run - 1),
            Rows::Scattered if tile < tiles => {
                // A row beyond the kernel reads what the last one does.
                let line = (tile * self.array() + row).min(self.problem.window.volume() - 1);
                line / run * (row_stride / self.row_grain()) + line % run
            }
            _ => 0,
        };
        let rows = (0..self.array()).flat_map(|row| (0..=tiles).map(move |tile| value(row, tile) as i32));
        rows.collect()
    }

    /// An index word for each tile and pass of a cell, in their order.
    pub(super) fn indices(&self, over: &[Range<usize>; 3], pieces: &mut Vec<Piece>) {
        let p = self.problem.selection.pattern().expect("selected results");
        for ky in over[0].clone() {
            for word in over[1].clone() {
                let entry = |row: usize| {
                    let line = self.line([ky, word], row);
                    line.map_or(NOWHERE, |line| (self.group(line) * p.n) as u32)
                };
                let table = Arc::new(Table::Elements((0..self.array()).map(entry).collect()));
                for tile in over[2].clone() {
                    for pass in 0..p.n {
                        let (lines, table) = (self.outputs(tile), table.clone());
                        pieces.push(Piece { lines, column: Some(pass), table });
                    }
                }
            }
        }
    }
}
