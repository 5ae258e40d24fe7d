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
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Reads the column's word and, with selection, its word of indices; outside the memories they are zero.
    ///
    /// # Timing  addresses in cycle t, digits and indices in t+3 (t+4 if deep)
    pub struct ColPort(c: &Config) {
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

        clock,
        /// Write enable of each piece of a word.
        pub we: Vec<Signal<In, Bit>> = (0..count).map(|_| Default::default()).collect(),
        /// Data of each piece.
        pub data: Vec<Sig<In>> = Sig::vec(count, bits, false),
        /// Address to write.
        pub waddr: Sig<In> = Sig::unsigned(index_bits(c.memory.col.max(c.memory.index))),
        /// Write enable of each piece of an index word.
        pub index_we: Vec<Signal<In, Bit>> = (0..index.count).map(|_| Default::default()).collect(),
        /// Data of each piece.
        pub index_data: Vec<Sig<In>> = optional(index.count, index.bits),
        /// Address of the step's digits.
        pub address: Sig<In> = Sig::unsigned(c.address_bits),
        /// Address of the step's indices.
        pub index_address: Sig<In> = Sig::unsigned(c.address_bits),
        /// The step's digits are signed.
        pub top: Signal<In, Bit>,
        /// M − 1 of the step (none without selection).
        pub mask: Vec<Sig<In>> = optional(1, w.pick),
        /// The step's indices belong to rows (none without selection).
        pub held: Vec<Sig<In>> = optional(selects, 1),
        /// The digits.
        pub digit: Vec<Sig<Out>> = Sig::vec(a.lanes, w.col, true),
        /// The word's indices, each for a lane or a row (none without selection).
        pub index: Vec<Sig<Out>> = optional(entries, w.pick),
        /// They belong to rows.
        pub by_row: Vec<Sig<Out>> = optional(selects, 1),
        at: Reg = Reg::unsigned(c.address_bits),
        top_1: Reg = Reg::unsigned(1),
        top_2: Reg = Reg::unsigned(1),
        inside_2: Reg = Reg::unsigned(1),
        top_3: Stage = Stage::new(deep, 1, false),
        inside_3: Stage = Stage::new(deep, 1, false),
        word: Vec<Stage> = Stage::vec(count, deep, bits, false),
        ram: Vec<Ram> = (0..count).map(|_| Ram::new(c.memory.col, bits, false)).collect(),
        digits: Vec<Unpack> = (0..count).map(|_| Unpack::new(bits / a.col_digit, a.col_digit, false)).collect(),
        extend: Vec<SignExtend> = SignExtend::vec(a.lanes, a.col_digit),
        operand: Vec<Reg> = Reg::vec(a.lanes, w.col, true),
        index_at: Vec<Reg> = Reg::vec(selects, c.address_bits, false),
        index_inside_2: Vec<Reg> = flag(),
        index_inside_3: Vec<Stage> = Stage::vec(selects, deep, 1, false),
        index_word: Vec<Stage> = Stage::vec(selects * index.count, deep, index.bits, false),
        mask_1: Vec<Reg> = reg(1),
        mask_2: Vec<Reg> = reg(1),
        mask_3: Vec<Stage> = Stage::vec(selects, deep, w.pick, false),
        held_1: Vec<Reg> = flag(),
        held_2: Vec<Reg> = flag(),
        held_3: Vec<Stage> = Stage::vec(selects, deep, 1, false),
        held_4: Vec<Reg> = flag(),
        index_ram: Vec<Ram> = (0..index.count).map(|_| Ram::new(c.memory.index, index.bits, false)).collect(),
        indices: Vec<Unpack> =
            (0..index.count).map(|_| Unpack::new(per_index_piece, c.index_bits(), false)).collect(),
        picked: Vec<Reg> = reg(entries),
        pieces: Dim = Dim::new(count),
        per_piece: Dim = Dim::new(bits / a.col_digit),
        lanes: Dim = Dim::new(a.lanes),
        log_depth: Dim = Dim::new(c.memory.col.trailing_zeros() as usize),
        index_pieces: Dim = Dim::new(index.count),
        per_index_piece: Dim = Dim::new(per_index_piece),
        log_index_depth: Dim = Dim::new(c.memory.index.trailing_zeros() as usize),
        entries: Dim = Dim::new(entries),
        selects: Dim = Dim::new(selects),
    }
}

impl Logic for ColPort {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.top_3.d.next = self.top_2.q.val();
        self.inside_3.d.next = self.inside_2.q.val();
        self.at.d.next = self.address.val();
        self.top_1.d.next = self.top.val().into();
        self.top_2.d.next = self.top_1.q.val();
        self.inside_2.d.next = ((self.at.q.val() >> self.log_depth.val()) == 0).into();
        for p in 0..self.pieces.val() {
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.at.q.val();
            self.ram[p].we.next = self.we[p].val();
            self.ram[p].waddr.next = self.waddr.val();
            self.ram[p].wdata.next = self.data[p].val();
            self.word[p].d.next = self.ram[p].rdata.val();
            self.digits[p].x.next = self.word[p].q.val();
        }
        for l in 0..self.lanes.val() {
            self.extend[l].x.next = self.digits[l / self.per_piece.val()].y[l % self.per_piece.val()].val();
            self.extend[l].is_signed.next = self.top_3.q.val().any();
            self.operand[l].d.next = 0.into();
            if self.inside_3.q.val().any() {
                self.operand[l].d.next = self.extend[l].y.val();
            }
            self.digit[l].next = self.operand[l].q.val();
        }
        for s in 0..self.selects.val() {
            self.index_at[s].d.next = self.index_address.val();
            self.index_inside_2[s].d.next =
                ((self.index_at[s].q.val() >> self.log_index_depth.val()) == 0).into();
            self.index_inside_3[s].d.next = self.index_inside_2[s].q.val();
            self.mask_1[s].d.next = self.mask[s].val();
            self.mask_2[s].d.next = self.mask_1[s].q.val();
            self.mask_3[s].d.next = self.mask_2[s].q.val();
            self.held_1[s].d.next = self.held[s].val();
            self.held_2[s].d.next = self.held_1[s].q.val();
            self.held_3[s].d.next = self.held_2[s].q.val();
            self.held_4[s].d.next = self.held_3[s].q.val();
            self.by_row[s].next = self.held_4[s].q.val();
            for p in 0..self.index_pieces.val() {
                self.index_ram[p].re.next = true;
                self.index_ram[p].raddr.next = self.index_at[s].q.val();
                self.index_ram[p].we.next = self.index_we[p].val();
                self.index_ram[p].waddr.next = self.waddr.val();
                self.index_ram[p].wdata.next = self.index_data[p].val();
                self.index_word[p].d.next = self.index_ram[p].rdata.val();
                self.indices[p].x.next = self.index_word[p].q.val();
            }
            for l in 0..self.entries.val() {
                self.picked[l].d.next = 0.into();
                if self.index_inside_3[s].q.val().any() {
                    self.picked[l].d.next =
                        self.indices[l / self.per_index_piece.val()].y[l % self.per_index_piece.val()].val()
                            & self.mask_3[s].q.val();
                }
                self.index[l].next = self.picked[l].q.val();
            }
        }
    }
}
