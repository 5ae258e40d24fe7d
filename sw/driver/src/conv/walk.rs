//! Forward products and input gradients as walks over bands of images.
//!
//! ```text
//! elements of one side    images            a tile is a group of images: no halo between tiles, one walk for all of them
//! elements of the other   outputs           weights stay in memory, for as many tiles of outputs as fit
//!
//! image word   (row, position, word of the step, member)         weight word   (set, tap row, step, word, turn)
//! COMPUTE      levels of tiles: output rows, output columns, tiles of outputs
//!              levels of the sum: tap rows, steps, words of a step, and the turns of N:M
//! ```
//! Padding is either zeros in the bands, or not walked over at all (`clip`): outputs that meet the same taps are then a
//! COMPUTE of their own. An input gradient of strides s and t is s·t phases of outputs ([`super::axis`]).
//!
//! **Side by side.** A word holds all taps of one output, so the image words of neighbours hold most pixels again. With β
//! outputs of a row side by side a word holds the taps of all of them, the weights stand β times, each time shifted by
//! a stride, with zeros elsewhere, and the array returns β·O results of a position:
//!
//! ```text
//!                           pixels of a position     positions     columns of weights
//! one output                kw                       w'            O
//! β outputs side by side    kw + (β − 1)·stride      w'/β          β·O        (j, o): W shifted by j·stride
//! ```
//! So pixels cross the link (kw + (β − 1)·stride)/β times instead of kw, and lanes and columns that a few channels
//! leave empty fill. Zeros take no more steps where a word had room for them.

mod results;
mod weights;

use super::axis::{Axis, Phase, Span};
use super::reach::Reach;
use super::request::{ConvProblem, ConvProduct};
use super::stage::{Block, Cell, Level, Nest, Stage, edge, shared};
use crate::codebook::Codes;
use crate::gemm::longest_sum;
use crate::layout::{Layout, Piece, Scratchpad, Side, Slice, Table};
pub(crate) use results::Line;
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::{Compute, Config};
use weights::Weights;

/// The choices of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// Pixels of a step.
    pub step: usize,
    /// Outputs of a row side by side, β.
    pub beside: usize,
    /// Whether taps outside the image are left out.
    pub clip: bool,
    /// Images enter from the columns, weights from the rows.
    pub across: bool,
    /// Output rows and columns of a band, of each phase.
    pub band: [usize; 2],
    /// Output rows of a band of the first images: less, so that the array starts soon.
    pub first: usize,
    /// Most result words of a STORE.
    pub quota: usize,
}

impl Form {
    /// The codes that a problem's weights are: only columns look levels up.
    pub fn codes(&self, problem: &ConvProblem) -> Option<Codes> {
        problem.codes.filter(|_| !self.across)
    }
}

pub(crate) struct Walk<'a> {
    config: &'a Config,
    problem: &'a ConvProblem,
    form: Form,
    axes: [Axis; 2],
    reach: Reach,
    /// Turns of N:M.
    turns: usize,
    /// Taps of a row of the kernel, for all outputs side by side.
    width: usize,
    /// Inputs from row to row of a band and from position to position.
    grains: [usize; 2],
    weights: Weights,
}

/// The axes of a forward product or an input gradient, outputs of a row side by side; `None` if they cannot be.
pub(crate) fn axes(problem: &ConvProblem, beside: usize) -> Option<[Axis; 2]> {
    let [rows, columns] = [0, 1].map(|axis| match problem.product {
        ConvProduct::InputGradient => Axis::input_gradient(&problem.window, axis),
        _ => Axis::forward(&problem.window, axis),
    });
    Some([rows, columns.beside(beside)?])
}

/// Most products that an output sums.
pub(crate) fn terms(problem: &ConvProblem) -> usize {
    let taps = problem.window.taps();
    match problem.selection.pattern() {
        None => taps * problem.channels(),
        Some(p) if problem.product == ConvProduct::InputGradient => taps * p.groups(problem.outputs) * p.n,
        Some(p) => p.groups(problem.window.volume()) * p.n,
    }
}

