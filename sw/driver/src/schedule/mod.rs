//! A plan as a program: instructions with addresses and tokens, what each LOAD carries, what each
//! STORE returns.
//!
//! ```text
//! per block:   LOAD what is not in memory   (waits until the space is free: C → L)
//!              COMPUTE                      (waits for its loads: L → C, and for result space: S → C)
//!              STORE its results            (waits for its sums: C → S)
//! at the end:  READ
//! ```
//! Loads of the next block follow at once, so they and the stores before them overlap compute as far as
//! the memories have room: operands and results lie in rings.

mod indices;
mod ring;
mod tokens;

pub(crate) use ring::Ring;
pub(crate) use tokens::{Chain, Stage};

use crate::geometry::{Scratchpad, Side};
use crate::plan::{Block, GemmPlan, Slice};
use crate::sparsity::Selection;
use indices::{IndexKey, IndexPlace};
use ring::Region;
use std::ops::Range;
use tandem_spec::isa::Loop;
use tandem_spec::{Compute, Config, Instruction, Load, Memory, Store, Timing, Tokens};

/// What the payload of a LOAD holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What is filled: an operand memory, or the index memory.
    pub memory: Memory,
    /// The block that it is loaded for.
    pub block: usize,
    /// Part of the plan, which says k and slice.
    pub part: usize,
    /// Tiles of the region that the addresses count in.
    pub region: Range<usize>,
    /// Addresses from the start of the region.
    pub addresses: Range<usize>,
    /// Elements that are covered.
    pub elements: usize,
}

/// A plan's instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// In order; the last one is the READ.
    pub instructions: Vec<Instruction>,
    /// Per LOAD, in order.
    pub fills: Vec<Fill>,
    /// Per STORE, in order: index of the block that it returns.
    pub stores: Vec<usize>,
}

/// Level of row tiles, of column tiles, of passes if results are selected, and of the sum after them.
const ROWS: usize = 0;
const COLS: usize = 1;
const PASS: usize = 2;
/// No edge.
const NONE: u8 = 7;

type Key = (Range<usize>, Slice, Range<usize>);

struct Scheduler<'a> {
    config: &'a Config,
    plan: &'a GemmPlan,
    pads: [Scratchpad; 2],
    operands: [Ring<Key>; 2],
    /// Indices of compressed weights lie like plane 0 of their values.
    indices: Ring<IndexKey>,
    results: Ring<usize>,
    chain: Chain,
    fills: Vec<Fill>,
    stores: Vec<usize>,
}

/// Turns a plan into a program.
///
/// # Panics
/// If a block exceeds a memory (no plan of [`crate::plan::search`] does).
pub fn schedule(config: &Config, plan: &GemmPlan) -> Program {
    let pads = Side::BOTH.map(|side| Scratchpad::new(config, side));
    let longest = |f: &dyn Fn(&Block) -> usize| plan.blocks.iter().map(f).max().unwrap_or(0);
    let operand = |side: Side| {
        let pad = pads[side as usize];
        let length =
            |b: &Block| pad.addresses(region(plan, side, b).len() * plan.tile_words(config, side, b.part));
        Ring::new(pad.depth, longest(&length))
    };
    let index_words = |b: &Block| IndexPlace::of(config, plan, b).map_or(0, |place| place.len);
    let mut s = Scheduler {
        config,
        indices: Ring::new(config.memory.index, longest(&index_words)),
        plan,
        pads,
        operands: Side::BOTH.map(operand),
        results: Ring::new(config.memory.result, longest(&|b| plan.result_words(config, b))),
        chain: Chain::default(),
        fills: vec![],
        stores: vec![],
    };
    for (index, block) in plan.blocks.iter().enumerate() {
        s.block(index, block);
    }
    s.chain.push(Stage::Store, Instruction::Read(Tokens::default()), &[]);
    Program { instructions: s.chain.instructions, fills: s.fills, stores: s.stores }
}

