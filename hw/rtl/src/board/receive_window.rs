//! DATA frames in any order into bytes in order.
//!
//! ```text
//! content ─► [slot seq mod R] ─► slot base mod R ─► bytes        base: first frame not consumed
//! ```

use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::link::BoardLink;

/// Bytes between the starts of two slots.
pub const SLOT: usize = 256;

/// See docs/link.md, "Windows", host to board.
///
/// # Timing  a byte every two cycles; a frame's first one three cycles after it ended or came to be the oldest
#[derive(LogicBlock)]
pub struct ReceiveWindow {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Empty the window; numbers start from 0.
    pub clear: Signal<In, Bit>,
    /// A byte of the running frame's payload or CRC.
    pub content: Signal<In, Bit>,
    /// The byte.
    pub value: Sig<In>,
    /// Its place.
    pub place: Sig<In>,
    /// The running frame is DATA of this session, as far as its header is known.
    pub mine: Signal<In, Bit>,
    /// Its number.
    pub seq: Sig<In>,
    /// It ended well.
    pub good: Signal<In, Bit>,
    /// Its length.
    pub length: Sig<In>,
    /// A byte is offered.
    pub valid: Signal<Out, Bit>,
    /// The byte.
    pub byte: Sig<Out>,
    /// It is taken.
    pub take: Signal<In, Bit>,
    /// A frame has been consumed.
    pub consumed: Signal<Out, Bit>,
    /// First frame not consumed.
    pub base: Sig<Out>,
    /// Frames that are here, by slot.
    pub received: Vec<Signal<Out, Bit>>,
    base_q: Reg,
    here: Vec<Reg>,
    lengths: Ram,
    oldest_length: Reg,
    settled: DFF<Bit>,
    memory: Ram,
    at: Reg,
    loaded: DFF<Bit>,
    ahead: Sig<Local>,
    slot: Sig<Local>,
    oldest: Sig<Local>,
    wanted: Signal<Local, Bit>,
    available: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    slots: Dim,
    shift: Dim,
}

impl ReceiveWindow {
    /// A window of `link`'s slots.
    pub fn new(link: &BoardLink) -> Self {
        let slots = link.slots;
        ReceiveWindow {
            clock: Default::default(),
            clear: Default::default(),
            content: Default::default(),
            value: Sig::unsigned(8),
            place: Sig::unsigned(8),
            mine: Default::default(),
            seq: Sig::unsigned(8),
            good: Default::default(),
            length: Sig::unsigned(8),
            valid: Default::default(),
            byte: Sig::unsigned(8),
            take: Default::default(),
            consumed: Default::default(),
            base: Sig::unsigned(8),
            received: (0..slots).map(|_| Default::default()).collect(),
            base_q: Reg::unsigned(8),
            here: Reg::vec(slots, 1, false),
            lengths: Ram::in_block(slots, 8),
            oldest_length: Reg::unsigned(8),
            settled: Default::default(),
            memory: Ram::new(slots * SLOT, 8, false),
            at: Reg::unsigned(8),
            loaded: Default::default(),
            ahead: Sig::unsigned(8),
            slot: Sig::unsigned(index_bits(slots)),
            oldest: Sig::unsigned(index_bits(slots)),
            wanted: Default::default(),
            available: Default::default(),
            ready: Default::default(),
            ends: Default::default(),
            slots: Dim::new(slots),
            shift: Dim::new(SLOT.trailing_zeros() as usize),
        }
    }
}

impl Logic for ReceiveWindow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, base_q, at, loaded, oldest_length, settled);
        clock!(self, clock, lengths, memory);
        self.base.next = self.base_q.q.val();
        self.slot.next = self.seq.val();
        self.oldest.next = self.base_q.q.val();
        self.ahead.next = self.seq.val() - self.base_q.q.val();
        self.wanted.next = self.mine.val() & (self.ahead.val() < self.slots.val());
        self.available.next = false;
        for s in 0..self.slots.val() {
            self.here[s].clock.next = self.clock.val();
            self.here[s].d.next = self.here[s].q.val();
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
        self.memory.we.next = self.content.val() & self.wanted.val();
        self.memory.waddr.next = (self.slot.val() << self.shift.val()) + self.place.val();
        self.memory.wdata.next = self.value.val();
        self.lengths.we.next = self.good.val() & self.wanted.val();
        self.lengths.waddr.next = self.slot.val();
        self.lengths.wdata.next = self.length.val();
        // out of it
        self.memory.raddr.next = (self.oldest.val() << self.shift.val()) + self.at.q.val();
        self.memory.re.next = self.ready.val() & !self.loaded.q.val();
        // there when the first byte is; a length is written before its frame is here
        self.lengths.re.next = true;
        self.lengths.raddr.next = self.oldest.val();
        self.oldest_length.d.next = self.lengths.rdata.val();
        self.valid.next = self.loaded.q.val();
        self.byte.next = self.memory.rdata.val();
        self.ends.next = self.at.q.val() + 1 == self.oldest_length.q.val();
        self.consumed.next = false;
        if self.loaded.q.val() {
            if self.take.val() {
                self.loaded.d.next = false;
                self.at.d.next = self.at.q.val() + 1;
                if self.ends.val() {
                    self.at.d.next = 0.into();
                    self.base_q.d.next = self.base_q.q.val() + 1;
                    self.consumed.next = true;
                }
            }
        } else {
            self.loaded.d.next = self.ready.val();
        }
        self.settled.d.next = self.available.val() & !self.consumed.val();
        for s in 0..self.slots.val() {
            if self.consumed.val() & (self.oldest.val() == s) {
                self.here[s].d.next = 0.into();
            }
            if self.good.val() & self.wanted.val() & (self.slot.val() == s) {
                self.here[s].d.next = self.length.val().any().into();
            }
            if self.clear.val() {
                self.here[s].d.next = 0.into();
            }
        }
        if self.clear.val() {
            self.base_q.d.next = 0.into();
            self.at.d.next = 0.into();
            self.loaded.d.next = false;
            self.settled.d.next = false;
        }
    }
}
