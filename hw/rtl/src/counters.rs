//! The registers that READ returns.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::registers::{IDENTITY, REGISTERS};
use tandem_spec::{Config, Counting};

/// Registers that are not counters: identity and the two halves of the hash.
const FIXED: usize = 3;
/// Registers before the counters that multiply; a READ sends its first register after five cycles.
const LAG: usize = 3;

bundle! {
    /// Events of the load engine.
    pub struct LoadEvents<D>() {
        /// A link word is taken.
        word: Signal<D, Bit>,
        /// A payload is taken or checked.
        busy: Signal<D, Bit>,
        /// A LOAD lacks its token.
        wait_token: Signal<D, Bit>,
        /// A queue has no room.
        wait_queue: Signal<D, Bit>,
        /// A payload word is missing.
        wait_link: Signal<D, Bit>,
        /// An instruction is dispatched.
        dispatched: Signal<D, Bit>,
        /// A RESET: all counters become zero.
        restart: Signal<D, Bit>,
    }
}

bundle! {
    /// Events of a step.
    pub struct StepEvents<D>(c: &Config) {
        /// It is issued.
        step: Signal<D, Bit>,
        /// A tile's last one is held back.
        wait_drain: Signal<D, Bit>,
        /// Its valid rows.
        rows: Sig<D> = Sig::unsigned(bits_for(c.array.rows)),
        /// Its valid columns.
        cols: Sig<D> = Sig::unsigned(bits_for(c.array.cols)),
        /// M − 1, or 0.
        mask: Sig<D> = Sig::unsigned(index_bits(c.array.select)),
        /// It is the first that chooses from its windows.
        opens: Signal<D, Bit>,
        /// It chooses from the windows of the one before.
        reuses: Signal<D, Bit>,
    }
}

bundle! {
    /// Events of the store engine.
    pub struct StoreEvents<D>() {
        /// It works.
        busy: Signal<D, Bit>,
        /// A STORE or READ lacks its token.
        wait_token: Signal<D, Bit>,
        /// An output word is not taken.
        wait_link: Signal<D, Bit>,
        /// Registers are being sent: nothing counts.
        freeze: Signal<D, Bit>,
        /// They are sent: all counters become zero.
        restart: Signal<D, Bit>,
    }
}

unit! {
    /// Counts events in the cycle in which they are signalled; what is not generated stays zero.
    ///
    /// # Timing   an event in cycle t is in the register from t+2 on, `products` and `skipped`, which multiply, from t+1+`LAG`; `freeze`
    /// stops all counting, `clear` restarts, both as late: by the time that a READ sends the registers, they have caught up
    /// # Numeric  32 bits, wraps
    pub struct CounterFile(c: &Config) {
        let at = |name: &str| Dim::new(REGISTERS.iter().position(|r| r.name == name).expect("in the table"));
        let (rows, cols) = (bits_for(c.array.rows), bits_for(c.array.cols));
        let elements = bits_for(c.array.rows * c.array.cols);
        let pick = index_bits(c.array.select);
        let start = |i: usize| match i {
            0 => IDENTITY.into(),
            1 => i128::from(c.hash() as u32),
            2 => i128::from(c.hash() >> 32),
            _ => 0,
        };

        clock,
        /// Of the load engine.
        pub load: LoadEvents<In> = LoadEvents::new(),
        /// The compute engine takes operands.
        pub computes: Signal<In, Bit>,
        /// A COMPUTE or a TRANSFORM lacks a token.
        pub compute_waits: Signal<In, Bit>,
        /// Of its steps.
        pub steps: StepEvents<In> = StepEvents::new(c),
        /// A result word is written.
        pub drained: Signal<In, Bit>,
        /// Of the store engine.
        pub store: StoreEvents<In> = StoreEvents::new(),
        /// All registers, in the table's order.
        pub value: Vec<Sig<Out>> = Sig::vec(REGISTERS.len(), 32, false),
        count: Vec<Reg> = (0..REGISTERS.len()).map(|i| Reg::with_reset(32, false, start(i))).collect(),
        event: Vec<Reg> = Reg::vec(REGISTERS.len(), 1, false),
        by: Vec<Sig<Local>> = Sig::vec(REGISTERS.len(), 16, true),
        stops: Vec<Signal<Local, Bit>> = wire::bits(REGISTERS.len()),
        restarts: Vec<Signal<Local, Bit>> = wire::bits(REGISTERS.len()),
        since: Reg = Reg::unsigned(32),
        rows_1: Reg = Reg::unsigned(rows),
        cols_1: Reg = Reg::unsigned(cols),
        mask_1: Reg = Reg::unsigned(pick),
        mask_2: Reg = Reg::unsigned(pick),
        opens_1: Reg = Reg::unsigned(1),
        opens_2: Reg = Reg::unsigned(1),
        reuses_1: Reg = Reg::unsigned(1),
        reuses_2: Reg = Reg::unsigned(1),
        step_1: Reg = Reg::unsigned(1),
        elements_2: Reg = Reg::unsigned(elements),
        elements_3: Reg = Reg::unsigned(elements),
        avoided_3: Reg = Reg::signed(16),
        frozen: Vec<Reg> = Reg::vec(LAG, 1, false),
        cleared: Vec<Reg> = Reg::vec(LAG, 1, false),
        busy: Signal<Local, Bit>,
        every: Flag = Flag::new(c.counters == Counting::All),
        lag: Dim = Dim::new(LAG),
        all: Dim = Dim::new(REGISTERS.len()),
        fixed: Dim = Dim::new(FIXED),
        total: Dim = at("total"),
        load_busy: Dim = at("load_busy"),
        compute_busy: Dim = at("compute_busy"),
        drain: Dim = at("drain"),
        store_busy: Dim = at("store_busy"),
        wait_load: Dim = at("wait_load"),
        wait_compute: Dim = at("wait_compute"),
        wait_store: Dim = at("wait_store"),
        wait_queue: Dim = at("wait_queue"),
        wait_link_in: Dim = at("wait_link_in"),
        wait_link_out: Dim = at("wait_link_out"),
        wait_drain: Dim = at("wait_drain"),
        products: Dim = at("products"),
        skipped: Dim = at("skipped"),
        span: Dim = at("span"),
        instructions: Dim = at("instructions"),
        words_in: Dim = at("words_in"),
    }
}

