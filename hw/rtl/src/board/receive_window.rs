//! DATA frames in any order into bytes in order.
//!
//! ```text
//! content ─► [slot seq mod R] ─► slot base mod R ─► bytes        base: first frame not consumed
//! ```

use crate::board::frame::{Arrival, Bytes, Reception};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::link::BoardLink;

/// Bytes between the starts of two slots.
pub const SLOT: usize = 256;

unit! {
    /// See docs/link.md, "Windows", host to board.
    ///
    /// # Timing  a byte every two cycles; a frame's first one three cycles after it ended or came to be the oldest
    pub struct ReceiveWindow(link: &BoardLink) {
        let slots = link.slots;

        clock,
        /// What the session says of the running frame.
        pub reception: Reception<In> = Reception::new(),
        /// The running frame.
        pub arrival: Arrival<In> = Arrival::new(),
        /// The bytes in order.
        pub bytes: Bytes<Out> = Bytes::new(),
        /// First frame not consumed.
        pub base: Sig<Out> = Sig::unsigned(8),
        /// Frames that are here, by slot.
        pub received: Vec<Signal<Out, Bit>> = wire::bits(slots),
        base_q: Reg = Reg::unsigned(8),
        here: Vec<Reg> = Reg::vec(slots, 1, false),
        lengths: Ram = Ram::in_block(slots, 8),
        oldest_length: Reg = Reg::unsigned(8),
        settled: DFF<Bit>,
        memory: Ram = Ram::new(slots * SLOT, 8, false),
        at: Reg = Reg::unsigned(8),
        loaded: DFF<Bit>,
        ahead: Sig<Local> = Sig::unsigned(8),
        slot: Sig<Local> = Sig::unsigned(index_bits(slots)),
        oldest: Sig<Local> = Sig::unsigned(index_bits(slots)),
        wanted: Signal<Local, Bit>,
        available: Signal<Local, Bit>,
        ready: Signal<Local, Bit>,
        ends: Signal<Local, Bit>,
        slots: Dim = Dim::new(slots),
        shift: Dim = Dim::new(SLOT.trailing_zeros() as usize),
    }
}

impl Logic for ReceiveWindow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.base.next = self.base_q.q.val();
        self.slot.next = self.arrival.seq.val();
        self.oldest.next = self.base_q.q.val();
        self.ahead.next = self.arrival.seq.val() - self.base_q.q.val();
        self.wanted.next = self.reception.mine.val() & (self.ahead.val() < self.slots.val());
        self.available.next = false;
        for s in 0..self.slots.val() {
            self.received[s].next = self.here[s].q.val().any();
            if (self.slot.val() == s) & self.here[s].q.val().any() {
                self.wanted.next = false;
            }
            if self.oldest.val() == s {
                self.available.next = self.here[s].q.val().any();
            }
        }
        self.ready.next = self.available.val() & self.settled.q.val();
        // into the window
        self.memory.we.next = self.arrival.content.we.val() & self.wanted.val();
        self.memory.waddr.next = (self.slot.val() << self.shift.val()) + self.arrival.content.place.val();
        self.memory.wdata.next = self.arrival.content.value.val();
        self.lengths.we.next = self.arrival.good.val() & self.wanted.val();
        self.lengths.waddr.next = self.slot.val();
        self.lengths.wdata.next = self.arrival.length.val();
        // out of it
        self.memory.raddr.next = (self.oldest.val() << self.shift.val()) + self.at.q.val();
        self.memory.re.next = self.ready.val() & !self.loaded.q.val();
        // there when the first byte is; a length is written before its frame is here
        self.lengths.re.next = true;
        self.lengths.raddr.next = self.oldest.val();
        self.oldest_length.d.next = self.lengths.rdata.val();
        self.bytes.valid.next = self.loaded.q.val();
        self.bytes.data.next = self.memory.rdata.val();
        self.ends.next = self.at.q.val() + 1 == self.oldest_length.q.val();
        self.reception.consumed.next = false;
        if self.loaded.q.val() {
            if self.bytes.ready.val() {
                self.loaded.d.next = false;
                self.at.d.next = self.at.q.val() + 1;
                if self.ends.val() {
                    self.at.d.next = 0.into();
                    self.base_q.d.next = self.base_q.q.val() + 1;
                    self.reception.consumed.next = true;
                }
            }
        } else {
            self.loaded.d.next = self.ready.val();
        }
        self.settled.d.next = self.available.val() & !self.reception.consumed.val();
        for s in 0..self.slots.val() {
            if self.reception.consumed.val() & (self.oldest.val() == s) {
                self.here[s].d.next = 0.into();
            }
            if self.arrival.good.val() & self.wanted.val() & (self.slot.val() == s) {
                self.here[s].d.next = self.arrival.length.val().any().into();
            }
            if self.reception.clear.val() {
                self.here[s].d.next = 0.into();
            }
        }
        if self.reception.clear.val() {
            self.base_q.d.next = 0.into();
            self.at.d.next = 0.into();
            self.loaded.d.next = false;
            self.settled.d.next = false;
        }
    }
}
