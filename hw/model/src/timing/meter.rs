//! The counter registers, over windows between READs.
//!
//! A READ ends a window in the cycle in which it is taken; the next one begins after its last word. An
//! engine's activity may straddle both, so whatever reaches beyond the present is kept as a closed form
//! and counted when a cycle is known up to which all engines are settled.

use super::gate::Gate;
use super::packet::Sent;
use crate::units::Span;
use std::sync::Arc;
use tandem_spec::Counters;

/// Something that reaches into the future. Ranges are half open.
#[derive(Clone, Debug)]
pub(crate) enum Ahead {
    /// Instruction words are taken in the open cycles.
    Fetch {
        /// First cycle.
        from: u64,
        /// After the last word.
        to: u64,
    },
    /// Payload words are taken in the open cycles.
    Payload {
        /// First cycle.
        from: u64,
        /// After the last word.
        to: u64,
        /// One more busy cycle without a word: the check, or a word that stays on the link.
        closing: bool,
    },
    /// An instruction of the compute engine.
    Unit(Arc<dyn Span>),
}

impl Ahead {
    fn end(&self) -> u64 {
        match self {
            Ahead::Fetch { to, .. } => *to,
            Ahead::Payload { to, closing, .. } => to + u64::from(*closing),
            Ahead::Unit(span) => span.quiet(),
        }
    }
}

/// What an engine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A LOAD, for a token.
    Load,
    /// The front end, for room in a queue.
    Queue,
    /// An instruction of the compute engine, for a token.
    Compute,
    /// A STORE or READ, for a token.
    Store,
    /// The load engine, for payload words that the host does not have.
    Payload,
}

/// The waits that are open at some cycle, each with its first cycle.
pub(crate) type Open = [Option<(Wait, u64)>; 3];

/// The counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    /// First cycle that is not counted yet; before it, all is counted or nothing is to be.
    since: u64,
    sums: Counters,
    first_word: Option<u64>,
    /// First and last issued step.
    span: Option<(u64, u64)>,
    ahead: Vec<Ahead>,
}

fn add(counter: &mut u32, n: u64) {
    *counter = counter.wrapping_add(n as u32);
}

impl Meter {
    /// Starts from zero in cycle `since`; what reaches beyond it stays.
    pub(crate) fn restart(&mut self, since: u64) {
        let ahead = std::mem::take(&mut self.ahead);
        *self = Meter { since, ahead, ..Meter::default() };
    }

    /// Adds something that may not be over.
    pub(crate) fn log(&mut self, ahead: Ahead) {
        self.ahead.push(ahead);
    }

    /// Entries that are kept; fold them now and then.
    pub(crate) fn pending(&self) -> usize {
        self.ahead.len()
    }

    /// Adds the cycles `from..to` of a wait.
    pub(crate) fn wait(&mut self, wait: Wait, from: u64, to: u64) {
        let n = to.saturating_sub(from.max(self.since));
        let s = &mut self.sums;
        match wait {
            Wait::Load => add(&mut s.wait_load, n),
            Wait::Queue => add(&mut s.wait_queue, n),
            Wait::Compute => add(&mut s.wait_compute, n),
            Wait::Store => add(&mut s.wait_store, n),
            Wait::Payload => {
                add(&mut s.load_busy, n);
                add(&mut s.wait_link_in, n);
            }
        }
    }

    /// An instruction leaves ISSUE in cycle `at`.
    pub(crate) fn dispatch(&mut self, at: u64) {
        add(&mut self.sums.instructions, u64::from(at >= self.since));
    }

    /// A packet was begun in cycle `at`.
    pub(crate) fn packet(&mut self, at: u64, sent: Sent) {
        add(&mut self.sums.store_busy, sent.last - at);
        add(&mut self.sums.wait_link_out, sent.waits);
    }

    /// Counts all cycles before `upto`, for which everything is logged or open.
    pub(crate) fn fold(&mut self, upto: u64, gate: &Gate, open: Open) {
        if upto <= self.since {
            return;
        }
        for (wait, from) in open.into_iter().flatten() {
            self.wait(wait, from, upto);
        }
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.retain(|a| {
            self.count(a, upto, gate);
            a.end() > upto
        });
        self.ahead = ahead;
        self.since = upto;
    }

    fn count(&mut self, ahead: &Ahead, upto: u64, gate: &Gate) {
        let clip = |from: u64, to: u64| (from.max(self.since), to.min(upto));
        match ahead {
            Ahead::Fetch { from, to } => {
                let (from, to) = clip(*from, *to);
                self.words(from, to, gate);
            }
            Ahead::Payload { from, to, closing } => {
                let (a, b) = clip(*from, *to + u64::from(*closing));
                add(&mut self.sums.load_busy, b.saturating_sub(a));
                let (from, to) = clip(*from, *to);
                let taken = self.words(from, to, gate);
                add(&mut self.sums.wait_link_in, to.saturating_sub(from) - taken);
            }
            Ahead::Unit(span) => {
                let (from, to) = (span.before(self.since), span.before(upto));
                if to.steps > from.steps {
                    self.span_over(span.issue_of(from.steps), span.issue_of(to.steps - 1));
                }
                let s = &mut self.sums;
                add(&mut s.compute_busy, (to.steps - from.steps) as u64);
                add(&mut s.wait_drain, (to.held_back - from.held_back) as u64);
                add(&mut s.drain, (to.drained - from.drained) as u64);
                s.products = s.products.wrapping_add(to.products.wrapping_sub(from.products));
                s.skipped = s.skipped.wrapping_add(to.skipped.wrapping_sub(from.skipped));
            }
        }
    }

    fn span_over(&mut self, first: u64, last: u64) {
        self.span = Some((self.span.map_or(first, |s| s.0), last));
    }

    /// Words taken in the open cycles of `from..to`.
    fn words(&mut self, from: u64, to: u64, gate: &Gate) -> u64 {
        let n = if from < to { gate.open_in(from, to) } else { 0 };
        if n > 0 && self.first_word.is_none() {
            self.first_word = gate.nth(from, 1);
        }
        add(&mut self.sums.words_in, n);
        n
    }

    /// The registers as they stand after cycle `at`, up to which all is folded.
    pub(crate) fn registers(&self, at: u64) -> Counters {
        Counters {
            total: self.first_word.map_or(0, |first| (at + 1).saturating_sub(first) as u32),
            span: self.span.map_or(0, |(first, last)| (last - first + 1) as u32),
            ..self.sums
        }
    }
}
