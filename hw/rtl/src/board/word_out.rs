//! Link words and the accelerator's state into the slots of frames.
//!
//! ```text
//! FLUSH (words dropped) ─► WORDS ⇄ STATUS        a frame is closed when it is full, or at a mark
//!
//! word ─► ▯ held ─► byte by byte ─► frame         what the store engine sees of all this is one register
//! ```

use crate::board::frame::{Closing, Content, Mark};
use crate::hdl::prelude::*;
use crate::host::{Lanes, Status, WordsOut};
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::link::{MAX_PAYLOAD, status};

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Flush,
    Words,
    Status,
}

/// Numbers in a STATUS.
const NUMBERS: usize = 3;
/// Its flags.
const FLAGS: [u8; 4] = [status::BOUNDARY, status::FAILED, status::COMPUTE_PENDING, status::STORE_PENDING];
const _: () = assert!(matches!(FLAGS, [1, 2, 4, 8]), "the kernel puts them in this order");

unit! {
    /// See docs/link.md, "Session" and "Records".
    ///
    /// # Timing  a word is taken into a register while that is empty; from there a byte a cycle goes into the frame
    pub struct WordOut(c: &Config) {
        let (lanes, bytes) = (Lanes::new(c), c.link_bytes());

        clock,
        /// Drop the frame at the head, and words until the accelerator is still.
        pub clear: Signal<In, Bit>,
        /// Words are dropped.
        pub flushing: Signal<Out, Bit>,
        /// The accelerator waits for the host, nothing moves, nothing is offered or held.
        pub still: Signal<Out, Bit>,
        /// Words from the accelerator.
        pub out: WordsOut<In> = WordsOut::new(c),
        /// What it does.
        pub status: Status<In> = Status::new(),
        /// A mark.
        pub mark: Mark<In> = Mark::new(),
        /// A byte for the frame at the head.
        pub content: Content<Out> = Content::new(),
        /// Its end.
        pub closing: Closing<Out> = Closing::new(),
        phase: DFF<Phase>,
        held: Vec<Reg> = Reg::vec(lanes.count, lanes.bits, false),
        full: Reg = Reg::unsigned(1),
        fill: Reg = Reg::unsigned(8),
        index: Reg = Reg::unsigned(4),
        closing_q: Reg = Reg::unsigned(1),
        closing_status: Reg = Reg::unsigned(1),
        closing_length: Reg = Reg::unsigned(8),
        closes: Signal<Local, Bit>,
        cut: Vec<Unpack> = (0..lanes.count).map(|_| Unpack::new(lanes.bits / 8, 8, false)).collect(),
        word: Mux = Mux::new(bytes, 8, false),
        number_cut: Vec<Unpack> = (0..NUMBERS).map(|_| Unpack::new(4, 8, false)).collect(),
        report: Mux = Mux::new(status::BYTES, 8, false),
        flags: Concat = Concat::new(FLAGS.len(), 1),
        after: Sig<Local> = Sig::unsigned(8),
        moves: Signal<Local, Bit>,
        reports: Signal<Local, Bit>,
        word_ends: Signal<Local, Bit>,
        at_mark: Signal<Local, Bit>,
        bytes: Dim = Dim::new(bytes),
        lanes: Dim = Dim::new(lanes.count),
        per_lane: Dim = Dim::new(lanes.bits / 8),
        numbers: Dim = Dim::new(NUMBERS),
        most: Dim = Dim::new(MAX_PAYLOAD),
        report_bytes: Dim = Dim::new(status::BYTES),
        per_number: Dim = Dim::new(4),
    }
}

