//! Weight gradients as walks over bands of X and dY.
//!
//! ```text
//! lanes       images               the sum runs over images, output rows and output columns
//! rows        digits of a kernel's row (or groups of them, of which every element holds an index of its own)
//! columns     outputs
//!
//! X word      (row, position, word of the step, member), its lanes images      dY word   (row, tile of outputs, column)
//! COMPUTE     levels of tiles: kernel rows, words of a kernel's row, tiles of outputs, and the passes of N:M
//!             levels of the sum: output rows, output columns
//! ```
//! Where a pixel's digits lie one after the other, all rows of the array get the same words (`broadcast`), and row offsets
//! tell them apart: so X crosses the link once, and the rows of the array take any digits of the kernel, or groups, also of
//! several of its rows (`scattered`), for which offsets are loaded anew. Windows of N:M begin at multiples of M: if a
//! pixel is not whole groups, every M/gcd(M, stride·C)-th output begins a group, and X is there as often, each *copy* from
//! the pixel of another output on.
//!
//! Every stage returns its own sums, which the host adds.

mod layouts;

use super::axis::{Axis, gcd};
use super::reach::Reach;
use super::request::ConvProblem;
use super::stage::{Block, Cell, Level, Nest, Stage, edge, shared};
use super::walk::{bands, even};
use crate::device::Format;
use crate::gemm::longest_sum;
use crate::layout::{Layout, Scratchpad, Side, Slice};
use layouts::Shared;
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::{Compute, Config, Memory};

/// How rows of the array get their digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Each has words of its own: steps of so many pixels.
    Own(usize),
    /// All have the same words; offsets count along a kernel's row.
    Broadcast,
    /// All have the same words; offsets are any digits of the kernel, loaded for every tile.
    Scattered,
}

impl Rows {
    /// Whether all rows of the array have the same words.
    pub fn share_words(self) -> bool {
        !matches!(self, Rows::Own(_))
    }
}

/// The choices of a weight gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// Rows of the array.
    pub rows: Rows,
    /// Output rows and columns of a band.
    pub band: [usize; 2],
    /// Output rows of a band of the first images: less, so that the array starts soon.
    pub first: usize,
    /// Most result words of a STORE.
    pub quota: usize,
}

pub(crate) struct Gradient<'a> {
    config: &'a Config,
    problem: &'a ConvProblem,
    form: Form,
    axes: [Axis; 2],
    reach: Reach,
    /// M: digits of an element's window.
    members: usize,
    /// How often X is there.
    copies: usize,
}

/// Cells of every band, and the indices that they read.
struct Cells {
    /// Per cell: ranges of the levels of tiles, and its first index word.
    over: Vec<([Range<usize>; 3], usize)>,
    indices: Option<Arc<Layout>>,
}

impl<'a> Gradient<'a> {
    /// A gradient of this form; `None` if the form does not suit the problem.
    pub fn new(config: &'a Config, problem: &'a ConvProblem, form: Form) -> Option<Self> {
        let pattern = problem.selection.pattern();
        let window = &problem.window;
        let (channels, taps) = (window.channels, window.kernel[1]);
        let axes = [0, 1].map(|axis| Axis::forward(window, axis));
        let members = pattern.map_or(1, |p| p.m);
        let copies = match form.rows {
            Rows::Own(_) => 1,
            Rows::Broadcast | Rows::Scattered => members / gcd(members, window.stride[1] * channels),
        };
        let reach = match form.rows {
            Rows::Own(step) if step <= taps => Reach::new(channels, taps, step, pattern, config.array.rows)?,
            Rows::Own(_) => return None,
            // Groups follow each other without gaps along a kernel's row.
            Rows::Broadcast | Rows::Scattered
                if pattern.is_some_and(|p| p.run == channels && !channels.is_multiple_of(p.m)) =>
            {
                return None;
            }
            // Offsets hold for one length of rows.
            Rows::Scattered if !axes[1].outputs().is_multiple_of(form.band[1]) => return None,
            // A pixel a position, a digit a word.
            Rows::Broadcast | Rows::Scattered => Reach::new(channels, taps, 1, None, 1)?,
        };
        let gradient = Gradient { config, problem, form, axes, reach, members, copies };
        // Words of several steps are a level of their own only where they lie at equal distances.
        let (words, steps) = (gradient.reach.words(), gradient.reach.steps(taps));
        let even = words == 1 || steps == 1 || gradient.reach.step == gradient.grain();
        (gradient.broadcasts() || even).then_some(gradient)
    }

