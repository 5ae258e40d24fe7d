//! Frames to bytes on the line.
//!
//! ```text
//! header, payload, CRC-32 ─PICK─► byte ─ENCODE─► [staging memory, COBS in place] ─SEND─► bytes, then 0 ─► UART
//!                          └► 0, if the line is silent
//! ```
//! COBS in place: a zero is not written; its place is where the distance to the next zero will go.

use crate::board::frame::{Answers, Bytes, Outgoing};
use crate::board::receive_window::SLOT;
use crate::crc::crc_step;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::check::{CRC32_INIT, CRC32_POLY};
use tandem_spec::link::{BoardLink, CHECK, HEADER, HELLO_BYTES, Kind, RATE_BYTES, STATE_BYTES, VERSION};

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Idle,
    Pick,
    Encode,
    Fetch,
    Send,
    Zero,
    Drain,
}

unit! {
    /// See docs/link.md, "Frames". HELLO goes first, then RATE, STATE, slots.
    ///
    /// # Timing  two cycles a byte to encode, meanwhile a zero if the UART is ready; then what the UART takes
    pub struct FrameSender(link: &BoardLink) {
        clock,
        /// What is to be answered.
        pub answers: Answers<In> = Answers::new(),
        /// A slot's frame.
        pub outgoing: Outgoing<In> = Outgoing::new(),
        /// Bytes for the UART, which is ready when it has sent everything.
        pub bytes: Bytes<Out> = Bytes::new(),
        /// Its payload.
        pub hello_byte: Vec<Sig<In>> = Sig::vec(HELLO_BYTES, 8, false),
        /// Its payload.
        pub rate_byte: Vec<Sig<In>> = Sig::vec(RATE_BYTES, 8, false),
        /// Its seq.
        pub state_seq: Sig<In> = Sig::unsigned(8),
        /// Its payload, as it is now.
        pub state_byte: Vec<Sig<In>> = Sig::vec(STATE_BYTES, 8, false),
        /// Address in the slots' memory.
        pub raddr: Sig<Out> = Sig::unsigned(index_bits(link.slots * SLOT)),
        /// The byte there, one cycle later.
        pub rdata: Sig<In> = Sig::unsigned(8),
        phase: DFF<Phase>,
        kind: Reg = Reg::unsigned(8),
        session_q: Reg = Reg::unsigned(8),
        seq: Reg = Reg::unsigned(8),
        length: Reg = Reg::unsigned(8),
        index: Reg = Reg::unsigned(8),
        code_at: Reg = Reg::unsigned(8),
        crc: Reg = Reg::unsigned(32),
        crc_step: XorReduce = crc_step(CRC32_POLY.into(), 32, 8, 1),
        snapshot: Vec<RegEn> = RegEn::vec(STATE_BYTES, 8, false),
        hello_mux: Mux = Mux::new(HELLO_BYTES, 8, false),
        rate_mux: Mux = Mux::new(RATE_BYTES, 8, false),
        state_mux: Mux = Mux::new(STATE_BYTES, 8, false),
        staging: Ram = Ram::new(SLOT, 8, false),
        place: Reg = Reg::unsigned(8),
        body: Reg = Reg::unsigned(8),
        whole: Reg = Reg::unsigned(8),
        slot_number: Sig<Local> = Sig::unsigned(index_bits(link.slots)),
        pick: Sig<Local> = Sig::unsigned(8),
        stored: Signal<Local, Bit>,
        byte: Reg = Reg::unsigned(8),
        idle: Signal<Local, Bit>,
        in_check: Signal<Local, Bit>,
        last: Signal<Local, Bit>,
        hello_bytes: Dim = Dim::new(HELLO_BYTES),
        rate_bytes: Dim = Dim::new(RATE_BYTES),
        state_bytes: Dim = Dim::new(STATE_BYTES),
        kind_hello: Dim = Dim::new(Kind::Hello as usize),
        kind_rate: Dim = Dim::new(Kind::Rate as usize),
        kind_state: Dim = Dim::new(Kind::State as usize),
        kind_words: Dim = Dim::new(Kind::Words as usize),
        kind_status: Dim = Dim::new(Kind::Status as usize),
        version: Dim = Dim::new(VERSION.into()),
        header: Dim = Dim::new(HEADER),
        overhead: Dim = Dim::new(HEADER + CHECK),
        shift: Dim = Dim::new(SLOT.trailing_zeros() as usize),
        crc_start: Const = Const::unsigned(CRC32_INIT.into(), 32),
        first_place: Const = Const::unsigned(256 - HEADER as i128, 8),
    }
}

