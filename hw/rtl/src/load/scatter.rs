//! Where a payload word goes: write enables and data of every piece of every memory.
//!
//! Piece i of a memory (elements outside, pieces of an element inside) lies in word ⌊i / n⌋ of an
//! address, n pieces a word. A broadcast repeats one element: piece i mod (pieces of an element).

use super::pieces::{Pieces, pieces};
use crate::compute::pe::optional;
use crate::hdl::prelude::*;
use crate::link::Lanes;
use rust_hdl::prelude::*;
use tandem_spec::{Config, Memory};

unit! {
    /// The pieces of one memory.
    ///
    /// # Timing  combinational
    pub struct MemoryScatter(c: &Config, pieces: Pieces) {
        let lanes = Lanes::new(c);
        let total = pieces.total();

        /// The word is for this memory.
        pub write: Signal<In, Bit>,
        /// One element for all in the mask.
        pub broadcast: Signal<In, Bit>,
        /// Elements to write.
        pub mask: Sig<In> = Sig::unsigned(32),
        /// Number of the word within its address.
        pub word: Sig<In> = Sig::unsigned(16),
        /// The word.
        pub data: Vec<Sig<In>> = lanes.signals(),
        /// Write enable of each piece.
        pub we: Vec<Signal<Out, Bit>> = (0..total).map(|_| Default::default()).collect(),
        /// Data of each piece.
        pub piece: Vec<Sig<Out>> = Sig::vec(total, pieces.bits, false),
        cut: Vec<Unpack> = (0..lanes.count)
            .map(|_| Unpack::new(lanes.bits / pieces.bits, pieces.bits, false))
            .collect(),
        bits: Unpack = Unpack::new(32, 1, false),
        total: Dim = Dim::new(total),
        count: Dim = Dim::new(pieces.count),
        lanes: Dim = Dim::new(lanes.count),
        per_lane: Dim = Dim::new(lanes.bits / pieces.bits),
        per_word: Dim = Dim::new(c.link_bits / pieces.bits),
        word_of: Vec<Dim> = (0..total).map(|i| Dim::new(i * pieces.bits / c.link_bits)).collect(),
        broadcast_word_of: Vec<Dim> = (0..total)
            .map(|i| Dim::new(i % pieces.count * pieces.bits / c.link_bits))
            .collect(),
    }
}

impl Logic for MemoryScatter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.bits.x.next = self.mask.val();
        for i in 0..self.lanes.val() {
            self.cut[i].x.next = self.data[i].val();
        }
        for i in 0..self.total.val() {
            self.we[i].next = self.write.val()
                & self.bits.y[i / self.count.val()].val().any()
                & (self.word.val() == self.word_of[i].val());
            self.piece[i].next = self.cut[i % self.per_word.val() / self.per_lane.val()].y
                [i % self.per_word.val() % self.per_lane.val()]
            .val();
            if self.broadcast.val() {
                self.we[i].next = self.write.val()
                    & self.bits.y[i / self.count.val()].val().any()
                    & (self.word.val() == self.broadcast_word_of[i].val());
                self.piece[i].next = self.cut
                    [i % self.count.val() % self.per_word.val() / self.per_lane.val()]
                .y[i % self.count.val() % self.per_word.val() % self.per_lane.val()]
                .val();
            }
        }
    }
}

