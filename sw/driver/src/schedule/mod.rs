//! Programs under construction: what lies in which memory, who waits for whom.
//!
//! ```text
//! per block:   LOAD what is not in memory   (waits until the space is free: C → L)
//!              COMPUTE or TRANSFORM         (waits for its loads: L → C, and for result space: S → C)
//!              STORE its results            (waits for them: C → S)
//! at the end:  READ
//! ```
//! Loads of the next block follow at once, so they and the stores before them overlap compute as far as
//! the memories have room: operands and results lie in rings. What kind of plan it is does not matter here.

mod ring;
mod tokens;

use crate::layout::{Layout, Scratchpad};
use ring::{Region, Ring};
use std::ops::Range;
use std::sync::Arc;
use tandem_spec::{Config, Instruction, Load, Memory, Store, StoreWidth, Timing, Tokens};
use tokens::{Chain, Stage};

/// What the payload of a LOAD holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// How the operand lies that it is a part of.
    pub layout: Arc<Layout>,
    /// The block that it is loaded for.
    pub block: usize,
    /// Addresses from the start of the layout.
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

/// What a block takes of an operand: tiles of a layout, counted from its first one.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    pub layout: Arc<Layout>,
    pub tiles: Range<usize>,
}

impl Tiles {
    pub fn new(layout: Layout, tiles: Range<usize>) -> Self {
        Tiles { layout: Arc::new(layout), tiles }
    }
}

/// Space for what a block gives back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Results {
    block: usize,
    /// First result word.
    pub address: usize,
    words: usize,
    /// Stores that must be done before it is written.
    free_after: usize,
}

/// The longest layout of each memory, and the most result words of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Longest {
    /// Memories and addresses.
    operands: Vec<(Scratchpad, usize)>,
    pub results: usize,
    /// Memories whose layouts all take as much space as the longest, so that one never drives out the one before it
    /// where there is room for two.
    pub slots: Vec<Memory>,
}

impl Longest {
    /// Counts a layout.
    pub fn add(&mut self, layout: &Layout) {
        let (pad, length) = (layout.pad, layout.addresses());
        match self.operands.iter_mut().find(|o| o.0.memory == pad.memory) {
            Some((_, longest)) => *longest = length.max(*longest),
            None => self.operands.push((pad, length)),
        }
    }
}

/// A program and the state of the memories after it.
pub(crate) struct Schedule<'a> {
    config: &'a Config,
    operands: Vec<(Memory, Ring<Arc<Layout>>)>,
    results: Ring<usize>,
    chain: Chain,
    fills: Vec<Fill>,
    stores: Vec<usize>,
}

impl<'a> Schedule<'a> {
    /// An empty program.
    pub fn new(config: &'a Config, longest: &Longest) -> Self {
        let operands = longest.operands.iter();
        let ring = |pad: &Scratchpad, most: usize| {
            if longest.slots.contains(&pad.memory) {
                Ring::slots(pad.depth, most)
            } else {
                Ring::new(pad.depth, most)
            }
        };
        Schedule {
            config,
            operands: operands.map(|(pad, most)| (pad.memory, ring(pad, *most))).collect(),
            results: Ring::new(config.memory.result, longest.results),
            chain: Chain::default(),
            fills: vec![],
            stores: vec![],
        }
    }

    /// Where a layout lies or will lie.
    fn region(&mut self, layout: &Arc<Layout>) -> &mut Region<Arc<Layout>> {
        let ring = self.operands.iter_mut().find(|o| o.0 == layout.pad.memory);
        ring.expect("its longest layout was counted").1.region(layout, layout.addresses())
    }

    /// Number of the compute that must be done before an operand may be written.
    pub fn free_after(&mut self, operand: &Tiles) -> usize {
        self.region(&operand.layout).free_after
    }

