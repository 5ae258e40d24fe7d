//! What a product will do on the accelerator, decided before anything runs.
//!
//! ```text
//! (Config, m×k×n, formats) ─ search ─► GemmPlan ─ schedule ─► instructions, layouts ─ pack ─► link words
//!
//! rows of the array    X [m, k]      or, transposed, Wᵀ [n, k]       cut into tiles of `row.width`
//! columns              Wᵀ [n, k]     or              X [m, k]        cut into tiles of `col.width`
//! sum                  k, cut into `parts` that fit memories and accumulators
//! ```
//! A *block* is one COMPUTE: some row tiles × some column tiles × one part. Blocks run in order; one
//! finds its operands in memory or has them loaded, and (unless it holds) has its results stored.

mod bound;
mod cuts;
mod draft;
mod search;
mod seeds;

pub use bound::{longest_sum, slices};
pub use search::{TooLong, search};

use super::sparsity::Selection;
use crate::codebook::Codes;
use crate::device::Format;
use crate::layout::{Lines, Scratchpad, Side, Slice};
use std::ops::Range;
use tandem_spec::{Config, StoreWidth};

/// Y[m, n] = Σ_k X[m, k] · W[k, n].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of X and Y.
    pub m: usize,
    /// Columns of X, rows of W.
    pub k: usize,
    /// Columns of W and Y.
    pub n: usize,
}

/// Width of the results that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultWidth {
    /// The exact sum.
    Full,
    /// Divided, rounded and saturated to 8 or 16 bits.
    Narrow(u8),
}

/// What a plan depends on, beside the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GemmProblem {
    /// Shape of the product.
    pub shape: Shape,
    /// Format of X.
    pub x: Format,
    /// Format of W.
    pub w: Format,
    /// Width of the results.
    pub result: ResultWidth,
    /// What is skipped.
    pub selection: Selection,
    /// The codes that W moves as. It enters by the columns then.
    pub codes: Option<Codes>,
}

impl GemmProblem {
    /// Terms of the sum: k, or its groups if W is compressed.
    pub fn depth(&self) -> usize {
        self.selection.terms(self.shape.k)
    }

    /// Rows of Y as the array sees them: m, or its groups if results are selected.
    pub fn lines(&self) -> usize {
        self.selection.lines(self.shape.m)
    }
}

/// One operand on its side of the array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidePlan {
    /// Rows of the operand (`m` or `n`, or groups of selected results).
    pub elements: usize,
    /// Rows of a tile; the last tile may have fewer.
    pub width: usize,
    /// Number of tiles.
    pub tiles: usize,
    /// Bit slices of the operand.
    pub slices: Vec<Slice>,
    /// All tiles of a part are in memory at once, so that they cross the link once per part.
    pub resident: bool,
}

impl SidePlan {
    /// How its rows are cut into tiles.
    pub fn lines(&self) -> Lines {
        Lines { count: self.elements, width: self.width }
    }

    /// Rows of tile `tile`.
    pub fn rows_of(&self, tile: usize) -> usize {
        self.lines().of(tile).len()
    }

    /// Rows in `tiles`.
    pub fn rows_in(&self, tiles: &Range<usize>) -> usize {
        self.lines().within(tiles).len()
    }
}

/// A range of k and a pair of slices whose products are summed on chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which terms of the sum: of k, or of its groups if W is compressed.
    pub k: Range<usize>,
    /// Index of the row operand's slice.
    pub row_slice: usize,
    /// Index of the column operand's slice.
    pub col_slice: usize,
}

impl Part {
    /// Words of the sum: ⌈|k| / lanes⌉.
    pub fn words(&self, lanes: usize) -> usize {
        self.k.len().div_ceil(lanes)
    }

    /// Index of the slice on `side`.
    pub fn slice(&self, side: Side) -> usize {
        match side {
            Side::Row => self.row_slice,
            Side::Col => self.col_slice,
        }
    }
}

