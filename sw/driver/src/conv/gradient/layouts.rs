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
    /// Per flat words and first pixel.
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
        let width = self.problem.window.image[1];
        let last = columns.input(x.end - 1, (self.reach.steps(kw) - 1) * self.reach.step);
        let positions = (last - start) as usize / grain + 1;
        let words = if self.broadcasts() {
            self.copies * self.copied(x.len())
        } else {
            positions * self.reach.flat()
        };
        let [elements, _] = self.valid_rows(&(0..self.counts()[1]));
        let table = shared(&mut tables.x, (words, start), || {
            if self.broadcasts() {
                return Arc::new(Table::Lanes(self.copies_of_row(start, words / self.copies)));
            }
            let by_words = self.reach.columns(positions, start, grain, width);
            // Row after row of the array instead of word after word.
            let rows = (0..elements).flat_map(|e| (0..words).map(move |w| (e, w)));
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

    /// Digits of a row of X, from the first output of a copy on.
    fn copied(&self, outputs: usize) -> usize {
        let last = (outputs.div_ceil(self.copies) - 1) * self.copies * self.problem.window.stride[1];
        // Rows beyond the kernel's row in its last tile read on.
        let terms = match self.form.rows {
            Rows::Broadcast if self.counts()[1] > 1 => self.counts()[1] * self.array(),
            _ => self.terms(),
        };
        last * self.reach.channels + terms * self.members
    }

    /// Columns of a row of X, as often as it is there, each time from another output on.
    fn copies_of_row(&self, start: isize, digits: usize) -> Vec<u32> {
        let window = &self.problem.window;
        let copy = |copy: usize| {
            let first = start + (copy * window.stride[1]) as isize;
            let positions = digits.div_ceil(window.channels);
            self.reach.columns(positions, first, 1, window.image[1]).into_iter().take(digits)
        };
        (0..self.copies).flat_map(copy).collect()
    }

    /// dY of a band; outputs beyond it fill the copies of X up.
    pub(super) fn dy(
        &self,
        y: &Range<usize>,
        x: &Range<usize>,
        images: &Range<usize>,
        tables: &mut Shared,
    ) -> Layout {
        let (outputs, tiles) = (self.problem.outputs, self.counts()[2]);
        let filled = x.len().next_multiple_of(self.copies);
        let table = shared(&mut tables.dy, x.clone(), || {
            let cols = self.config.array.cols;
            let column = |e: usize, tile: usize, ox: usize| {
                let output = tile * cols + e;
                if output < outputs { (ox * outputs + output) as u32 } else { NOWHERE }
            };
            let (all, first) = (0..tiles * filled, x.start);
            let words = (0..cols.min(outputs)).flat_map(|e| all.clone().map(move |w| (e, w)));
            let entry = |(e, word): (usize, usize)| {
                let ox = first + word % filled;
                if ox < x.end { column(e, word / filled, ox) } else { NOWHERE }
            };
            Arc::new(Table::Lanes(words.map(entry).collect()))
        });
        let row = self.axes[1].outputs() * outputs;
        let piece = |oy: usize| Piece { lines: images.clone(), column: Some(oy * row), table: table.clone() };
        let pad = Scratchpad::new(self.config, Memory::Col);
        Layout::gathered(pad, y.clone().map(piece).collect(), tiles * filled, 1, Slice::whole(self.problem.w))
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
        let (terms, members) = (self.terms(), self.members);
        let value = |row: usize, tile: usize| match self.form.rows {
            Rows::Broadcast if tile < tiles => row.min(terms - 1) * members,
            Rows::Scattered if tile < tiles => {
                // A row beyond the kernel reads what the last one does.
                let term = (tile * self.array() + row).min(self.problem.window.kernel[0] * terms - 1);
                term / terms * (row_stride / self.row_grain()) + term % terms * members
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
