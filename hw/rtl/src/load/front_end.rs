//! The load engine, which is also the front end: takes words from the link, checks instructions in
//! order, hands them to their queues or executes them (LOAD, RESET), and reports failures.
//!
//! ```text
//! FETCH ─► CHECK ─► ISSUE ─┬─► PAYLOAD ─► DONE ─► FETCH
//!   ▲                      └─► FETCH (queued)
//!   └── REPORT ◄── FLUSH ◄── QUIESCE ◄── any failure, RESET
//! ```

use super::instruction_rules::{InstructionRules, count_bits, kinds};
use super::pieces::pieces;
use crate::crc::crc_step;
use crate::field::field;
use crate::hdl::prelude::*;
use crate::link::Lanes;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::check::{CRC16_INIT, CRC16_POLY, CRC32_INIT, CRC32_POLY};
use tandem_spec::isa::{OPCODES, load};
use tandem_spec::{Config, Memory, Reason, Timing};

/// 16-bit halves of the longest instruction.
pub const HALVES: usize = 32;

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum State {
    Fetch,
    Check,
    Issue,
    Payload,
    Done,
    Quiesce,
    Flush,
    Report,
}

/// See docs/accelerator.md, "STORE, READ, RESET and errors" and "Timing".
///
/// # Timing  last word of an instruction in cycle t: CHECK in t+1, ISSUE from t+2
#[derive(LogicBlock)]
pub struct FrontEnd {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The host offers a word.
    pub in_valid: Signal<In, Bit>,
    /// It starts an instruction.
    pub in_first: Signal<In, Bit>,
    /// The word.
    pub in_data: Vec<Sig<In>>,
    /// A word is taken, unless it starts an instruction while `closed`.
    pub in_ready: Signal<Out, Bit>,
    /// Inside an instruction or a payload.
    pub closed: Signal<Out, Bit>,
    /// A word is taken in this cycle.
    pub accept: Signal<Out, Bit>,
    /// The front end waits for the host.
    pub waiting: Signal<Out, Bit>,
    /// Words are dropped until a RESET.
    pub failed: Signal<Out, Bit>,
    /// Number of the instruction at work.
    pub number: Sig<Out>,
    /// A token from the compute engine is there.
    pub token: Signal<In, Bit>,
    /// It is taken.
    pub pop: Signal<Out, Bit>,
    /// A token for the compute engine.
    pub give: Signal<Out, Bit>,
    /// Halves of the instruction, for the queues.
    pub half: Vec<Sig<Out>>,
    /// It goes to the compute queue.
    pub push_compute: Signal<Out, Bit>,
    /// The instruction is a TRANSFORM.
    pub transform: Signal<Out, Bit>,
    /// It goes to the store queue.
    pub push_store: Signal<Out, Bit>,
    /// The compute queue has no room.
    pub compute_full: Signal<In, Bit>,
    /// The store queue has no room.
    pub store_full: Signal<In, Bit>,
    /// Compute and store engine cannot move, nor could they a cycle ago.
    pub stuck: Signal<In, Bit>,
    /// The compute queue has a head.
    pub compute_pending: Signal<In, Bit>,
    /// The store queue has a head.
    pub store_pending: Signal<In, Bit>,
    /// Number of the compute queue's head.
    pub compute_number: Sig<In>,
    /// Number of the store queue's head.
    pub store_number: Sig<In>,
    /// Queues and tokens are being emptied; no engine may start.
    pub flush: Signal<Out, Bit>,
    /// The store engine shall send a packet about a failure or a reset.
    pub report: Signal<Out, Bit>,
    /// It is the answer to a RESET.
    pub report_ready: Signal<Out, Bit>,
    /// Reason of the failure.
    pub report_reason: Sig<Out>,
    /// Number of the failing instruction.
    pub report_number: Sig<Out>,
    /// Its engine.
    pub report_engine: Sig<Out>,
    /// The packet is sent.
    pub reported: Signal<In, Bit>,
    /// Counters restart (RESET).
    pub clear: Signal<Out, Bit>,
    /// A payload word is on its way into the memories.
    pub write: Signal<Out, Bit>,
    /// Memory to write.
    pub write_memory: Sig<Out>,
    /// One element for all.
    pub write_broadcast: Signal<Out, Bit>,
    /// Elements to write.
    pub write_mask: Sig<Out>,
    /// Address to write.
    pub write_address: Sig<Out>,
    /// Number of the word within its address.
    pub write_word: Sig<Out>,
    /// The word.
    pub write_data: Vec<Sig<Out>>,
    /// Counter events.
    pub dispatched: Signal<Out, Bit>,
    /// A payload is taken or checked.
    pub busy: Signal<Out, Bit>,
    /// A LOAD lacks its token.
    pub wait_token: Signal<Out, Bit>,
    /// A queue has no room.
    pub wait_queue: Signal<Out, Bit>,
    /// A payload word is wanted and none is there.
    pub wait_link: Signal<Out, Bit>,
    state: DFF<State>,
    position: Reg,
    kind: Reg,
    reason: Reg,
    fault_number: Reg,
    fault_engine: Reg,
    count_number: Reg,
    dropping: Reg,
    resetting: Reg,
    granule: Vec<Reg>,
    excess: Reg,
    fixed: Vec<Const>,
    value: Vec<Const>,
    cut: Vec<Unpack>,
    crc16: Reg,
    crc16_step: XorReduce,
    crc32: Reg,
    crc32_step: XorReduce,
    address: Reg,
    left: Reg,
    word: Reg,
    check_left: Reg,
    write_q: Reg,
    write_address_q: Reg,
    write_word_q: Reg,
    write_data_q: Vec<Reg>,
    view: Vec<Sig<Local>>,
    take: Signal<Local, Bit>,
    fetches: Signal<Local, Bit>,
    keep: Signal<Local, Bit>,
    kind_now: Sig<Local>,
    crc_before: Sig<Local>,
    rules: InstructionRules,
    blocked: Signal<Local, Bit>,
    granted: Signal<Local, Bit>,
    slot: Sig<Local>,
    length: Sig<Local>,
    load_words: Sig<Local>,
    load_pop: Slice,
    load_push: Slice,
    load_broadcast: Slice,
    load_memory: Slice,
    opcode: Vec<Dim>,
    kinds: Dim,
    transforms: Flag,
    /// The instruction is one of the compute engine.
    computes: Signal<Local, Bit>,
    lanes: Dim,
    halves: Dim,
    granules: Dim,
    per_half: Dim,
    granule_bits: Dim,
    per_word: Dim,
    word_of: Vec<Dim>,
    per_lane: Dim,
    words: Dim,
    compute_words: Dim,
    check_words: Dim,
    crc16_start: Const,
    crc32_start: Const,
    stray: Dim,
    unknown: Dim,
    truncated: Dim,
    wrong_crc16: Dim,
    wrong_field: Dim,
    wrong_crc32: Dim,
    deadlock: Dim,
}

