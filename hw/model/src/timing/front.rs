//! The load engine's part of the schedule: FETCH, CHECK, ISSUE, PAYLOAD, DONE.
//!
//! ```text
//! last word in t ─► CHECK t+1 ─► ISSUE from t+2 … g ─► FETCH | PAYLOAD from g+1
//! last payload word in u ─► DONE u+1 ─► token and FETCH from u+2
//! ```

use super::lane::Lane;
use super::meter::{Ahead, Wait};
use super::schedule::Schedule;
use tandem_spec::isa::Who;
use tandem_spec::{Instruction, Load, Reason};

/// What the words that follow on the link amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Words that are taken.
    pub(crate) words: u64,
    /// What they complete.
    pub(crate) then: Then,
}

/// What a piece completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: the host has no more words, or they are dropped.
    Nothing,
    /// An instruction, with its number.
    Instruction(u32, Box<Instruction>),
    /// A payload whose checksum is right.
    Payload,
    /// A failure.
    Fault(Fault, Seen),
}

/// A failing instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Why.
    pub(crate) reason: Reason,
    /// Its number.
    pub(crate) number: u32,
    /// The engine it belongs to.
    pub(crate) who: Who,
}

/// How a failure is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// In the last word taken, in its cycle.
    InWord,
    /// In the next word, which stays on the link.
    OnLink,
    /// In the cycle after the last word: CHECK or DONE.
    InCheck,
}

/// The load engine's state with the cycle from which it lasts.
#[derive(Clone, Debug)]
pub(crate) enum Front {
    /// Wants instruction words.
    Fetch { from: u64 },
    /// Wants to dispatch.
    Issue { from: u64, number: u32, instruction: Box<Instruction> },
    /// Wants payload words.
    Payload { from: u64, push: bool },
    /// Waits until all is stuck, to report.
    Failing { from: u64, fault: Fault },
    /// Waits for something beyond the run's last cycle.
    Never,
}

impl Schedule {
    /// Whether the load engine takes words.
    pub(crate) fn wants_words(&self) -> bool {
        matches!(self.front, Front::Fetch { .. } | Front::Payload { .. })
    }

    /// Gives the load engine words, when it wants them.
    pub(crate) fn feed(&mut self, piece: Piece) {
        let (from, push, in_payload) = match &self.front {
            Front::Fetch { from } => (*from, false, false),
            Front::Payload { from, push } => (*from, *push, true),
            _ => return,
        };
        let from = from.max(self.epoch);
        let held = matches!(piece.then, Then::Fault(_, Seen::OnLink));
        // After the last word taken; the word that stays on the link is offered in `offered`.
        let words_end = if piece.words == 0 { Some(from) } else { self.take(from, piece.words) };
        let offered =
            words_end.and_then(|end| if held { self.take(end, 1).map(|e| e - 1) } else { Some(end) });
        let (Some(end), Some(offered)) = (words_end, offered) else {
            self.front = Front::Never;
            self.over = true;
            return;
        };
        let checked = matches!(piece.then, Then::Payload | Then::Fault(_, Seen::InCheck));
        if in_payload {
            let to = if held { offered } else { end };
            self.meter.log(Ahead::Payload { from, to, closing: checked || held });
        } else {
            self.meter.log(Ahead::Fetch { from, to: end });
        }
        self.front = match piece.then {
            Then::Nothing if in_payload => Front::Payload { from: end, push },
            Then::Nothing => Front::Fetch { from: end },
            Then::Instruction(number, instruction) => Front::Issue { from: end + 1, number, instruction },
            Then::Payload => {
                if push {
                    self.tokens.load_compute.push(end + 1);
                }
                Front::Fetch { from: end + 1 }
            }
            Then::Fault(fault, Seen::InWord) => Front::Failing { from: end, fault },
            Then::Fault(fault, Seen::OnLink) => Front::Failing { from: offered + 1, fault },
            Then::Fault(fault, Seen::InCheck) => Front::Failing { from: end + 1, fault },
        };
    }

    /// The cycle after the last of `words` that are taken from cycle `from` on, if within the run.
    fn take(&self, from: u64, words: u64) -> Option<u64> {
        self.gate_in.nth(from, words).filter(|t| *t < self.limit).map(|t| t + 1)
    }

    /// The first cycle in which the load engine can leave ISSUE, if it is known to come.
    pub(crate) fn leaving_issue(&self) -> Option<u64> {
        let Front::Issue { from, instruction, .. } = &self.front else { return None };
        let room = |lane: &Lane| lane.room().map(|free| free.max(*from));
        match (&**instruction, instruction.opcode().engine) {
            (Instruction::Reset, _) => None,
            (Instruction::Load(l), _) if l.tokens.pop_next => {
                self.tokens.compute_load.next().map(|visible| visible.max(*from))
            }
            (_, Who::Load) => Some(*from),
            (_, Who::Compute) => room(&self.compute),
            (_, Who::Store) => room(&self.store),
        }
    }

    /// Leaves ISSUE in cycle `at`; the LOAD whose payload follows, if one does.
    pub(crate) fn leave_issue(&mut self, at: u64) -> Option<(u32, Load)> {
        let Front::Issue { from, number, instruction } =
            std::mem::replace(&mut self.front, Front::Fetch { from: at + 1 })
        else {
            return None;
        };
        self.meter.dispatch(at);
        if let Instruction::Load(l) = &*instruction {
            self.meter.wait(Wait::Load, from, at);
            if l.tokens.pop_next {
                self.tokens.compute_load.pop();
            }
            self.front = Front::Payload { from: at + 1, push: l.tokens.push_next };
            return Some((number, *l));
        }
        self.meter.wait(Wait::Queue, from, at);
        if instruction.opcode().engine == Who::Compute {
            let waits = self.units[&*instruction].waits_for_quiet();
            self.compute.enter(number, *instruction, at + 1, waits);
        } else {
            self.store.enter(number, *instruction, at + 1, false);
        }
        None
    }

    /// What the load engine waits for, and since when.
    pub(crate) fn open_front(&self) -> Option<(Wait, u64)> {
        match &self.front {
            Front::Issue { from, instruction, .. } => match &**instruction {
                Instruction::Load(_) => Some((Wait::Load, *from)),
                Instruction::Reset => None,
                _ => Some((Wait::Queue, *from)),
            },
            Front::Payload { from, .. } => Some((Wait::Payload, *from)),
            _ => None,
        }
    }
}
