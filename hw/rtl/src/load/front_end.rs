//! The load engine, which is also the front end: takes words from the link, checks instructions in
//! order, hands them to their queues or executes them (LOAD, RESET), and reports failures.
//!
//! ```text
//! FETCH ─► CHECK ─► ISSUE ─┬─► PAYLOAD ─► DONE ─► FETCH
//!   ▲                      └─► FETCH (queued)
//!   └── REPORT ◄── FLUSH ◄── QUIESCE ◄── any failure, RESET
//! ```

use super::instruction_rules::{InstructionRules, count_bits};
use super::payload::{Payload, most};
use super::queue::Issue;
use crate::counters::LoadEvents;
use crate::crc::crc_step;
use crate::field::{HALVES, kind, kind_bits, turn};
use crate::fields;
use crate::hdl::prelude::*;
use crate::host::{Lanes, WordsIn};
use crate::store::report::Report;
use crate::tokens::Neighbour;
use rust_hdl::prelude::*;
use tandem_spec::check::{CRC16_INIT, CRC16_POLY, CRC32_INIT, CRC32_POLY};
use tandem_spec::isa::{Opcode, Who};
use tandem_spec::{Config, Memory, Reason, Timing};

fields! {
    struct Load of "LOAD": pop_next, push_next, broadcast, memory, address, count, words, mask
}

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

