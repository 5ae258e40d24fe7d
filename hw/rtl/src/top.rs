//! The accelerator.
//!
//! ```text
//! link in ─► front end ─► scatter ─► ┌───────────┐
//!              │ queues              │ MAC array │─► drain ─► result memory ─► store engine ─► link out
//!              └──► sequencer ──────►└───────────┘
//! ```

use crate::compute::drain::Drain;
use crate::compute::mac_array::MacArray;
use crate::compute::sequencer::Sequencer;
use crate::counters::CounterFile;
use crate::fft::unit::FftUnit;
use crate::field::{halves, queue_halves};
use crate::hdl::prelude::*;
use crate::link::Lanes;
use crate::load::front_end::FrontEnd;
use crate::load::pieces::pieces;
use crate::load::scatter::Scatter;
use crate::store::result_memory::ResultMemory;
use crate::store::store_engine::StoreEngine;
use crate::tokens::TokenCounter;
use rust_hdl::prelude::*;
use tandem_spec::isa::{Opcode, Who};
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Config, Memory};

unit! {
    /// The top module; see docs/accelerator.md.
    ///
    /// A word passes the input in a cycle with `in_valid` and `in_ready`, unless `in_first` and `closed`.
    /// All outputs come from registers.
    pub struct Tandem(c: &Config) {
        let lanes = Lanes::new(c);
        // an instruction's halves, its number; of the compute engine's also whether it is a TRANSFORM
        let queue = |halves: usize, more: &[usize]| Fifo::new(c.queue, &[&vec![16; halves], more].concat());
        let a = &c.array;

        clock,
        /// The host offers a word.
        pub in_valid: Signal<In, Bit>,
        /// It starts an instruction.
        pub in_first: Signal<In, Bit>,
        /// The word.
        pub in_data: Vec<Sig<In>> = lanes.signals(),
        /// A word can be taken.
        pub in_ready: Signal<Out, Bit>,
        /// … but not one that starts an instruction.
        pub closed: Signal<Out, Bit>,
        /// A word is offered to the host.
        pub out_valid: Signal<Out, Bit>,
        /// The word.
        pub out_data: Vec<Sig<Out>> = lanes.signals(),
        /// The host takes it.
        pub out_ready: Signal<In, Bit>,
        /// The front end waits for the host.
        pub waiting: Signal<Out, Bit>,
        /// … and is not inside an instruction or a payload.
        pub boundary: Signal<Out, Bit>,
        /// Words are dropped until a RESET.
        pub failed: Signal<Out, Bit>,
        /// Compute engine, drain and store engine cannot move.
        pub quiet: Signal<Out, Bit>,
        /// The compute queue has a head.
        pub compute_pending: Signal<Out, Bit>,
        /// The store queue has a head.
        pub store_pending: Signal<Out, Bit>,
        /// Number of the instruction in the front end.
        pub load_number: Sig<Out> = Sig::unsigned(32),
        /// Number of the compute queue's head.
        pub compute_number: Sig<Out> = Sig::unsigned(32),
        /// Number of the store queue's head.
        pub store_number: Sig<Out> = Sig::unsigned(32),
        front_end: FrontEnd = FrontEnd::new(c),
        scatter: Scatter = Scatter::new(c),
        compute_queue: Fifo = queue(queue_halves(Who::Compute), &[32, 1]),
        store_queue: Fifo = queue(queue_halves(Who::Store), &[32]),
        load_to_compute: TokenCounter = TokenCounter::new(),
        compute_to_load: TokenCounter = TokenCounter::new(),
        compute_to_store: TokenCounter = TokenCounter::new(),
        store_to_compute: TokenCounter = TokenCounter::new(),
        sequencer: Sequencer = Sequencer::new(c),
        array: MacArray = MacArray::new(c),
        drain: Drain = Drain::new(c),
        fft: Vec<FftUnit> = c.fft.iter().map(|f| FftUnit::new(c, f)).collect(),
        result_memory: ResultMemory = ResultMemory::new(c),
        store: StoreEngine = StoreEngine::new(c),
        counters: CounterFile = CounterFile::new(c),
        compute_available: Signal<Local, Bit>,
        is_transform: Signal<Local, Bit>,
        compute_stuck: Signal<Local, Bit>,
        store_stuck: Signal<Local, Bit>,
        at_rest: Reg = Reg::with_reset(1, false, 1),
        lanes: Dim = Dim::new(lanes.count),
        compute_halves: Dim = Dim::new(queue_halves(Who::Compute)),
        store_halves: Dim = Dim::new(queue_halves(Who::Store)),
        row_total: Dim = Dim::new(a.rows * pieces(c, Memory::Row).count),
        col_total: Dim = Dim::new(a.cols * pieces(c, Memory::Col).count),
        index_total: Dim = Dim::new(a.cols * pieces(c, Memory::Index).count),
        offset_total: Dim = Dim::new(a.rows * pieces(c, Memory::Offset).count),
        elements: Dim = Dim::new(a.rows * a.cols),
        width: Dim = Dim::new(a.drain),
        registers: Dim = Dim::new(REGISTERS.len()),
        selects: Dim = Dim::new(usize::from(a.select > 1)),
        transforms: Dim = Dim::new(usize::from(c.fft.is_some())),
        sample_total: Dim = Dim::new(pieces(c, Memory::Sample).count),
        fft_halves: Dim = Dim::new(halves(Opcode::named("TRANSFORM"))),
    }
}

