//! How the operands of a product lie in the memories.
//!
//! ```text
//!                      rows                        columns              indices
//! dense                Dense                       Dense                -
//! compressed weights   Members of groups of k      Kept, by planes      Kept: as plane 0 of the values
//! selected results     Lines: groups of rows       Dense                Held: a word for each tile and pass of a
//!                                                                       block, in the order of the array
//! ```

use super::plan::{Block, GemmPlan};
use super::sparsity::Selection;
use crate::device::Format;
use crate::layout::{Layout, Order, Scratchpad, Side, Slice};
use crate::schedule::Operand;
use std::ops::Range;
use tandem_spec::{Config, Memory};

impl GemmPlan {
    /// The layout of tiles of the operand on `side`, for a part.
    pub fn layout(&self, config: &Config, side: Side, part: usize, tiles: Range<usize>) -> Layout {
        let (operand, part) = (self.side(side), &self.parts[part]);
        let order = match (self.problem.selection, side) {
            (Selection::Weights(p), Side::Row) => Order::Members(p),
            (Selection::Weights(p), Side::Col) => Order::Kept(p.n),
            (Selection::Results(p), Side::Row) => Order::Lines(p),
            (Selection::Results(_), Side::Col) | (Selection::Dense, _) => Order::Dense,
        };
        let by_planes = matches!(order, Order::Kept(_));
        let (pad, slice) = (Scratchpad::new(config, side), operand.slices[part.slice(side)]);
        let terms = (part.k.clone(), config.array.lanes);
        let layout = Layout::new(pad, order, operand.lines(), tiles, terms, slice);
        if by_planes { layout.by_planes() } else { layout }
    }

    /// The operand on `side` of a block.
    pub(crate) fn operand(&self, config: &Config, side: Side, block: &Block) -> Operand {
        let region = self.region(side, block);
        let (tiles, first) = (block.tiles(side), region.start);
        let tiles = tiles.start - first..tiles.end - first;
        Operand { layout: self.layout(config, side, block.part, region), tiles }
    }

    /// The indices of a block, if it has any.
    pub(crate) fn indices(&self, config: &Config, block: &Block) -> Option<Operand> {
        let pad = Scratchpad::new(config, Memory::Index);
        let slice = Slice::whole(Format::unsigned(pad.digit as u8));
        let cols = self.col.lines();
        match self.problem.selection {
            Selection::Dense => None,
            Selection::Weights(p) => {
                let Operand { layout: values, tiles } = self.operand(config, Side::Col, block);
                let terms = (values.terms, values.lanes);
                let layout = Layout::new(pad, Order::Kept(p.n), cols, values.tiles, terms, slice);
                Some(Operand { layout, tiles })
            }
            Selection::Results(p) => {
                let (rows, height) = (block.rows.clone(), self.row.lines());
                let tiles = 0..rows.len() * block.cols.len();
                let terms = (0..height.width, pad.lanes);
                let order = Order::Held { n: p.n, rows, height, cols: block.cols.clone() };
                let layout = Layout::new(pad, order, cols, tiles.clone(), terms, slice);
                Some(Operand { layout, tiles })
            }
        }
    }

    /// Tiles that lie in memory together with the block's.
    fn region(&self, side: Side, block: &Block) -> Range<usize> {
        let operand = self.side(side);
        if operand.resident { 0..operand.tiles } else { block.tiles(side).clone() }
    }
}