impl FrontEnd {
    /// The front end of `c`.
    pub fn new(c: &Config) -> Self {
        let (t, lanes) = (Timing::new(c), Lanes::new(c));
        let granule = c.link_bits.min(16);
        let reason = |r: Reason| Dim::new(r as usize);
        let all = Memory::ALL.map(|m| pieces(c, m));
        let depth = all.iter().map(|p| p.depth).max().expect("memories");
        let most_words = all.iter().map(|p| p.words).max().expect("memories");
        // of every granule, the bits of counts that are not free
        let counts: Vec<(u16, u16)> = (0..HALVES * 16 / granule)
            .map(|g| (count_bits(c, g * granule / 16), g * granule % 16))
            .map(|((fixed, value), at)| (fixed >> at, value >> at))
            .collect();
        let part = |bits: u16| Const::unsigned(i128::from(bits) & ((1 << granule) - 1), granule);
        FrontEnd {
            clock: Default::default(),
            in_valid: Default::default(),
            in_first: Default::default(),
            in_data: lanes.signals(),
            in_ready: Default::default(),
            closed: Default::default(),
            accept: Default::default(),
            waiting: Default::default(),
            failed: Default::default(),
            number: Sig::unsigned(32),
            token: Default::default(),
            pop: Default::default(),
            give: Default::default(),
            half: Sig::vec(HALVES, 16, false),
            push_compute: Default::default(),
            transform: Default::default(),
            push_store: Default::default(),
            compute_full: Default::default(),
            store_full: Default::default(),
            stuck: Default::default(),
            compute_pending: Default::default(),
            store_pending: Default::default(),
            compute_number: Sig::unsigned(32),
            store_number: Sig::unsigned(32),
            flush: Default::default(),
            report: Default::default(),
            report_ready: Default::default(),
            report_reason: Sig::unsigned(3),
            report_number: Sig::unsigned(32),
            report_engine: Sig::unsigned(2),
            reported: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            write_memory: Sig::unsigned(3),
            write_broadcast: Default::default(),
            write_mask: Sig::unsigned(32),
            write_address: Sig::unsigned(index_bits(depth)),
            write_word: Sig::unsigned(bits_for(most_words)),
            write_data: lanes.signals(),
            dispatched: Default::default(),
            busy: Default::default(),
            wait_token: Default::default(),
            wait_queue: Default::default(),
            wait_link: Default::default(),
            state: Default::default(),
            position: Reg::unsigned(7),
            kind: Reg::unsigned(3),
            reason: Reg::unsigned(3),
            fault_number: Reg::unsigned(32),
            fault_engine: Reg::unsigned(2),
            count_number: Reg::unsigned(32),
            dropping: Reg::unsigned(1),
            resetting: Reg::unsigned(1),
            granule: Reg::vec(HALVES * 16 / granule, granule, false),
            excess: Reg::unsigned(1),
            fixed: counts.iter().map(|(fixed, _)| part(*fixed)).collect(),
            value: counts.iter().map(|(_, value)| part(*value)).collect(),
            cut: (0..lanes.count).map(|_| Unpack::new(lanes.bits / granule, granule, false)).collect(),
            crc16: Reg::unsigned(16),
            crc16_step: crc_step(CRC16_POLY.into(), 16, lanes.bits, lanes.count),
            crc32: Reg::unsigned(32),
            crc32_step: crc_step(CRC32_POLY.into(), 32, lanes.bits, lanes.count),
            address: Reg::unsigned(index_bits(depth)),
            left: Reg::unsigned(bits_for(depth)),
            word: Reg::unsigned(bits_for(most_words)),
            check_left: Reg::unsigned(3),
            write_q: Reg::unsigned(1),
            write_address_q: Reg::unsigned(index_bits(depth)),
            write_word_q: Reg::unsigned(bits_for(most_words)),
            write_data_q: Reg::vec(lanes.count, lanes.bits, false),
            view: Sig::vec(HALVES, 16, false),
            take: Default::default(),
            fetches: Default::default(),
            keep: Default::default(),
            kind_now: Sig::unsigned(3),
            crc_before: Sig::unsigned(16),
            rules: InstructionRules::new(c),
            blocked: Default::default(),
            granted: Default::default(),
            slot: Sig::unsigned(7),
            length: Sig::unsigned(7),
            load_words: Sig::unsigned(bits_for(most_words)),
            load_pop: field(load::POP_NEXT, 0),
            load_push: field(load::PUSH_NEXT, 0),
            load_broadcast: field(load::BROADCAST, 0),
            load_memory: field(load::MEMORY, 0),
            kinds: Dim::new(kinds(c)),
            transforms: Flag::new(c.fft.is_some()),
            computes: Default::default(),
            opcode: OPCODES.iter().map(|o| Dim::new(o.code.into())).collect(),
            lanes: Dim::new(lanes.count),
            halves: Dim::new(HALVES),
            granules: Dim::new(HALVES * 16 / granule),
            per_half: Dim::new(16 / granule),
            granule_bits: Dim::new(granule),
            per_word: Dim::new(c.link_bits / granule),
            word_of: (0..HALVES * 16 / granule).map(|g| Dim::new(g * granule / c.link_bits)).collect(),
            per_lane: Dim::new(lanes.bits / granule),
            words: Dim::new(t.unit_words),
            compute_words: Dim::new(4 * t.unit_words),
            check_words: Dim::new(t.check_words),
            crc16_start: Const::unsigned(CRC16_INIT.into(), 16),
            crc32_start: Const::unsigned(CRC32_INIT.into(), 32),
            stray: reason(Reason::Stray),
            unknown: reason(Reason::Opcode),
            truncated: reason(Reason::Truncated),
            wrong_crc16: reason(Reason::InstructionCheck),
            wrong_field: reason(Reason::Field),
            wrong_crc32: reason(Reason::PayloadCheck),
            deadlock: reason(Reason::Deadlock),
        }
    }
}