impl Logic for Tandem {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // link
        self.front_end.in_valid.next = self.in_valid.val();
        self.front_end.in_first.next = self.in_first.val();
        for i in 0..self.lanes.val() {
            self.front_end.in_data[i].next = self.in_data[i].val();
            self.out_data[i].next = self.store.out_data[i].val();
        }
        self.in_ready.next = self.front_end.in_ready.val();
        self.closed.next = self.front_end.closed.val();
        self.out_valid.next = self.store.out_valid.val();
        self.store.out_ready.next = self.out_ready.val();
        // queues
        self.compute_queue.push.next = self.front_end.push_compute.val();
        self.store_queue.push.next = self.front_end.push_store.val();
        for h in 0..self.compute_halves.val() {
            self.compute_queue.d[h].next = self.front_end.half[h].val();
            self.sequencer.half[h].next = self.compute_queue.head[h].val();
        }
        for h in 0..self.store_halves.val() {
            self.store_queue.d[h].next = self.front_end.half[h].val();
            self.store.half[h].next = self.store_queue.head[h].val();
        }
        self.compute_queue.d[self.compute_halves.val()].next = self.front_end.number.val();
        self.compute_queue.d[self.compute_halves.val() + 1].next = self.front_end.transform.val().into();
        self.store_queue.d[self.store_halves.val()].next = self.front_end.number.val();
        self.compute_queue.pop.next = self.sequencer.take.val() | self.front_end.flush.val();
        self.store_queue.pop.next = self.store.take.val() | self.front_end.flush.val();
        self.compute_available.next = !self.compute_queue.empty.val() & !self.front_end.flush.val();
        self.sequencer.available.next = self.compute_available.val();
        self.store.available.next = !self.store_queue.empty.val() & !self.front_end.flush.val();
        self.store.number.next = self.store_queue.head[self.store_halves.val()].val();
        self.front_end.compute_full.next = self.compute_queue.full.val();
        self.front_end.store_full.next = self.store_queue.full.val();
        self.front_end.compute_pending.next = !self.compute_queue.empty.val();
        self.front_end.store_pending.next = !self.store_queue.empty.val();
        self.front_end.compute_number.next = self.compute_queue.head[self.compute_halves.val()].val();
        self.front_end.store_number.next = self.store_queue.head[self.store_halves.val()].val();
        // tokens
        self.load_to_compute.give.next = self.front_end.give.val();
        self.load_to_compute.pop.next = self.sequencer.pop_load.val();
        self.load_to_compute.clear.next = self.front_end.flush.val();
        self.compute_to_load.give.next = self.drain.give_load.val();
        self.compute_to_load.pop.next = self.front_end.pop.val();
        self.compute_to_load.clear.next = self.front_end.flush.val();
        self.compute_to_store.give.next = self.drain.give_store.val();
        self.compute_to_store.pop.next = self.store.pop.val();
        self.compute_to_store.clear.next = self.front_end.flush.val();
        self.store_to_compute.give.next = self.store.give.val();
        self.store_to_compute.pop.next = self.sequencer.pop_store.val();
        self.store_to_compute.clear.next = self.front_end.flush.val();
        self.sequencer.load_token.next = self.load_to_compute.present.val();
        self.sequencer.store_token.next = self.store_to_compute.present.val();
        self.front_end.token.next = self.compute_to_load.present.val();
        self.store.token.next = self.compute_to_store.present.val();
        // who can move
        self.compute_stuck.next =
            self.sequencer.idle.val() & !self.sequencer.take.val() & self.drain.quiet.val();
        for u in 0..self.transforms.val() {
            self.compute_stuck.next =
                self.compute_stuck.val() & self.fft[u].idle.val() & !self.fft[u].take.val();
        }
        self.store_stuck.next = self.store.idle.val() & !self.store.take.val();
        self.front_end.stuck.next = self.at_rest.q.val().any();
        // payload words to the memories
        self.scatter.write.next = self.front_end.write.val();
        self.scatter.memory.next = self.front_end.write_memory.val();
        self.scatter.broadcast.next = self.front_end.write_broadcast.val();
        self.scatter.mask.next = self.front_end.write_mask.val();
        self.scatter.word.next = self.front_end.write_word.val();
        self.array.waddr.next = self.front_end.write_address.val();
        for i in 0..self.lanes.val() {
            self.scatter.data[i].next = self.front_end.write_data[i].val();
        }
        for i in 0..self.row_total.val() {
            self.array.row_we[i].next = self.scatter.row_we[i].val();
            self.array.row_data[i].next = self.scatter.row_data[i].val();
        }
        for i in 0..self.col_total.val() {
            self.array.col_we[i].next = self.scatter.col_we[i].val();
            self.array.col_data[i].next = self.scatter.col_data[i].val();
        }
        for i in 0..self.index_total.val() {
            self.array.index_we[i].next = self.scatter.index_we[i].val();
            self.array.index_data[i].next = self.scatter.index_data[i].val();
        }
        for i in 0..self.offset_total.val() {
            self.array.offset_we[i].next = self.scatter.offset_we[i].val();
            self.array.offset_data[i].next = self.scatter.offset_data[i].val();
        }
        // steps to the array, tiles to the drain
        self.array.step.next = self.sequencer.step.val();
        self.array.first.next = self.sequencer.first.val();
        self.array.last.next = self.sequencer.last.val();
        self.array.shift.next = self.sequencer.shift.val();
        self.array.row.next = self.sequencer.row.val();
        self.array.col.next = self.sequencer.col.val();
        self.array.index.next = self.sequencer.index.val();
        self.array.row_top.next = self.sequencer.row_top.val();
        self.array.col_top.next = self.sequencer.col_top.val();
        for s in 0..self.selects.val() {
            self.array.mask[s].next = self.sequencer.mask.val();
            self.array.held[s].next = self.sequencer.held[s].val();
        }
        self.drain.tile.next = self.sequencer.tile.val();
        self.drain.drains.next = self.sequencer.last.val();
        self.drain.rows.next = self.sequencer.tile_rows.val();
        self.drain.cols.next = self.sequencer.tile_cols.val();
        self.drain.groups.next = self.sequencer.tile_groups.val();
        self.drain.starts.next = self.sequencer.tile_starts.val();
        self.drain.base.next = self.sequencer.result_base.val();
        self.drain.push_load.next = self.sequencer.push_load.val();
        self.drain.push_store.next = self.sequencer.push_store.val();
        for e in 0..self.elements.val() {
            self.drain.shadow[e].next = self.array.shadow[e].val();
        }
        self.result_memory.we.next = self.drain.we.val();
        self.result_memory.waddr.next = self.drain.address.val();
        self.result_memory.re.next = self.store.re.val();
        self.result_memory.raddr.next = self.store.raddr.val();
        for i in 0..self.width.val() {
            self.result_memory.wdata[i].next = self.drain.result[i].val();
            self.store.rdata[i].next = self.result_memory.rdata[i].val();
        }
        // reports
        self.store.report.next = self.front_end.report.val();
        self.store.report_ready.next = self.front_end.report_ready.val();
        self.store.report_reason.next = self.front_end.report_reason.val();
        self.store.report_number.next = self.front_end.report_number.val();
        self.store.report_engine.next = self.front_end.report_engine.val();
        self.front_end.reported.next = self.store.reported.val();
        // counters
        self.counters.freeze.next = self.store.freeze.val();
        self.counters.clear.next = self.store.restart.val() | self.front_end.clear.val();
        self.counters.word_in.next = self.front_end.accept.val();
        self.counters.load.next = self.front_end.busy.val();
        self.counters.step.next = self.sequencer.step.val();
        self.counters.sampled.next = false;
        self.counters.drained.next = self.drain.we.val();
        self.counters.store.next = !self.store.idle.val();
        self.counters.load_waits.next = self.front_end.wait_token.val();
        self.counters.compute_waits.next = self.sequencer.wait_token.val();
        self.counters.store_waits.next = self.store.wait_token.val();
        self.counters.queue_waits.next = self.front_end.wait_queue.val();
        self.counters.link_in_waits.next = self.front_end.wait_link.val();
        self.counters.link_out_waits.next = self.store.out_valid.val() & !self.out_ready.val();
        self.counters.drain_waits.next = self.sequencer.wait_drain.val();
        self.counters.dispatched.next = self.front_end.dispatched.val();
        self.counters.rows.next = self.sequencer.tile_rows.val();
        self.counters.cols.next = self.sequencer.tile_cols.val();
        self.counters.mask.next = self.sequencer.mask.val();
        self.counters.opens.next = self.sequencer.opens.val();
        self.counters.reuses.next = self.sequencer.reuses.val();
        // the FFT unit: the other end of the compute queue, the other writer of the result memory
        self.is_transform.next = self.compute_queue.head[self.compute_halves.val() + 1].val().any();
        for u in 0..self.transforms.val() {
            for h in 0..self.fft_halves.val() {
                self.fft[u].half[h].next = self.compute_queue.head[h].val();
            }
            self.fft[u].available.next = self.compute_available.val()
                & self.is_transform.val()
                & self.sequencer.idle.val()
                & self.drain.quiet.val();
            self.sequencer.available.next =
                self.compute_available.val() & !self.is_transform.val() & self.fft[u].idle.val();
            self.fft[u].load_token.next = self.load_to_compute.present.val();
            self.fft[u].store_token.next = self.store_to_compute.present.val();
            self.compute_queue.pop.next =
                self.sequencer.take.val() | self.fft[u].take.val() | self.front_end.flush.val();
            self.load_to_compute.pop.next = self.sequencer.pop_load.val() | self.fft[u].pop_load.val();
            self.store_to_compute.pop.next = self.sequencer.pop_store.val() | self.fft[u].pop_store.val();
            self.compute_to_load.give.next = self.drain.give_load.val() | self.fft[u].give_load.val();
            self.compute_to_store.give.next = self.drain.give_store.val() | self.fft[u].give_store.val();
            self.fft[u].waddr.next = self.front_end.write_address.val();
            for i in 0..self.sample_total.val() {
                self.fft[u].sample_we[i].next = self.scatter.sample_we[i].val();
                self.fft[u].sample_data[i].next = self.scatter.sample_data[i].val();
            }
            self.result_memory.we.next = self.drain.we.val() | self.fft[u].we.val();
            if !self.fft[u].idle.val() {
                self.result_memory.waddr.next = self.fft[u].address.val();
                for i in 0..self.width.val() {
                    self.result_memory.wdata[i].next = self.fft[u].result[i].val();
                }
            }
            self.counters.sampled.next = self.fft[u].step.val();
            self.counters.drained.next = self.drain.we.val() | self.fft[u].we.val();
            self.counters.compute_waits.next = self.sequencer.wait_token.val() | self.fft[u].wait_token.val();
        }
        for i in 0..self.registers.val() {
            self.store.register[i].next = self.counters.value[i].val();
        }
        // for the host
        self.waiting.next = self.front_end.waiting.val();
        self.boundary.next = self.front_end.waiting.val() & !self.front_end.closed.val();
        self.failed.next = self.front_end.failed.val();
        // from a register: what the front end hands on now will move only then
        self.at_rest.d.next = (self.compute_stuck.val()
            & self.store_stuck.val()
            & !(self.front_end.push_compute.val()
                | self.front_end.push_store.val()
                | self.front_end.give.val()))
        .into();
        self.quiet.next = self.at_rest.q.val().any();
        self.compute_pending.next = !self.compute_queue.empty.val();
        self.store_pending.next = !self.store_queue.empty.val();
        self.load_number.next = self.front_end.number.val();
        self.compute_number.next = self.compute_queue.head[self.compute_halves.val()].val();
        self.store_number.next = self.store_queue.head[self.store_halves.val()].val();
    }
}