impl Logic for WordOut {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.out.ready.next = !self.full.q.val().any();
        for l in 0..self.lanes.val() {
            if !self.full.q.val().any() {
                self.held[l].d.next = self.out.data[l].val();
            }
            self.cut[l].x.next = self.held[l].q.val();
            for b in 0..self.per_lane.val() {
                self.word.x[l * self.per_lane.val() + b].next = self.cut[l].y[b].val();
            }
        }
        self.flags.x[0].next = self.status.boundary.val().into();
        self.flags.x[1].next = self.status.failed.val().into();
        self.flags.x[2].next = self.status.compute_pending.val().into();
        self.flags.x[3].next = self.status.store_pending.val().into();
        self.report.x[0].next = self.flags.y.val();
        self.number_cut[0].x.next = self.status.load_number.val();
        self.number_cut[1].x.next = self.status.compute_number.val();
        self.number_cut[2].x.next = self.status.store_number.val();
        for n in 0..self.numbers.val() {
            for b in 0..self.per_number.val() {
                self.report.x[1 + n * self.per_number.val() + b].next = self.number_cut[n].y[b].val();
            }
        }
        self.word.sel.next = self.index.q.val();
        self.report.sel.next = self.index.q.val();
        self.still.next = self.status.waiting.val()
            & self.status.quiet.val()
            & !self.out.valid.val()
            & !self.full.q.val().any();
        self.flushing.next = self.phase.q.val() == Phase::Flush;
        // the next frame begins in the cycle after the last one is closed
        self.moves.next = (self.phase.q.val() == Phase::Words)
            & self.full.q.val().any()
            & self.closing.room.val()
            & !self.closing_q.q.val().any();
        self.reports.next =
            (self.phase.q.val() == Phase::Status) & self.closing.room.val() & !self.closing_q.q.val().any();
        self.word_ends.next = self.moves.val() & (self.index.q.val() + 1 == self.bytes.val());
        self.full.d.next = ((self.full.q.val().any() & !self.word_ends.val())
            | (self.out.valid.val() & !self.full.q.val().any()))
        .into();
        if self.flushing.val() {
            self.full.d.next = 0.into();
        }
        // a byte into the frame
        self.content.we.next = self.moves.val() | self.reports.val();
        self.content.place.next = self.fill.q.val();
        self.content.value.next = self.word.y.val();
        if self.phase.q.val() == Phase::Status {
            self.content.value.next = self.report.y.val();
        }
        self.after.next = self.fill.q.val() + self.content.we.val();
        // the frame's end
        self.mark.made.next = self.reports.val() & (self.fill.q.val() + 1 == self.report_bytes.val());
        self.at_mark.next = (self.phase.q.val() == Phase::Words) & self.mark.waits.val() & self.still.val();
        self.closes.next = (self.word_ends.val() & (self.fill.q.val() + 1 == self.most.val()))
            | (self.at_mark.val() & self.fill.q.val().any())
            | self.mark.made.val();
        self.closing_q.d.next = (self.closes.val() & !self.clear.val() & !self.flushing.val()).into();
        self.closing_status.d.next = self.mark.made.val().into();
        self.closing_length.d.next = self.after.val();
        self.closing.ends.next = self.closing_q.q.val().any();
        self.closing.status.next = self.closing_status.q.val().any();
        self.closing.length.next = self.closing_length.q.val();
        if self.content.we.val() {
            self.index.d.next = self.index.q.val() + 1;
        }
        self.fill.d.next = self.after.val();
        if self.closes.val() | self.flushing.val() {
            self.fill.d.next = 0.into();
        }
        if self.word_ends.val() | self.mark.made.val() | self.flushing.val() {
            self.index.d.next = 0.into();
        }
        match self.phase.q.val() {
            Phase::Flush => {
                if self.still.val() {
                    self.phase.d.next = Phase::Words;
                }
            }
            Phase::Words => {
                if self.at_mark.val() & (self.fill.q.val() == 0) {
                    self.phase.d.next = Phase::Status;
                }
            }
            Phase::Status => {
                if self.mark.made.val() {
                    self.phase.d.next = Phase::Words;
                }
            }
        }
        if self.clear.val() {
            self.phase.d.next = Phase::Flush;
        }
    }
}