unit! {
    /// See docs/accelerator.md, "STORE, READ, RESET and errors" and "Timing".
    ///
    /// # Timing  last word of an instruction in cycle t: CHECK in t+1, ISSUE from t+2
    pub struct FrontEnd(c: &Config) {
        let (t, lanes) = (Timing::new(c), Lanes::new(c));
        let granule = c.link_bits.min(16);
        let reason = |r: Reason| Dim::new(r as usize);
        let (depth, most_words) = (most(c, |p| p.depth), most(c, |p| p.words));
        // of every granule, the bits of counts that are not free
        let counts: Vec<(u16, u16)> = (0..HALVES * 16 / granule)
            .map(|g| (count_bits(c, g * granule / 16), g * granule % 16))
            .map(|((fixed, value), at)| (fixed >> at, value >> at))
            .collect();
        let part = |bits: u16| Const::unsigned(i128::from(bits) & ((1 << granule) - 1), granule);

        clock,
        /// Words from the host.
        pub in_: WordsIn<In> = WordsIn::new(c),
        /// The front end waits for the host.
        pub waiting: Signal<Out, Bit>,
        /// Words are dropped until a RESET.
        pub failed: Signal<Out, Bit>,
        /// The instruction at work, and the queues.
        pub issue: Issue<Out> = Issue::new(c),
        /// Tokens from and for the compute engine.
        pub compute: Neighbour<In> = Neighbour::new(),
        /// Compute and store engine cannot move, nor could they a cycle ago.
        pub stuck: Signal<In, Bit>,
        /// Queues and tokens are being emptied; no engine may start.
        pub flush: Signal<Out, Bit>,
        /// What the store engine shall say about a failure or a reset.
        pub report: Report<Out> = Report::new(),
        /// A payload word on its way into the memories.
        pub payload: Payload<Out> = Payload::new(c),
        /// What is to be counted.
        pub events: LoadEvents<Out> = LoadEvents::new(),
        state: DFF<State>,
        position: Reg = Reg::unsigned(7),
        kind: Reg = Reg::unsigned(kind_bits(c)),
        reason: Reg = Reg::unsigned(3),
        fault_number: Reg = Reg::unsigned(32),
        fault_engine: Reg = Reg::unsigned(2),
        count_number: Reg = Reg::unsigned(32),
        dropping: Reg = Reg::unsigned(1),
        resetting: Reg = Reg::unsigned(1),
        granule: Vec<Reg> = Reg::vec(HALVES * 16 / granule, granule, false),
        excess: Reg = Reg::unsigned(1),
        fixed: Vec<Const> = counts.iter().map(|(fixed, _)| part(*fixed)).collect(),
        value: Vec<Const> = counts.iter().map(|(_, value)| part(*value)).collect(),
        cut: Vec<Unpack> = (0..lanes.count).map(|_| Unpack::new(lanes.bits / granule, granule, false)).collect(),
        crc16: Reg = Reg::unsigned(16),
        crc16_step: XorReduce = crc_step(CRC16_POLY.into(), 16, lanes.bits, lanes.count),
        crc32: Reg = Reg::unsigned(32),
        crc32_step: XorReduce = crc_step(CRC32_POLY.into(), 32, lanes.bits, lanes.count),
        address: Reg = Reg::unsigned(index_bits(depth)),
        left: Reg = Reg::unsigned(bits_for(depth)),
        word: Reg = Reg::unsigned(bits_for(most_words)),
        check_left: Reg = Reg::unsigned(3),
        write_q: Reg = Reg::unsigned(1),
        write_address_q: Reg = Reg::unsigned(index_bits(depth)),
        write_word_q: Reg = Reg::unsigned(bits_for(most_words)),
        write_data_q: Vec<Reg> = Reg::vec(lanes.count, lanes.bits, false),
        view: Vec<Sig<Local>> = Sig::vec(HALVES, 16, false),
        take: Signal<Local, Bit>,
        fetches: Signal<Local, Bit>,
        keep: Signal<Local, Bit>,
        kind_now: Sig<Local> = Sig::unsigned(kind_bits(c)),
        crc_before: Sig<Local> = Sig::unsigned(16),
        rules: InstructionRules = InstructionRules::new(c),
        blocked: Signal<Local, Bit>,
        granted: Signal<Local, Bit>,
        slot: Sig<Local> = Sig::unsigned(7),
        length: Sig<Local> = Sig::unsigned(7),
        load_words: Sig<Local> = Sig::unsigned(bits_for(most_words)),
        load: Load = Load::new(0),
        /// Columns whose levels were loaded (none without codebooks).
        tables: Vec<Reg> = Reg::vec(usize::from(c.codebook.is_some()), c.array.cols, false),
        levels: Dim = Dim::new(Memory::Level.code() as usize),
        /// The number of no instruction.
        none: Const = Const::unsigned((1 << kind_bits(c)) - 1, kind_bits(c)),
        opcode: Vec<Dim> = Opcode::present(c).map(|o| Dim::new(o.code.into())).collect(),
        words_of: Vec<Dim> = Opcode::present(c).map(|o| Dim::new(o.units * t.unit_words)).collect(),
        to_compute: Vec<Flag> = Opcode::present(c).map(|o| Flag::new(o.engine == Who::Compute)).collect(),
        to_store: Vec<Flag> = Opcode::present(c).map(|o| Flag::new(o.engine == Who::Store)).collect(),
        loads: Dim = kind(c, "LOAD"),
        resets: Dim = kind(c, "RESET"),
        turn_of: Vec<Dim> = Opcode::present(c).map(|o| Dim::new(turn(c, o.name))).collect(),
        is_load: Signal<Local, Bit>,
        is_reset: Signal<Local, Bit>,
        /// The instruction is one of the compute engine.
        computes: Signal<Local, Bit>,
        /// … of the store engine.
        stores: Signal<Local, Bit>,
        lanes: Dim = Dim::new(lanes.count),
        halves: Dim = Dim::new(HALVES),
        granules: Dim = Dim::new(HALVES * 16 / granule),
        per_half: Dim = Dim::new(16 / granule),
        granule_bits: Dim = Dim::new(granule),
        per_word: Dim = Dim::new(c.link_bits / granule),
        granule_word: Vec<Dim> = (0..HALVES * 16 / granule).map(|g| Dim::new(g * granule / c.link_bits)).collect(),
        per_lane: Dim = Dim::new(lanes.bits / granule),
        check_words: Dim = Dim::new(t.check_words),
        crc16_start: Const = Const::unsigned(CRC16_INIT.into(), 16),
        crc32_start: Const = Const::unsigned(CRC32_INIT.into(), 32),
        stray: Dim = reason(Reason::Stray),
        unknown: Dim = reason(Reason::Opcode),
        truncated: Dim = reason(Reason::Truncated),
        wrong_crc16: Dim = reason(Reason::InstructionCheck),
        wrong_field: Dim = reason(Reason::Field),
        wrong_crc32: Dim = reason(Reason::PayloadCheck),
        deadlock: Dim = reason(Reason::Deadlock),
    }
}

