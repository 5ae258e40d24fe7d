//! The accelerator.
//!
//! ```text
//! link in ─► front end ─► queue ─► compute engine ─► result memory ─► store engine ─► link out
//!              │  │                      ▲                               ▲
//!              │  └─► payload words ─────┘                               │
//!              └───────────────────────────────────────► queue ──────────┘
//! ```

use crate::counters::CounterFile;
use crate::field::{queue_halves, turns};
use crate::hdl::prelude::*;
use crate::host::{Status, WordsIn, WordsOut};
use crate::load::front_end::FrontEnd;
use crate::store::result_memory::ResultMemory;
use crate::store::store_engine::StoreEngine;
use crate::tokens::TokenCounter;
use crate::units::ComputeEngine;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::isa::Who;

unit! {
    /// The top module; see docs/accelerator.md.
    ///
    /// All outputs come from registers.
    pub struct Tandem(c: &Config) {
        // an instruction's halves, its number; of the compute engine's also its unit
        let queue = |halves: usize, more: &[usize]| Fifo::new(c.queue, &[&vec![16; halves], more].concat());

        clock,
        /// Words from the host.
        pub in_: WordsIn<In> = WordsIn::new(c),
        /// Words to the host.
        pub out: WordsOut<Out> = WordsOut::new(c),
        /// What the accelerator does.
        pub status: Status<Out> = Status::new(),
        front_end: FrontEnd = FrontEnd::new(c),
        compute_queue: Fifo = queue(queue_halves(Who::Compute), &[32, index_bits(turns(c))]),
        store_queue: Fifo = queue(queue_halves(Who::Store), &[32]),
        load_to_compute: TokenCounter = TokenCounter::new(),
        compute_to_load: TokenCounter = TokenCounter::new(),
        compute_to_store: TokenCounter = TokenCounter::new(),
        store_to_compute: TokenCounter = TokenCounter::new(),
        compute: ComputeEngine = ComputeEngine::new(c),
        result_memory: ResultMemory = ResultMemory::new(c),
        store: StoreEngine = StoreEngine::new(c),
        counters: CounterFile = CounterFile::new(c),
        at_rest: Reg = Reg::with_reset(1, false, 1),
        compute_halves: Dim = Dim::new(queue_halves(Who::Compute)),
        store_halves: Dim = Dim::new(queue_halves(Who::Store)),
    }
}

impl Logic for Tandem {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.in_, &mut self.front_end.in_);
        wire::join_all(&mut self.store.out, &mut self.out);
        // queues
        for h in 0..self.compute_halves.val() {
            self.compute_queue.d[h].next = self.front_end.issue.half[h].val();
            self.compute.all.engine.request.queue.half[h].next = self.compute_queue.head[h].val();
        }
        for h in 0..self.store_halves.val() {
            self.store_queue.d[h].next = self.front_end.issue.half[h].val();
            self.store.queue.half[h].next = self.store_queue.head[h].val();
        }
        self.compute_queue.d[self.compute_halves.val()].next = self.front_end.issue.number.val();
        self.compute_queue.d[self.compute_halves.val() + 1].next = self.front_end.issue.turn.val();
        self.store_queue.d[self.store_halves.val()].next = self.front_end.issue.number.val();
        self.compute_queue.push.next = self.front_end.issue.compute.push.val();
        self.store_queue.push.next = self.front_end.issue.store.push.val();
        self.compute_queue.pop.next =
            self.compute.all.engine.request.queue.take.val() | self.front_end.flush.val();
        self.store_queue.pop.next = self.store.queue.take.val() | self.front_end.flush.val();
        self.compute.all.engine.request.queue.available.next =
            !self.compute_queue.empty.val() & !self.front_end.flush.val();
        self.compute.all.turn.next = self.compute_queue.head[self.compute_halves.val() + 1].val();
        self.store.queue.available.next = !self.store_queue.empty.val() & !self.front_end.flush.val();
        self.store.number.next = self.store_queue.head[self.store_halves.val()].val();
        self.front_end.issue.compute.full.next = self.compute_queue.full.val();
        self.front_end.issue.compute.pending.next = !self.compute_queue.empty.val();
        self.front_end.issue.compute.number.next = self.compute_queue.head[self.compute_halves.val()].val();
        self.front_end.issue.store.full.next = self.store_queue.full.val();
        self.front_end.issue.store.pending.next = !self.store_queue.empty.val();
        self.front_end.issue.store.number.next = self.store_queue.head[self.store_halves.val()].val();
        // tokens
        self.load_to_compute.give.next = self.front_end.compute.give.val();
        self.compute_to_load.give.next = self.compute.all.engine.outcome.give.load.val();
        self.compute_to_store.give.next = self.compute.all.engine.outcome.give.store.val();
        self.store_to_compute.give.next = self.store.compute.give.val();
        self.load_to_compute.clear.next = self.front_end.flush.val();
        self.compute_to_load.clear.next = self.front_end.flush.val();
        self.compute_to_store.clear.next = self.front_end.flush.val();
        self.store_to_compute.clear.next = self.front_end.flush.val();
        wire::join_all(&mut self.load_to_compute.tokens, &mut self.compute.all.engine.request.load);
        wire::join_all(&mut self.store_to_compute.tokens, &mut self.compute.all.engine.request.store);
        wire::join_all(&mut self.compute_to_load.tokens, &mut self.front_end.compute.tokens);
        wire::join_all(&mut self.compute_to_store.tokens, &mut self.store.compute.tokens);
        // operands and results
        wire::join_all(&mut self.front_end.payload, &mut self.compute.all.engine.payload);
        wire::join_all(&mut self.compute.all.engine.outcome.write, &mut self.result_memory.write);
        // results and reports to the host
        wire::join_all(&mut self.store.read, &mut self.result_memory.read);
        wire::join_all(&mut self.front_end.report, &mut self.store.report);
        // counters
        wire::join_all(&mut self.front_end.events, &mut self.counters.load);
        wire::join_all(&mut self.compute.events, &mut self.counters.steps);
        wire::join_all(&mut self.store.events, &mut self.counters.store);
        wire::join_all(&mut self.counters.value, &mut self.store.register);
        self.counters.computes.next = self.compute.all.engine.busy.val();
        self.counters.compute_waits.next = self.compute.all.engine.request.wait_token.val();
        self.counters.drained.next = self.compute.all.engine.outcome.write.we.val();
        // who can move; from a register: what the front end hands on now will move only then
        self.at_rest.d.next = (self.compute.all.engine.quiet.val()
            & !self.compute.all.engine.request.queue.take.val()
            & !self.store.events.busy.val()
            & !self.store.queue.take.val()
            & !(self.front_end.issue.compute.push.val()
                | self.front_end.issue.store.push.val()
                | self.front_end.compute.give.val()))
        .into();
        self.front_end.stuck.next = self.at_rest.q.val().any();
        // for the host
        self.status.waiting.next = self.front_end.waiting.val();
        self.status.boundary.next = self.front_end.waiting.val() & !self.front_end.in_.closed.val();
        self.status.failed.next = self.front_end.failed.val();
        self.status.quiet.next = self.at_rest.q.val().any();
        self.status.compute_pending.next = !self.compute_queue.empty.val();
        self.status.store_pending.next = !self.store_queue.empty.val();
        self.status.load_number.next = self.front_end.issue.number.val();
        self.status.compute_number.next = self.compute_queue.head[self.compute_halves.val()].val();
        self.status.store_number.next = self.store_queue.head[self.store_halves.val()].val();
    }
}