    fn array(&self) -> usize {
        self.config.array.rows
    }

    /// Whether all rows of the array have the same words.
    fn broadcasts(&self) -> bool {
        self.form.rows.share_words()
    }

    /// Pixels from position to position.
    fn grain(&self) -> usize {
        if self.broadcasts() { 1 } else { self.axes[1].grain(self.reach.step, false) }
    }

    /// Image rows from row to row of a band.
    fn row_grain(&self) -> usize {
        self.axes[0].grain(1, false)
    }

    /// Digits of a kernel's row.
    fn run(&self) -> usize {
        self.problem.window.kernel[1] * self.problem.window.channels
    }

    /// Digits of a kernel's row, or its groups.
    fn terms(&self) -> usize {
        self.run().div_ceil(self.members)
    }

    /// Counts of the three levels of tiles: kernel rows, words of a kernel's row, tiles of outputs.
    fn counts(&self) -> [usize; 3] {
        let [kh, kw] = self.problem.window.kernel;
        let outputs = self.problem.outputs.div_ceil(self.config.array.cols);
        match self.form.rows {
            Rows::Own(_) => [kh, self.reach.all_words(kw), outputs],
            Rows::Broadcast => [kh, self.terms().div_ceil(self.array()), outputs],
            Rows::Scattered => [1, (kh * self.terms()).div_ceil(self.array()), outputs],
        }
    }

    /// Row of dW that an element of a tile is, or the first one of its group; `None` beyond the kernel's row.
    fn line(&self, tile: [usize; 2], element: usize) -> Option<usize> {
        let (run, term) = (self.run(), tile[1] * self.array() + element);
        let (row, digit) = match self.form.rows {
            Rows::Own(_) => {
                let (step, word) = (tile[1] / self.reach.words(), tile[1] % self.reach.words());
                let first = step * self.reach.step * self.reach.channels;
                (tile[0], first + self.reach.first_digit(word, element)?)
            }
            Rows::Broadcast => (tile[0], term * self.members),
            Rows::Scattered => (term / self.terms(), term % self.terms() * self.members),
        };
        (digit < run && row < self.problem.window.kernel[0]).then_some(row * run + digit)
    }

    /// Valid rows of all but the last of some words of a kernel's row, and of the last.
    fn valid_rows(&self, words: &Range<usize>) -> [usize; 2] {
        let of = |word: usize| {
            let last = (0..self.array()).rev().find(|e| self.line([0, word], *e).is_some());
            last.map_or(0, |last| last + 1)
        };
        let last = of(words.end - 1);
        let most = (words.start..words.end - 1).map(of).max();
        [most.unwrap_or(last), last]
    }

    /// Outputs of a tile.
    fn outputs(&self, tile: usize) -> Range<usize> {
        let cols = self.config.array.cols;
        tile * cols..((tile + 1) * cols).min(self.problem.outputs)
    }

    /// What is in memory and walked over, stage after stage, and what is loaded at the end; `None` if it does not fit.
    pub fn stages(&self) -> Option<(Vec<Stage>, Option<Arc<Layout>>)> {
        let [row_pad, col_pad] = Side::BOTH.map(|side| Scratchpad::new(self.config, side));
        let problem = self.problem;
        let fits = row_pad.planes(problem.x.bits.into()) <= row_pad.max_planes
            && col_pad.planes(problem.w.bits.into()) <= col_pad.max_planes;
        let [all_rows, all_columns] = [0, 1].map(|axis| 0..self.axes[axis].outputs());
        let columns = bands(&all_columns, self.form.band[1]);
        let rows = [self.form.first, self.form.band[0]].map(|size| bands(&all_rows, size));
        let lanes = self.config.array.lanes;
        let longest = longest_sum(problem.x, problem.w, self.config.array.acc_bits);
        if !fits || terms(self.config, problem, &self.form) > longest {
            return None;
        }
        let mut shared = Shared::default();
        let (mut cells, mut stages) = (None, vec![]);
        for image in (0..problem.images).step_by(lanes) {
            let images = image..(image + lanes).min(problem.images);
            for y in &rows[usize::from(image > 0)] {
                for x in &columns {
                    let band = [self.x(y, x, &images, &mut shared), self.dy(y, x, &images, &mut shared)];
                    if band.iter().any(|layout| layout.addresses() > layout.pad.depth) {
                        return None;
                    }
                    if cells.is_none() {
                        cells = Some(self.cells(&band)?);
                    }
                    let cells = cells.as_ref().expect("just made");
                    let blocks = self.blocks(cells, &band, &images, &mut shared)?;
                    let mut operands: Vec<_> = band.into_iter().map(Arc::new).collect();
                    operands.extend(cells.indices.clone());
                    stages.push(Stage { operands, blocks });
                }
            }
        }
        let zero = self.broadcasts().then(|| Arc::new(self.offsets(self.counts()[1])));
        Some((stages, zero))
    }

