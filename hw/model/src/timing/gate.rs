//! One direction of the link: in which cycles words may pass.
//!
//! ```text
//! rank(t)    = ⌊t / L⌋·f + free[0, t mod L)      open cycles before cycle t of the run
//! nth(t, n)  = the cycle whose rank is rank(t) + n − 1
//! ```
//! L is the length of the stall pattern, f its number of open cycles. Both take constant time.

use tandem_spec::Stall;

/// Open and stalled cycles of a run. Cycles are counted on the clock that runs on over runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    /// First cycle of the run.
    epoch: u64,
    /// Positions of the open cycles in the pattern.
    open: Vec<u64>,
    /// Open cycles before each position of the pattern; empty if the link never stalls.
    before: Vec<u64>,
}

impl Gate {
    /// The pattern `stall`, from cycle `epoch` on.
    pub(crate) fn new(stall: &Stall, epoch: u64) -> Self {
        let mut gate = Gate { epoch, ..Gate::default() };
        if stall.pattern.contains(&true) {
            for (at, stalled) in stall.pattern.iter().enumerate() {
                gate.before.push(gate.open.len() as u64);
                if !stalled {
                    gate.open.push(at as u64);
                }
            }
        }
        gate
    }

    /// Whether no cycle is ever stalled.
    pub(crate) fn never_stalls(&self) -> bool {
        self.before.is_empty()
    }

    fn rank(&self, cycle: u64) -> u64 {
        let t = cycle.saturating_sub(self.epoch);
        if self.never_stalls() {
            return t;
        }
        let length = self.before.len() as u64;
        t / length * self.open.len() as u64 + self.before[(t % length) as usize]
    }

    /// Open cycles in `from..to`.
    pub(crate) fn open_in(&self, from: u64, to: u64) -> u64 {
        self.rank(to).saturating_sub(self.rank(from))
    }

    /// The `n`-th open cycle from cycle `from` on, n ≥ 1; `None` if there is none.
    pub(crate) fn nth(&self, from: u64, n: u64) -> Option<u64> {
        let i = self.rank(from) + n - 1;
        if self.never_stalls() {
            return Some(self.epoch + i);
        }
        let period = i.checked_div(self.open.len() as u64)?;
        let at = self.open[(i % self.open.len() as u64) as usize];
        period.checked_mul(self.before.len() as u64)?.checked_add(self.epoch + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_and_positions_are_those_of_counting(
            pattern in prop::collection::vec(any::<bool>(), 0..12), epoch in 0u64..20, from in 0u64..40, n in 1u64..30
        ) {
            let stall = Stall { pattern };
            let gate = Gate::new(&stall, epoch);
            let open: Vec<u64> = (epoch + from..epoch + from + 600).filter(|t| !stall.at(t - epoch)).collect();
            prop_assert_eq!(gate.nth(epoch + from, n), open.get(n as usize - 1).copied());
            let to = epoch + from + n;
            prop_assert_eq!(gate.open_in(epoch + from, to), open.iter().filter(|t| **t < to).count() as u64);
        }
    }
}