unit! {
    /// The pieces of all operand memories.
    ///
    /// # Timing  combinational
    pub struct Scatter(c: &Config) {
        let a = &c.array;
        let (rp, cp, ip) = (pieces(c, Memory::Row), pieces(c, Memory::Col), pieces(c, Memory::Index));
        let (op, sp) = (pieces(c, Memory::Offset), pieces(c, Memory::Sample));
        let enables = |n: usize| (0..n).map(|_| Default::default()).collect();
        let code = |m: Memory| Dim::new(m.code() as usize);

        /// A payload word is there.
        pub write: Signal<In, Bit>,
        /// Memory to write.
        pub memory: Sig<In> = Sig::unsigned(3),
        /// One element for all in the mask.
        pub broadcast: Signal<In, Bit>,
        /// Elements to write.
        pub mask: Sig<In> = Sig::unsigned(32),
        /// Number of the word within its address.
        pub word: Sig<In> = Sig::unsigned(16),
        /// The word.
        pub data: Vec<Sig<In>> = Lanes::new(c).signals(),
        /// Row memories.
        pub row_we: Vec<Signal<Out, Bit>> = enables(a.rows * rp.count),
        /// Their data.
        pub row_data: Vec<Sig<Out>> = Sig::vec(a.rows * rp.count, rp.bits, false),
        /// Column memories.
        pub col_we: Vec<Signal<Out, Bit>> = enables(a.cols * cp.count),
        /// Their data.
        pub col_data: Vec<Sig<Out>> = Sig::vec(a.cols * cp.count, cp.bits, false),
        /// Index memories.
        pub index_we: Vec<Signal<Out, Bit>> = enables(a.cols * ip.count),
        /// Their data.
        pub index_data: Vec<Sig<Out>> = optional(a.cols * ip.count, ip.bits),
        /// Row offsets.
        pub offset_we: Vec<Signal<Out, Bit>> = enables(a.rows * op.count),
        /// Their data.
        pub offset_data: Vec<Sig<Out>> = Sig::vec(a.rows * op.count, op.bits, false),
        /// Sample memory.
        pub sample_we: Vec<Signal<Out, Bit>> = enables(sp.count),
        /// Its data.
        pub sample_data: Vec<Sig<Out>> = optional(sp.count, sp.bits),
        row: MemoryScatter = MemoryScatter::new(c, rp),
        col: MemoryScatter = MemoryScatter::new(c, cp),
        index: Vec<MemoryScatter> = if a.select > 1 { vec![MemoryScatter::new(c, ip)] } else { vec![] },
        offset: MemoryScatter = MemoryScatter::new(c, op),
        sample: Vec<MemoryScatter> = c.fft.iter().map(|_| MemoryScatter::new(c, sp)).collect(),
        lanes: Dim = Dim::new(Lanes::new(c).count),
        row_total: Dim = Dim::new(a.rows * rp.count),
        col_total: Dim = Dim::new(a.cols * cp.count),
        index_total: Dim = Dim::new(a.cols * ip.count),
        offset_total: Dim = Dim::new(a.rows * op.count),
        sample_total: Dim = Dim::new(sp.count),
        row_code: Dim = code(Memory::Row),
        col_code: Dim = code(Memory::Col),
        index_code: Dim = code(Memory::Index),
        offset_code: Dim = code(Memory::Offset),
        sample_code: Dim = code(Memory::Sample),
        selects: Dim = Dim::new(usize::from(a.select > 1)),
        transforms: Dim = Dim::new(usize::from(c.fft.is_some())),
    }
}

impl Logic for Scatter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.row.write.next = self.write.val() & (self.memory.val() == self.row_code.val());
        self.col.write.next = self.write.val() & (self.memory.val() == self.col_code.val());
        self.offset.write.next = self.write.val() & (self.memory.val() == self.offset_code.val());
        self.row.broadcast.next = self.broadcast.val();
        self.col.broadcast.next = self.broadcast.val();
        self.offset.broadcast.next = self.broadcast.val();
        self.row.mask.next = self.mask.val();
        self.col.mask.next = self.mask.val();
        self.offset.mask.next = self.mask.val();
        self.row.word.next = self.word.val();
        self.col.word.next = self.word.val();
        self.offset.word.next = self.word.val();
        for i in 0..self.lanes.val() {
            self.row.data[i].next = self.data[i].val();
            self.col.data[i].next = self.data[i].val();
            self.offset.data[i].next = self.data[i].val();
        }
        for i in 0..self.row_total.val() {
            self.row_we[i].next = self.row.we[i].val();
            self.row_data[i].next = self.row.piece[i].val();
        }
        for i in 0..self.col_total.val() {
            self.col_we[i].next = self.col.we[i].val();
            self.col_data[i].next = self.col.piece[i].val();
        }
        for i in 0..self.offset_total.val() {
            self.offset_we[i].next = self.offset.we[i].val();
            self.offset_data[i].next = self.offset.piece[i].val();
        }
        for s in 0..self.selects.val() {
            self.index[s].write.next = self.write.val() & (self.memory.val() == self.index_code.val());
            self.index[s].broadcast.next = self.broadcast.val();
            self.index[s].mask.next = self.mask.val();
            self.index[s].word.next = self.word.val();
            for i in 0..self.lanes.val() {
                self.index[s].data[i].next = self.data[i].val();
            }
            for i in 0..self.index_total.val() {
                self.index_we[i].next = self.index[s].we[i].val();
                self.index_data[i].next = self.index[s].piece[i].val();
            }
        }
        for u in 0..self.transforms.val() {
            self.sample[u].write.next = self.write.val() & (self.memory.val() == self.sample_code.val());
            self.sample[u].broadcast.next = self.broadcast.val();
            self.sample[u].mask.next = self.mask.val();
            self.sample[u].word.next = self.word.val();
            for i in 0..self.lanes.val() {
                self.sample[u].data[i].next = self.data[i].val();
            }
            for i in 0..self.sample_total.val() {
                self.sample_we[i].next = self.sample[u].we[i].val();
                self.sample_data[i].next = self.sample[u].piece[i].val();
            }
        }
    }
}