impl Logic for FrontEnd {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // the instruction's halves, from the granules that the link delivers
        for h in 0..self.halves.val() {
            self.view[h].next = self.granule[h * self.per_half.val()].q.val();
            for p in 1..self.per_half.val() {
                self.view[h].next = self.view[h].val()
                    + (self.granule[h * self.per_half.val() + p].q.val() << self.granule_bits.val());
            }
            self.issue.half[h].next = self.view[h].val();
        }
        for h in 0..self.load.half.len() {
            self.load.half[h].next = self.view[h].val();
        }
        self.load_words.next = self.load.words.val();
        // link words into the checks, and towards the memories
        self.crc_before.next = self.crc16.q.val();
        if self.in_.first.val() {
            self.crc_before.next = self.crc16_start.val();
        }
        self.crc16_step.x[0].next = self.crc_before.val();
        self.crc32_step.x[0].next = self.crc32.q.val();
        for i in 0..self.lanes.val() {
            self.crc16_step.x[i + 1].next = self.in_.data[i].val();
            self.crc32_step.x[i + 1].next = self.in_.data[i].val();
            self.cut[i].x.next = self.in_.data[i].val();
            self.write_data_q[i].d.next = self.in_.data[i].val();
            self.payload.data[i].next = self.write_data_q[i].q.val();
        }
        self.payload.valid.next = self.write_q.q.val().any();
        self.payload.memory.next = self.load.memory.val();
        self.payload.broadcast.next = self.load.broadcast.val().any();
        self.payload.mask.next = self.load.mask.val();
        self.payload.address.next = self.write_address_q.q.val();
        self.payload.word.next = self.write_word_q.q.val();
        self.write_q.d.next = 0.into();
        self.write_address_q.d.next = self.address.q.val();
        self.write_word_q.d.next = self.word.q.val();
        // rules of a valid instruction
        self.rules.kind.next = self.kind.q.val();
        self.rules.excess.next = self.excess.q.val().any();
        for h in 0..self.halves.val() {
            self.rules.half[h].next = self.view[h].val();
        }
        for t in 0..self.tables.len() {
            self.rules.tables[t].next = self.tables[t].q.val();
        }
        self.issue.turn.next = 0.into();
        self.is_load.next = self.kind.q.val() == self.loads.val();
        self.is_reset.next = self.kind.q.val() == self.resets.val();
        self.computes.next = false;
        self.stores.next = false;
        for k in 0..self.opcode.len() {
            if self.to_compute[k].val() {
                self.computes.next = self.computes.val() | (self.kind.q.val() == k);
                if self.kind.q.val() == k {
                    self.issue.turn.next = self.turn_of[k].val().into();
                }
            }
            if self.to_store[k].val() {
                self.stores.next = self.stores.val() | (self.kind.q.val() == k);
            }
        }
        // what this cycle does
        self.waiting.next = false;
        self.in_.ready.next = false;
        self.in_.closed.next = false;
        self.take.next = false;
        self.keep.next = false;
        self.compute.tokens.pop.next = false;
        self.compute.give.next = false;
        self.issue.compute.push.next = false;
        self.issue.store.push.next = false;
        self.report.wanted.next = self.state.q.val() == State::Report;
        self.flush.next = self.report.wanted.val() | (self.state.q.val() == State::Flush);
        self.events.restart.next = false;
        self.blocked.next = false;
        self.granted.next = false;
        self.events.busy.next = false;
        self.events.wait_token.next = false;
        self.events.wait_queue.next = false;
        self.events.wait_link.next = false;
        self.length.next = 0.into();
        self.slot.next = self.position.q.val();
        if self.in_.first.val() {
            self.slot.next = 0.into();
        }
        self.kind_now.next = self.kind.q.val();
        match self.state.q.val() {
            State::Fetch => {
                self.waiting.next = true;
                self.in_.ready.next = true;
                self.in_.closed.next = self.position.q.val().any() & !self.dropping.q.val().any();
                self.take.next = self.in_.valid.val() & !(self.in_.first.val() & self.in_.closed.val());
                if self.in_.valid.val() & self.in_.first.val() & self.in_.closed.val() {
                    self.reason.d.next = self.truncated.val().into();
                    self.state.d.next = State::Quiesce;
                }
                if self.take.val() {
                    self.keep.next = self.position.q.val().any();
                    if self.in_.first.val() {
                        self.kind_now.next = self.none.val();
                        for k in 0..self.opcode.len() {
                            if bits_of(self.in_.data[0].val(), 8) == self.opcode[k].val() {
                                self.kind_now.next = k.into();
                            }
                        }
                        self.keep.next = !self.kind_now.val().all();
                        if self.dropping.q.val().any() {
                            self.keep.next = self.kind_now.val() == self.resets.val();
                        } else if self.kind_now.val().all() {
                            self.reason.d.next = self.unknown.val().into();
                            self.state.d.next = State::Quiesce;
                        }
                    } else if !self.position.q.val().any() & !self.dropping.q.val().any() {
                        self.reason.d.next = self.stray.val().into();
                        self.state.d.next = State::Quiesce;
                    }
                    for k in 0..self.opcode.len() {
                        if self.kind_now.val() == k {
                            self.length.next = self.words_of[k].val().into();
                        }
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
                } else if self.is_reset.val() {
                    self.resetting.d.next = 1.into();
                    self.state.d.next = State::Quiesce;
                } else {
                    if self.is_load.val() {
                        self.granted.next =
                            self.compute.tokens.present.val() | !self.load.pop_next.val().any();
                        self.events.wait_token.next = !self.granted.val();
                    } else if self.computes.val() {
                        self.granted.next = !self.issue.compute.full.val();
                        self.events.wait_queue.next = self.issue.compute.full.val();
                    } else {
                        self.granted.next = !self.issue.store.full.val();
                        self.events.wait_queue.next = self.issue.store.full.val();
                    }
                    self.blocked.next = !self.granted.val();
                }
                if self.granted.val() {
                    if self.is_load.val() {
                        self.compute.tokens.pop.next = self.load.pop_next.val().any();
                        self.state.d.next = State::Payload;
                        self.address.d.next = self.load.address.val();
                        self.left.d.next = self.load.count.val();
                        self.word.d.next = 0.into();
                        self.check_left.d.next = self.check_words.val().into();
                        self.crc32.d.next = self.crc32_start.val();
                    } else {
                        self.issue.compute.push.next = self.computes.val();
                        self.issue.store.push.next = !self.issue.compute.push.val();
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
                self.in_.ready.next = true;
                self.in_.closed.next = true;
                self.events.busy.next = true;
                self.events.wait_link.next = !self.in_.valid.val();
                self.take.next = self.in_.valid.val() & !self.in_.first.val();
                if self.in_.valid.val() & self.in_.first.val() {
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
                self.events.busy.next = true;
                if self.crc32.q.val().any() {
                    self.reason.d.next = self.wrong_crc32.val().into();
                    self.state.d.next = State::Quiesce;
                } else {
                    self.compute.give.next = self.load.push_next.val().any();
                    for t in 0..self.tables.len() {
                        if self.load.memory.val() == self.levels.val() {
                            self.tables[t].d.next = self.tables[t].q.val() | self.load.mask.val();
                        }
                    }
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
                    if self.issue.compute.pending.val() {
                        self.fault_number.d.next = self.issue.compute.number.val();
                        self.fault_engine.d.next = 1.into();
                    }
                    if self.issue.store.pending.val()
                        & (!self.issue.compute.pending.val()
                            | (self.issue.compute.number.val() > self.issue.store.number.val()))
                    {
                        self.fault_number.d.next = self.issue.store.number.val();
                        self.fault_engine.d.next = 2.into();
                    }
                } else if self.reason.q.val() < self.truncated.val() {
                    self.fault_engine.d.next = 0.into();
                } else if self.computes.val() {
                    self.fault_engine.d.next = 1.into();
                } else if self.stores.val() {
                    self.fault_engine.d.next = 2.into();
                }
                if self.stuck.val() {
                    self.state.d.next = State::Flush;
                }
            }
            State::Flush => {
                if !self.issue.compute.pending.val() & !self.issue.store.pending.val() {
                    self.state.d.next = State::Report;
                }
            }
            State::Report => {
                if self.report.done.val() {
                    self.state.d.next = State::Fetch;
                    self.dropping.d.next = 1.into();
                    if self.resetting.q.val().any() {
                        self.dropping.d.next = 0.into();
                        self.count_number.d.next = 0.into();
                        self.events.restart.next = true;
                    }
                    self.resetting.d.next = 0.into();
                }
            }
        }
        self.fetches.next = (self.state.q.val() == State::Fetch) & self.in_.valid.val();
        if self.keep.val() & self.in_.first.val() {
            self.excess.d.next = 0.into();
        }
        for g in 0..self.granules.val() {
            if self.keep.val()
                & (self.slot.val() == self.granule_word[g].val())
                & ((self.cut[g % self.per_word.val() / self.per_lane.val()].y[g % self.per_lane.val()].val()
                    ^ self.value[g].val())
                    & self.fixed[g].val())
                .any()
            {
                self.excess.d.next = 1.into();
            }
            // a word that is not kept does no harm here: no instruction comes of it
            if self.fetches.val() & (self.slot.val() == self.granule_word[g].val()) {
                self.granule[g].d.next =
                    self.cut[g % self.per_word.val() / self.per_lane.val()].y[g % self.per_lane.val()].val();
            }
        }
        self.events.word.next = self.take.val();
        self.events.dispatched.next = self.granted.val();
        self.failed.next = self.dropping.q.val().any();
        self.issue.number.next = self.count_number.q.val();
        self.report.ready.next = self.resetting.q.val().any();
        self.report.reason.next = self.reason.q.val();
        self.report.number.next = self.fault_number.q.val();
        if self.resetting.q.val().any() {
            self.report.number.next = 0.into();
        }
        self.report.engine.next = self.fault_engine.q.val();
    }
}