impl Logic for CounterFile {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.frozen[0].d.next = self.store.freeze.val().into();
        self.cleared[0].d.next = (self.load.restart.val() | self.store.restart.val()).into();
        for s in 1..self.lag.val() {
            self.frozen[s].d.next = self.frozen[s - 1].q.val();
            self.cleared[s].d.next = self.cleared[s - 1].q.val();
        }
        // what a step is worth
        self.rows_1.d.next = self.steps.rows.val();
        self.cols_1.d.next = self.steps.cols.val();
        self.mask_1.d.next = self.steps.mask.val();
        self.opens_1.d.next = self.steps.opens.val().into();
        self.reuses_1.d.next = self.steps.reuses.val().into();
        self.step_1.d.next = self.steps.step.val().into();
        self.elements_2.d.next = 0.into();
        if self.step_1.q.val().any() {
            self.elements_2.d.next = self.rows_1.q.val() * self.cols_1.q.val();
        }
        self.mask_2.d.next = self.mask_1.q.val();
        self.opens_2.d.next = self.opens_1.q.val();
        self.reuses_2.d.next = self.reuses_1.q.val();
        self.elements_3.d.next = self.elements_2.q.val();
        self.avoided_3.d.next = 0.into();
        if self.opens_2.q.val().any() {
            self.avoided_3.d.next = self.elements_2.q.val() * self.mask_2.q.val();
        }
        if self.reuses_2.q.val().any() {
            self.avoided_3.d.next = -self.elements_2.q.val();
        }
        for i in 0..self.all.val() {
            self.event[i].d.next = 0.into();
            self.by[i].next = self.event[i].q.val();
            self.stops[i].next = self.frozen[0].q.val().any();
            self.restarts[i].next = self.cleared[0].q.val().any();
            self.count[i].d.next = self.count[i].q.val();
            self.value[i].next = self.count[i].q.val();
        }
        self.event[self.total.val()].d.next = self.load.word.val().into();
        self.by[self.total.val()].next =
            (self.event[self.total.val()].q.val().any() | self.count[self.total.val()].q.val().any()).into();
        if self.every.val() {
            self.event[self.load_busy.val()].d.next = self.load.busy.val().into();
            self.event[self.compute_busy.val()].d.next = self.computes.val().into();
            self.event[self.drain.val()].d.next = self.drained.val().into();
            self.event[self.store_busy.val()].d.next = self.store.busy.val().into();
            self.event[self.wait_load.val()].d.next = self.load.wait_token.val().into();
            self.event[self.wait_compute.val()].d.next = self.compute_waits.val().into();
            self.event[self.wait_store.val()].d.next = self.store.wait_token.val().into();
            self.event[self.wait_queue.val()].d.next = self.load.wait_queue.val().into();
            self.event[self.wait_link_in.val()].d.next = self.load.wait_link.val().into();
            self.event[self.wait_link_out.val()].d.next = self.store.wait_link.val().into();
            self.event[self.wait_drain.val()].d.next = self.steps.wait_drain.val().into();
            self.event[self.instructions.val()].d.next = self.load.dispatched.val().into();
            self.event[self.words_in.val()].d.next = self.load.word.val().into();
            self.by[self.products.val()].next = self.elements_3.q.val();
            self.by[self.skipped.val()].next = self.avoided_3.q.val();
            self.stops[self.products.val()].next = self.frozen[self.lag.val() - 1].q.val().any();
            self.stops[self.skipped.val()].next = self.frozen[self.lag.val() - 1].q.val().any();
            self.restarts[self.products.val()].next = self.cleared[self.lag.val() - 1].q.val().any();
            self.restarts[self.skipped.val()].next = self.cleared[self.lag.val() - 1].q.val().any();
        }
        for i in self.fixed.val()..self.all.val() {
            if !self.stops[i].val() {
                self.count[i].d.next = self.count[i].q.val() + self.by[i].val();
            }
        }
        self.busy.next = self.event[self.compute_busy.val()].q.val().any();
        if self.every.val() & !self.frozen[0].q.val().any() {
            if self.busy.val() | self.since.q.val().any() {
                self.since.d.next = self.since.q.val() + 1;
            }
            if self.busy.val() {
                self.count[self.span.val()].d.next = self.since.q.val() + 1;
            }
        }
        if self.cleared[0].q.val().any() {
            self.since.d.next = 0.into();
        }
        for i in self.fixed.val()..self.all.val() {
            if self.restarts[i].val() {
                self.count[i].d.next = 0.into();
            }
        }
    }
}
