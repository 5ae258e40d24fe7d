//! A row's side of the array: its memory, its address offset, and its digits with their sign.
//!
//! ```text
//!  t       t+1            t+2     (t+3)        t+3 (t+4)
//! address ─►[+ offset] ─► [memory] ─►(▯)─► sign ─►[window]      (▯): if deep
//!                  └ low bits ──────────────────►[bank]
//! ```

use super::pe::{Widths, optional};
use crate::hdl::prelude::*;
use crate::load::pieces::{Pieces, pieces};
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Reads window ⌊A / M⌋ and bank A mod M, A = `address` + offset; outside the memory all digits are zero.
    ///
    /// # Timing  address in cycle t, window and bank in t+3 (t+4 if deep); a word written at the end of t is read from t+1 on
    pub struct RowPort(c: &Config) {
        let (a, w) = (&c.array, Widths::new(c));
        let Pieces { count, bits, .. } = pieces(c, Memory::Row);
        let Pieces { count: offset_parts, bits: offset_bits, .. } = pieces(c, Memory::Offset);
        let digits = a.select * a.lanes;
        let deep = a.pipeline == DEEP;
        let selects = usize::from(w.pick > 0);
        let bank_reg = || Reg::vec(selects, w.pick, false);

        clock,
        /// Write enable of each piece, bank by bank.
        pub we: Vec<Signal<In, Bit>> = (0..count).map(|_| Default::default()).collect(),
        /// Data of each piece.
        pub data: Vec<Sig<In>> = Sig::vec(count, bits, false),
        /// Address to write.
        pub waddr: Sig<In> = Sig::unsigned(index_bits(c.memory.row)),
        /// Write enable of each half of the offset (one, unless the link is 8 bits wide).
        pub offset_we: Vec<Signal<In, Bit>> = (0..offset_parts).map(|_| Default::default()).collect(),
        /// Data of each half.
        pub offset: Vec<Sig<In>> = Sig::vec(offset_parts, offset_bits, false),
        /// Flat address of the step.
        pub address: Sig<In> = Sig::unsigned(c.address_bits),
        /// The step's digits are signed.
        pub top: Signal<In, Bit>,
        /// The window's digits, bank by bank.
        pub window: Vec<Sig<Out>> = Sig::vec(digits, w.row, true),
        /// The bank that the address names (none without selection).
        pub bank: Vec<Sig<Out>> = optional(1, w.pick),
        shift_by: Vec<RegEn> = RegEn::vec(offset_parts, offset_bits, false),
        flat: Reg = Reg::unsigned(c.address_bits),
        top_1: Reg = Reg::unsigned(1),
        top_2: Reg = Reg::unsigned(1),
        inside_2: Reg = Reg::unsigned(1),
        top_3: Stage = Stage::new(deep, 1, false),
        inside_3: Stage = Stage::new(deep, 1, false),
        word: Vec<Stage> = Stage::vec(count, deep, bits, false),
        bank_2: Vec<Reg> = bank_reg(),
        bank_3: Vec<Stage> = Stage::vec(selects, deep, w.pick, false),
        bank_4: Vec<Reg> = bank_reg(),
        ram: Vec<Ram> = (0..count).map(|_| Ram::new(c.memory.row, bits, false)).collect(),
        digits: Vec<Unpack> = (0..count).map(|_| Unpack::new(bits / a.row_digit, a.row_digit, false)).collect(),
        extend: Vec<SignExtend> = SignExtend::vec(digits, a.row_digit),
        operand: Vec<Reg> = Reg::vec(digits, w.row, true),
        sum: Sig<Local> = Sig::unsigned(c.address_bits),
        offset_parts: Dim = Dim::new(offset_parts),
        offset_bits: Dim = Dim::new(offset_bits),
        pieces: Dim = Dim::new(count),
        per_piece: Dim = Dim::new(bits / a.row_digit),
        digit_count: Dim = Dim::new(digits),
        log_banks: Dim = Dim::new(w.pick),
        log_span: Dim = Dim::new(w.pick + c.memory.row.trailing_zeros() as usize),
        selects: Dim = Dim::new(selects),
    }
}

impl Logic for RowPort {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for p in 0..self.offset_parts.val() {
            self.shift_by[p].en.next = self.offset_we[p].val();
            self.shift_by[p].d.next = self.offset[p].val();
        }
        // the offset in one or two parts, the address: all modulo 2^address_bits
        self.sum.next = self.address.val() + self.shift_by[0].q.val();
        for p in 1..self.offset_parts.val() {
            self.sum.next = self.sum.val() + (self.shift_by[p].q.val() << self.offset_bits.val());
        }
        self.flat.d.next = self.sum.val();
        self.top_1.d.next = self.top.val().into();
        self.top_2.d.next = self.top_1.q.val();
        self.top_3.d.next = self.top_2.q.val();
        self.inside_3.d.next = self.inside_2.q.val();
        self.inside_2.d.next = ((self.flat.q.val() >> self.log_span.val()) == 0).into();
        for s in 0..self.selects.val() {
            self.bank_2[s].d.next = self.flat.q.val();
            self.bank_3[s].d.next = self.bank_2[s].q.val();
            self.bank_4[s].d.next = self.bank_3[s].q.val();
            self.bank[s].next = self.bank_4[s].q.val();
        }
        for p in 0..self.pieces.val() {
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.flat.q.val() >> self.log_banks.val();
            self.ram[p].we.next = self.we[p].val();
            self.ram[p].waddr.next = self.waddr.val();
            self.ram[p].wdata.next = self.data[p].val();
            self.word[p].d.next = self.ram[p].rdata.val();
            self.digits[p].x.next = self.word[p].q.val();
        }
        for d in 0..self.digit_count.val() {
            self.extend[d].x.next = self.digits[d / self.per_piece.val()].y[d % self.per_piece.val()].val();
            self.extend[d].is_signed.next = self.top_3.q.val().any();
            self.operand[d].d.next = 0.into();
            if self.inside_3.q.val().any() {
                self.operand[d].d.next = self.extend[d].y.val();
            }
            self.window[d].next = self.operand[d].q.val();
        }
    }
}
