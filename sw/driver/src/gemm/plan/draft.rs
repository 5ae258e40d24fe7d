//! A point of the search, and the plan that it stands for.
//!
//! ```text
//! for part                        (k range, then slices; innermost if sums are held on chip)
//!   for outer region              loaded once, kept while the inner side passes
//!     for inner chunk             resident: all in memory; else loaded anew for every region
//!       COMPUTE outer × inner
//! ```

use super::cuts::ramp;
use super::{Block, GemmPlan, GemmProblem, Part, ResultWidth, SidePlan, longest_sum, slices};
use crate::device::Format;
use crate::gemm::sparsity::Selection;
use crate::layout::{Scratchpad, Side, Slice};
use std::ops::Range;
use tandem_spec::{Config, StoreWidth};

/// Choices that make a plan. Sizes are wishes: [`Draft::fit`] cuts them to what fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Draft {
    /// W on the row side.
    pub transposed: bool,
    /// Rows are the outer loop.
    pub row_outer: bool,
    /// Parts are innermost and meet in the accumulators, one tile at a time.
    pub hold: bool,
    /// Slices of the row and of the column operand.
    pub groups: [usize; 2],
    /// Results on the link.
    pub transport: StoreWidth,
    /// Flat words of a part.
    pub words: usize,
    /// Tiles of an outer region.
    pub outer: usize,
    /// Tiles of an inner chunk.
    pub inner: usize,
    /// Doublings at the start and halvings at the end of the streamed dimension.
    pub head: u8,
    /// See `head`.
    pub tail: u8,
    /// Doublings of inner chunks in the very first outer region.
    pub first: u8,
    /// Halvings of inner chunks in the very last outer region.
    pub last: u8,
}

/// What the search knows of a problem before it chooses sizes.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Row and column operand.
    pub formats: [Format; 2],
    /// Their rows.
    pub elements: [usize; 2],
    /// Rows of a tile.
    pub width: [usize; 2],
    /// Tiles.
    pub tiles: [usize; 2],
    /// Their memories.
    pub pads: [Scratchpad; 2],
    /// Bits of a digit that is multiplied.
    pub digits: [usize; 2],
    /// What is skipped.
    pub selection: Selection,
    /// Terms of the sum.
    pub depth: usize,
    /// Addresses of the index memory.
    index: usize,
}

impl Frame {
    pub fn new(config: &Config, problem: &GemmProblem, transposed: bool) -> Self {
        let (s, p) = (problem.shape, problem);
        let (elements, formats) =
            if transposed { ([s.n, s.m], [p.w, p.x]) } else { ([p.lines(), s.n], [p.x, p.w]) };
        let pads = [Scratchpad::new(config, Side::Row), Scratchpad::columns(config, p.codes)];
        let mut width = [elements[0].min(pads[0].width), elements[1].min(pads[1].width)];
        // A tile's results must fit the result memory.
        let (drain, depth) = (config.array.drain, config.memory.result);
        let depth = depth / p.selection.passes().min(depth);
        width[1] = width[1].min(drain * depth);
        width[0] = width[0].min(depth / width[1].div_ceil(drain));
        let tiles = [elements[0].div_ceil(width[0]), elements[1].div_ceil(width[1])];
        let (selection, index) = (p.selection, config.memory.index);
        let digits = [config.array.row_digit, config.array.col_digit];
        Frame { formats, elements, width, tiles, pads, digits, selection, depth: p.depth(), index }
    }

    /// Words of the sum that the memory of a side has room for, in so many planes.
    pub fn room(&self, side: usize, planes: usize) -> usize {
        let room = self.pads[side].capacity() / (planes * self.selection.expansion()[side]);
        let has_indices = side == 1 && self.selection.is_of_weights();
        if has_indices { room.min(self.index / self.selection.turns()) } else { room }
    }

    /// Result words of a pair of tiles.
    fn results(&self, config: &Config) -> usize {
        self.width[0] * self.width[1].div_ceil(config.array.drain) * self.selection.passes()
    }

    /// Pairs of tiles of a block whose results, and indices if they are selected, have room.
    pub fn pairs(&self, config: &Config) -> usize {
        let (pairs, passes) = (config.memory.result / self.results(config), self.selection.passes());
        if self.selection.is_of_results() { pairs.min(self.index / passes) } else { pairs }
    }