impl<'a> Walk<'a> {
    /// A walk of this form; `None` if the form does not suit the problem.
    pub fn new(config: &'a Config, problem: &'a ConvProblem, form: Form) -> Option<Self> {
        let pattern = problem.selection.pattern();
        let channels = problem.channels();
        let axes = axes(problem, form.beside)?;
        let taps = axes[1].phases.iter().map(|p| p.taps.len()).max()?;
        let lanes = config.array.lanes;
        let width = problem.window.kernel[1] + (form.beside - 1) * problem.window.stride[1];
        let reach = Reach::new(channels, width, form.step, pattern, lanes)?;
        let by_kernel_rows = pattern.is_some_and(|p| p.run != channels);
        if ((form.clip || form.beside > 1) && by_kernel_rows)
            || (form.across && pattern.is_some())
            || form.step > taps.max(1)
        {
            return None;
        }
        let turns = pattern.map_or(1, |p| p.n);
        let grain = axes[1].tap_grain(form.step, form.clip);
        let sets = form.step.min(taps).div_ceil(grain);
        let grains = [axes[0].grain(1, form.clip), axes[1].grain(form.step, form.clip)];
        let mut walk = Walk {
            config,
            problem,
            form,
            axes,
            reach,
            turns,
            width,
            grains,
            weights: Weights { first: vec![], words: 0, table: vec![], sets, grain },
        };
        walk.weights = walk.lay_weights();
        Some(walk)
    }

    fn side(&self) -> [Side; 2] {
        if self.form.across { [Side::Col, Side::Row] } else { [Side::Row, Side::Col] }
    }

    /// Outputs of a tile: elements of the weights' side.
    fn tile(&self) -> usize {
        Scratchpad::new(self.config, self.side()[1]).width
    }

    /// Outputs of the weights: of all positions side by side.
    fn outputs(&self) -> usize {
        self.form.beside * self.problem.answer().1
    }

    /// Spans of a phase of an axis inside a band.
    fn spans(&self, axis: usize, phase: &Phase, band: &Range<usize>) -> Vec<Span> {
        phase.spans(self.axes[axis].inputs, self.form.clip, band)
    }

    /// Inputs that a band needs along an axis, if any: of columns, the first pixels of steps.
    fn inputs(&self, axis: usize, band: &Range<usize>) -> Option<Range<isize>> {
        let mut needed: Option<Range<isize>> = None;
        for phase in &self.axes[axis].phases {
            for span in self.spans(axis, phase, band) {
                let lo = phase.input(span.outputs.start, span.taps.start);
                let step = if axis == 0 { 1 } else { self.form.step };
                let last = span.taps.start + (span.taps.len().div_ceil(step) - 1) * step;
                let hi = phase.input(span.outputs.end - 1, last) + 1;
                needed = Some(needed.map_or(lo..hi, |n| n.start.min(lo)..n.end.max(hi)));
            }
        }
        needed
    }

