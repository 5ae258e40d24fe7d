//! The store engine: sends packets of results, of registers, of failures and resets.
//!
//! ```text
//! HEAD ─► (GAP ─► REGISTERS | DATA)? ─► SUMMARY ─► PAUSE ─► CHECK
//! ```
//! The results of DATA come from [`Results`].

use super::report::Report;
use super::result_memory::ResultRead;
use super::results::{Results, most_words};
use super::word_at::WordAt;
use crate::counters::StoreEvents;
use crate::crc::crc_step;
use crate::field::queue_halves;
use crate::fields;
use crate::hdl::prelude::*;
use crate::host::{Lanes, WordsOut};
use crate::load::queue::QueueHead;
use crate::tokens::Neighbour;
use rust_hdl::prelude::*;
use tandem_spec::check::{CRC32_INIT, CRC32_POLY};
use tandem_spec::isa::{Opcode, Who};
use tandem_spec::packet::{Kind, header};
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Config, Timing};

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Idle,
    Head,
    Gap,
    Registers,
    Data,
    Summary,
    Pause,
    Check,
}

fields! {
    /// A STORE; a READ has its tokens in the same places.
    struct Command of "STORE": opcode, pop_prev, push_prev
}

/// 32-bit words of a header or a summary.
const UNIT_SOURCES: usize = 4;
unit! {
    /// See docs/accelerator.md, "STORE, READ, RESET and errors" and "Timing".
    ///
    /// # Timing  taken in cycle t, header in tick 1, first data word in tick F
    pub struct StoreEngine(c: &Config) {
        let (t, lanes) = (Timing::new(c), Lanes::new(c));
        let per_source = 32 / lanes.bits;
        let register_words = REGISTERS.len() * 32 / c.link_bits;
        let most_words = register_words.max(most_words(c));

        clock,
        /// Its queue.
        pub queue: QueueHead<In> = QueueHead::new(queue_halves(Who::Store)),
        /// Number of the queue's head.
        pub number: Sig<In> = Sig::unsigned(32),
        /// Tokens from and for the compute engine.
        pub compute: Neighbour<In> = Neighbour::new(),
        /// What to say about a failure or a reset.
        pub report: Report<In> = Report::new(),
        /// The registers.
        pub register: Vec<Sig<In>> = Sig::vec(REGISTERS.len(), 32, false),
        /// The result memory.
        pub read: ResultRead<Out> = ResultRead::new(c),
        /// Words to the host.
        pub out: WordsOut<Out> = WordsOut::new(c),
        /// What is to be counted.
        pub events: StoreEvents<Out> = StoreEvents::new(),
        phase: DFF<Phase>,
        index: Reg = Reg::unsigned(8),
        gap: Reg = Reg::unsigned(5),
        kind: Reg = Reg::unsigned(3),
        reason: Reg = Reg::unsigned(3),
        number_q: Reg = Reg::unsigned(32),
        words: Reg = Reg::unsigned(bits_for(most_words)),
        gives: Reg = Reg::unsigned(1),
        magnitude: Reg = Reg::unsigned(32),
        saturated: Reg = Reg::unsigned(32),
        detail: Reg = Reg::unsigned(32),
        crc: Reg = Reg::unsigned(32),
        crc_step: XorReduce = crc_step(CRC32_POLY.into(), 32, lanes.bits, lanes.count),
        checked: Vec<Reg> = Reg::vec(lanes.count, lanes.bits, false),
        checks: Reg = Reg::unsigned(1),
        crc_cut: Unpack = Unpack::new(per_source, lanes.bits, false),
        crc_pick: Mux = Mux::new(per_source, lanes.bits, false),
        header: WordAt = WordAt::new(c, UNIT_SOURCES),
        summary: WordAt = WordAt::new(c, UNIT_SOURCES),
        registers: WordAt = WordAt::new(c, REGISTERS.len()),
        results: Results = Results::new(c),
        advance: Signal<Local, Bit>,
        sent: Signal<Local, Bit>,
        last_sent: Signal<Local, Bit>,
        ready: Signal<Local, Bit>,
        idle: Signal<Local, Bit>,
        is_read: Signal<Local, Bit>,
        lanes: Dim = Dim::new(lanes.count),
        pieces_per_source: Dim = Dim::new(per_source),
        unit_words: Dim = Dim::new(t.unit_words),
        check_words: Dim = Dim::new(t.check_words),
        register_words: Dim = Dim::new(register_words),
        gap_start: Dim = Dim::new(t.first_data - 1 - t.unit_words),
        has_gap: Flag = Flag::new(t.first_data > 1 + t.unit_words),
        command: Command = Command::new(0),
        read_code: Dim = Dim::new(Opcode::named("READ").code.into()),
        kind_result: Dim = Dim::new(Kind::Result as usize),
        kind_registers: Dim = Dim::new(Kind::Registers as usize),
        kind_error: Dim = Dim::new(Kind::Error as usize),
        kind_ready: Dim = Dim::new(Kind::Ready as usize),
        mark: Const = Const::unsigned(header::MARK_VALUE.into(), 16),
        crc_start: Const = Const::unsigned(CRC32_INIT.into(), 32),
    }
}

