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
        }
    }
}

impl Logic for TokenCounter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        self.change.next = 0.into();
        self.change.next = self.change.val() + self.give.val() - self.pop.val();
        self.count.d.next = self.count.q.val() + self.change.val();
        if self.clear.val() {
            self.count.d.next = 0.into();
        }
        self.present.next = self.count.q.val().any();
    }
}
