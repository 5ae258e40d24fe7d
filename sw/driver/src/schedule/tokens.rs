//! From "instruction j needs instruction i to be done" to token bits.
//!
//! Engines work in order, so waiting for i also waits for everything before i on the same engine, and
//! a wait for what was already awaited needs no token. The targets of one channel's tokens therefore
//! strictly increase: the n-th token taken is the n-th one given, and every instruction gives and
//! takes at most one on a channel. All needs point backwards in the stream; so the earliest
//! unfinished instruction can always go on, and no program deadlocks.

use tandem_spec::Instruction;

/// Position of an engine in the order load, compute, store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Load = 0,
    Compute = 1,
    Store = 2,
}

/// A program under construction.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub instructions: Vec<Instruction>,
    /// Per stage: where its instructions are.
    places: [Vec<usize>; 3],
    /// `awaited[waiter][target]`: so many instructions of the target's stage are done for the waiter.
    awaited: [[usize; 3]; 3],
}

impl Chain {
    /// Instructions of `stage` so far.
    pub fn count(&self, stage: Stage) -> usize {
        self.places[stage as usize].len()
    }

    /// Appends an instruction of `stage` that starts when, for each need, the first so many
    /// instructions of the neighbouring stage are done.
    ///
    /// # Panics
    /// If a need is not in the stream yet.
    pub fn push(&mut self, stage: Stage, mut instruction: Instruction, needs: &[(Stage, usize)]) {
        for &(target, number) in needs {
            let awaited = &mut self.awaited[stage as usize][target as usize];
            if number <= *awaited {
                continue;
            }
            *awaited = number;
            let giver = &mut self.instructions[self.places[target as usize][number - 1]];
            let forward = (target as usize) < stage as usize;
            let (give, take) = (giver.tokens_mut(), instruction.tokens_mut());
            if forward {
                (give.push_next, take.pop_prev) = (true, true);
            } else {
                (give.push_prev, take.pop_next) = (true, true);
            }
        }
        self.places[stage as usize].push(self.instructions.len());
        self.instructions.push(instruction);
    }
}
