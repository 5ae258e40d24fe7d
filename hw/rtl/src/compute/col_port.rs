//! A column's side of the array: its digits with their sign, and its indices.
//!
//! ```text
//!  t          t+1          t+2   (t+3)       t+3 (t+4)
//! address ─►[address] ─► [memory] ─►(▯)─► sign ─►[digit]       (▯): if deep
//! index   ─►[address] ─► [memory] ─►(▯)─► & mask ─►[index]     one a lane, or one a row
//! ```

use super::pe::{Widths, optional};
use crate::hdl::prelude::*;
use crate::load::pieces::pieces;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

/// Reads the column's word and, with selection, its word of indices; outside the memories they are zero.
///
/// # Timing  addresses in cycle t, digits and indices in t+3 (t+4 if deep)
#[derive(LogicBlock)]
pub struct ColPort {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Write enable of each piece of a word.
    pub we: Vec<Signal<In, Bit>>,
    /// Data of each piece.
    pub data: Vec<Sig<In>>,
    /// Address to write.
    pub waddr: Sig<In>,
    /// Write enable of each piece of an index word.
    pub index_we: Vec<Signal<In, Bit>>,
    /// Data of each piece.
    pub index_data: Vec<Sig<In>>,
    /// Address of the step's digits.
    pub address: Sig<In>,
    /// Address of the step's indices.
    pub index_address: Sig<In>,
    /// The step's digits are signed.
    pub top: Signal<In, Bit>,
    /// M − 1 of the step (none without selection).
    pub mask: Vec<Sig<In>>,
    /// The step's indices belong to rows (none without selection).
    pub held: Vec<Sig<In>>,
    /// The digits.
    pub digit: Vec<Sig<Out>>,
    /// The word's indices, each for a lane or a row (none without selection).
    pub index: Vec<Sig<Out>>,
    /// They belong to rows.
    pub by_row: Vec<Sig<Out>>,
    at: Reg,
    top_1: Reg,
    top_2: Reg,
    inside_2: Reg,
    top_3: Stage,
    inside_3: Stage,
    word: Vec<Stage>,
    ram: Vec<Ram>,
    digits: Vec<Unpack>,
    extend: Vec<SignExtend>,
    operand: Vec<Reg>,
    index_at: Reg,
    index_inside_2: Reg,
    index_inside_3: Stage,
    index_word: Vec<Stage>,
    mask_1: Vec<Reg>,
    mask_2: Vec<Reg>,
    mask_3: Vec<Stage>,
    held_1: Vec<Reg>,
    held_2: Vec<Reg>,
    held_3: Vec<Stage>,
    held_4: Vec<Reg>,
    index_ram: Vec<Ram>,
    indices: Vec<Unpack>,
    picked: Vec<Reg>,
    pieces: Dim,
    per_piece: Dim,
    lanes: Dim,
    log_depth: Dim,
    index_pieces: Dim,
    per_index_piece: Dim,
    log_index_depth: Dim,
    entries: Dim,
    selects: Dim,
}

impl ColPort {
    /// A port of `c`.
    pub fn new(c: &Config) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let value = pieces(c, Memory::Col);
        let index = pieces(c, Memory::Index);
        let per_index_piece = index.bits.checked_div(c.index_bits()).unwrap_or(0);
        let entries = c.index_lanes();
        let selects = usize::from(w.pick > 0);
        let deep = a.pipeline == DEEP;
        let reg = |n: usize| if w.pick == 0 { vec![] } else { Reg::vec(n, w.pick, false) };
        let flag = || Reg::vec(selects, 1, false);
        let (count, bits) = (value.count, value.bits);
        ColPort {
            clock: Default::default(),
            we: (0..count).map(|_| Default::default()).collect(),
            data: Sig::vec(count, bits, false),
            waddr: Sig::unsigned(index_bits(c.memory.col.max(c.memory.index))),
            index_we: (0..index.count).map(|_| Default::default()).collect(),
            index_data: optional(index.count, index.bits),
            address: Sig::unsigned(c.address_bits),
            index_address: Sig::unsigned(c.address_bits),
            top: Default::default(),
            mask: optional(1, w.pick),
            held: optional(selects, 1),
            digit: Sig::vec(a.lanes, w.col, true),
            index: optional(entries, w.pick),
            by_row: optional(selects, 1),
            at: Reg::unsigned(c.address_bits),
            top_1: Reg::unsigned(1),
            top_2: Reg::unsigned(1),
            inside_2: Reg::unsigned(1),
            top_3: Stage::new(deep, 1, false),
            inside_3: Stage::new(deep, 1, false),
            word: Stage::vec(count, deep, bits, false),
            ram: (0..count).map(|_| Ram::new(c.memory.col, bits, false)).collect(),
            digits: (0..count).map(|_| Unpack::new(bits / a.col_digit, a.col_digit, false)).collect(),
            extend: SignExtend::vec(a.lanes, a.col_digit),
            operand: Reg::vec(a.lanes, w.col, true),
            index_at: Reg::unsigned(c.address_bits),
            index_inside_2: Reg::unsigned(1),
            index_inside_3: Stage::new(deep, 1, false),
            index_word: Stage::vec(selects * index.count, deep, index.bits, false),
            mask_1: reg(1),
            mask_2: reg(1),
            mask_3: Stage::vec(selects, deep, w.pick, false),
            held_1: flag(),
            held_2: flag(),
            held_3: Stage::vec(selects, deep, 1, false),
            held_4: flag(),
            index_ram: (0..index.count).map(|_| Ram::new(c.memory.index, index.bits, false)).collect(),
            indices: (0..index.count).map(|_| Unpack::new(per_index_piece, c.index_bits(), false)).collect(),
            picked: reg(entries),
            pieces: Dim::new(count),
            per_piece: Dim::new(bits / a.col_digit),
            lanes: Dim::new(a.lanes),
            log_depth: Dim::new(c.memory.col.trailing_zeros() as usize),
            index_pieces: Dim::new(index.count),
            per_index_piece: Dim::new(per_index_piece),
            log_index_depth: Dim::new(c.memory.index.trailing_zeros() as usize),
            entries: Dim::new(entries),
            selects: Dim::new(selects),
        }
    }
}

