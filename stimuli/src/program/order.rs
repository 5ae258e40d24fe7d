//! Which instructions wait for which: tokens, no more than the conflicts need.

use super::Writer;
use tandem_spec::isa::Who;

impl Writer<'_> {
    /// Sets the tokens: in each direction, one for every conflict that no earlier one orders.
    pub(super) fn order(&mut self) {
        use Who::{Compute, Load, Store};
        for (from, to) in [(Load, Compute), (Compute, Load), (Compute, Store), (Store, Compute)] {
            let mut done = None;
            for x in 0..self.drafts.len() {
                if self.drafts[x].engine() != to || self.drafts[x].late {
                    continue;
                }
                let wanted = self.last_before(x, from);
                if let Some(y) = wanted.filter(|y| Some(*y) > done) {
                    done = wanted;
                    let (push, pop) = (self.drafts[y].tokens(), from as usize > to as usize);
                    *(if pop { &mut push.push_prev } else { &mut push.push_next }) = true;
                    let take = self.drafts[x].tokens();
                    *(if pop { &mut take.pop_next } else { &mut take.pop_prev }) = true;
                }
            }
        }
    }

    /// The instruction of engine `from` that instruction `x` waits for: the last conflicting one, at the
    /// program's end the last one, and now and then any.
    fn last_before(&mut self, x: usize, from: Who) -> Option<usize> {
        let is_from = |y: &usize| self.drafts[*y].engine() == from;
        let at_end = x + 1 == self.drafts.len();
        let late = Some(x + 1).filter(|y| self.drafts.get(*y).is_some_and(|d| d.late && d.engine() == from));
        let conflict =
            (0..x).rev().filter(is_from).find(|y| at_end || self.drafts[*y].conflicts(&self.drafts[x]));
        let any = usize::from(self.r.percent(4)) * (self.r.any() as usize % (x + 1));
        late.or(conflict.max((0..any).rev().find(|y| self.drafts[*y].engine() == from)))
    }
}