impl Logic for FrontEnd {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            position,
            excess,
            kind,
            reason,
            fault_number,
            fault_engine,
            count_number,
            dropping,
            resetting,
            crc16,
            crc32,
            address,
            left,
            word,
            check_left,
            write_q,
            write_address_q,
            write_word_q
        );
        // the instruction's halves, from the granules that the link delivers
        for g in 0..self.granules.val() {
            self.granule[g].clock.next = self.clock.val();
            self.granule[g].d.next = self.granule[g].q.val();
        }
        for h in 0..self.halves.val() {
            self.view[h].next = self.granule[h * self.per_half.val()].q.val();
            for p in 1..self.per_half.val() {
                self.view[h].next = self.view[h].val()
                    + (self.granule[h * self.per_half.val() + p].q.val() << self.granule_bits.val());
            }
            self.half[h].next = self.view[h].val();
        }
        self.load_words.next = self.view[3].val();
        self.load_pop.x.next = self.view[0].val();
        self.load_push.x.next = self.view[0].val();
        self.load_broadcast.x.next = self.view[0].val();
        self.load_memory.x.next = self.view[0].val();
        // link words into the checks, and towards the memories
        self.crc_before.next = self.crc16.q.val();
        if self.in_first.val() {
            self.crc_before.next = self.crc16_start.val();
        }
        self.crc16_step.x[0].next = self.crc_before.val();
        self.crc32_step.x[0].next = self.crc32.q.val();
        for i in 0..self.lanes.val() {
            self.crc16_step.x[i + 1].next = self.in_data[i].val();
            self.crc32_step.x[i + 1].next = self.in_data[i].val();
            self.cut[i].x.next = self.in_data[i].val();
            self.write_data_q[i].clock.next = self.clock.val();
            self.write_data_q[i].d.next = self.in_data[i].val();
            self.write_data[i].next = self.write_data_q[i].q.val();
        }
        self.write.next = self.write_q.q.val().any();
        self.write_memory.next = self.load_memory.y.val();
        self.write_broadcast.next = self.load_broadcast.y.val().any();
        self.write_mask.next = (self.view[5].val() << 16) + self.view[4].val();
        self.write_address.next = self.write_address_q.q.val();
        self.write_word.next = self.write_word_q.q.val();
        self.write_q.d.next = 0.into();
        self.write_address_q.d.next = self.address.q.val();
        self.write_word_q.d.next = self.word.q.val();
        // rules of a valid instruction
        self.rules.kind.next = self.kind.q.val();
        self.rules.excess.next = self.excess.q.val().any();
        for h in 0..self.halves.val() {
            self.rules.half[h].next = self.view[h].val();
        }
        self.transform.next = false;
        if self.transforms.val() {
            self.transform.next = self.kind.q.val() == 5;
        }
        self.computes.next = (self.kind.q.val() == 1) | self.transform.val();
        // what this cycle does
        self.waiting.next = false;
        self.in_ready.next = false;
        self.closed.next = false;
        self.take.next = false;
        self.keep.next = false;
        self.pop.next = false;
        self.give.next = false;
        self.push_compute.next = false;
        self.push_store.next = false;
        self.report.next = self.state.q.val() == State::Report;
        self.flush.next = self.report.val() | (self.state.q.val() == State::Flush);
        self.clear.next = false;
        self.blocked.next = false;
        self.granted.next = false;
        self.busy.next = false;
        self.wait_token.next = false;
        self.wait_queue.next = false;
        self.wait_link.next = false;
        self.length.next = 0.into();
        self.slot.next = self.position.q.val();
        if self.in_first.val() {
            self.slot.next = 0.into();
        }
        self.kind_now.next = self.kind.q.val();
        match self.state.q.val() {
            State::Fetch => {
                self.waiting.next = true;
                self.in_ready.next = true;
                self.closed.next = self.position.q.val().any() & !self.dropping.q.val().any();
                self.take.next = self.in_valid.val() & !(self.in_first.val() & self.closed.val());
                if self.in_valid.val() & self.in_first.val() & self.closed.val() {
                    self.reason.d.next = self.truncated.val().into();
                    self.state.d.next = State::Quiesce;
                }
                if self.take.val() {
                    self.keep.next = self.position.q.val().any();
                    if self.in_first.val() {
                        self.kind_now.next = 7.into();
                        for k in 0..self.kinds.val() {
                            if bits_of(self.in_data[0].val(), 8) == self.opcode[k].val() {
                                self.kind_now.next = k.into();
                            }
                        }
                        self.keep.next = !self.kind_now.val().all();
                        if self.dropping.q.val().any() {
                            self.keep.next = self.kind_now.val() == 4;
                        } else if self.kind_now.val().all() {
                            self.reason.d.next = self.unknown.val().into();
                            self.state.d.next = State::Quiesce;
                        }
                    } else if !self.position.q.val().any() & !self.dropping.q.val().any() {
                        self.reason.d.next = self.stray.val().into();
                        self.state.d.next = State::Quiesce;
                    }
                    self.length.next = self.words.val().into();
                    if self.kind_now.val() == 1 {
                        self.length.next = self.compute_words.val().into();
                    }
                    self.position.d.next = 0.into();
                    if self.keep.val() {
                        self.kind.d.next = self.kind_now.val();
                        self.crc16.d.next = self.crc16_step.y.val();
                        self.position.d.next = self.slot.val() + 1;
                        if self.slot.val() + 1 == self.length.val() {
                            self.position.d.next = 0.into();
                            self.state.d.next = State::Check;
                        }
                    }
                }
            }
            State::Check => {
                self.state.d.next = State::Issue;
                self.reason.d.next = 0.into();
                if self.crc16.q.val().any() {
                    self.reason.d.next = self.wrong_crc16.val().into();
                } else if self.rules.bad.val() {
                    self.reason.d.next = self.wrong_field.val().into();
                }
            }
            State::Issue => {
                if self.reason.q.val().any() {
                    self.state.d.next = State::Quiesce;
                    if self.dropping.q.val().any() {
                        self.state.d.next = State::Fetch;
                    }
                } else if self.kind.q.val() == 4 {
                    self.resetting.d.next = 1.into();
                    self.state.d.next = State::Quiesce;
                } else {
                    if self.kind.q.val() == 0 {
                        self.granted.next = self.token.val() | !self.load_pop.y.val().any();
                        self.wait_token.next = !self.granted.val();
                    } else if self.computes.val() {
                        self.granted.next = !self.compute_full.val();
                        self.wait_queue.next = self.compute_full.val();
                    } else {
                        self.granted.next = !self.store_full.val();
                        self.wait_queue.next = self.store_full.val();
                    }
                    self.blocked.next = !self.granted.val();
                }
                if self.granted.val() {
                    if self.kind.q.val() == 0 {
                        self.pop.next = self.load_pop.y.val().any();
                        self.state.d.next = State::Payload;
                        self.address.d.next = self.view[1].val();
                        self.left.d.next = self.view[2].val();
                        self.word.d.next = 0.into();
                        self.check_left.d.next = self.check_words.val().into();
                        self.crc32.d.next = self.crc32_start.val();
                    } else {
                        self.push_compute.next = self.computes.val();
                        self.push_store.next = !self.push_compute.val();
                        self.count_number.d.next = self.count_number.q.val() + 1;
                        self.state.d.next = State::Fetch;
                    }
                }
                if self.blocked.val() & self.stuck.val() {
                    self.reason.d.next = self.deadlock.val().into();
                    self.state.d.next = State::Quiesce;
                }
            }
            State::Payload => {
                self.waiting.next = true;
                self.in_ready.next = true;
                self.closed.next = true;
                self.busy.next = true;
                self.wait_link.next = !self.in_valid.val();
                self.take.next = self.in_valid.val() & !self.in_first.val();
                if self.in_valid.val() & self.in_first.val() {
                    self.reason.d.next = self.truncated.val().into();
                    self.state.d.next = State::Quiesce;
                }
                if self.take.val() {
                    self.crc32.d.next = self.crc32_step.y.val();
                    if self.left.q.val().any() {
                        self.write_q.d.next = 1.into();
                        self.word.d.next = self.word.q.val() + 1;
                        if self.word.q.val() + 1 == self.load_words.val() {
                            self.word.d.next = 0.into();
                            self.address.d.next = self.address.q.val() + 1;
                            self.left.d.next = self.left.q.val() - 1;
                        }
                    } else {
                        self.check_left.d.next = self.check_left.q.val() - 1;
                        if self.check_left.q.val() == 1 {
                            self.state.d.next = State::Done;
                        }
                    }
                }
            }
            State::Done => {
                self.busy.next = true;
                if self.crc32.q.val().any() {
                    self.reason.d.next = self.wrong_crc32.val().into();
                    self.state.d.next = State::Quiesce;
                } else {
                    self.give.next = self.load_push.y.val().any();
                    self.count_number.d.next = self.count_number.q.val() + 1;
                    self.state.d.next = State::Fetch;
                }
            }
            State::Quiesce => {
                self.position.d.next = 0.into();
                self.fault_number.d.next = self.count_number.q.val();
                self.fault_engine.d.next = 0.into();
                if self.reason.q.val() == self.deadlock.val() {
                    // the lowest number among the waiting ones
                    if self.compute_pending.val() {
                        self.fault_number.d.next = self.compute_number.val();
                        self.fault_engine.d.next = 1.into();
                    }
                    if self.store_pending.val()
                        & (!self.compute_pending.val()
                            | (self.compute_number.val() > self.store_number.val()))
                    {
                        self.fault_number.d.next = self.store_number.val();
                        self.fault_engine.d.next = 2.into();
                    }
                } else if self.reason.q.val() < self.truncated.val() {
                    self.fault_engine.d.next = 0.into();
                } else if self.computes.val() {
                    self.fault_engine.d.next = 1.into();
                } else if (self.kind.q.val() == 2) | (self.kind.q.val() == 3) {
                    self.fault_engine.d.next = 2.into();
                }
                if self.stuck.val() {
                    self.state.d.next = State::Flush;
                }
            }
            State::Flush => {
                if !self.compute_pending.val() & !self.store_pending.val() {
                    self.state.d.next = State::Report;
                }
            }
            State::Report => {
                if self.reported.val() {
                    self.state.d.next = State::Fetch;
                    self.dropping.d.next = 1.into();
                    if self.resetting.q.val().any() {
                        self.dropping.d.next = 0.into();
                        self.count_number.d.next = 0.into();
                        self.clear.next = true;
                    }
                    self.resetting.d.next = 0.into();
                }
            }
        }
        self.fetches.next = (self.state.q.val() == State::Fetch) & self.in_valid.val();
        if self.keep.val() & self.in_first.val() {
            self.excess.d.next = 0.into();
        }
        for g in 0..self.granules.val() {
            if self.keep.val()
                & (self.slot.val() == self.word_of[g].val())
                & ((self.cut[g % self.per_word.val() / self.per_lane.val()].y[g % self.per_lane.val()].val()
                    ^ self.value[g].val())
                    & self.fixed[g].val())
                .any()
            {
                self.excess.d.next = 1.into();
            }
            // a word that is not kept does no harm here: no instruction comes of it
            if self.fetches.val() & (self.slot.val() == self.word_of[g].val()) {
                self.granule[g].d.next =
                    self.cut[g % self.per_word.val() / self.per_lane.val()].y[g % self.per_lane.val()].val();
            }
        }
        self.accept.next = self.take.val();
        self.dispatched.next = self.granted.val();
        self.failed.next = self.dropping.q.val().any();
        self.number.next = self.count_number.q.val();
        self.report_ready.next = self.resetting.q.val().any();
        self.report_reason.next = self.reason.q.val();
        self.report_number.next = self.fault_number.q.val();
        if self.resetting.q.val().any() {
            self.report_number.next = 0.into();
        }
        self.report_engine.next = self.fault_engine.q.val();
    }
}