    /// What is in memory and walked over, stage after stage; `None` if it does not fit.
    pub fn stages(&self) -> Option<Vec<Stage>> {
        let [image_side, weight_side] = self.side();
        let pad = Scratchpad::new(self.config, image_side);
        let planes = pad.planes(self.problem.x.bits.into());
        let weight_pad = Scratchpad::new(self.config, weight_side);
        let fits = planes <= pad.max_planes
            && weight_pad.planes(self.problem.w.bits.into()) <= weight_pad.max_planes
            && terms(self.problem) <= longest_sum(self.problem.x, self.problem.w, self.config.array.acc_bits);
        let at_once = self.tiles_at_once();
        if !fits || at_once == 0 {
            return None;
        }
        let all = self.outputs().div_ceil(weight_pad.width);
        let chunks = all.div_ceil(at_once);
        let [all_rows, all_columns] = [0, 1].map(|axis| 0..self.axes[axis].outputs());
        let columns = bands(&all_columns, self.form.band[1]);
        let rows = [self.form.first, self.form.band[0]].map(|size| bands(&all_rows, size));
        let mut tables: Vec<(Range<isize>, Arc<Table>)> = vec![];
        let mut stages = vec![];
        for chunk in 0..chunks {
            let tiles = all * chunk / chunks..all * (chunk + 1) / chunks;
            let weights = self.weight_layouts(&tiles);
            for image in (0..self.problem.images).step_by(pad.width) {
                let images = image..(image + pad.width).min(self.problem.images);
                let is_first = chunk == 0 && image == 0;
                for row_band in &rows[usize::from(!is_first)] {
                    for column_band in &columns {
                        let inputs = [self.inputs(0, row_band), self.inputs(1, column_band)];
                        let [Some(y), Some(x)] = inputs else { continue };
                        let band = Band { outputs: [row_band.clone(), column_band.clone()], y, x };
                        let layout = self.band_layout(&band, images.clone(), pad, &mut tables);
                        if layout.addresses() > pad.depth {
                            return None;
                        }
                        let layout = Arc::new(layout);
                        let blocks = self.blocks(&band, &layout, &weights, &images, &tiles)?;
                        let mut operands = vec![layout, weights[0].clone()];
                        if self.form.across {
                            operands.swap(0, 1);
                        }
                        operands.extend(weights.iter().skip(1).cloned());
                        stages.push(Stage { operands, blocks });
                    }
                }
            }
        }
        Some(stages)
    }

    fn band_layout(
        &self,
        band: &Band,
        images: Range<usize>,
        pad: Scratchpad,
        tables: &mut Vec<(Range<isize>, Arc<Table>)>,
    ) -> Layout {
        let [row_grain, grain] = self.grains;
        let positions = ((band.x.end - 1 - band.x.start) as usize) / grain + 1;
        let table = shared(tables, band.x.clone(), || {
            let columns = self.reach.columns(positions, band.x.start, grain, self.axes[1].inputs);
            Arc::new(Table::Elements(columns))
        });
        let row = self.axes[1].inputs * self.reach.channels;
        let piece = |y: isize| Piece {
            lines: images.clone(),
            column: (0..self.axes[0].inputs as isize).contains(&y).then(|| y as usize * row),
            table: table.clone(),
        };
        let rows = (band.y.start..band.y.end).step_by(row_grain).map(piece).collect();
        let slice = Slice::whole(self.problem.x);
        Layout::gathered(pad, rows, positions * self.reach.flat(), self.reach.width, slice)
    }

    /// The COMPUTEs over a band.
    fn blocks(
        &self,
        band: &Band,
        layout: &Layout,
        weights: &[Arc<Layout>],
        images: &Range<usize>,
        tiles: &Range<usize>,
    ) -> Option<Vec<Block>> {
        let width = self.tile();
        let mut cells = vec![];
        for (py, rows) in self.axes[0].phases.iter().enumerate() {
            for (px, columns) in self.axes[1].phases.iter().enumerate() {
                for y in self.spans(0, rows, &band.outputs[0]) {
                    for x in self.spans(1, columns, &band.outputs[1]) {
                        for x in self.by_results(x) {
                            let results = self.results(x.outputs.start);
                            let tiles = tiles.start..tiles.end.min(results.div_ceil(width));
                            let part = Part { phase: [py, px], y: y.clone(), x, results, tiles };
                            cells.extend(self.cells(&part, band, layout, weights, images)?);
                        }
                    }
                }
            }
        }
        Some(Block::of(cells, self.form.quota, images))
    }

    /// A span in parts of as many results a position: the last outputs side by side may be fewer.
    fn by_results(&self, x: Span) -> Vec<Span> {
        let Range { start, end } = x.outputs;
        if self.results(start) == self.results(end - 1) {
            return vec![x];
        }
        [start..end - 1, end - 1..end].map(|outputs| Span { outputs, taps: x.taps.clone() }).into()
    }

