//! The rules of a valid instruction, in hardware; `tandem_spec::isa` states the same ones in software.

use super::pieces::pieces;
use crate::field::field;
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::config::MAX_LOOPS;
use tandem_spec::isa::{OPCODES, compute, load, store, transform};
use tandem_spec::{Config, Memory};

/// Instructions of the table that an accelerator knows: all, or all but the last one, TRANSFORM.
pub fn kinds(c: &Config) -> usize {
    OPCODES.len() - usize::from(c.fft.is_none())
}

/// Looks at a whole instruction.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct InstructionRules {
    /// The instruction's place in the table.
    pub kind: Sig<In>,
    /// Its 16-bit halves.
    pub half: Vec<Sig<In>>,
    /// A COMPUTE's counts have bits that they must not have ([`count_bits`]).
    pub excess: Signal<In, Bit>,
    /// A field is out of range, or a bit of no field is set.
    pub bad: Signal<Out, Bit>,
    load_memory: Slice,
    rows: Slice,
    rows_last: Slice,
    row_edge: Slice,
    held: Slice,
    cols: Slice,
    cols_last: Slice,
    col_edge: Slice,
    row_planes: Slice,
    col_planes: Slice,
    tiles: Slice,
    select: Slice,
    format: Slice,
    shift: Slice,
    count: Vec<Sig<Local>>,
    reserved: Vec<Const>,
    depth: Sig<Local>,
    most_words: Sig<Local>,
    memories: Dim,
    depth_of: Vec<Dim>,
    words_of: Vec<Dim>,
    result_depth: Dim,
    array_rows: Dim,
    array_cols: Dim,
    most_row_planes: Dim,
    most_col_planes: Dim,
    levels: Dim,
    log_banks: Dim,
    selects: Flag,
    narrows: Flag,
    block: Slice,
    tile: Slice,
    log_points: Slice,
    words: Sig<Local>,
    square: Signal<Local, Bit>,
    kinds: Dim,
    sample_depth: Dim,
    log_groups: Dim,
    least_log: Dim,
    most_log: Dim,
    sizes: Dim,
    most_batches: Dim,
    transforms: Flag,
    has_block: Flag,
    has_tiles: Flag,
}

/// Bits of each half of instruction `code`'s first unit that belong to no field.
fn reserved_bits(code: u8) -> Vec<Const> {
    let op = OPCODES.iter().find(|o| o.code == code).expect("in the table");
    let mut free = [0xffffu16; 8];
    free[0] = 0xff00;
    for f in op.fields.iter().filter(|f| f.offset < 128) {
        for b in f.offset..f.offset + f.width {
            free[b / 16] &= !(1 << (b % 16));
        }
    }
    if op.units == 1 {
        free[7] = 0;
    }
    free.iter().map(|m| Const::unsigned((*m).into(), 16)).collect()
}

/// Bits of a COMPUTE's half `h` that must have certain values, and these: upper bits of counts, and all of the
/// counts of levels that are not generated.
pub fn count_bits(c: &Config, h: usize) -> (u16, u16) {
    match h.checked_sub(10).map(|i| (i / 3, i % 3)) {
        Some((level, 0)) if level < c.loops => (!(u16::MAX >> (16 - c.address_bits)), 0),
        Some((level, 0)) if level < MAX_LOOPS => (u16::MAX, 1),
        _ => (0, 0),
    }
}

impl InstructionRules {
    /// The rules of `c`.
    pub fn new(c: &Config) -> Self {
        let most_log = c.fft.as_ref().map_or(0, |f| f.points.ilog2() as usize);
        let least_log = c.fft.as_ref().map_or(0, |f| if f.any_size { 2 } else { most_log });
        InstructionRules {
            kind: Sig::unsigned(3),
            half: Sig::vec(super::front_end::HALVES, 16, false),
            excess: Default::default(),
            bad: Default::default(),
            count: Sig::vec(c.loops, c.address_bits, false),
            load_memory: field(load::MEMORY, 0),
            rows: field(compute::ROWS, 5),
            rows_last: field(compute::ROWS_LAST, 5),
            row_edge: field(compute::ROW_EDGE, 5),
            held: field(compute::HELD, 5),
            cols: field(compute::COLS, 6),
            cols_last: field(compute::COLS_LAST, 6),
            col_edge: field(compute::COL_EDGE, 6),
            row_planes: field(compute::ROW_PLANES, 7),
            col_planes: field(compute::COL_PLANES, 7),
            tiles: field(compute::TILES, 7),
            select: field(compute::SELECT, 7),
            format: field(store::FORMAT, 0),
            shift: field(store::SHIFT, 3),
            reserved: OPCODES.iter().flat_map(|o| reserved_bits(o.code)).collect(),
            depth: Sig::unsigned(17),
            most_words: Sig::unsigned(16),
            memories: Dim::new(Memory::ALL.len()),
            depth_of: Memory::ALL.iter().map(|m| Dim::new(pieces(c, *m).depth)).collect(),
            words_of: Memory::ALL.iter().map(|m| Dim::new(pieces(c, *m).words)).collect(),
            result_depth: Dim::new(c.memory.result),
            array_rows: Dim::new(c.array.rows),
            array_cols: Dim::new(c.array.cols),
            most_row_planes: Dim::new(c.row_planes(c.array.row_bits)),
            most_col_planes: Dim::new(c.col_planes(c.array.col_bits)),
            levels: Dim::new(c.loops),
            log_banks: Dim::new(c.array.select.trailing_zeros() as usize),
            selects: Flag::new(c.array.select > 1),
            narrows: Flag::new(c.narrow),
            block: field(transform::BLOCK, 0),
            tile: field(transform::TILE, 0),
            log_points: field(transform::LOG_POINTS, 4),
            words: Sig::unsigned(32),
            square: Default::default(),
            kinds: Dim::new(kinds(c)),
            sample_depth: Dim::new(c.fft.as_ref().map_or(0, |f| f.depth)),
            log_groups: Dim::new(c.fft.as_ref().map_or(0, |f| f.groups(c.link_bits).ilog2() as usize)),
            least_log: Dim::new(least_log),
            most_log: Dim::new(most_log),
            sizes: Dim::new(most_log + 1),
            most_batches: Dim::new(c.fft.as_ref().map_or(0, |f| 4 * c.array.drain / f.samples)),
            transforms: Flag::new(c.fft.is_some()),
            has_block: Flag::new(c.fft.as_ref().is_some_and(|f| f.block)),
            has_tiles: Flag::new(c.fft.as_ref().is_some_and(|f| f.tiles)),
        }
    }
}

