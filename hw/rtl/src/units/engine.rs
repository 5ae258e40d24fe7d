//! What the compute engine's units have in common: a place at the queue, payload words in, results out.

use crate::field::{queue_halves, turns};
use crate::hdl::prelude::*;
use crate::load::payload::Payload;
use crate::load::queue::QueueHead;
use crate::store::result_memory::ResultWrite;
use crate::tokens::Tokens;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::isa::Who;

bundle! {
    /// An instruction that waits for its unit, and the tokens that it may need.
    pub struct Request<D>(halves: usize) {
        /// Where it waits.
        queue: QueueHead<D> = QueueHead::new(halves),
        /// Tokens from the load engine.
        load: Tokens<D> = Tokens::new(),
        /// Tokens from the store engine.
        store: Tokens<D> = Tokens::new(),
    } back {
        /// It would be taken, but lacks a token.
        wait_token: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// Tokens that an instruction gives.
    pub struct Gives<D>() {
        /// One for the load engine.
        load: Signal<D, Bit>,
        /// One for the store engine.
        store: Signal<D, Bit>,
    }
}

bundle! {
    /// What comes of an instruction.
    pub struct Outcome<D>(c: &Config) {
        /// Tokens, at its end.
        give: Gives<D> = Gives::new(),
        /// A result word.
        write: ResultWrite<D> = ResultWrite::new(c),
    }
}

bundle! {
    /// The accelerator as a unit of the compute engine sees it.
    pub struct Engine<D>(c: &Config) {
        /// An instruction for it.
        request: Request<D> = Request::new(queue_halves(Who::Compute)),
        /// Payload words for its memories.
        payload: Payload<D> = Payload::new(c),
    } back {
        /// It takes operands: a step, a group of samples.
        busy: Signal<D::Back, Bit>,
        /// Nothing runs.
        quiet: Signal<D::Back, Bit>,
        /// What comes of it.
        outcome: Outcome<D::Back> = Outcome::new(c),
    }
}

bundle! {
    /// The same, as all units together see it.
    pub struct Shared<D>(c: &Config) {
        /// An instruction for one of them, payload words for all.
        engine: Engine<D> = Engine::new(c),
        /// The unit that the instruction is for.
        turn: Sig<D> = Sig::unsigned(index_bits(turns(c))),
    }
}

unit! {
    /// Units that take turns, as if they were one: an instruction waits until all but its own unit are quiet.
    ///
    /// # Timing  combinational
    pub struct Turns(c: &Config, units: usize) {
        /// Of all units.
        pub all: Shared<In> = Shared::new(c),
        /// Of each unit.
        pub unit: Vec<Engine<Out>> = (0..units).map(|_| Engine::new(c)).collect(),
        units: Dim = Dim::new(units),
        results: Dim = Dim::new(c.array.drain),
    }
}

impl Logic for Turns {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.all.engine.request.queue.take.next = false;
        self.all.engine.request.wait_token.next = false;
        self.all.engine.request.load.pop.next = false;
        self.all.engine.request.store.pop.next = false;
        self.all.engine.busy.next = false;
        self.all.engine.quiet.next = true;
        self.all.engine.outcome.give.load.next = false;
        self.all.engine.outcome.give.store.next = false;
        wire::join_all(&mut self.unit[0].outcome.write, &mut self.all.engine.outcome.write);
        self.all.engine.outcome.write.we.next = false;
        for u in 0..self.units.val() {
            wire::join_all(&mut self.all.engine.payload, &mut self.unit[u].payload);
            wire::join_all(&mut self.all.engine.request.queue.half, &mut self.unit[u].request.queue.half);
            self.unit[u].request.load.present.next = self.all.engine.request.load.present.val();
            self.unit[u].request.store.present.next = self.all.engine.request.store.present.val();
            self.unit[u].request.queue.available.next = self.all.engine.request.queue.available.val()
                & ((self.all.turn.val() == u) | (self.units.val() == 1));
            for v in 0..self.units.val() {
                if v != u {
                    self.unit[u].request.queue.available.next =
                        self.unit[u].request.queue.available.val() & self.unit[v].quiet.val();
                }
            }
            self.all.engine.request.queue.take.next =
                self.all.engine.request.queue.take.val() | self.unit[u].request.queue.take.val();
            self.all.engine.request.wait_token.next =
                self.all.engine.request.wait_token.val() | self.unit[u].request.wait_token.val();
            self.all.engine.request.load.pop.next =
                self.all.engine.request.load.pop.val() | self.unit[u].request.load.pop.val();
            self.all.engine.request.store.pop.next =
                self.all.engine.request.store.pop.val() | self.unit[u].request.store.pop.val();
            self.all.engine.busy.next = self.all.engine.busy.val() | self.unit[u].busy.val();
            self.all.engine.quiet.next = self.all.engine.quiet.val() & self.unit[u].quiet.val();
            self.all.engine.outcome.give.load.next =
                self.all.engine.outcome.give.load.val() | self.unit[u].outcome.give.load.val();
            self.all.engine.outcome.give.store.next =
                self.all.engine.outcome.give.store.val() | self.unit[u].outcome.give.store.val();
            self.all.engine.outcome.write.we.next =
                self.all.engine.outcome.write.we.val() | self.unit[u].outcome.write.we.val();
            if (u > 0) & !self.unit[u].quiet.val() {
                self.all.engine.outcome.write.address.next = self.unit[u].outcome.write.address.val();
                for i in 0..self.results.val() {
                    self.all.engine.outcome.write.result[i].next = self.unit[u].outcome.write.result[i].val();
                }
            }
        }
    }
}