impl Logic for StoreEngine {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // what is offered, and whether the pipeline moves
        self.out.valid.next = false;
        match self.phase.q.val() {
            Phase::Idle => {}
            Phase::Gap => {}
            Phase::Pause => {}
            Phase::Data => {
                self.out.valid.next = self.results.delivery.valid.val();
            }
            _ => {
                self.out.valid.next = true;
            }
        }
        self.advance.next = self.out.ready.val() | !self.out.valid.val();
        self.sent.next = self.out.ready.val() & self.out.valid.val();
        // header, registers, summary, checksum: of each, the word at `index`
        self.header.source[0].next =
            self.kind.q.val() + (self.reason.q.val() << 8) + (self.number_q.q.val() << 16);
        self.header.source[1].next = (self.number_q.q.val() >> 16) + (self.words.q.val() << 16);
        self.header.source[2].next = self.words.q.val() >> 16;
        self.header.source[3].next = self.mark.val() << 16;
        self.summary.source[0].next = self.magnitude.q.val();
        self.summary.source[1].next = self.saturated.q.val();
        self.summary.source[2].next = self.detail.q.val();
        self.summary.source[3].next = 0.into();
        wire::join_all(&mut self.register, &mut self.registers.source);
        self.header.index.next = self.index.q.val();
        self.summary.index.next = self.index.q.val();
        self.registers.index.next = self.index.q.val();
        self.crc_cut.x.next = self.crc.q.val();
        self.crc_pick.sel.next = self.index.q.val();
        for k in 0..self.pieces_per_source.val() {
            self.crc_pick.x[k].next = self.crc_cut.y[k].val();
        }
        for i in 0..self.lanes.val() {
            self.out.data[i].next = 0.into();
            match self.phase.q.val() {
                Phase::Head => {
                    self.out.data[i].next = self.header.word[i].val();
                }
                Phase::Registers => {
                    self.out.data[i].next = self.registers.word[i].val();
                }
                Phase::Data => {
                    self.out.data[i].next = self.results.delivery.data[i].val();
                }
                Phase::Summary => {
                    self.out.data[i].next = self.summary.word[i].val();
                }
                _ => {}
            }
        }
        if self.phase.q.val() == Phase::Check {
            self.out.data[0].next = self.crc_pick.y.val();
        }
        // a word enters the checksum in the cycle after it is sent; PAUSE leaves the last one its time
        self.checks.d.next = (self.sent.val() & (self.phase.q.val() != Phase::Check)).into();
        self.crc_step.x[0].next = self.crc.q.val();
        for i in 0..self.lanes.val() {
            self.checked[i].d.next = self.out.data[i].val();
            self.crc_step.x[i + 1].next = self.checked[i].q.val();
        }
        if self.checks.q.val().any() {
            self.crc.d.next = self.crc_step.y.val();
        }
        // the head
        for h in 0..self.queue.half.len() {
            self.command.half[h].next = self.queue.half[h].val();
        }
        self.is_read.next = self.command.opcode.val() == self.read_code.val();
        self.ready.next = self.compute.tokens.present.val() | !self.command.pop_prev.val().any();
        self.idle.next = self.phase.q.val() == Phase::Idle;
        self.events.busy.next = !self.idle.val();
        self.events.wait_link.next = self.out.valid.val() & !self.out.ready.val();
        self.queue.take.next = self.idle.val() & self.queue.available.val() & self.ready.val();
        self.events.wait_token.next = self.idle.val() & self.queue.available.val() & !self.ready.val();
        // results, and what they add to the summary
        wire::join_all(&mut self.queue.half, &mut self.results.delivery.head);
        wire::join_all(&mut self.results.read, &mut self.read);
        self.results.delivery.prepares.next = self.idle.val();
        self.results.delivery.begins.next = self.queue.take.val() & !self.is_read.val();
        self.results.delivery.advance.next = self.advance.val();
        if self.advance.val() & self.results.delivery.counts.val() {
            self.magnitude.d.next = self.magnitude.q.val() | self.results.delivery.magnitude.val();
            self.saturated.d.next = self.saturated.q.val() + self.results.delivery.clamped.val();
        }
        // phases
        self.last_sent.next = self.sent.val()
            & (self.phase.q.val() == Phase::Check)
            & (self.index.q.val() + 1 == self.check_words.val());
        if self.advance.val() {
            self.index.d.next = self.index.q.val() + 1;
        }
        match self.phase.q.val() {
            Phase::Idle => {
                self.index.d.next = 0.into();
                self.crc.d.next = self.crc_start.val();
                self.magnitude.d.next = 0.into();
                self.saturated.d.next = 0.into();
                self.detail.d.next = 0.into();
                self.words.d.next = 0.into();
                self.reason.d.next = 0.into();
                self.gives.d.next = 0.into();
                self.gap.d.next = self.gap_start.val().into();
                if self.queue.take.val() {
                    self.phase.d.next = Phase::Head;
                    self.number_q.d.next = self.number.val();
                    self.gives.d.next = self.command.push_prev.val();
                    if self.is_read.val() {
                        self.kind.d.next = self.kind_registers.val().into();
                        self.words.d.next = self.register_words.val().into();
                    } else {
                        self.kind.d.next = self.kind_result.val().into();
                        self.words.d.next = self.results.delivery.words.val();
                    }
                } else if self.report.wanted.val() {
                    self.phase.d.next = Phase::Head;
                    self.number_q.d.next = self.report.number.val();
                    self.reason.d.next = self.report.reason.val();
                    if self.report.ready.val() {
                        self.kind.d.next = self.kind_ready.val().into();
                        self.magnitude.d.next = self.register[1].val();
                        self.saturated.d.next = self.register[2].val();
                        self.detail.d.next = self.register[0].val();
                    } else {
                        self.kind.d.next = self.kind_error.val().into();
                        self.magnitude.d.next = self.report.engine.val();
                    }
                }
            }
            Phase::Head => {
                if self.sent.val() & (self.index.q.val() + 1 == self.unit_words.val()) {
                    self.index.d.next = 0.into();
                    self.phase.d.next = Phase::Summary;
                    if self.kind.q.val() == self.kind_result.val() {
                        self.phase.d.next = Phase::Data;
                    }
                    if self.kind.q.val() == self.kind_registers.val() {
                        self.phase.d.next = Phase::Registers;
                        if self.has_gap.val() {
                            self.phase.d.next = Phase::Gap;
                        }
                    }
                }
            }
            Phase::Gap => {
                self.index.d.next = 0.into();
                self.gap.d.next = self.gap.q.val() - 1;
                if self.gap.q.val() == 1 {
                    self.phase.d.next = Phase::Registers;
                }
            }
            Phase::Registers => {
                if self.sent.val() & (self.index.q.val() + 1 == self.register_words.val()) {
                    self.index.d.next = 0.into();
                    self.phase.d.next = Phase::Summary;
                }
            }
            Phase::Data => {
                self.index.d.next = 0.into();
                if self.sent.val() & self.results.delivery.last.val() {
                    self.phase.d.next = Phase::Summary;
                }
            }
            Phase::Summary => {
                if self.sent.val() & (self.index.q.val() + 1 == self.unit_words.val()) {
                    self.phase.d.next = Phase::Pause;
                }
            }
            Phase::Pause => {
                self.index.d.next = 0.into();
                self.phase.d.next = Phase::Check;
            }
            Phase::Check => {
                if self.last_sent.val() {
                    self.phase.d.next = Phase::Idle;
                }
            }
        }
        self.compute.tokens.pop.next = self.queue.take.val() & self.command.pop_prev.val().any();
        self.compute.give.next = self.last_sent.val() & self.gives.q.val().any();
        self.events.freeze.next = !self.idle.val() & (self.kind.q.val() == self.kind_registers.val());
        self.events.restart.next = self.last_sent.val() & (self.kind.q.val() == self.kind_registers.val());
        self.report.done.next = self.last_sent.val()
            & ((self.kind.q.val() == self.kind_error.val()) | (self.kind.q.val() == self.kind_ready.val()));
    }
}