impl Logic for InstructionRules {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.load_memory.x.next = self.half[0].val();
        self.rows.x.next = self.half[5].val();
        self.rows_last.x.next = self.half[5].val();
        self.row_edge.x.next = self.half[5].val();
        self.held.x.next = self.half[5].val();
        self.cols.x.next = self.half[6].val();
        self.cols_last.x.next = self.half[6].val();
        self.col_edge.x.next = self.half[6].val();
        self.row_planes.x.next = self.half[7].val();
        self.col_planes.x.next = self.half[7].val();
        self.tiles.x.next = self.half[7].val();
        self.select.x.next = self.half[7].val();
        self.format.x.next = self.half[0].val();
        self.shift.x.next = self.half[3].val();
        self.block.x.next = self.half[0].val();
        self.tile.x.next = self.half[0].val();
        self.log_points.x.next = self.half[4].val();
        self.bad.next = false;
        for k in 0..self.kinds.val() {
            if self.kind.val() == k {
                for h in 0..8 {
                    if (self.half[h].val() & self.reserved[k * 8 + h].val()).any() {
                        self.bad.next = true;
                    }
                }
            }
        }
        self.depth.next = 0.into();
        self.most_words.next = 0.into();
        // of a memory that is not generated no word can be written
        for m in 0..self.memories.val() {
            if self.load_memory.y.val() == m {
                self.depth.next = self.depth_of[m].val().into();
                self.most_words.next = self.words_of[m].val().into();
            }
        }
        if (self.kind.val() == 0)
            & (!self.half[2].val().any()
                | (self.half[1].val() + self.half[2].val() > self.depth.val())
                | !self.half[3].val().any()
                | (self.half[3].val() > self.most_words.val()))
        {
            self.bad.next = true;
        }
        for l in 0..self.levels.val() {
            self.count[l].next = self.half[10 + 3 * l].val();
        }
        if self.kind.val() == 1 {
            if !self.rows.y.val().any()
                | (self.rows.y.val() > self.array_rows.val())
                | !self.rows_last.y.val().any()
                | (self.rows_last.y.val() > self.array_rows.val())
                | !self.cols.y.val().any()
                | (self.cols.y.val() > self.array_cols.val())
                | !self.cols_last.y.val().any()
                | (self.cols_last.y.val() > self.array_cols.val())
            {
                self.bad.next = true;
            }
            if !self.row_planes.y.val().any()
                | (self.row_planes.y.val() > self.most_row_planes.val())
                | !self.col_planes.y.val().any()
                | (self.col_planes.y.val() > self.most_col_planes.val())
                | (self.tiles.y.val() > self.levels.val())
                | (self.select.y.val() > self.log_banks.val())
                | (self.held.y.val().any() & !self.selects.val())
            {
                self.bad.next = true;
            }
            if (!self.row_edge.y.val().all() & (self.row_edge.y.val() >= self.tiles.y.val()))
                | (!self.col_edge.y.val().all() & (self.col_edge.y.val() >= self.tiles.y.val()))
            {
                self.bad.next = true;
            }
            for l in 0..self.levels.val() {
                if !self.count[l].val().any() {
                    self.bad.next = true;
                }
            }
            if self.excess.val() {
                self.bad.next = true;
            }
        }
        // TRANSFORM: its words of samples are count · 2^log_points / groups
        self.words.next = 0.into();
        self.square.next = false;
        if self.transforms.val() {
            for w in 0..self.sizes.val() {
                if self.log_points.y.val() == w + self.log_groups.val() {
                    self.words.next = self.half[2].val() << w;
                }
            }
            self.square.next = (self.log_points.y.val() == 4)
                | (self.log_points.y.val() == 6)
                | (self.log_points.y.val() == 8);
            if (self.kind.val() == 5)
                & ((self.log_points.y.val() < self.least_log.val())
                    | (self.log_points.y.val() > self.most_log.val())
                    | (self.block.y.val().any() & !self.has_block.val())
                    | (self.tile.y.val().any() & !(self.square.val() & self.has_tiles.val()))
                    | !self.half[2].val().any()
                    | (self.half[2].val() > self.most_batches.val())
                    | (self.half[1].val() + self.words.val() > self.sample_depth.val()))
            {
                self.bad.next = true;
            }
        }
        if (self.kind.val() == 2)
            & (self.format.y.val().all()
                | (!self.narrows.val() & self.format.y.val().any())
                | (!self.format.y.val().any() & self.shift.y.val().any())
                | !self.half[2].val().any()
                | (self.half[1].val() + self.half[2].val() > self.result_depth.val()))
        {
            self.bad.next = true;
        }
    }
}
