//! The store engine: sends packets of results, of registers, of failures and resets.
//!
//! ```text
//! HEAD ─► (GAP ─► REGISTERS | DATA)? ─► SUMMARY ─► PAUSE ─► CHECK
//!
//! address ─► [memory] (─► [register]) ─► [A] ─► [B] (─► [nibbles]) ─► [word] ─► link          all move only in a free tick
//! ```

use super::assemble::{Assemble, Fit, part_bits};
use super::measure::Measure;
use super::narrow::Narrow;
use super::pack::{NIBBLES, Pack};
use super::report::Report;
use super::result_memory::{ResultRead, read_latency, result_bits};
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
    struct Command of "STORE": opcode, pop_prev, push_prev, format, address, count, shift, lanes
}

/// 32-bit words of a header or a summary.
const UNIT_SOURCES: usize = 4;
/// Stages between the memory's word and the link word, both included, without those of packing.
const STAGES: usize = 3;
/// Stages of these in which results are narrowed; without that, they come out of the memory later.
const NARROWING: usize = 2;

unit! {
    /// See docs/accelerator.md, "STORE, READ, RESET and errors" and "Timing".
    ///
    /// # Timing  taken in cycle t, header in tick 1, first data word in tick F
    pub struct StoreEngine(c: &Config) {
        let (t, lanes) = (Timing::new(c), Lanes::new(c));
        let stages = read_latency(c) + STAGES + usize::from(c.pack);
        let (drain, address, part) = (c.array.drain, index_bits(c.memory.result), part_bits(c));
        let formats = if c.pack { 0 } else if c.narrow { 3 } else { 1 };
        let fits: Vec<Fit> = (0..formats).map(|f| Fit::new(c, f)).collect();
        let per_source = 32 / lanes.bits;
        let bytes = c.link_bytes();
        let register_words = REGISTERS.len() * 32 / c.link_bits;
        let most_words = register_words.max(c.memory.result * (drain * 32).div_ceil(c.link_bits));
        let delays = if c.narrow { 0 } else { NARROWING };
        let packs = usize::from(c.pack);

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
        format_q: Reg = Reg::unsigned(if c.pack { 3 } else { 2 }),
        shift_q: Reg = Reg::unsigned(5),
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
        address: Reg = Reg::unsigned(address),
        left: Reg = Reg::unsigned(bits_for(c.memory.result)),
        part: Reg = Reg::unsigned(part),
        start_wait: Reg = Reg::unsigned(5),
        valid_at: Vec<Reg> = Reg::vec(stages, 1, false),
        part_at: Vec<Reg> = Reg::vec(stages - 1, part, false),
        last_at: Vec<Reg> = Reg::vec(stages, 1, false),
        delayed: Vec<Reg> = Reg::vec(delays, address, false),
        narrow: Vec<Narrow> = (0..if c.narrow { drain } else { 0 }).map(|_| Narrow::new(c.pack)).collect(),
        size: Vec<Sig<Local>> = Sig::vec(drain, result_bits(c), false),
        assemble: Vec<Assemble> = (0..formats).map(|f| Assemble::new(c, f)).collect(),
        measure: Vec<Measure> = (0..packs).map(|_| Measure::new(c)).collect(),
        pack: Vec<Pack> = (0..packs).map(|_| Pack::new(c)).collect(),
        sent_q: Vec<Reg> = Reg::vec(packs * drain, 1, false),
        each_q: Vec<Reg> = Reg::vec(packs, bits_for(drain * NIBBLES), false),
        word: Vec<Reg> = Reg::vec(bytes, 8, false),
        word_join: Vec<Concat> = (0..lanes.count).map(|_| Concat::new(lanes.bits / 8, 8)).collect(),
        advance: Signal<Local, Bit>,
        sent: Signal<Local, Bit>,
        counts: Signal<Local, Bit>,
        last_sent: Signal<Local, Bit>,
        ready: Signal<Local, Bit>,
        idle: Signal<Local, Bit>,
        is_read: Signal<Local, Bit>,
        mask: Sig<Local> = Sig::unsigned(32),
        half_step: Sig<Local> = Sig::unsigned(32),
        mask_q: Vec<Reg> = Reg::vec(usize::from(c.narrow), 32, false),
        half_step_q: Vec<Reg> = Reg::vec(usize::from(c.narrow), 32, false),
        or: Sig<Local> = Sig::unsigned(32),
        hits: Sig<Local> = Sig::unsigned(6),
        splits: Signal<Local, Bit>,
        last_part: Sig<Local> = Sig::unsigned(part),
        part_ends: Signal<Local, Bit>,
        emits: Signal<Local, Bit>,
        complete: Signal<Local, Bit>,
        narrows: Flag = Flag::new(c.narrow),
        delays: Dim = Dim::new(delays),
        formats: Dim = Dim::new(formats),
        fit_splits: Vec<Flag> = fits.iter().map(|f| Flag::new(f.share == 1)).collect(),
        fit_last: Vec<Dim> = fits.iter().map(|f| Dim::new(f.split.max(f.share) - 1)).collect(),
        fit_shift: Vec<Dim> =
            fits.iter().map(|f| Dim::new(f.split.max(f.share).trailing_zeros() as usize)).collect(),
        fit_round: Vec<Dim> = fits.iter().map(|f| Dim::new(f.share - 1)).collect(),
        results: Dim = Dim::new(drain),
        lanes: Dim = Dim::new(lanes.count),
        pieces_per_source: Dim = Dim::new(per_source),
        bytes: Dim = Dim::new(bytes),
        per_lane: Dim = Dim::new(lanes.bits / 8),
        unit_words: Dim = Dim::new(t.unit_words),
        check_words: Dim = Dim::new(t.check_words),
        register_words: Dim = Dim::new(register_words),
        wait_start: Dim = Dim::new(t.first_data - 1 - stages),
        gap_start: Dim = Dim::new(t.first_data - 1 - t.unit_words),
        has_gap: Flag = Flag::new(t.first_data > 1 + t.unit_words),
        stages: Dim = Dim::new(stages),
        assembled: Dim = Dim::new(stages - 2),
        offered: Dim = Dim::new(stages - 1),
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
                self.out.valid.next = self.valid_at[self.offered.val()].q.val().any();
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
        for b in 0..self.bytes.val() {
            self.word_join[b / self.per_lane.val()].x[b % self.per_lane.val()].next = self.word[b].q.val();
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
                    self.out.data[i].next = self.word_join[i].y.val();
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
        // results: address, memory, two stages of narrowing, link word
        self.splits.next = false;
        self.last_part.next = 0.into();
        for f in 0..self.formats.val() {
            if self.format_q.q.val() == f {
                self.splits.next = self.fit_splits[f].val();
                self.last_part.next = self.fit_last[f].val().into();
            }
        }
        self.part_ends.next = self.part.q.val() == self.last_part.val();
        self.emits.next = self.left.q.val().any() & !self.start_wait.q.val().any();
        for p in 0..self.pack.len() {
            self.emits.next = self.emits.val() & self.pack[p].wants.val();
        }
        self.read.re.next = self.advance.val();
        self.read.address.next = self.address.q.val();
        for d in 0..self.delays.val() {
            if self.advance.val() {
                self.delayed[d].d.next = self.read.address.val();
            }
            self.read.address.next = self.delayed[d].q.val();
        }
        self.mask.next = 0.into();
        self.half_step.next = 0.into();
        // of the shift, which stands from the head on
        for n in 0..self.mask_q.len() {
            for b in 0..31 {
                if self.shift_q.q.val() > b {
                    self.mask.next = self.mask.val() * 2 + 1;
                }
            }
            if self.mask.val().any() {
                self.half_step.next = (self.mask.val() >> 1) + 1;
            }
            self.mask_q[n].d.next = self.mask.val();
            self.half_step_q[n].d.next = self.half_step.val();
        }
        self.or.next = 0.into();
        self.hits.next = 0.into();
        for r in 0..self.results.val() {
            self.size[r].next = 0.into();
            if !self.narrows.val() {
                self.size[r].next = self.read.result[r].val();
                if self.read.result[r].val() < 0 {
                    self.size[r].next = -self.read.result[r].val();
                }
                self.or.next = self.or.val() | self.size[r].val();
                for f in 0..self.formats.val() {
                    self.assemble[f].result[r].next = self.read.result[r].val();
                }
            }
        }
        for r in 0..self.narrow.len() {
            self.narrow[r].advance.next = self.advance.val();
            self.narrow[r].v.next = self.read.result[r].val();
            self.narrow[r].divisor.shift.next = self.shift_q.q.val();
            self.narrow[r].divisor.mask.next = self.mask_q[0].q.val();
            self.narrow[r].divisor.half_step.next = self.half_step_q[0].q.val();
            self.narrow[r].format.next = self.format_q.q.val();
            for p in 0..self.pack.len() {
                self.narrow[r].sent[p].next = self.sent_q[r].q.val().any();
                self.pack[p].result[r].next = self.narrow[r].y.val();
            }
            self.or.next = self.or.val() | self.narrow[r].magnitude.val();
            self.hits.next = self.hits.val() + self.narrow[r].saturates.val();
            for f in 0..self.formats.val() {
                self.assemble[f].result[r].next = self.narrow[r].y.val();
            }
        }
        for f in 0..self.formats.val() {
            self.assemble[f].part.next = self.part_at[self.assembled.val()].q.val();
            for b in 0..self.bytes.val() {
                self.assemble[f].before[b].next = self.word[b].q.val();
            }
        }
        self.complete.next = self.valid_at[self.assembled.val()].q.val().any()
            & (self.splits.val()
                | (self.part_at[self.assembled.val()].q.val() == self.last_part.val())
                | self.last_at[self.assembled.val()].q.val().any());
        for b in 0..self.bytes.val() {
            for f in 0..self.formats.val() {
                if self.advance.val()
                    & self.valid_at[self.assembled.val()].q.val().any()
                    & (self.format_q.q.val() == f)
                {
                    self.word[b].d.next = self.assemble[f].after[b].val();
                }
            }
        }
        self.counts.next = self.valid_at[self.assembled.val()].q.val().any()
            & (!self.splits.val() | !self.part_at[self.assembled.val()].q.val().any());
        for p in 0..self.pack.len() {
            self.pack[p].advance.next = self.advance.val();
            self.pack[p].load.next = self.emits.val();
            self.pack[p].ends.next = !self.left.q.val().any() | (self.emits.val() & (self.left.q.val() == 1));
            self.pack[p].width.next = self.format_q.q.val();
            self.pack[p].each.next = self.each_q[p].q.val();
            self.pack[p].closes.next = self.valid_at[self.assembled.val()].q.val().any();
            self.counts.next = self.pack[p].arrives.val();
            for b in 0..self.bytes.val() {
                if self.advance.val() & self.valid_at[self.assembled.val()].q.val().any() {
                    self.word[b].d.next = self.pack[p].after[b].val();
                }
            }
        }
        if self.advance.val() {
            self.valid_at[0].d.next = self.emits.val().into();
            self.part_at[0].d.next = self.part.q.val();
            self.last_at[0].d.next =
                ((self.left.q.val() == 1) & (self.part_ends.val() | !self.splits.val())).into();
            for p in 0..self.pack.len() {
                self.valid_at[0].d.next = self.pack[p].gives.val().into();
                self.last_at[0].d.next = self.pack[p].last.val().into();
            }
            for s in 1..self.offered.val() {
                self.valid_at[s].d.next = self.valid_at[s - 1].q.val();
                self.part_at[s].d.next = self.part_at[s - 1].q.val();
                self.last_at[s].d.next = self.last_at[s - 1].q.val();
            }
            self.valid_at[self.offered.val()].d.next = self.complete.val().into();
            self.last_at[self.offered.val()].d.next = self.last_at[self.assembled.val()].q.val();
            if self.start_wait.q.val().any() {
                self.start_wait.d.next = self.start_wait.q.val() - 1;
            }
            if self.emits.val() {
                self.part.d.next = self.part.q.val() + 1;
                if self.part_ends.val() {
                    self.part.d.next = 0.into();
                }
                if self.part_ends.val() | !self.splits.val() {
                    self.address.d.next = self.address.q.val() + 1;
                    self.left.d.next = self.left.q.val() - 1;
                }
            }
            if self.counts.val() {
                self.magnitude.d.next = self.magnitude.q.val() | self.or.val();
                self.saturated.d.next = self.saturated.q.val() + self.hits.val();
            }
        }
        // phases
        for h in 0..self.queue.half.len() {
            self.command.half[h].next = self.queue.half[h].val();
        }
        self.is_read.next = self.command.opcode.val() == self.read_code.val();
        self.ready.next = self.compute.tokens.present.val() | !self.command.pop_prev.val().any();
        self.idle.next = self.phase.q.val() == Phase::Idle;
        self.events.busy.next = !self.idle.val();
        self.events.wait_link.next = self.out.valid.val() & !self.out.ready.val();
        for p in 0..self.measure.len() {
            self.measure[p].format.next = self.command.format.val();
            self.measure[p].lanes.next = self.command.lanes.val();
            self.measure[p].count.next = self.command.count.val();
        }
        self.queue.take.next = self.idle.val() & self.queue.available.val() & self.ready.val();
        self.events.wait_token.next = self.idle.val() & self.queue.available.val() & !self.ready.val();
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
                self.part.d.next = 0.into();
                self.start_wait.d.next = self.wait_start.val().into();
                self.gap.d.next = self.gap_start.val().into();
                self.format_q.d.next = 0.into();
                self.shift_q.d.next = 0.into();
                if self.narrows.val() {
                    self.format_q.d.next = self.command.format.val();
                    self.shift_q.d.next = self.command.shift.val();
                }
                for p in 0..self.measure.len() {
                    self.format_q.d.next = self.measure[p].width.val();
                    self.each_q[p].d.next = self.measure[p].each.val();
                    for r in 0..self.results.val() {
                        self.sent_q[r].d.next = self.measure[p].sent[r].val().into();
                    }
                }
                self.address.d.next = self.command.address.val();
                if self.queue.take.val() {
                    self.phase.d.next = Phase::Head;
                    self.number_q.d.next = self.number.val();
                    self.gives.d.next = self.command.push_prev.val();
                    if self.is_read.val() {
                        self.kind.d.next = self.kind_registers.val().into();
                        self.words.d.next = self.register_words.val().into();
                    } else {
                        self.kind.d.next = self.kind_result.val().into();
                        self.left.d.next = self.command.count.val();
                        for p in 0..self.measure.len() {
                            self.words.d.next = self.measure[p].words.val();
                        }
                        for f in 0..self.formats.val() {
                            if (self.command.format.val() == f) | !self.narrows.val() {
                                if self.fit_splits[f].val() {
                                    self.words.d.next = self.command.count.val() << self.fit_shift[f].val();
                                } else {
                                    self.words.d.next = (self.command.count.val() + self.fit_round[f].val())
                                        >> self.fit_shift[f].val();
                                }
                            }
                        }
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
                if self.sent.val() & self.last_at[self.offered.val()].q.val().any() {
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