impl Scheduler<'_> {
    fn block(&mut self, index: usize, block: &Block) {
        let mut places = Side::BOTH.map(|side| self.place(side, block));
        // What need not wait goes first.
        places.sort_by_key(|p| p.free_after);
        for place in &places {
            self.load(place, index, block);
        }
        let index_place = IndexPlace::of(self.config, self.plan, block);
        if let Some(place) = &index_place {
            self.load_indices(place, index, block);
        }
        let number = self.chain.count(Stage::Compute) + 1;
        let (mut bases, mut ready) = ([0; 2], 0);
        for p in &places {
            let region = self.operands[p.side as usize].region(p.key.clone(), p.len);
            region.used_until = number;
            ready = ready.max(region.ready_after);
            bases[p.side as usize] = region.start * self.pads[p.side as usize].banks + p.offset;
        }
        let mut index_base = 0;
        if let Some(place) = &index_place {
            let region = self.indices.region(place.key.clone(), place.len);
            region.used_until = number;
            ready = ready.max(region.ready_after);
            index_base = region.start + place.tiles.start * place.stride;
        }
        let mut needs = vec![(Stage::Load, ready)];
        let mut result = 0;
        let words = self.plan.result_words(self.config, block);
        if !block.hold {
            let stores = self.chain.count(Stage::Store);
            let region = self.results.region(index, words);
            region.used_until = stores + 1;
            result = region.start;
            needs.push((Stage::Store, region.free_after));
        }
        let compute = self.compute(block, bases, index_base, result);
        self.chain.push(Stage::Compute, Instruction::Compute(compute), &needs);
        if !block.hold {
            let store = Store {
                tokens: Tokens::default(),
                format: self.plan.transport,
                address: result as u16,
                count: words as u16,
                shift: 0,
            };
            self.chain.push(Stage::Store, Instruction::Store(store), &[(Stage::Compute, number)]);
            self.stores.push(index);
        }
    }

    /// Where the block's operand lies or will lie.
    fn place(&mut self, side: Side, block: &Block) -> Place {
        let (pad, plan) = (&self.pads[side as usize], self.plan);
        let (part, operand) = (&plan.parts[block.part], plan.side(side));
        let tiles = block.tiles(side);
        let region = region(plan, side, block);
        let (stride, _) = plan.strides(self.config, side, block.part, region.len());
        let len = pad.addresses(region.len() * plan.tile_words(self.config, side, block.part));
        let key = (part.k.clone(), operand.slices[part.slice(side)], region.clone());
        let Region { filled, free_after, .. } = *self.operands[side as usize].region(key.clone(), len);
        let at_once = plan.comes_at_once(self.config, side, block.part);
        let wanted = if at_once { region.len() } else { tiles.end - region.start };
        Place {
            side,
            key,
            len,
            stride,
            offset: (tiles.start - region.start) * stride,
            missing: filled..wanted.max(filled),
            free_after,
        }
    }

    /// Loads the tiles that are missing. Addresses that hold the end of one tile and the start of the next
    /// come with the first of the two. Tiles with all rows and the last one, if it has fewer and that
    /// saves more than an instruction costs, come in separate loads.
    fn load(&mut self, place: &Place, index: usize, block: &Block) {
        if place.missing.is_empty() {
            return;
        }
        let (side, pad) = (place.side, self.pads[place.side as usize]);
        let operand = self.plan.side(side);
        let region = place.key.2.clone();
        let until = |tile: usize| pad.addresses(tile * place.stride);
        let (start, mut end) = (until(place.missing.start), until(place.missing.end));
        let at_once = self.plan.comes_at_once(self.config, side, block.part);
        if at_once {
            end = place.len;
        }
        let has_edge =
            !at_once && region.start + place.missing.end == operand.tiles && operand.edge() < operand.width;
        let mut border = end;
        let mut elements = operand.width;
        if has_edge {
            let split = until(place.missing.end - 1).max(start);
            let saved = pad.link_words(operand.width) - pad.link_words(operand.edge());
            if split == start {
                elements = operand.edge();
            } else if (end - split) * saved > Timing::new(self.config).unit_words + 5 {
                border = split;
            }
        }
        for (addresses, elements) in [(start..border, elements), (border..end, operand.edge())] {
            if addresses.is_empty() {
                continue;
            }
            let region_start = self.operands[side as usize].region(place.key.clone(), place.len).start;
            let load = Load {
                tokens: Tokens::default(),
                broadcast: false,
                memory: side.memory(),
                address: (region_start + addresses.start) as u16,
                count: addresses.len() as u16,
                words: pad.link_words(elements) as u16,
                mask: (u32::MAX) >> (32 - elements),
            };
            self.chain.push(Stage::Load, Instruction::Load(load), &[(Stage::Compute, place.free_after)]);
            let (memory, part) = (side.memory(), block.part);
            self.fills.push(Fill { memory, block: index, part, region: region.clone(), addresses, elements });
        }
        let loads = self.chain.count(Stage::Load);
        let region = self.operands[side as usize].region(place.key.clone(), place.len);
        (region.filled, region.ready_after) = (place.missing.end, loads);
    }

    fn compute(&self, block: &Block, bases: [usize; 2], index_base: usize, result: usize) -> Compute {
        let (plan, part) = (self.plan, &self.plan.parts[block.part]);
        let words = part.words(self.config.array.lanes);
        let selection = plan.problem.selection;
        let expansion = selection.expansion();
        let strides = |side| plan.strides(self.config, side, block.part, region(plan, side, block).len());
        let [(row_tile, row_plane), (col_tile, col_plane)] = Side::BOTH.map(strides);
        let signed = |side| plan.side(side).slices[part.slice(side)].format.signed;
        let planes = |side| plan.planes(self.config, side, block.part) as u8;
        let mut loops = [Loop::default(); tandem_spec::config::MAX_LOOPS];
        if block.rows.len() > 1 {
            loops[ROWS] = Loop { count: block.rows.len() as u16, row_stride: row_tile as i16, col_stride: 0 };
        }
        if block.cols.len() > 1 {
            loops[COLS] = Loop { count: block.cols.len() as u16, row_stride: 0, col_stride: col_tile as i16 };
        }
        let mut tiles = PASS;
        if let Selection::Results(p) = selection {
            loops[PASS].count = p.n as u16;
            tiles = PASS + 1;
        }
        let [row_stride, col_stride] = expansion.map(|e| e as i16);
        loops[tiles] = Loop { count: words as u16, row_stride, col_stride };
        if let Selection::Weights(p) = selection {
            loops[self.config.loops - 1] = Loop { count: p.n as u16, row_stride: 0, col_stride: 1 };
        }
        let edge = |side: Side, level: usize| {
            let (operand, tiles) = (plan.side(side), block.tiles(side));
            let (first, last) = (operand.rows_of(tiles.start), operand.rows_of(tiles.end - 1));
            (first as u8, last as u8, if first == last { NONE } else { level as u8 })
        };
        let (rows, rows_last, row_edge) = edge(Side::Row, ROWS);
        let (cols, cols_last, col_edge) = edge(Side::Col, COLS);
        Compute {
            tokens: Tokens::default(),
            keep: block.keep,
            hold: block.hold,
            row_signed: signed(Side::Row),
            col_signed: signed(Side::Col),
            row_base: bases[0] as i16,
            col_base: bases[1] as i16,
            index_base: index_base as i16,
            result_base: result as u16,
            rows,
            rows_last,
            row_edge,
            cols,
            cols_last,
            col_edge,
            row_planes: planes(Side::Row),
            col_planes: planes(Side::Col),
            tiles: tiles as u8,
            select: selection.pattern().map_or(0, |p| p.select()),
            held: matches!(selection, Selection::Results(_)),
            row_plane_stride: row_plane as i16,
            col_plane_stride: col_plane as i16,
            loops,
        }
    }
}

/// Tiles that lie in memory together with the block's.
fn region(plan: &GemmPlan, side: Side, block: &Block) -> Range<usize> {
    let operand = plan.side(side);
    if operand.resident { 0..operand.tiles } else { block.tiles(side).clone() }
}

/// A block's operand in memory.
struct Place {
    side: Side,
    key: Key,
    /// Addresses of the region.
    len: usize,
    /// Flat words of a tile.
    stride: usize,
    /// Flat words from the region's start to the block's first tile.
    offset: usize,
    /// Tiles of the region that must be loaded.
    missing: Range<usize>,
    /// Computes that must be done before the region is written.
    free_after: usize,
}
