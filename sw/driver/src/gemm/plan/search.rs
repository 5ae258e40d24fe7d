//! The plan with the fewest cycles, by the exact cycle model.
//!
//! Seeds of every structure are predicted; the best few are improved one size at a time until nothing
//! helps. The number of predicted instructions is bounded, so the result depends on the problem only,
//! never on the machine's speed.
//!
//! Instructions should stay under 2 % of the link's words: the fastest such plan is taken, if there is
//! one. A plan with more instructions is taken only if it saves a fifth of the cycles of a product
//! whose operands and results leave the link idle for a third of its compute time, where instruction
//! words cost nothing; or of any product where results are packed, since there a smaller share of
//! instructions may only mean more words of results.

use super::draft::{Draft, Frame};
use super::seeds::seeds;
use super::{GemmPlan, GemmProblem, Shape};
use crate::planner::Planned;
use std::collections::HashMap;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, StoreWidth};

/// Largest part of the link's words that should be instructions: 1 in …
const SHARE: u64 = 50;
/// Seeds that are improved.
const KEPT: usize = 4;
/// Most blocks of a plan.
const BLOCKS: usize = 1 << 20;
/// Seeds with so many times the fewest blocks are not even predicted.
const MANY: usize = 16;
/// Instructions that each of the two passes predicts (but for the plan that crosses the bound).
const BUDGET: usize = 30_000;

/// By how much instructions exceed their share of the link's words.
fn excess(planned: &Planned<GemmPlan>) -> u64 {
    (planned.traffic.instructions * SHARE + 1).saturating_sub(planned.traffic.total())
}

/// A product that takes so many blocks on an accelerator that a program for it makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}×{}×{} takes about {blocks} COMPUTE instructions on this accelerator: expected at most {BLOCKS}",
    shape.m, shape.k, shape.n)]
pub struct TooLong {
    /// The product.
    pub shape: Shape,
    /// Its blocks, about.
    pub blocks: usize,
}

/// The best plan that the search finds for `problem`.
///
/// # Errors
/// [`TooLong`] if every plan has more than about 2^20 blocks, or none fits its indices.
///
/// # Panics
/// If a dimension of the problem is zero, or it has codes and the accelerator takes none.
pub fn search(
    config: &Config,
    predict: &dyn Predict,
    problem: &GemmProblem,
) -> Result<Planned<GemmPlan>, TooLong> {
    assert!([problem.shape.m, problem.shape.k, problem.shape.n].iter().all(|d| *d > 0), "{problem:?}");
    let frames = [false, true].map(|transposed| Frame::new(config, problem, transposed));
    let seeds = seeds(config, problem, &frames);
    let mut s = Search { config, predict, problem, frames, seen: HashMap::new(), budget: BUDGET };
    let mut ranked: Vec<Draft> = seeds.iter().filter_map(|d| s.fit(d)).collect();
    let blocks = |d: &Draft| d.blocks(&s.frames[usize::from(d.transposed)], config);
    let fewest = ranked.iter().map(blocks).min().unwrap_or(usize::MAX);
    if fewest > BLOCKS {
        return Err(TooLong { shape: problem.shape, blocks: fewest });
    }
    ranked.retain(|d| blocks(d) <= fewest * MANY);
    ranked.sort_by_key(blocks);
    let fastest = s.improve(&mut ranked, false);
    if excess(&s.seen[&fastest]) == 0 {
        return Ok(s.take(fastest));
    }
    s.budget += BUDGET;
    let lean = s.improve(&mut ranked, true);
    let (lean, fastest) = (s.take(lean), s.take(fastest));
    let bears = config.pack || s.frames[0].spares_link(config, problem);
    let worth_it = bears && fastest.cost.cycles * 5 < lean.cost.cycles * 4;
    Ok(if excess(&lean) == 0 && !worth_it { lean } else { fastest })
}