impl Logic for ColPort {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, at, top_1, top_2, inside_2, index_at, index_inside_2);
        clock!(self, clock, top_3, inside_3, index_inside_3);
        self.top_3.d.next = self.top_2.q.val();
        self.inside_3.d.next = self.inside_2.q.val();
        self.index_inside_3.d.next = self.index_inside_2.q.val();
        self.at.d.next = self.address.val();
        self.top_1.d.next = self.top.val().into();
        self.top_2.d.next = self.top_1.q.val();
        self.inside_2.d.next = ((self.at.q.val() >> self.log_depth.val()) == 0).into();
        for p in 0..self.pieces.val() {
            self.ram[p].clock.next = self.clock.val();
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.at.q.val();
            self.ram[p].we.next = self.we[p].val();
            self.ram[p].waddr.next = self.waddr.val();
            self.ram[p].wdata.next = self.data[p].val();
            self.word[p].clock.next = self.clock.val();
            self.word[p].d.next = self.ram[p].rdata.val();
            self.digits[p].x.next = self.word[p].q.val();
        }
        for l in 0..self.lanes.val() {
            self.extend[l].x.next = self.digits[l / self.per_piece.val()].y[l % self.per_piece.val()].val();
            self.extend[l].is_signed.next = self.top_3.q.val().any();
            self.operand[l].clock.next = self.clock.val();
            self.operand[l].d.next = 0.into();
            if self.inside_3.q.val().any() {
                self.operand[l].d.next = self.extend[l].y.val();
            }
            self.digit[l].next = self.operand[l].q.val();
        }
        for s in 0..self.selects.val() {
            self.index_at.d.next = self.index_address.val();
            self.index_inside_2.d.next = ((self.index_at.q.val() >> self.log_index_depth.val()) == 0).into();
            self.mask_1[s].clock.next = self.clock.val();
            self.mask_2[s].clock.next = self.clock.val();
            self.mask_1[s].d.next = self.mask[s].val();
            self.mask_2[s].d.next = self.mask_1[s].q.val();
            self.mask_3[s].clock.next = self.clock.val();
            self.mask_3[s].d.next = self.mask_2[s].q.val();
            self.held_1[s].clock.next = self.clock.val();
            self.held_2[s].clock.next = self.clock.val();
            self.held_3[s].clock.next = self.clock.val();
            self.held_4[s].clock.next = self.clock.val();
            self.held_1[s].d.next = self.held[s].val();
            self.held_2[s].d.next = self.held_1[s].q.val();
            self.held_3[s].d.next = self.held_2[s].q.val();
            self.held_4[s].d.next = self.held_3[s].q.val();
            self.by_row[s].next = self.held_4[s].q.val();
            for p in 0..self.index_pieces.val() {
                self.index_ram[p].clock.next = self.clock.val();
                self.index_ram[p].re.next = true;
                self.index_ram[p].raddr.next = self.index_at.q.val();
                self.index_ram[p].we.next = self.index_we[p].val();
                self.index_ram[p].waddr.next = self.waddr.val();
                self.index_ram[p].wdata.next = self.index_data[p].val();
                self.index_word[p].clock.next = self.clock.val();
                self.index_word[p].d.next = self.index_ram[p].rdata.val();
                self.indices[p].x.next = self.index_word[p].q.val();
            }
            for l in 0..self.entries.val() {
                self.picked[l].clock.next = self.clock.val();
                self.picked[l].d.next = 0.into();
                if self.index_inside_3.q.val().any() {
                    self.picked[l].d.next =
                        self.indices[l / self.per_index_piece.val()].y[l % self.per_index_piece.val()].val()
                            & self.mask_3[s].q.val();
                }
                self.index[l].next = self.picked[l].q.val();
            }
        }
    }
}
