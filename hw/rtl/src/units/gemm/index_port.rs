//! A column's indices, one a lane or one a row.
//!
//! ```text
//!  t          t+1          t+2   (t+3)       t+3 (t+4)
//! address ─►[address] ─► [memory] ─►(▯)─► & mask ─►[index]      (▯): if deep
//! ```

use super::pe::Widths;
use super::step::IndexAt;
use crate::hdl::prelude::*;
use crate::load::payload::Write;
use crate::load::pieces::pieces;
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Reads a word of indices; outside the memory they are zero.
    ///
    /// # Timing  address in cycle t, indices in t+3 (t+4 if deep)
    pub struct IndexPort(c: &Config) {
        let (p, pick) = (pieces(c, Memory::Index), Widths::new(c).pick);
        let per_piece = p.bits / c.index_bits();
        let (entries, deep) = (c.index_lanes(), c.array.pipeline == DEEP);

        clock,
        /// A write into the memory.
        pub write: Write<In> = Write::new(p),
        /// Where the step's indices lie.
        pub indices: IndexAt<In> = IndexAt::new(c),
        /// The word's indices, each for a lane or a row.
        pub entry: Vec<Sig<Out>> = Sig::vec(entries, pick, false),
        /// They belong to rows.
        pub by_row: Sig<Out> = Sig::unsigned(1),
        at: Reg = Reg::unsigned(c.address_bits),
        inside_2: Reg = Reg::unsigned(1),
        inside_3: Stage = Stage::new(deep, 1, false),
        mask_1: Reg = Reg::unsigned(pick),
        mask_2: Reg = Reg::unsigned(pick),
        mask_3: Stage = Stage::new(deep, pick, false),
        held_1: Reg = Reg::unsigned(1),
        held_2: Reg = Reg::unsigned(1),
        held_3: Stage = Stage::new(deep, 1, false),
        held_4: Reg = Reg::unsigned(1),
        ram: Vec<Ram> = (0..p.count).map(|_| Ram::new(p.depth, p.bits, false)).collect(),
        word: Vec<Stage> = Stage::vec(p.count, deep, p.bits, false),
        cut: Vec<Unpack> = (0..p.count).map(|_| Unpack::new(per_piece, c.index_bits(), false)).collect(),
        picked: Vec<Reg> = Reg::vec(entries, pick, false),
        pieces: Dim = Dim::new(p.count),
        per_piece: Dim = Dim::new(per_piece),
        log_depth: Dim = Dim::new(p.depth.trailing_zeros() as usize),
        entries: Dim = Dim::new(entries),
    }
}

impl Logic for IndexPort {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.at.d.next = self.indices.address.val();
        self.inside_2.d.next = ((self.at.q.val() >> self.log_depth.val()) == 0).into();
        self.inside_3.d.next = self.inside_2.q.val();
        self.mask_1.d.next = self.indices.mask.val();
        self.mask_2.d.next = self.mask_1.q.val();
        self.mask_3.d.next = self.mask_2.q.val();
        self.held_1.d.next = self.indices.held.val();
        self.held_2.d.next = self.held_1.q.val();
        self.held_3.d.next = self.held_2.q.val();
        self.held_4.d.next = self.held_3.q.val();
        self.by_row.next = self.held_4.q.val();
        for p in 0..self.pieces.val() {
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.at.q.val();
            self.ram[p].we.next = self.write.we[p].val();
            self.ram[p].waddr.next = self.write.address.val();
            self.ram[p].wdata.next = self.write.data[p].val();
            self.word[p].d.next = self.ram[p].rdata.val();
            self.cut[p].x.next = self.word[p].q.val();
        }
        for l in 0..self.entries.val() {
            self.picked[l].d.next = 0.into();
            if self.inside_3.q.val().any() {
                self.picked[l].d.next = self.cut[l / self.per_piece.val()].y[l % self.per_piece.val()].val()
                    & self.mask_3.q.val();
            }
            self.entry[l].next = self.picked[l].q.val();
        }
    }
}