    /// Loads the tiles of an operand that are missing. Addresses that hold the end of one tile and the start of
    /// the next come with the first of the two. Tiles with all lines and the last one, if it has fewer and
    /// that saves more than an instruction costs, come in separate loads; indices, few as they are, in one.
    ///
    /// # Panics
    /// If the layout exceeds its memory.
    pub fn load(&mut self, operand: &Tiles, block: usize) {
        let layout = &operand.layout;
        let Region { filled, start: region_start, free_after, .. } = *self.region(layout);
        let (pad, at_once) = (&layout.pad, layout.comes_at_once());
        let wanted = if at_once { layout.tiles.len() } else { operand.tiles.end };
        if wanted <= filled {
            return;
        }
        let start = layout.until(filled);
        let end = if at_once { layout.addresses() } else { layout.until(wanted) };
        let mut elements = if at_once { layout.lines.width } else { layout.elements(filled) };
        let edge = layout.elements(wanted - 1);
        let mut border = end;
        if !at_once && edge < elements && pad.memory != Memory::Index {
            let split = layout.until(wanted - 1).max(start);
            let saved = pad.link_words(elements) - pad.link_words(edge);
            if split == start {
                elements = edge;
            } else if (end - split) * saved > Timing::new(self.config).unit_words + 5 {
                border = split;
            }
        }
        for (addresses, elements) in [(start..border, elements), (border..end, edge)] {
            if addresses.is_empty() {
                continue;
            }
            let filled = if layout.broadcast { pad.width } else { elements };
            let load = Load {
                memory: pad.memory,
                address: (region_start + addresses.start) as u16,
                count: addresses.len() as u16,
                words: pad.link_words(elements) as u16,
                mask: (u32::MAX) >> (32 - filled),
                broadcast: layout.broadcast,
                ..Load::default()
            };
            self.chain.push(Stage::Load, Instruction::Load(load), &[(Stage::Compute, free_after)]);
            self.fills.push(Fill { layout: layout.clone(), block, addresses, elements });
        }
        let loads = self.chain.count(Stage::Load);
        let region = self.region(layout);
        region.filled = wanted;
        region.arrivals.push((wanted, loads));
    }

    /// Whether a memory has room for two of the longest layouts.
    pub fn has_room_for_two(&self, memory: Memory) -> bool {
        self.operands.iter().find(|o| o.0 == memory).is_some_and(|(_, ring)| ring.has_room_for_two())
    }

    /// Space for the results of a block, which the next STORE returns.
    ///
    /// # Panics
    /// If it exceeds the result memory.
    pub fn results(&mut self, block: usize, words: usize) -> Results {
        let stores = self.chain.count(Stage::Store);
        let region = self.results.region(&block, words);
        region.used_until = stores + 1;
        Results { block, address: region.start, words, free_after: region.free_after }
    }

    /// Issues the instruction that `make` returns for the first flat word of each operand, which loads have brought.
    pub fn compute(
        &mut self,
        operands: &[&Tiles],
        results: Option<&Results>,
        make: impl FnOnce(&[usize]) -> Instruction,
    ) {
        let number = self.chain.count(Stage::Compute) + 1;
        let (mut bases, mut ready) = (vec![], 0);
        for Tiles { layout, tiles } in operands {
            let region = self.region(layout);
            region.used_until = number;
            ready = ready.max(region.ready_after(if layout.comes_at_once() {
                layout.tiles.len()
            } else {
                tiles.end
            }));
            bases.push(region.start * layout.pad.banks + tiles.start * layout.tile_stride);
        }
        let space = results.map(|results| (Stage::Store, results.free_after));
        let needs: Vec<_> = [(Stage::Load, ready)].into_iter().chain(space).collect();
        self.chain.push(Stage::Compute, make(&bases), &needs);
    }

    /// Returns results, once all computes so far are done.
    pub fn store(&mut self, results: &Results, format: StoreWidth) {
        self.store_lanes(results, format, 0);
    }

    /// The same, of so many lanes of each word; 0: of all.
    pub fn store_lanes(&mut self, results: &Results, format: StoreWidth, lanes: u8) {
        let (address, count) = (results.address as u16, results.words as u16);
        let store = Store { format, address, count, lanes, ..Store::default() };
        let computes = self.chain.count(Stage::Compute);
        self.chain.push(Stage::Store, Instruction::Store(store), &[(Stage::Compute, computes)]);
        self.stores.push(results.block);
    }

    /// The program, with the READ at its end.
    pub fn finish(mut self) -> Program {
        self.chain.push(Stage::Store, Instruction::Read(Tokens::default()), &[]);
        Program { instructions: self.chain.instructions, fills: self.fills, stores: self.stores }
    }
}