struct Search<'a> {
    config: &'a Config,
    predict: &'a dyn Predict,
    problem: &'a GemmProblem,
    frames: [Frame; 2],
    seen: HashMap<Draft, Planned<GemmPlan>>,
    budget: usize,
}

impl Search<'_> {
    fn fit(&self, draft: &Draft) -> Option<Draft> {
        draft.fit(self.config, &self.frames[usize::from(draft.transposed)])
    }

    /// The plan of a draft that fits, while the budget lasts (the first draft's in any case).
    fn look(&mut self, draft: &Draft) -> Option<&Planned<GemmPlan>> {
        if !self.seen.contains_key(draft) {
            if self.budget == 0 {
                return None;
            }
            let frame = &self.frames[usize::from(draft.transposed)];
            let plan = draft.realise(self.config, self.problem, frame);
            let planned = Planned::new(self.config, self.predict, plan);
            self.budget = self.budget.saturating_sub(planned.length);
            self.seen.insert(*draft, planned);
        }
        self.seen.get(draft)
    }

    /// Instruction words that are too many (if that matters), then cycles, then link words.
    fn score(&mut self, draft: &Draft, lean: bool) -> (u64, u64, u64) {
        match self.look(draft) {
            Some(p) => (if lean { excess(p) } else { 0 }, p.cost.cycles, p.cost.link_words),
            None => (u64::MAX, u64::MAX, u64::MAX),
        }
    }

    fn take(&mut self, draft: Draft) -> Planned<GemmPlan> {
        self.seen.get(&draft).expect("the best draft was predicted").clone()
    }

    /// The best of `drafts` after improving the first few.
    fn improve(&mut self, drafts: &mut [Draft], lean: bool) -> Draft {
        drafts.sort_by_cached_key(|d| self.score(d, lean));
        let kept = drafts.len().min(KEPT);
        let best = (0..kept).map(|i| self.descend(drafts[i], lean)).collect::<Vec<_>>();
        best.into_iter().min_by_key(|d| self.score(d, lean)).expect("at least one seed")
    }

    /// Takes every step that helps, as often as it helps, until none does.
    fn descend(&mut self, mut draft: Draft, lean: bool) -> Draft {
        let mut score = self.score(&draft, lean);
        loop {
            let before = score;
            for step in STEPS {
                while let Some(next) = self.fit(&step(draft)) {
                    let next_score = self.score(&next, lean);
                    if next_score >= score {
                        break;
                    }
                    (draft, score) = (next, next_score);
                }
            }
            if score == before {
                return draft;
            }
        }
    }
}

/// Changes of one choice, or of two that often belong together.
const STEPS: &[fn(Draft) -> Draft] = &[
    |d| Draft { outer: d.outer * 2, ..d },
    |d| Draft { outer: d.outer.div_ceil(2), ..d },
    |d| Draft { outer: (d.outer * 3).div_ceil(4), ..d },
    |d| Draft { inner: d.inner * 2, ..d },
    |d| Draft { inner: d.inner.div_ceil(2), ..d },
    |d| Draft { words: d.words * 2, ..d },
    |d| Draft { words: d.words.div_ceil(2), ..d },
    |d| Draft { head: d.head + 1, ..d },
    |d| Draft { tail: d.tail + 1, ..d },
    |d| Draft { first: d.first + 1, ..d },
    |d| Draft { last: d.last + 1, ..d },
    |d| Draft { head: d.head.saturating_sub(1), ..d },
    |d| Draft { tail: d.tail.saturating_sub(1), ..d },
    |d| Draft { first: d.first.saturating_sub(1), ..d },
    |d| Draft { last: d.last.saturating_sub(1), ..d },
    |d| Draft { outer: d.outer * 2, first: d.first + 1, ..d },
    |d| Draft { outer: d.outer * 2, last: d.last + 1, ..d },
    |d| Draft { outer: d.outer * 2, tail: d.tail + 1, ..d },
    |d| Draft { transport: StoreWidth::S32, ..d },
];