    /// Valid rows and columns of the array for a tile of results.
    fn valid(&self, images: usize, tile: usize, results: usize) -> [usize; 2] {
        let width = self.tile();
        let outputs = width.min(results - tile * width);
        if self.form.across { [outputs, images] } else { [images, outputs] }
    }

    /// Result words of a tile.
    fn drained(&self, images: usize, tile: usize, results: usize) -> usize {
        let [rows, cols] = self.valid(images, tile, results);
        rows * cols.div_ceil(self.config.array.drain)
    }

    /// A part of a band as COMPUTEs that suit the levels and the result memory.
    fn cells(
        &self,
        part: &Part,
        band: &Band,
        layout: &Layout,
        weights: &[Arc<Layout>],
        images: &Range<usize>,
    ) -> Option<Vec<Cell>> {
        if part.tiles.is_empty() {
            return Some(vec![]);
        }
        let drained = self.drained(images.len(), part.tiles.start, part.results);
        let mut most = [part.y.outputs.len(), part.x.outputs.len(), part.tiles.len()];
        // The outermost levels go first.
        for level in [0, 2, 1] {
            if self.nest(part, layout, weights, most).is_some() {
                break;
            }
            most[level] = 1;
        }
        self.nest(part, layout, weights, most)?;
        let quota = self.form.quota;
        most[2] = most[2].min(quota / drained);
        most[1] = most[1].min(quota / (drained * most[2]).max(1));
        most[0] = most[0].min(quota / (drained * most[2] * most[1]).max(1));
        if most.contains(&0) {
            return None;
        }
        let mut cells = vec![];
        for oy in even(&part.y.outputs, most[0]) {
            for ox in even(&part.x.outputs, most[1]) {
                for tiles in even(&part.tiles, most[2]) {
                    let over = [oy.clone(), ox.clone(), tiles];
                    cells.push(self.cell(part, over, band, layout, weights, images)?);
                }
            }
        }
        Some(cells)
    }

    fn nest(
        &self,
        part: &Part,
        layout: &Layout,
        weights: &[Arc<Layout>],
        counts: [usize; 3],
    ) -> Option<Nest> {
        let [row_grain, grain] = self.grains;
        let [rows, columns] = self.phases(part.phase);
        let (flat, steps) = (self.reach.flat(), self.reach.steps(columns.taps.len()));
        let (word, turns) = (self.reach.words() * self.turns, self.turns);
        let level = |count: usize, image: usize, weight: usize| {
            let (row, col) = if self.form.across { (weight, image) } else { (image, weight) };
            Level { count, row, col }
        };
        let row_stride = layout.tile_stride;
        let tiles = [
            level(counts[0], rows.stride / row_grain * row_stride, 0),
            level(counts[1], columns.stride / grain * flat, 0),
            level(counts[2], 0, weights[0].tile_stride),
        ];
        let taken = self.reach.steps(part.x.taps.len());
        let tap_rows = level(part.y.taps.len(), row_stride, steps * word);
        let words = self.reach.words();
        let sum = if taken == 1 || self.form.step == grain {
            vec![tap_rows, level(self.reach.all_words(part.x.taps.len()), self.reach.members, turns)]
        } else {
            let step = level(taken, self.form.step / grain * flat, word);
            vec![tap_rows, step, level(words, self.reach.members, turns)]
        };
        let select = self.problem.selection.pattern().is_some();
        Nest::new(self.config, tiles, &sum, select.then(|| level(turns, 0, 1)), false)
    }

    fn phases(&self, phase: [usize; 2]) -> [&Phase; 2] {
        [0, 1].map(|axis| &self.axes[axis].phases[phase[axis]])
    }

