//! From bit-reversed to natural order, in place.
//!
//! ```text
//! batch 0 is written at p = 0, 1, 2, …       and read at reversed(k), k = 0, 1, 2, …
//! batch 1 is written where that was read     and read at k
//! batch 2 is written at p again …
//! ```
//! A word is read one cycle before it is overwritten: reading starts with a batch's last group.

use super::Shape;
use super::group::{Groups, Place, Size};
use super::reversal::Reversal;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

unit! {
    /// Reorders batches that follow each other without gaps.
    ///
    /// # Timing  group p of the first batch enters in s + p; group k in natural order leaves in s + N + k
    pub struct Reorder(shape: &Shape) {
        let (lanes, bits, w) = (shape.lanes, shape.log_points, shape.inner);

        clock,
        /// How large transforms are.
        pub size: Size<In> = Size::new(),
        /// Groups that enter.
        pub enters: Groups<In> = Groups::new(shape),
        /// Where the group that enters lies in its batch.
        pub place: Place<Out> = Place::new(),
        /// Groups that leave.
        pub leaves: Groups<Out> = Groups::new(shape),
        /// N − 1.
        pub last: Sig<Out> = Sig::unsigned(bits),
        ones: Sig<Local> = Sig::unsigned(bits),
        last_q: Reg = Reg::unsigned(bits),
        p: Reg = Reg::unsigned(bits),
        p_turned: Reg = Reg::unsigned(1),
        at_end: Reg = Reg::unsigned(1),
        armed: Reg = Reg::unsigned(1),
        read: Reg = Reg::unsigned(bits),
        read_turned: Reg = Reg::unsigned(1),
        k: Sig<Local> = Sig::unsigned(bits),
        k_turned: Sig<Local> = Sig::unsigned(1),
        write_order: Reversal = Reversal::new(shape),
        read_order: Reversal = Reversal::new(shape),
        ram: Vec<Ram> = (0..lanes).map(|_| Ram::new(1 << bits, 2 * w, false)).collect(),
        join: Vec<Concat> = (0..lanes).map(|_| Concat::new(2, w)).collect(),
        cut: Vec<Unpack> = (0..lanes).map(|_| Unpack::new(2, w, true)).collect(),
        lanes: Dim = Dim::new(lanes),
        bits: Dim = Dim::new(bits),
    }
}

impl Logic for Reorder {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // N − 1
        self.ones.next = 0.into();
        for b in 0..self.bits.val() {
            if self.size.log_points.val() > b {
                self.ones.next = self.ones.val() * 2 + 1;
            }
        }
        self.last_q.d.next = self.ones.val();
        self.last.next = self.last_q.q.val();
        // writing
        self.place.begins.next = !self.p.q.val().any();
        self.place.ends.next = self.at_end.q.val().any();
        self.p.d.next = self.p.q.val() + 1;
        self.at_end.d.next = (self.p.q.val() + 1 == self.last.val()).into();
        self.leaves.start.next = false;
        if self.place.ends.val() {
            self.p.d.next = 0.into();
            self.p_turned.d.next = (!self.p_turned.q.val().any()).into();
            self.leaves.start.next = self.armed.q.val().any();
            self.armed.d.next = 0.into();
        }
        if self.enters.start.val() {
            self.p.d.next = 0.into();
            self.at_end.d.next = 0.into();
            self.p_turned.d.next = 0.into();
            self.armed.d.next = 1.into();
        }
        // reading
        self.k.next = self.read.q.val();
        self.k_turned.next = self.read_turned.q.val();
        if self.leaves.start.val() {
            self.k.next = 0.into();
            self.k_turned.next = 0.into();
        }
        self.read.d.next = self.k.val() + 1;
        self.read_turned.d.next = self.k_turned.val();
        if self.k.val() == self.last.val() {
            self.read.d.next = 0.into();
            self.read_turned.d.next = (!self.k_turned.val().any()).into();
        }
        self.write_order.position.next = self.p.q.val();
        wire::join_all(&mut self.size, &mut self.write_order.size);
        self.read_order.position.next = self.k.val();
        wire::join_all(&mut self.size, &mut self.read_order.size);
        for l in 0..self.lanes.val() {
            self.join[l].x[0].next = self.enters.part[2 * l].val();
            self.join[l].x[1].next = self.enters.part[2 * l + 1].val();
            self.ram[l].we.next = true;
            self.ram[l].wdata.next = self.join[l].y.val();
            self.ram[l].waddr.next = self.p.q.val();
            if self.p_turned.q.val().any() {
                self.ram[l].waddr.next = self.write_order.counterpart.val();
            }
            self.ram[l].re.next = true;
            self.ram[l].raddr.next = self.read_order.counterpart.val();
            if self.k_turned.val().any() {
                self.ram[l].raddr.next = self.k.val();
            }
            self.cut[l].x.next = self.ram[l].rdata.val();
            self.leaves.part[2 * l].next = self.cut[l].y[0].val();
            self.leaves.part[2 * l + 1].next = self.cut[l].y[1].val();
        }
    }
}
