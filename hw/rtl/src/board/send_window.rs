//! Which frames towards the host are kept, and which of them are to be sent.
//!
//! ```text
//!  base ──────── head          live: kept until an ACK passes it; pending: to be sent (again)
//! ```

use crate::board::frame::{Closing, Outgoing};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::link::BoardLink;

unit! {
    /// See docs/link.md, "Windows", board to host. Content lies in the slots' memory, not here.
    ///
    /// # Timing  a frame that is closed in cycle t can be taken T + 2 cycles later at most
    pub struct SendWindow(link: &BoardLink) {
        let slots = link.slots;

        clock,
        /// Empty the window; numbers start from 0.
        pub clear: Signal<In, Bit>,
        /// The end of the frame at the head.
        pub closing: Closing<In> = Closing::new(),
        /// Number of the frame at the head.
        pub head: Sig<Out> = Sig::unsigned(8),
        /// An ACK has come.
        pub ack: Signal<In, Bit>,
        /// Its base.
        pub ack_base: Sig<In> = Sig::unsigned(8),
        /// Its resend set.
        pub ack_resend: Vec<Signal<In, Bit>> = wire::bits(slots),
        /// A frame to be sent.
        pub outgoing: Outgoing<Out> = Outgoing::new(),
        /// Frames to be sent, by slot.
        pub pending: Vec<Signal<Out, Bit>> = wire::bits(slots),
        base: Reg = Reg::unsigned(8),
        head_q: Reg = Reg::unsigned(8),
        turn: Reg = Reg::unsigned(index_bits(slots)),
        waits: Vec<Reg> = Reg::vec(slots, 1, false),
        statuses: Vec<Reg> = Reg::vec(slots, 1, false),
        lengths: Ram = Ram::in_block(slots, 8),
        settled: DFF<Bit>,
        room_q: DFF<Bit>,
        used: Sig<Local> = Sig::unsigned(8),
        passed: Sig<Local> = Sig::unsigned(8),
        obeyed: Signal<Local, Bit>,
        waits_now: Signal<Local, Bit>,
        distance: Vec<Sig<Local>> = Sig::vec(slots, index_bits(slots), false),
        distance_now: Sig<Local> = Sig::unsigned(index_bits(slots)),
        slot: Sig<Local> = Sig::unsigned(index_bits(slots)),
        slots: Dim = Dim::new(slots),
    }
}

impl Logic for SendWindow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.head.next = self.head_q.q.val();
        self.used.next = self.head_q.q.val() - self.base.q.val();
        self.passed.next = self.ack_base.val() - self.base.q.val();
        // one cycle late for an ACK, in time for a frame that is closed
        self.room_q.d.next = self.used.val() + self.closing.ends.val() < self.slots.val();
        self.closing.room.next = self.room_q.q.val();
        self.obeyed.next = self.ack.val() & (self.passed.val() <= self.used.val());
        self.slot.next = self.head_q.q.val();
        self.lengths.we.next = self.closing.ends.val();
        self.lengths.waddr.next = self.slot.val();
        self.lengths.wdata.next = self.closing.length.val();
        self.lengths.re.next = true;
        self.lengths.raddr.next = self.turn.q.val();
        self.outgoing.length.next = self.lengths.rdata.val();
        self.waits_now.next = false;
        self.outgoing.status.next = false;
        for s in 0..self.slots.val() {
            self.pending[s].next = self.waits[s].q.val().any();
            if self.turn.q.val() == s {
                self.waits_now.next = self.waits[s].q.val().any();
                self.outgoing.status.next = self.statuses[s].q.val().any();
            }
        }
        // the number of the frame in the slot whose turn it is
        self.distance_now.next = self.turn.q.val() - self.base.q.val();
        self.outgoing.seq.next = self.base.q.val() + self.distance_now.val();
        // a frame is offered in the cycle after its turn comes, with its length
        self.settled.d.next = self.waits_now.val() & !self.outgoing.take.val();
        self.outgoing.available.next = self.waits_now.val() & self.settled.q.val();
        if !self.waits_now.val() | self.outgoing.take.val() {
            self.turn.d.next = self.turn.q.val() + 1;
        }
        for s in 0..self.slots.val() {
            self.distance[s].next = -self.base.q.val() + s;
            if self.outgoing.take.val() & (self.turn.q.val() == s) {
                self.waits[s].d.next = 0.into();
            }
            if self.obeyed.val() {
                if self.distance[s].val() < self.passed.val() {
                    self.waits[s].d.next = 0.into();
                } else if self.ack_resend[s].val() & (self.distance[s].val() < self.used.val()) {
                    self.waits[s].d.next = 1.into();
                }
            }
            if self.closing.ends.val() & (self.slot.val() == s) {
                self.waits[s].d.next = 1.into();
                self.statuses[s].d.next = self.closing.status.val().into();
            }
            if self.clear.val() {
                self.waits[s].d.next = 0.into();
            }
        }
        if self.obeyed.val() {
            self.base.d.next = self.ack_base.val();
        }
        if self.closing.ends.val() {
            self.head_q.d.next = self.head_q.q.val() + 1;
        }
        if self.clear.val() {
            self.base.d.next = 0.into();
            self.head_q.d.next = 0.into();
        }
    }
}