    fn cell(
        &self,
        part: &Part,
        over: [Range<usize>; 3],
        band: &Band,
        layout: &Layout,
        weights: &[Arc<Layout>],
        images: &Range<usize>,
    ) -> Option<Cell> {
        let [row_grain, grain] = self.grains;
        let [rows, columns] = self.phases(part.phase);
        let nest = self.nest(part, layout, weights, over.each_ref().map(|range| range.len()))?;
        let y = (rows.input(over[0].start, part.y.taps.start) - band.y.start) as usize / row_grain;
        let x = (columns.input(over[1].start, part.x.taps.start) - band.x.start) as usize / grain;
        let last = (rows.input(over[0].end - 1, part.y.taps.end - 1) - band.y.start) as usize / row_grain;
        let image_base = y * layout.tile_stride + x * self.reach.flat();
        let (steps, word) = (self.reach.steps(columns.taps.len()), self.reach.words() * self.turns);
        let set = part.x.taps.start % self.reach.step / self.weights.grain;
        let step = part.x.taps.start / self.reach.step;
        let weight_base = self.weights.first[part.phase[0]][part.phase[1]]
            + ((set * rows.taps.len() + part.y.taps.start) * steps + step) * word;
        let [start, weight_end] = [over[2].start, over[2].end].map(|tile| tile - part.tiles.start);
        let weight_at = start * weights[0].tile_stride + weight_base;
        let valid = |tile: usize| self.valid(images.len(), tile, part.results);
        let [head, tail] = [over[2].start, over[2].end - 1].map(valid);
        let level = nest.of_tiles[2];
        let (rows_first, rows_last, row_edge) = edge(head[0], tail[0], level);
        let (cols_first, cols_last, col_edge) = edge(head[1], tail[1], level);
        let (image, weight) = (layout, &weights[0]);
        let (row, col) = if self.form.across { (&**weight, image) } else { (image, &**weight) };
        let [(row_planes, row_plane_stride), (col_planes, col_plane_stride)] =
            [row, col].map(|layout| layout.digit_planes(self.config));
        let bases = if self.form.across { [weight_at, image_base] } else { [image_base, weight_at] };
        let compute = Compute {
            row_signed: row.slice.format.signed,
            col_signed: col.slice.format.signed,
            row_base: bases[0] as i16,
            col_base: bases[1] as i16,
            index_base: (start * weight.words + weight_base) as i16,
            rows: rows_first,
            rows_last,
            row_edge,
            cols: cols_first,
            cols_last,
            col_edge,
            coded: col.pad.codes.is_some(),
            row_planes,
            col_planes,
            tiles: nest.tiles as u8,
            select: self.problem.selection.pattern().map_or(0, |p| p.select()),
            row_plane_stride,
            col_plane_stride,
            loops: nest.loops,
            ..Compute::default()
        };
        let words = over[0].len()
            * over[1].len()
            * over[2].clone().map(|tile| self.drained(images.len(), tile, part.results)).sum::<usize>();
        let mut needs = vec![last + 1, weight_end];
        if self.form.across {
            needs.swap(0, 1);
        }
        needs.extend(weights.iter().skip(1).map(|of| weight_end.min(of.tiles.len())));
        Some(Cell { compute, words, needs, own: None, phase: part.phase, over })
    }
}

/// Outputs whose inputs are in memory together, and those inputs.
struct Band {
    outputs: [Range<usize>; 2],
    y: Range<isize>,
    x: Range<isize>,
}

/// Outputs of one phase that meet the same taps, as many side by side.
struct Part {
    phase: [usize; 2],
    y: Span,
    x: Span,
    /// Results of a position.
    results: usize,
    /// Tiles of them, the first of which is the first in memory.
    tiles: Range<usize>,
}

/// A range in bands of `size`, the last one maybe shorter.
pub(crate) fn bands(range: &Range<usize>, size: usize) -> Vec<Range<usize>> {
    let end = range.end;
    range.clone().step_by(size.max(1)).map(|first| first..(first + size.max(1)).min(end)).collect()
}

/// A range in pieces of at most `most`, about equal.
pub(crate) fn even(range: &Range<usize>, most: usize) -> Vec<Range<usize>> {
    let pieces = range.len().div_ceil(most);
    let at = |i: usize| range.start + range.len() * i / pieces.max(1);
    (0..pieces).map(|i| at(i)..at(i + 1)).collect()
}
