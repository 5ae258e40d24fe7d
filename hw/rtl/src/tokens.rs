//! Tokens from one engine to another.

use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;

/// A counter: `give` adds one, `pop` takes one, `clear` empties it.
///
/// # Timing   a token given in cycle t is there from t+1 on
/// # Numeric  16 bits, wraps
#[derive(LogicBlock)]
pub struct TokenCounter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// A token is given.
    pub give: Signal<In, Bit>,
    /// A token is taken.
    pub pop: Signal<In, Bit>,
    /// All are dropped.
    pub clear: Signal<In, Bit>,
    /// A token is there.
    pub present: Signal<Out, Bit>,
    count: Reg,
    change: Sig<Local>,
    there: Reg,
    several: Signal<Local, Bit>,
    wraps: Signal<Local, Bit>,
}

impl Default for TokenCounter {
    fn default() -> Self {
        TokenCounter {
            clock: Default::default(),
            give: Default::default(),
            pop: Default::default(),
            clear: Default::default(),
            present: Default::default(),
            count: Reg::unsigned(16),
            change: Sig::signed(2),
            there: Reg::unsigned(1),
            several: Default::default(),
            wraps: Default::default(),
        }
    }
}

impl Logic for TokenCounter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count, there);
        self.change.next = 0.into();
        self.change.next = self.change.val() + self.give.val() - self.pop.val();
        self.count.d.next = self.count.q.val() + self.change.val();
        // whether the count is not 0, beside the count: who waits for a token decides at once
        self.several.next = (self.count.q.val() >> 1).any();
        self.wraps.next = self.count.q.val().all() & self.give.val() & !self.pop.val();
        self.there.d.next =
            ((self.give.val() | self.several.val() | (self.there.q.val().any() & !self.pop.val()))
                & !self.wraps.val())
            .into();
        if self.clear.val() {
            self.count.d.next = 0.into();
            self.there.d.next = 0.into();
        }
        self.present.next = self.there.q.val().any();
    }
}