impl Logic for FrameSender {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.idle.next = self.phase.q.val() == Phase::Idle;
        self.answers.hello_taken.next = self.idle.val() & self.answers.hello.val();
        self.answers.rate_taken.next = self.idle.val() & self.answers.rate.val() & !self.answers.hello.val();
        self.answers.state_taken.next = self.idle.val()
            & self.answers.state.val()
            & !(self.answers.hello.val() | self.answers.rate.val());
        self.outgoing.take.next = self.idle.val()
            & self.outgoing.available.val()
            & !(self.answers.hello.val() | self.answers.rate.val() | self.answers.state.val());
        self.answers.rate_done.next = (self.phase.q.val() == Phase::Drain) & self.bytes.ready.val();
        // the byte at `index`, of what follows the header that at `place`
        self.hello_mux.sel.next = self.place.q.val();
        self.rate_mux.sel.next = self.place.q.val();
        self.state_mux.sel.next = self.place.q.val();
        for i in 0..self.hello_bytes.val() {
            self.hello_mux.x[i].next = self.hello_byte[i].val();
        }
        for i in 0..self.rate_bytes.val() {
            self.rate_mux.x[i].next = self.rate_byte[i].val();
        }
        for i in 0..self.state_bytes.val() {
            self.snapshot[i].d.next = self.state_byte[i].val();
            self.snapshot[i].en.next = self.phase.q.val() == Phase::Idle;
            self.state_mux.x[i].next = self.snapshot[i].q.val();
        }
        self.body.d.next = self.length.q.val() + self.header.val();
        self.whole.d.next = self.length.q.val() + self.overhead.val();
        self.in_check.next = self.index.q.val() >= self.body.q.val();
        self.last.next = self.index.q.val() == self.whole.q.val();
        self.pick.next = self.hello_mux.y.val();
        if self.kind.q.val() == self.kind_rate.val() {
            self.pick.next = self.rate_mux.y.val();
        }
        if self.kind.q.val() == self.kind_state.val() {
            self.pick.next = self.state_mux.y.val();
        }
        self.stored.next =
            (self.kind.q.val() == self.kind_words.val()) | (self.kind.q.val() == self.kind_status.val());
        if self.index.q.val() == 0 {
            self.pick.next = self.kind.q.val();
            self.stored.next = false;
        } else if self.index.q.val() == 1 {
            self.pick.next = self.session_q.q.val();
            self.stored.next = false;
        } else if self.index.q.val() == 2 {
            self.pick.next = self.seq.q.val();
            self.stored.next = false;
        } else if self.in_check.val() {
            self.pick.next = !self.crc.q.val();
            self.stored.next = false;
        }
        // the memory's byte comes last, and late
        if self.stored.val() {
            self.pick.next = self.rdata.val();
        }
        self.byte.d.next = self.pick.val();
        // the next one of the slot's memory
        self.slot_number.next = self.seq.q.val();
        self.raddr.next = (self.slot_number.val() << self.shift.val()) + bits_of(self.index.q.val() - 2, 8);
        self.crc_step.x[0].next = self.crc.q.val();
        self.crc_step.x[1].next = self.byte.q.val();
        self.staging.we.next = self.phase.q.val() == Phase::Encode;
        self.staging.waddr.next = self.index.q.val() + 1;
        self.staging.wdata.next = self.byte.q.val();
        if self.last.val() | (self.byte.q.val() == 0) {
            self.staging.waddr.next = self.code_at.q.val();
            self.staging.wdata.next = self.index.q.val() + 1 - self.code_at.q.val();
        }
        self.staging.re.next = self.phase.q.val() == Phase::Fetch;
        self.staging.raddr.next = self.index.q.val();
        // a zero before the frame, for one cycle: a UART that sends takes none, and needs none
        self.bytes.valid.next = (self.phase.q.val() == Phase::Send)
            | (self.phase.q.val() == Phase::Zero)
            | ((self.phase.q.val() == Phase::Pick) & (self.index.q.val() == 0));
        self.bytes.data.next = 0.into();
        if self.phase.q.val() == Phase::Send {
            self.bytes.data.next = self.staging.rdata.val();
        }
        match self.phase.q.val() {
            Phase::Idle => {
                self.index.d.next = 0.into();
                self.place.d.next = self.first_place.val();
                self.code_at.d.next = 0.into();
                self.crc.d.next = self.crc_start.val();
                self.session_q.d.next = self.answers.session.val();
                self.kind.d.next = self.kind_words.val().into();
                if self.outgoing.status.val() {
                    self.kind.d.next = self.kind_status.val().into();
                }
                self.seq.d.next = self.outgoing.seq.val();
                self.length.d.next = self.outgoing.length.val();
                if self.answers.hello.val() {
                    self.kind.d.next = self.kind_hello.val().into();
                    self.seq.d.next = self.version.val().into();
                    self.length.d.next = self.hello_bytes.val().into();
                } else if self.answers.rate.val() {
                    self.kind.d.next = self.kind_rate.val().into();
                    self.seq.d.next = 0.into();
                    self.length.d.next = self.rate_bytes.val().into();
                } else if self.answers.state.val() {
                    self.kind.d.next = self.kind_state.val().into();
                    self.seq.d.next = self.state_seq.val();
                    self.length.d.next = self.state_bytes.val().into();
                }
                if self.answers.hello.val()
                    | self.answers.rate.val()
                    | self.answers.state.val()
                    | self.outgoing.available.val()
                {
                    self.phase.d.next = Phase::Pick;
                }
            }
            Phase::Pick => {
                self.phase.d.next = Phase::Encode;
            }
            Phase::Encode => {
                self.phase.d.next = Phase::Pick;
                self.index.d.next = self.index.q.val() + 1;
                self.place.d.next = self.place.q.val() + 1;
                if self.in_check.val() {
                    self.crc.d.next = self.crc.q.val() >> 8;
                } else {
                    self.crc.d.next = self.crc_step.y.val();
                }
                if self.byte.q.val() == 0 {
                    self.code_at.d.next = self.index.q.val() + 1;
                }
                if self.last.val() {
                    self.index.d.next = 0.into();
                    self.phase.d.next = Phase::Fetch;
                }
            }
            Phase::Fetch => {
                self.phase.d.next = Phase::Send;
            }
            Phase::Send => {
                if self.bytes.ready.val() {
                    self.index.d.next = self.index.q.val() + 1;
                    self.phase.d.next = Phase::Fetch;
                    if self.last.val() {
                        self.phase.d.next = Phase::Zero;
                    }
                }
            }
            Phase::Zero => {
                if self.bytes.ready.val() {
                    self.phase.d.next = Phase::Idle;
                    if self.kind.q.val() == self.kind_rate.val() {
                        self.phase.d.next = Phase::Drain;
                    }
                }
            }
            Phase::Drain => {
                if self.bytes.ready.val() {
                    self.phase.d.next = Phase::Idle;
                }
            }
        }
    }
}
