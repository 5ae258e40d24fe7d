//! An operand's way into the array: a row's or a column's memory, and its digits with their sign.
//!
//! ```text
//!  t       t+1            t+2     (t+3)        t+3 (t+4)
//! address ─►[+ offset] ─► [memory] ─►(▯)─► sign ─►[window]      (▯): if deep
//!                  └ low bits ──────────────────►[bank]         offset and bank: of rows
//! ```
//! Digits of levels take the place of a column's word behind its memory.

use super::step::{Decoded, OperandAt, Window};
use crate::hdl::prelude::*;
use crate::load::payload::Write;
use crate::load::pieces::pieces;
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Reads window ⌊A / M⌋ and bank A mod M of a row, A = `address` + offset, or word `address` of a column, which is
    /// a window of one bank; outside the memory all digits are zero.
    ///
    /// # Timing  address in cycle t, window and bank in t+3 (t+4 if deep); a word written at the end of t is read from t+1 on
    pub struct OperandPort(c: &Config, memory: Memory) {
        let (p, shape) = (pieces(c, memory), memory.shape(c).expect("an operand memory is always there"));
        let (is_row, offset) = (memory == Memory::Row, pieces(c, Memory::Offset));
        let offsets = if is_row { offset.count } else { 0 };
        let (digits, pick) = (shape.banks * shape.lanes, shape.banks.trailing_zeros() as usize);
        let (banked, deep) = (usize::from(pick > 0), c.array.pipeline == DEEP);
        let coded = usize::from(!is_row && c.codebook.is_some());

        clock,
        /// A write into the memory.
        pub write: Write<In> = Write::new(p),
        /// A write of the offset: in two pieces if the link is 8 bits wide.
        pub offset: Vec<Write<In>> = is_row.then(|| Write::new(offset)).into_iter().collect(),
        /// Where the step's operand lies.
        pub operand: OperandAt<In> = OperandAt::new(c),
        /// What its codes stand for, if it has any.
        pub decoded: Vec<Decoded<In>> = (0..coded).map(|_| Decoded::new(c)).collect(),
        /// The digits.
        pub window: Window<Out> = Window::new(digits, shape.digit + 1, pick),
        shift_by: Vec<RegEn> = RegEn::vec(offsets, offset.bits, false),
        sum: Sig<Local> = Sig::unsigned(c.address_bits),
        flat: Reg = Reg::unsigned(c.address_bits),
        top_1: Reg = Reg::unsigned(1),
        top_2: Reg = Reg::unsigned(1),
        top_3: Stage = Stage::new(deep, 1, false),
        inside_2: Reg = Reg::unsigned(1),
        inside_3: Stage = Stage::new(deep, 1, false),
        bank_2: Vec<Reg> = Reg::vec(banked, pick, false),
        bank_3: Vec<Stage> = Stage::vec(banked, deep, pick, false),
        bank_4: Vec<Reg> = Reg::vec(banked, pick, false),
        ram: Vec<Ram> = (0..p.count).map(|_| Ram::new(p.depth, p.bits, false)).collect(),
        word: Vec<Stage> = Stage::vec(p.count, deep, p.bits, false),
        digits: Vec<Unpack> =
            (0..p.count).map(|_| Unpack::new(p.bits / shape.digit, shape.digit, false)).collect(),
        extend: Vec<SignExtend> = SignExtend::vec(digits, shape.digit),
        read: Vec<Reg> = Reg::vec(digits, shape.digit + 1, true),
        is_row: Flag = Flag::new(is_row),
        offset_parts: Dim = Dim::new(offsets),
        offset_bits: Dim = Dim::new(offset.bits),
        pieces: Dim = Dim::new(p.count),
        per_piece: Dim = Dim::new(p.bits / shape.digit),
        digit_count: Dim = Dim::new(digits),
        log_banks: Dim = Dim::new(pick),
        log_span: Dim = Dim::new(pick + p.depth.trailing_zeros() as usize),
        banked: Dim = Dim::new(banked),
        coded: Dim = Dim::new(coded),
    }
}

impl Logic for OperandPort {
    named!(self => "{}_port", if self.is_row.val() { "row" } else { "col" });

    #[hdl_gen]
    fn update(&mut self) {
        // the offset in one or two parts, the address: all modulo 2^address_bits
        self.sum.next = self.operand.address.val();
        for p in 0..self.offset_parts.val() {
            self.shift_by[p].en.next = self.offset[0].we[p].val();
            self.shift_by[p].d.next = self.offset[0].data[p].val();
            if p == 0 {
                self.sum.next = self.sum.val() + self.shift_by[p].q.val();
            } else {
                self.sum.next = self.sum.val() + (self.shift_by[p].q.val() << self.offset_bits.val());
            }
        }
        self.flat.d.next = self.sum.val();
        self.top_1.d.next = self.operand.top.val().into();
        self.top_2.d.next = self.top_1.q.val();
        self.top_3.d.next = self.top_2.q.val();
        self.inside_2.d.next = ((self.flat.q.val() >> self.log_span.val()) == 0).into();
        self.inside_3.d.next = self.inside_2.q.val();
        for b in 0..self.banked.val() {
            self.bank_2[b].d.next = self.flat.q.val();
            self.bank_3[b].d.next = self.bank_2[b].q.val();
            self.bank_4[b].d.next = self.bank_3[b].q.val();
            self.window.bank[b].next = self.bank_4[b].q.val();
        }
        for p in 0..self.pieces.val() {
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.flat.q.val() >> self.log_banks.val();
            self.ram[p].we.next = self.write.we[p].val();
            self.ram[p].waddr.next = self.write.address.val();
            self.ram[p].wdata.next = self.write.data[p].val();
            self.word[p].d.next = self.ram[p].rdata.val();
            self.digits[p].x.next = self.word[p].q.val();
        }
        for d in 0..self.digit_count.val() {
            self.extend[d].x.next = self.digits[d / self.per_piece.val()].y[d % self.per_piece.val()].val();
            self.extend[d].is_signed.next = self.top_3.q.val().any();
            self.read[d].d.next = 0.into();
            if self.inside_3.q.val().any() {
                self.read[d].d.next = self.extend[d].y.val();
            }
            for k in 0..self.coded.val() {
                if self.decoded[k].used.val().any() {
                    self.extend[d].x.next = self.decoded[k].digit[d].val();
                    self.read[d].d.next = self.extend[d].y.val();
                }
            }
            self.window.digit[d].next = self.read[d].q.val();
        }
    }
}
