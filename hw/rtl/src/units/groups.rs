//! A memory of groups of 16-bit parts: what a unit reads every cycle.

use crate::hdl::prelude::*;
use crate::load::payload::Write;
use crate::load::pieces::pieces;
use rust_hdl::prelude::*;
use tandem_spec::{Config, Memory};

unit! {
    /// Words of several groups, written in pieces, read group by group.
    ///
    /// # Timing  the group's number in cycle t, the group in t+1
    pub struct Groups(c: &Config, memory: Memory, parts: usize) {
        let pieces = pieces(c, memory);
        let per_part = 16 / pieces.bits;
        let groups = pieces.count * pieces.bits / (16 * parts);
        let log_groups = groups.ilog2() as usize;

        clock,
        /// A write of pieces of the word.
        pub write: Write<In> = Write::new(pieces),
        /// Number of the group to read.
        pub group: Sig<In> = Sig::unsigned(index_bits(pieces.depth) + log_groups),
        /// Parts of the group.
        pub part: Vec<Sig<Out>> = Sig::vec(parts, 16, true),
        ram: Vec<Ram> = (0..pieces.count).map(|_| Ram::new(pieces.depth, pieces.bits, false)).collect(),
        join: Vec<Concat> = (0..parts * groups).map(|_| Concat::new(per_part, pieces.bits)).collect(),
        place: Reg = Reg::unsigned(log_groups.max(1)),
        pieces: Dim = Dim::new(pieces.count),
        per_part: Dim = Dim::new(per_part),
        parts: Dim = Dim::new(parts),
        groups: Dim = Dim::new(groups),
        log_groups: Dim = Dim::new(log_groups),
    }
}

impl Logic for Groups {
    named!("group_memory");

    #[hdl_gen]
    fn update(&mut self) {
        self.place.d.next = 0.into();
        if self.groups.val() > 1 {
            self.place.d.next = self.group.val();
        }
        for i in 0..self.pieces.val() {
            self.ram[i].we.next = self.write.we[i].val();
            self.ram[i].waddr.next = self.write.address.val();
            self.ram[i].wdata.next = self.write.data[i].val();
            self.ram[i].re.next = true;
            self.ram[i].raddr.next = self.group.val() >> self.log_groups.val();
            self.join[i / self.per_part.val()].x[i % self.per_part.val()].next = self.ram[i].rdata.val();
        }
        for p in 0..self.parts.val() {
            self.part[p].next = self.join[p].y.val();
            for g in 1..self.groups.val() {
                if self.place.q.val() == g {
                    self.part[p].next = self.join[g * self.parts.val() + p].y.val();
                }
            }
        }
    }
}
