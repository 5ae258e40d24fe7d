//! Indices in their memory, beside the operands that they belong to.
//!
//! ```text
//! compressed weights    as plane 0 of the values: tile after tile of a region, kept while the values are
//! selected results      a word for each tile and pass of a block, in the order in which the array meets them
//! ```

use super::tokens::Stage;
use super::{Fill, Scheduler, region};
use crate::geometry::Side;
use crate::plan::{Block, GemmPlan};
use crate::sparsity::Selection;
use std::ops::Range;
use tandem_spec::isa::words_per_address;
use tandem_spec::{Config, Instruction, Load, Memory, Tokens};

/// Indices of what: a part and column tiles of compressed weights, or tiles of selected results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IndexKey {
    Weights(Range<usize>, Range<usize>),
    Results(Range<usize>, Range<usize>),
}

/// A block's indices in memory.
pub(super) struct IndexPlace {
    pub(super) key: IndexKey,
    /// Addresses of the region.
    pub(super) len: usize,
    /// The block's tiles, counted from the region's start.
    pub(super) tiles: Range<usize>,
    /// Addresses of a tile.
    pub(super) stride: usize,
}

impl IndexPlace {
    /// Where the block's indices lie or will lie, if it has any.
    pub(super) fn of(config: &Config, plan: &GemmPlan, block: &Block) -> Option<Self> {
        Some(match plan.problem.selection {
            Selection::Dense => return None,
            Selection::Weights(_) => {
                let region = region(plan, Side::Col, block);
                let tiles = block.cols.start - region.start..block.cols.end - region.start;
                let stride = plan.plane_words(config, Side::Col, block.part);
                let len = region.len() * stride;
                let key = IndexKey::Weights(plan.parts[block.part].k.clone(), region);
                IndexPlace { key, len, tiles, stride }
            }
            Selection::Results(p) => {
                let tiles = 0..block.rows.len() * block.cols.len();
                let key = IndexKey::Results(block.rows.clone(), block.cols.clone());
                IndexPlace { key, len: tiles.end * p.n, tiles, stride: p.n }
            }
        })
    }
}

impl Scheduler<'_> {
    /// Loads the indices that are missing.
    pub(super) fn load_indices(&mut self, place: &IndexPlace, block_index: usize, block: &Block) {
        let region = self.indices.region(place.key.clone(), place.len);
        let (filled, start, free_after) = (region.filled, region.start, region.free_after);
        if filled >= place.tiles.end {
            return;
        }
        let cols = &self.plan.col;
        let (tiles, elements) = match &place.key {
            IndexKey::Weights(_, region) => (region.clone(), cols.rows_of(region.start + filled)),
            IndexKey::Results(_, columns) => (columns.clone(), cols.rows_of(columns.start)),
        };
        let addresses = filled * place.stride..place.tiles.end * place.stride;
        let load = Load {
            tokens: Tokens::default(),
            broadcast: false,
            memory: Memory::Index,
            address: (start + addresses.start) as u16,
            count: addresses.len() as u16,
            words: words_per_address(self.config, Memory::Index, elements) as u16,
            mask: (u32::MAX) >> (32 - elements),
        };
        self.chain.push(Stage::Load, Instruction::Load(load), &[(Stage::Compute, free_after)]);
        let (memory, block, part, region) = (Memory::Index, block_index, block.part, tiles);
        self.fills.push(Fill { memory, block, part, region, addresses, elements });
        let loads = self.chain.count(Stage::Load);
        let region = self.indices.region(place.key.clone(), place.len);
        (region.filled, region.ready_after) = (place.tiles.end, loads);
    }
}