    /// Flat words of X from word to word of a kernel's row.
    fn word_stride(&self) -> usize {
        match self.form.rows {
            Rows::Own(_) if self.reach.words() == 1 => {
                self.reach.step.div_ceil(self.grain()) * self.reach.flat()
            }
            Rows::Own(_) => self.reach.members,
            Rows::Broadcast => self.array() * self.members,
            Rows::Scattered => 0,
        }
    }

    /// Output columns of dY in memory, with those that fill the copies of X up.
    fn columns(&self, dy: &Layout) -> usize {
        dy.words / self.counts()[2]
    }

    /// Levels for a band.
    fn nest(&self, band: &[Layout; 2], counts: [usize; 3]) -> Option<Nest> {
        let [x, dy] = band;
        let (rows, columns) = (dy.tiles.len(), self.columns(dy));
        let (row_grain, grain) = (self.row_grain(), self.grain());
        let [down, across] = self.problem.window.stride;
        let flat = self.reach.flat();
        let level = |count: usize, row: usize, col: usize| Level { count, row, col };
        let tiles = [
            level(counts[0], x.tile_stride / row_grain, 0),
            level(counts[1], self.word_stride(), 0),
            level(counts[2], 0, columns),
        ];
        let copies = self.copies;
        let sum = [
            level(rows, down / row_grain * x.tile_stride, dy.tile_stride),
            level(copies, x.words / copies, 1),
            level(columns / copies, copies * across / grain * flat, copies),
        ];
        let held = self.problem.selection.is_of_results();
        let passes = self.problem.selection.passes();
        Nest::new(self.config, tiles, &sum, held.then(|| level(passes, 0, 0)), held)
    }

    /// Result words of tiles.
    fn drained(&self, over: &[Range<usize>; 3]) -> usize {
        let [rows, last] = self.valid_rows(&over[1]);
        let columns = |tile: usize| self.outputs(tile).len().div_ceil(self.config.array.drain);
        let columns = over[2].clone().map(columns).sum::<usize>();
        over[0].len() * ((over[1].len() - 1) * rows + last) * columns * self.problem.selection.passes()
    }

    /// The tiles as COMPUTEs that suit the levels and the result memory, alike for every band.
    fn cells(&self, band: &[Layout; 2]) -> Option<Cells> {
        let all = self.counts().map(|count| 0..count);
        let mut most = self.counts();
        if self.form.rows == Rows::Scattered {
            most[1] = 1;
        }
        for level in [0, 2, 1] {
            if self.nest(band, most).is_some() {
                break;
            }
            most[level] = 1;
        }
        self.nest(band, most)?;
        // Kernel rows, then outputs, then words.
        for level in [0, 2, 1] {
            let others = [0, 1, 2].map(|l| if l == level { 0..1 } else { 0..most[l] });
            most[level] = most[level].min(self.form.quota / self.drained(&others).max(1)).max(1);
        }
        if self.drained(&most.map(|count| 0..count)) > self.form.quota {
            return None;
        }
        let (mut over, mut pieces) = (vec![], vec![]);
        for ky in even(&all[0], most[0]) {
            for words in even(&all[1], most[1]) {
                for outputs in even(&all[2], most[2]) {
                    let cell = [ky.clone(), words.clone(), outputs];
                    over.push((cell.clone(), pieces.len()));
                    if self.problem.selection.is_of_results() {
                        self.indices(&cell, &mut pieces);
                    }
                }
            }
        }
        let indices = (!pieces.is_empty()).then(|| {
            let pad = Scratchpad::new(self.config, Memory::Index);
            let slice = Slice::whole(Format::unsigned(pad.digit as u8));
            Arc::new(Layout::gathered(pad, pieces, 1, pad.lanes, slice))
        });
        if indices.as_ref().is_some_and(|layout| layout.addresses() > layout.pad.depth) {
            return None;
        }
        Some(Cells { over, indices })
    }

