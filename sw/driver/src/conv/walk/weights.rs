//! Weights of a walk in their memory: for every phase and set of steps, tap rows, steps, words of a step, turns.

use super::{Walk, axes};
use crate::device::Format;
use crate::layout::{Layout, Matrix, NOWHERE, Piece, Scratchpad, Side, Slice, Table};
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::Memory;

/// Taps of a phase in rows and columns, in memory.
pub(super) struct Weights {
    /// Per row phase and column phase: its first flat word.
    pub first: Vec<Vec<usize>>,
    /// Flat words of a tile of outputs, one plane.
    pub words: usize,
    /// For every word and lane: column of the matrix of weights.
    pub table: Vec<u32>,
    /// Sets of steps, which start at different taps.
    pub sets: usize,
    /// Taps from where a set starts to where the next one does.
    pub grain: usize,
}

impl Walk<'_> {
    /// Column of the matrix of weights: of the first entry of the group at a tap and channel.
    fn column(&self, tap: [usize; 2], channel: usize) -> usize {
        let position = tap[0] * self.width + tap[1];
        let k = position * self.reach.channels + channel;
        match self.problem.selection.pattern() {
            None => k,
            Some(p) => p.group_of(k) * p.n,
        }
    }

    pub(super) fn lay_weights(&self) -> Weights {
        let (reach, turns, sets, grain) = (&self.reach, self.turns, self.weights.sets, self.weights.grain);
        let (mut first, mut table) = (vec![], vec![]);
        for rows in &self.axes[0].phases {
            let mut of_row = vec![];
            for columns in &self.axes[1].phases {
                of_row.push(table.len() / reach.width);
                let (all, steps) = (columns.taps.len(), reach.steps(columns.taps.len()));
                for set in 0..sets {
                    for ky in &rows.taps {
                        for (step, word) in (0..steps).flat_map(|s| (0..reach.words()).map(move |w| (s, w))) {
                            for (turn, lane) in (0..turns).flat_map(|t| (0..reach.width).map(move |l| (t, l)))
                            {
                                let at = reach.first_digit(word, lane).and_then(|digit| {
                                    let tap = set * grain + step * reach.step + digit / reach.channels;
                                    let kx = (tap < all).then(|| columns.taps[tap])?;
                                    Some(self.column([*ky, kx], digit % reach.channels) + turn)
                                });
                                table.push(at.map_or(NOWHERE, |at| at as u32));
                            }
                        }
                    }
                }
            }
            first.push(of_row);
        }
        Weights { first, words: table.len() / reach.width, table, sets, grain }
    }

    /// Weights of outputs side by side, from those of one.
    ///
    /// # Shape    `[kh·kw·C, O]` → `[kh·(kw + (β − 1)·stride)·C, β·O]`
    pub(crate) fn side_by_side(&self, w: &Matrix<'_>) -> Matrix<'static> {
        let window = &self.problem.window;
        let ([kh, kw], channels, outputs) = (window.kernel, self.reach.channels, w.cols);
        let [_, axis] = axes(self.problem, 1).expect("one output");
        let taps = &axis.phases[0].taps;
        let columns = self.form.beside * outputs;
        let mut values = vec![0; kh * self.width * channels * columns];
        for (ky, beside) in (0..kh).flat_map(|ky| (0..self.form.beside).map(move |j| (ky, j))) {
            for (u, kx) in taps.iter().enumerate() {
                let to = (ky * self.width + u + beside * window.stride[1]) * channels;
                let from = (ky * kw + kx) * channels;
                for (c, o) in (0..channels).flat_map(|c| (0..outputs).map(move |o| (c, o))) {
                    values[(to + c) * columns + beside * outputs + o] = w.at(from + c, o);
                }
            }
        }
        Matrix::row_major(values, kh * self.width * channels, columns)
    }

    /// Tiles of outputs that fit in memory at once, with their indices; all of them at best.
    pub(super) fn tiles_at_once(&self) -> usize {
        let pad = self.weight_pad();
        let planes = pad.planes(self.problem.w.bits.into());
        let mut most = pad.capacity() / (planes * self.weights.words).max(1);
        if self.problem.selection.pattern().is_some() {
            most =
                most.min(Scratchpad::new(self.config, Memory::Index).capacity() / self.weights.words.max(1));
        }
        most.min(self.outputs().div_ceil(pad.width))
    }

    fn weight_pad(&self) -> Scratchpad {
        match self.side() {
            [_, Side::Col] => Scratchpad::columns(self.config, self.form.codes(self.problem)),
            [_, Side::Row] => Scratchpad::new(self.config, Side::Row),
        }
    }

    /// Weights, their indices and levels, of some tiles of outputs.
    pub(super) fn weight_layouts(&self, tiles: &Range<usize>) -> Vec<Arc<Layout>> {
        let (pad, width) = (self.weight_pad(), self.reach.width);
        let table = Arc::new(Table::Elements(self.weights.table.clone()));
        let outputs = self.outputs();
        let pieces = tiles.clone().map(|tile| Piece {
            lines: tile * pad.width..((tile + 1) * pad.width).min(outputs),
            column: Some(0),
            table: table.clone(),
        });
        let pieces: Vec<_> = pieces.collect();
        let (words, slice) = (self.weights.words, Slice::whole(self.problem.w));
        let mut layouts = vec![Layout::gathered(pad, pieces.clone(), words, width, slice).by_planes()];
        if self.problem.selection.pattern().is_some() {
            let pad = Scratchpad::new(self.config, Memory::Index);
            let slice = Slice::whole(Format::unsigned(pad.digit as u8));
            layouts.push(Layout::gathered(pad, pieces, words, width, slice));
        }
        layouts.extend(self.form.codes(self.problem).map(|_| Layout::levels(self.config)));
        layouts.into_iter().map(Arc::new).collect()
    }
}