/// One COMPUTE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Index of the part.
    pub part: usize,
    /// Row tiles.
    pub rows: Range<usize>,
    /// Column tiles.
    pub cols: Range<usize>,
    /// Goes on from the accumulators of the block before.
    pub keep: bool,
    /// Leaves its sums in the accumulators.
    pub hold: bool,
}

impl Block {
    /// Tiles on `side`.
    pub fn tiles(&self, side: Side) -> &Range<usize> {
        match side {
            Side::Row => &self.rows,
            Side::Col => &self.cols,
        }
    }
}

/// A product's plan: plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GemmPlan {
    /// What it computes.
    pub problem: GemmProblem,
    /// W enters from the rows and the results are Yᵀ.
    pub transposed: bool,
    /// The row operand.
    pub row: SidePlan,
    /// The column operand.
    pub col: SidePlan,
    /// Cuts of the sum.
    pub parts: Vec<Part>,
    /// What is computed, in order.
    pub blocks: Vec<Block>,
    /// Width of results on the link: as requested, or any width that provably holds every sum.
    pub transport: StoreWidth,
}

impl GemmPlan {
    /// The operand on `side`.
    pub fn side(&self, side: Side) -> &SidePlan {
        match side {
            Side::Row => &self.row,
            Side::Col => &self.col,
        }
    }

    /// The codes that the column operand consists of, if it does.
    pub fn codes(&self) -> Option<Codes> {
        self.problem.codes
    }

    /// Lanes of a result word that a block returns, if the accelerator can leave the others out and all tiles have as many
    /// columns; else 0: all.
    pub fn lanes(&self, config: &Config, block: &Block) -> u8 {
        let [first, last] = [block.cols.start, block.cols.end - 1].map(|tile| self.col.rows_of(tile));
        if config.pack && first == last && first < config.array.drain { first as u8 } else { 0 }
    }

    /// Whether the accelerator returns partial sums that the host adds.
    pub fn host_adds(&self) -> bool {
        self.parts.len() > 1 && self.blocks.iter().all(|b| !b.hold)
    }

    /// Whether the accelerator narrows results as requested.
    pub fn chip_narrows(&self) -> bool {
        self.problem.result != ResultWidth::Full && !self.host_adds() && self.transport != StoreWidth::S32
    }

    /// Whether the host narrows sums that come whole.
    pub fn host_narrows(&self) -> bool {
        self.problem.result != ResultWidth::Full && !self.chip_narrows()
    }

    /// Digit planes of `part` on `side`.
    pub fn planes(&self, config: &Config, side: Side, part: usize) -> usize {
        let slice = self.side(side).slices[self.parts[part].slice(side)];
        Scratchpad::new(config, side).planes(slice.format.bits.into())
    }

    /// Turns of a tile of `part`, all passes together, for each pair of planes.
    fn turns(&self, config: &Config, part: usize) -> usize {
        let selection = self.problem.selection;
        self.parts[part].words(config.array.lanes) * selection.turns() * selection.passes()
    }

    /// Steps of the whole plan: Σ tiles · row planes · column planes · words.
    pub fn steps(&self, config: &Config) -> u64 {
        let steps = |b: &Block| {
            let planes = Side::BOTH.map(|s| self.planes(config, s, b.part));
            b.rows.len() * b.cols.len() * planes[0] * planes[1] * self.turns(config, b.part)
        };
        self.blocks.iter().map(|b| steps(b) as u64).sum()
    }

    /// What the `products` register should count: Σ steps · valid rows · valid columns.
    pub fn products(&self, config: &Config) -> u64 {
        let products = |b: &Block| {
            let planes = Side::BOTH.map(|s| self.planes(config, s, b.part));
            let steps = planes[0] * planes[1] * self.turns(config, b.part);
            self.row.rows_in(&b.rows) * self.col.rows_in(&b.cols) * steps
        };
        self.blocks.iter().map(|b| products(b) as u64).sum()
    }
}