    /// Number of the group that begins at a row of dW.
    pub fn group(&self, line: usize) -> usize {
        self.problem.selection.pattern().expect("selected results").group_of(line)
    }

    /// The COMPUTEs of a band.
    fn blocks(
        &self,
        cells: &Cells,
        band: &[Layout; 2],
        images: &Range<usize>,
        tables: &mut Shared,
    ) -> Option<Vec<Block>> {
        let cells = cells.over.iter().map(|(over, index)| self.cell(over, *index, band, tables));
        Some(Block::of(cells.collect::<Option<_>>()?, self.form.quota, images))
    }

    fn cell(
        &self,
        over: &[Range<usize>; 3],
        index: usize,
        band: &[Layout; 2],
        tables: &mut Shared,
    ) -> Option<Cell> {
        let [x, dy] = band;
        let nest = self.nest(band, over.each_ref().map(|range| range.len()))?;
        let row_base =
            over[0].start * (x.tile_stride / self.row_grain()) + over[1].start * self.word_stride();
        let [head, tail] = self.valid_rows(&over[1]);
        let (rows, rows_last, row_edge) = edge(head, tail, nest.of_tiles[1]);
        let [head, tail] = [over[2].start, over[2].end - 1].map(|tile| self.outputs(tile).len());
        let (cols, cols_last, col_edge) = edge(head, tail, nest.of_tiles[2]);
        let selection = self.problem.selection;
        let compute = Compute {
            row_signed: x.slice.format.signed,
            col_signed: dy.slice.format.signed,
            row_base: row_base as i16,
            col_base: (over[2].start * self.columns(dy)) as i16,
            index_base: index as i16,
            rows,
            rows_last,
            row_edge,
            cols,
            cols_last,
            col_edge,
            row_planes: x.planes as u8,
            col_planes: dy.planes as u8,
            tiles: nest.tiles as u8,
            select: selection.pattern().map_or(0, |p| p.select()),
            held: selection.is_of_results(),
            row_plane_stride: x.plane_stride as i16,
            col_plane_stride: dy.plane_stride as i16,
            loops: nest.loops,
            ..Compute::default()
        };
        let mut needs = vec![x.tiles.len(), dy.tiles.len()];
        if selection.is_of_results() {
            let tiles = over.iter().map(|range| range.len()).product::<usize>() * selection.passes();
            needs.push(index + tiles);
        }
        let offsets = self.broadcasts().then(|| {
            let tile = if self.form.rows == Rows::Scattered { over[1].start } else { 0 };
            shared(&mut tables.offsets, (x.tile_stride, tile), || Arc::new(self.offsets(tile)))
        });
        Some(Cell {
            compute,
            words: self.drained(over),
            needs,
            own: offsets,
            phase: [0, 0],
            over: over.clone(),
        })
    }

    /// Calls `put(element, line)` for every row of the array that a block returns, in the order in which they leave: the
    /// row of dW (or the first one of a group), the pass, and the outputs; nothing for rows that are none.
    pub fn lines(&self, block: &Block, mut put: impl FnMut(Option<usize>, usize, Range<usize>)) {
        for cell in &block.cells {
            let [ky, words, outputs] = &cell.over;
            let [head, tail] = self.valid_rows(words);
            for ky in ky.clone() {
                for word in words.clone() {
                    let rows = if word + 1 == words.end { tail } else { head };
                    for tile in outputs.clone() {
                        for pass in 0..self.problem.selection.passes() {
                            (0..rows)
                                .for_each(|row| put(self.line([ky, word], row), pass, self.outputs(tile)));
                        }
                    }
                }
            }
        }
    }
}

/// Most products that a result sums.
pub(crate) fn terms(config: &Config, problem: &ConvProblem, form: &Form) -> usize {
    let band = |axis: usize, size: usize| size.min(problem.window.along(axis).unwrap_or(0));
    band(0, form.band[0].max(form.first)) * band(1, form.band[1]) * config.array.lanes
}
