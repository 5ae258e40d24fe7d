//! How the operands and results of a product lie in the memories.
//!
//! ```text
//!                      rows                        columns              indices
//! dense                Dense                       Dense                -
//! compressed weights   Members of groups of k      Kept, by planes      Kept: as plane 0 of the values
//! selected results     Groups of rows              Dense                Held: a word for each tile and pass of a
//!                                                                       block, in the order of the array
//! results              for row tile, for column tile, for pass, for row: ⌈valid columns / drain⌉ words
//! ```

use super::plan::{Block, GemmPlan};
use super::sparsity::Selection;
use crate::device::Format;
use crate::layout::{Layout, Order, Scratchpad, Side, Slice};
use crate::schedule::Tiles;
use std::ops::Range;
use tandem_spec::{Config, Memory};

impl GemmPlan {
    /// The layout of tiles of the operand on `side`, for a part.
    pub fn layout(&self, config: &Config, side: Side, part: usize, tiles: Range<usize>) -> Layout {
        let (operand, part) = (self.side(side), &self.parts[part]);
        let order = match (self.problem.selection, side) {
            (Selection::Weights(p), Side::Row) => Order::Members(p),
            (Selection::Weights(p), Side::Col) => Order::Kept(p.n),
            (Selection::Results(p), Side::Row) => Order::Groups(p),
            (Selection::Results(_), Side::Col) | (Selection::Dense, _) => Order::Dense,
        };
        let by_planes = matches!(order, Order::Kept(_));
        let pad = match side {
            Side::Row => Scratchpad::new(config, side),
            Side::Col => Scratchpad::columns(config, self.codes()),
        };
        let slice = operand.slices[part.slice(side)];
        let terms = (part.k.clone(), config.array.lanes);
        let layout = Layout::new(pad, order, operand.lines(), tiles, terms, slice);
        if by_planes { layout.by_planes() } else { layout }
    }

    /// The levels of the codes, if there are any: every column gets the same.
    pub(crate) fn levels(&self, config: &Config) -> Option<Tiles> {
        self.codes().map(|_| Tiles::new(Layout::levels(config), 0..1))
    }

    /// The operand on `side` of a block.
    pub(crate) fn operand(&self, config: &Config, side: Side, block: &Block) -> Tiles {
        let region = self.region(side, block);
        let (tiles, first) = (block.tiles(side), region.start);
        let tiles = tiles.start - first..tiles.end - first;
        Tiles::new(self.layout(config, side, block.part, region), tiles)
    }

    /// The indices of a block, if it has any.
    pub(crate) fn indices(&self, config: &Config, block: &Block) -> Option<Tiles> {
        let n = self.problem.selection.pattern()?.n;
        let pad = Scratchpad::new(config, Memory::Index);
        let slice = Slice::whole(Format::unsigned(pad.digit as u8));
        let (region, tiles, terms, order) = if self.problem.selection.is_of_weights() {
            let Tiles { layout: values, tiles } = self.operand(config, Side::Col, block);
            (values.tiles.clone(), tiles, (values.terms.clone(), values.lanes), Order::Kept(n))
        } else {
            let (rows, height, cols) = (block.rows.clone(), self.row.lines(), block.cols.clone());
            let tiles = 0..rows.len() * cols.len();
            let terms = (0..height.width, pad.lanes);
            (tiles.clone(), tiles, terms, Order::Held { n, rows, height, cols })
        };
        Some(Tiles::new(Layout::new(pad, order, self.col.lines(), region, terms, slice), tiles))
    }

    /// Tiles that lie in memory together with the block's.
    pub(crate) fn region(&self, side: Side, block: &Block) -> Range<usize> {
        let operand = self.side(side);
        if operand.resident { 0..operand.tiles } else { block.tiles(side).clone() }
    }

    /// Result words of a block: Σ over its tiles and passes of valid rows · ⌈valid columns / drain⌉.
    pub fn result_words(&self, config: &Config, block: &Block) -> usize {
        let groups = |t: usize| self.col.rows_of(t).div_ceil(config.array.drain);
        let passes = self.problem.selection.passes();
        self.row.rows_in(&block.rows) * block.cols.clone().map(groups).sum::<usize>() * passes
    }

    /// A block's results in the order in which they leave: a line for each row of a tile and pass.
    pub(crate) fn result_lines(&self, block: &Block) -> impl Iterator<Item = ResultLine> {
        let (rows, cols, passes) = (self.row.lines(), self.col.lines(), self.problem.selection.passes());
        let tiles = block.rows.clone().flat_map({
            let across = block.cols.clone();
            move |row| across.clone().map(move |col| (rows.of(row), cols.of(col)))
        });
        tiles.flat_map(move |(rows, cols)| {
            let lines = (0..passes).flat_map(move |pass| rows.clone().map(move |row| (pass, row)));
            lines.map(move |(pass, row)| ResultLine { row, pass, cols: cols.clone() })
        })
    }
}

/// Results that leave together: a row of the array, filled up to a multiple of `drain` columns.
pub(crate) struct ResultLine {
    pub row: usize,
    /// Which entry of the row's group, if results are selected.
    pub pass: usize,
    pub cols: Range<usize>,
}
