//! An instruction that streams: a group is read every cycle, and groups of results follow each other into result words.

use super::{Progress, Span};

/// Such an instruction, taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// The cycle in which it was taken: group n is read in `taken + 1 + n`.
    pub(crate) taken: u64,
    /// Groups that are read.
    pub(crate) groups: u64,
    /// Groups of results.
    pub(crate) results: u64,
    /// Groups of a result word.
    pub(crate) per_word: u64,
    /// Group n of the results is in the output register in `first_out + n`.
    pub(crate) first_out: u64,
    /// Words after the last group, one a cycle.
    pub(crate) closing: u64,
}

impl Flow {
    /// Result words written before cycle `x`.
    fn written_before(&self, x: u64) -> u64 {
        let out = x.saturating_sub(self.first_out);
        if out < self.results {
            return out / self.per_word;
        }
        self.results.div_ceil(self.per_word) + (out - self.results).min(self.closing)
    }
}

impl Span for Flow {
    fn idle(&self) -> u64 {
        self.quiet()
    }

    fn quiet(&self) -> u64 {
        self.first_out + self.results + self.closing
    }

    fn before(&self, cycle: u64) -> Progress {
        Progress {
            steps: cycle.saturating_sub(self.taken + 1).min(self.groups).into(),
            drained: self.written_before(cycle).into(),
            ..Progress::default()
        }
    }

    fn issue_of(&self, step: u128) -> u64 {
        self.taken + 1 + step as u64
    }
}
