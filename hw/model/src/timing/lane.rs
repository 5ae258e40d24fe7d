//! The compute or the store engine with its queue, and the token channels.

use std::collections::VecDeque;
use tandem_spec::Instruction;
use tandem_spec::isa::Who;

/// A cycle that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// An instruction in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its number since reset.
    pub(crate) number: u32,
    /// The instruction.
    pub(crate) instruction: Instruction,
    /// First cycle in which it can be the queue's head.
    visible: u64,
    waits_for_quiet: bool,
}

/// An engine behind a queue.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    queue: VecDeque<Entry>,
    depth: usize,
    /// Cycle after the last one in which an instruction was taken from the queue.
    freed: u64,
    /// Idle from this cycle on.
    pub(crate) idle: u64,
    /// From this cycle on nothing is left to drain and all tokens are given.
    pub(crate) quiet: u64,
}

impl Lane {
    /// An idle engine with a queue of `depth`.
    pub(crate) fn new(depth: usize) -> Self {
        Lane { queue: VecDeque::with_capacity(depth), depth, freed: 0, idle: 0, quiet: 0 }
    }

    /// The first cycle in which the queue has room, if that is known.
    pub(crate) fn room(&self) -> Option<u64> {
        (self.queue.len() < self.depth).then_some(self.freed)
    }

    /// Puts an instruction into the queue, visible from cycle `visible`.
    pub(crate) fn enter(
        &mut self,
        number: u32,
        instruction: Instruction,
        visible: u64,
        waits_for_quiet: bool,
    ) {
        self.queue.push_back(Entry { number, instruction, visible, waits_for_quiet });
    }

    /// The waiting head.
    pub(crate) fn head(&self) -> Option<&Entry> {
        self.queue.front()
    }

    /// The first cycle in which the head is visible and the engine idle; for a unit that waits for quiet, that is once
    /// everything is drained.
    pub(crate) fn ready(&self) -> Option<u64> {
        self.head().map(|e| e.visible.max(if e.waits_for_quiet { self.quiet } else { self.idle }))
    }

    /// Takes the head in cycle `at`.
    pub(crate) fn take(&mut self, at: u64) -> Option<Entry> {
        self.freed = at + 1;
        self.queue.pop_front()
    }

    /// Forgets what is queued.
    pub(crate) fn flush(&mut self) {
        self.queue.clear();
    }
}

/// Tokens in one direction: the cycles from which they are visible, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channel(VecDeque<u64>);

impl Channel {
    /// Tokens that a 16-bit counter cannot hold.
    const WRAP: usize = 1 << 16;

    /// Gives a token, visible from a cycle on. The counter wraps at 2^16.
    pub(crate) fn push(&mut self, visible: u64) {
        self.0.push_back(visible);
        if self.0.len() == Self::WRAP {
            self.0.clear();
        }
    }

    /// When the next token is visible.
    pub(crate) fn next(&self) -> Option<u64> {
        self.0.front().copied()
    }

    /// Takes a token.
    pub(crate) fn pop(&mut self) {
        self.0.pop_front();
    }
}

/// The four token counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channels {
    /// Load to compute.
    pub(crate) load_compute: Channel,
    /// Compute to load.
    pub(crate) compute_load: Channel,
    /// Compute to store.
    pub(crate) compute_store: Channel,
    /// Store to compute.
    pub(crate) store_compute: Channel,
}

impl Channels {
    /// The channels to the compute or the store engine from its neighbours: previous, next.
    fn towards(&mut self, who: Who) -> [Option<&mut Channel>; 2] {
        match who {
            Who::Load => [None, Some(&mut self.compute_load)],
            Who::Compute => [Some(&mut self.load_compute), Some(&mut self.store_compute)],
            Who::Store => [Some(&mut self.compute_store), None],
        }
    }

    /// The first cycle in which every token that an instruction of `who` pops is visible (0 if it pops
    /// none), if all of them are known.
    pub(crate) fn all_there(&mut self, who: Who, pops: [bool; 2]) -> Option<u64> {
        self.towards(who)
            .into_iter()
            .zip(pops)
            .filter(|(_, pop)| *pop)
            .try_fold(0, |at, (channel, _)| channel.and_then(|c| c.next()).map(|visible| visible.max(at)))
    }

    /// Takes these tokens.
    pub(crate) fn pop(&mut self, who: Who, pops: [bool; 2]) {
        for (channel, pop) in self.towards(who).into_iter().zip(pops) {
            if let (Some(channel), true) = (channel, pop) {
                channel.pop();
            }
        }
    }

    /// The compute engine gives tokens to the load engine and the store engine.
    pub(crate) fn push_from_compute(&mut self, visible: u64, pushes: [bool; 2]) {
        if pushes[0] {
            self.compute_load.push(visible);
        }
        if pushes[1] {
            self.compute_store.push(visible);
        }
    }
}