    /// Operands and results, moved once and at 32 bits, take the link less than two thirds of the
    /// compute time in either direction.
    pub fn spares_link(&self, config: &Config, problem: &GemmProblem) -> bool {
        let words = problem.depth().div_ceil(config.array.lanes);
        let planes = [0, 1].map(|s| usize::from(self.formats[s].bits).div_ceil(self.digits[s]));
        let turns = words * self.selection.turns() * self.selection.passes();
        let steps = self.tiles[0] * self.tiles[1] * planes[0] * planes[1] * turns;
        let expansion = self.selection.expansion();
        let load = |s: usize| {
            let pad = &self.pads[s];
            let planes = pad.planes(self.formats[s].bits.into());
            pad.addresses(self.tiles[s] * planes * words * expansion[s]) * pad.link_words(self.width[s])
        };
        let groups = self.width[1].div_ceil(config.array.drain) * self.selection.passes();
        let results = self.elements[0] * self.tiles[1] * groups;
        let store = results * (config.array.drain * 32).div_ceil(config.link_bits);
        3 * store.max(load(0) + load(1)) < 2 * steps
    }

    /// Fewest slices of an operand that the array and its memory take.
    pub fn fewest_groups(&self, side: usize) -> usize {
        let pad = &self.pads[side];
        pad.planes(self.formats[side].bits.into()).div_ceil(pad.max_planes.min(pad.capacity()))
    }

    /// Slices and the largest number of planes among them.
    pub fn slices(&self, side: usize, groups: usize) -> (Vec<Slice>, usize) {
        let list = slices(self.formats[side], groups, self.digits[side]);
        let planes = list.iter().map(|s| self.pads[side].planes(s.format.bits.into())).max();
        (list, planes.expect("at least one slice"))
    }

    /// Longest sum over all pairs of slices that fits `bits` bits, in terms.
    pub fn longest(&self, groups: [usize; 2], bits: usize) -> usize {
        let [rows, cols] = [0, 1].map(|s| self.slices(s, groups[s]).0);
        let pairs = rows.iter().flat_map(|r| cols.iter().map(move |c| (r, c)));
        let products = pairs.map(|(r, c)| longest_sum(r.format, c.format, bits)).min();
        products.expect("at least one pair") / self.selection.turns()
    }
}

impl Draft {
    /// The same draft with every size cut to what fits, or `None` if the accelerator cannot do it.
    pub fn fit(&self, config: &Config, frame: &Frame) -> Option<Draft> {
        let k = frame.depth;
        let (o, i) = self.nest();
        let planes = [0, 1].map(|s| frame.slices(s, self.groups[s]).1);
        let lanes = config.array.lanes;
        let limit = frame.longest(self.groups, config.array.acc_bits);
        let most = (0..2).map(|s| frame.room(s, planes[s])).min()?;
        let holds = k <= limit && self.groups == [1, 1] && frame.selection.passes() == 1;
        let cuts_codes = frame.pads[1].codes.is_some() && self.groups[1] > 1;
        if limit == 0 || most == 0 || cuts_codes || frame.pairs(config) == 0 || self.hold && !holds {
            return None;
        }
        let mut words = self.words.min(most).min(k.div_ceil(lanes));
        if !self.hold {
            words = words.min((limit / lanes).max(1));
        }
        let room = |s: usize| frame.room(s, planes[s]) / words;
        let (mut outer, mut inner) = (1, 1);
        if !self.hold {
            outer = self.outer.min(frame.tiles[o]).min(room(o));
            inner = self.inner.min(frame.tiles[i]);
            if frame.tiles[i] > room(i) {
                inner = inner.min(room(i));
            }
        }
        while outer * inner > frame.pairs(config) {
            if inner > 1 { inner = inner.div_ceil(2) } else { outer = outer.div_ceil(2) }
        }
        let streamed = if frame.tiles[o] <= outer || self.hold { words } else { outer };
        let levels = |v: u8, size: usize| v.min(size.ilog2() as u8);
        let (head, tail) = (levels(self.head, streamed), levels(self.tail, streamed));
        let (first, last) = (levels(self.first, inner), levels(self.last, inner));
        Some(Draft { words, outer, inner, head, tail, first, last, ..*self })
    }

