//! One instruction at a time: when a unit takes the queue's head, and the tokens around that.

use super::engine::Gives;
use crate::hdl::prelude::*;
use crate::tokens::Tokens;
use rust_hdl::prelude::*;

unit! {
    /// Takes the head when its tokens are there and the unit is quiet, and gives the instruction's tokens at its end.
    ///
    /// # Timing  taken in cycle t: not quiet from t+1 on, until the cycle after `done`
    pub struct Taking() {
        clock,
        /// The head is for this unit.
        pub available: Signal<In, Bit>,
        /// It waits for the load engine.
        pub pop_prev: Signal<In, Bit>,
        /// It waits for the store engine.
        pub pop_next: Signal<In, Bit>,
        /// It gives the load engine a token.
        pub push_prev: Signal<In, Bit>,
        /// It gives the store engine a token.
        pub push_next: Signal<In, Bit>,
        /// Tokens from the load engine.
        pub load: Tokens<In> = Tokens::new(),
        /// Tokens from the store engine.
        pub store: Tokens<In> = Tokens::new(),
        /// The instruction ends in this cycle.
        pub done: Signal<In, Bit>,
        /// The head is taken.
        pub take: Signal<Out, Bit>,
        /// It would be, but lacks a token.
        pub wait_token: Signal<Out, Bit>,
        /// Nothing runs.
        pub quiet: Signal<Out, Bit>,
        /// Tokens, at the instruction's end.
        pub give: Gives<Out> = Gives::new(),
        busy: Reg = Reg::unsigned(1),
        push_load: Reg = Reg::unsigned(1),
        push_store: Reg = Reg::unsigned(1),
        ready: Signal<Local, Bit>,
    }
}

impl Logic for Taking {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.give.load.next = self.done.val() & self.push_load.q.val().any();
        self.give.store.next = self.done.val() & self.push_store.q.val().any();
        if self.done.val() {
            self.busy.d.next = 0.into();
        }
        self.ready.next = (self.load.present.val() | !self.pop_prev.val())
            & (self.store.present.val() | !self.pop_next.val());
        self.quiet.next = !self.busy.q.val().any();
        self.take.next = self.available.val() & self.ready.val() & self.quiet.val();
        self.wait_token.next = self.available.val() & !self.ready.val() & self.quiet.val();
        self.load.pop.next = self.take.val() & self.pop_prev.val();
        self.store.pop.next = self.take.val() & self.pop_next.val();
        if self.take.val() {
            self.busy.d.next = 1.into();
            self.push_load.d.next = self.push_prev.val().into();
            self.push_store.d.next = self.push_next.val().into();
        }
    }
}
