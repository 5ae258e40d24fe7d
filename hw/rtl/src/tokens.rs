//! Tokens from one engine to another.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// Tokens for an engine.
    pub struct Tokens<D>() {
        /// One is there.
        present: Signal<D, Bit>,
    } back {
        /// It is taken.
        pop: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// What an engine exchanges with a neighbour.
    pub struct Neighbour<D>() {
        /// Its tokens for the engine.
        tokens: Tokens<D> = Tokens::new(),
    } back {
        /// One for it.
        give: Signal<D::Back, Bit>,
    }
}

unit! {
    /// A counter: `give` adds one, `pop` takes one, `clear` empties it.
    ///
    /// # Timing   a token given in cycle t is there from t+1 on
    /// # Numeric  16 bits, wraps
    pub struct TokenCounter() {
        clock,
        /// A token is given.
        pub give: Signal<In, Bit>,
        /// All are dropped.
        pub clear: Signal<In, Bit>,
        /// Those that are there.
        pub tokens: Tokens<Out> = Tokens::new(),
        count: Reg = Reg::unsigned(16),
        change: Sig<Local> = Sig::signed(2),
        there: Reg = Reg::unsigned(1),
        several: Signal<Local, Bit>,
        wraps: Signal<Local, Bit>,
    }
}

impl Logic for TokenCounter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.change.next = 0.into();
        self.change.next = self.change.val() + self.give.val() - self.tokens.pop.val();
        self.count.d.next = self.count.q.val() + self.change.val();
        // whether the count is not 0, beside the count: who waits for a token decides at once
        self.several.next = (self.count.q.val() >> 1).any();
        self.wraps.next = self.count.q.val().all() & self.give.val() & !self.tokens.pop.val();
        self.there.d.next =
            ((self.give.val() | self.several.val() | (self.there.q.val().any() & !self.tokens.pop.val()))
                & !self.wraps.val())
            .into();
        if self.clear.val() {
            self.count.d.next = 0.into();
            self.there.d.next = 0.into();
        }
        self.tokens.present.next = self.there.q.val().any();
    }
}