    /// The plan of a draft that fits.
    pub fn realise(&self, config: &Config, problem: &GemmProblem, frame: &Frame) -> GemmPlan {
        let (o, i) = self.nest();
        let slices = [0, 1].map(|s| frame.slices(s, self.groups[s]));
        let room = frame.room(i, slices[i].1) / self.words;
        let resident = !self.hold && frame.tiles[i] <= room;
        let side = |s: usize| SidePlan {
            elements: frame.elements[s],
            width: frame.width[s],
            tiles: frame.tiles[s],
            slices: slices[s].0.clone(),
            resident: resident && s == i,
        };
        let stream_k = frame.tiles[o] <= self.outer;
        let taper = |on: bool| if on { (self.head, self.tail) } else { (0, 0) };
        let parts = self.parts(config, frame, taper(stream_k || self.hold));
        let (head, tail) = taper(!stream_k);
        let loops = Loops {
            parts: parts.len(),
            regions: ramp(frame.tiles[o], self.outer, head, tail),
            first: ramp(frame.tiles[i], self.inner, self.first, 0),
            rest: ramp(frame.tiles[i], self.inner, 0, 0),
            last: ramp(frame.tiles[i], self.inner, 0, self.last),
            row_outer: self.row_outer,
            snake: !resident,
        };
        let blocks = if self.hold { loops.held() } else { loops.passing() };
        let split = parts.len() > 1 && !self.hold;
        let transport = match problem.result {
            ResultWidth::Narrow(8) if !split && config.narrow => StoreWidth::S8,
            ResultWidth::Narrow(_) if !split && config.narrow => StoreWidth::S16,
            _ => {
                let longest = parts.iter().map(|p| p.k.len()).max().expect("at least one part");
                let longest = if self.hold { frame.depth } else { longest };
                let lossless = frame.longest(self.groups, self.transport.bits()) >= longest;
                if lossless { self.transport } else { StoreWidth::S32 }
            }
        };
        let transposed = self.transposed;
        GemmPlan { problem: *problem, transposed, row: side(0), col: side(1), parts, blocks, transport }
    }

    /// About how many blocks the plan has.
    pub fn blocks(&self, frame: &Frame, config: &Config) -> usize {
        let (o, i) = self.nest();
        let (unit, size) = self.cut(config, frame);
        let parts = frame.depth.div_ceil(unit * size) * self.groups[0] * self.groups[1];
        parts * frame.tiles[o].div_ceil(self.outer) * frame.tiles[i].div_ceil(self.inner)
    }

    /// Unit of the cuts of k, and the longest part in units: whole words, unless the accumulator takes less.
    fn cut(&self, config: &Config, frame: &Frame) -> (usize, usize) {
        let (lanes, limit) = (config.array.lanes, frame.longest(self.groups, config.array.acc_bits));
        if self.hold || limit >= lanes { (lanes, self.words) } else { (limit, 1) }
    }

    /// Outer and inner side.
    fn nest(&self) -> (usize, usize) {
        if self.row_outer { (0, 1) } else { (1, 0) }
    }

    /// Cuts of k, for each all pairs of slices.
    fn parts(&self, config: &Config, frame: &Frame, taper: (u8, u8)) -> Vec<Part> {
        let k = frame.depth;
        let (unit, size) = self.cut(config, frame);
        let [rows, cols] = self.groups;
        ramp(k.div_ceil(unit), size, taper.0, taper.1)
            .into_iter()
            .map(|r| r.start * unit..(r.end * unit).min(k))
            .flat_map(|k| {
                let pairs = (0..rows).flat_map(move |r| (0..cols).map(move |c| (r, c)));
                pairs.map(move |(row_slice, col_slice)| Part { k: k.clone(), row_slice, col_slice })
            })
            .collect()
    }
}

/// The loop nest in terms of tiles.
struct Loops {
    parts: usize,
    regions: Vec<Range<usize>>,
    first: Vec<Range<usize>>,
    rest: Vec<Range<usize>>,
    last: Vec<Range<usize>>,
    row_outer: bool,
    /// Go back and forth on the inner side, so that the chunk at the turn is used twice.
    snake: bool,
}

impl Loops {
    fn block(&self, part: usize, outer: &Range<usize>, inner: &Range<usize>) -> Block {
        let (rows, cols) = if self.row_outer { (outer, inner) } else { (inner, outer) };
        Block { part, rows: rows.clone(), cols: cols.clone(), keep: false, hold: false }
    }

    fn passing(&self) -> Vec<Block> {
        let mut blocks = vec![];
        let end = (self.parts - 1, self.regions.len() - 1);
        for part in 0..self.parts {
            for (r, outer) in self.regions.iter().enumerate() {
                let chunks = match (part, r) {
                    (0, 0) => &self.first,
                    at if at == end => &self.last,
                    _ => &self.rest,
                };
                let add = |inner: &Range<usize>| blocks.push(self.block(part, outer, inner));
                if self.snake && r % 2 == 1 {
                    chunks.iter().rev().for_each(add);
                } else {
                    chunks.iter().for_each(add);
                }
            }
        }
        blocks
    }

    fn held(&self) -> Vec<Block> {
        let mut blocks = vec![];
        for outer in &self.regions {
            for inner in &self.rest {
                for part in 0..self.parts {
                    let (keep, hold) = (part > 0, part + 1 < self.parts);
                    blocks.push(Block { keep, hold, ..self.block(part, outer, inner) });
                }
            }
        }
        blocks
    }
}
