//! What tokens put before an instruction: a vector clock an engine, carried along with every token.
//!
//! ```text
//! known[e] at the start of an instruction of e = max(known[e] before, clocks of the tokens that it pops)
//! clock of a token that X pushes               = known[e] at the start of X, and X itself
//! X is before Y  ⇔  known[engine of Y at the start of Y][engine of X] ≥ X
//! ```
//! A channel has one engine at either end, and engines execute in order: the k-th token pushed is the k-th
//! popped, whatever the timing. A token follows the end of the instruction that pushes it and, results being
//! drained in order, the end of everything before it in that engine.

use super::cells::Mark;
use std::collections::VecDeque;
use tandem_spec::isa::Who;

/// Per engine, one more than the last instruction known to be done; 0: none.
pub(super) type Clock = [u64; 3];

/// Tokens that a 16-bit counter cannot hold: it wraps to zero.
const WRAP: usize = 1 << 16;

/// Token channels.
#[derive(Clone, Copy)]
enum Channel {
    LoadCompute,
    ComputeLoad,
    ComputeStore,
    StoreCompute,
}

/// The engines' clocks and the tokens under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// The newest instruction seen, counted without wrapping at 2^32.
    newest: u64,
    known: [Clock; 3],
    tokens: [VecDeque<Clock>; 4],
    /// Whether the LOAD whose payload is awaited gives a token.
    pushing: bool,
}

impl Order {
    /// Instruction `number` of an engine starts: it pops tokens from the engine before and the one behind.
    pub(super) fn start(&mut self, who: Who, number: u32, pops: [bool; 2]) -> Mark {
        // numbers wrap; neighbours in time are near each other
        let ahead = number.wrapping_sub(self.newest as u32) as i32;
        let id = self.newest.wrapping_add_signed(ahead.into());
        self.newest = self.newest.max(id);
        let from = match who {
            Who::Load => [None, Some(Channel::ComputeLoad)],
            Who::Compute => [Some(Channel::LoadCompute), Some(Channel::StoreCompute)],
            Who::Store => [Some(Channel::ComputeStore), None],
        };
        let mine = &mut self.known[who as usize];
        for (channel, pop) in from.into_iter().zip(pops) {
            let token = channel.filter(|_| pop).and_then(|c| self.tokens[c as usize].pop_front());
            for (known, clock) in mine.iter_mut().zip(token.unwrap_or_default()) {
                *known = clock.max(*known);
            }
        }
        mine[who as usize] = id + 1;
        Mark { who, id, known: *mine }
    }

    /// Whether the LOAD that has just started gives a token in the end.
    pub(super) fn pushing(&mut self, push: bool) {
        self.pushing = push;
    }

    /// That LOAD is done.
    pub(super) fn loaded(&mut self) {
        let push = std::mem::take(&mut self.pushing);
        self.push(Channel::LoadCompute, Who::Load, push);
    }

    /// The compute engine's instruction that has just started gives tokens in the end.
    pub(super) fn push_from_compute(&mut self, pushes: [bool; 2]) {
        self.push(Channel::ComputeLoad, Who::Compute, pushes[0]);
        self.push(Channel::ComputeStore, Who::Compute, pushes[1]);
    }

    /// The store engine's instruction that has just started gives a token in the end.
    pub(super) fn push_from_store(&mut self, push: bool) {
        self.push(Channel::StoreCompute, Who::Store, push);
    }

    fn push(&mut self, channel: Channel, who: Who, push: bool) {
        if push {
            let tokens = &mut self.tokens[channel as usize];
            tokens.push_back(self.known[who as usize]);
            if tokens.len() == WRAP {
                tokens.clear();
            }
        }
    }

    /// Whatever has started is before whatever starts now.
    pub(super) fn rest(&mut self) {
        let all: Clock = std::array::from_fn(|e| self.known[e][e]);
        self.known = [all; 3];
    }

    /// Token counters are emptied.
    pub(super) fn flush(&mut self) {
        self.tokens = Default::default();
        self.pushing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_carried_from_engine_to_engine() {
        let mut order = Order::default();
        order.start(Who::Load, 0, [false; 2]);
        order.pushing(true);
        order.loaded();
        let unordered = order.start(Who::Compute, 1, [false; 2]);
        assert!(!unordered.is_after(Who::Load, 1));
        let ordered = order.start(Who::Compute, 2, [true, false]);
        assert!(ordered.is_after(Who::Load, 1) && !ordered.is_after(Who::Load, 4));
        order.push_from_compute([false, true]);
        let store = order.start(Who::Store, 3, [true, false]);
        assert!(store.is_after(Who::Load, 1) && store.is_after(Who::Compute, 3));
        assert!(!order.start(Who::Load, 4, [false; 2]).is_after(Who::Store, 4));
        order.rest();
        assert!(order.start(Who::Load, 5, [false; 2]).is_after(Who::Store, 4));
    }

    #[test]
    fn numbers_go_on_after_wrapping() {
        let mut order = Order { newest: u64::from(u32::MAX) - 1, ..Order::default() };
        let before = order.start(Who::Load, u32::MAX, [false; 2]);
        let after = order.start(Who::Load, 1, [false; 2]);
        let late = order.start(Who::Compute, 0, [false; 2]);
        assert_eq!((before.id, after.id, late.id), (0xffff_ffff, 0x1_0000_0001, 0x1_0000_0000));
        assert_eq!((after.number(), late.number()), (1, 0));
    }
}
