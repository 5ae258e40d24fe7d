//! The scores that masks are chosen by: ranks of the initial score, of the later one, and their mean.
//!
//! ```text
//! S = (1 − λ)·frozen + λ·ranks          over the set that the budget ranges over
//! ```

use super::plan::PrunedLayer;
use super::pruner::{PruneError, Pruner};
use super::rank::ranks;
use super::scores::{Batch, Passes, ScoreContext, ScoreKind, ScoringPasses};
use super::select::{Chosen, best};
use crate::network::Network;
use ndarray::Array2;

impl Pruner {
    /// Scores and prunes round by round; the ranks of the last round's scores.
    pub(super) fn initial_scores(
        &mut self,
        network: &mut Network,
        kind: ScoreKind,
        batches: &mut dyn FnMut() -> Vec<Batch>,
    ) -> Result<Vec<Array2<f64>>, PruneError> {
        let rounds = self.config.rounds;
        let plan = network.plan().clone();
        let mut context = ScoreContext::new(network, batches, self.seed, 0);
        for round in 1..rounds {
            let scores = self.rank(score(kind, &mut context)?)?;
            let part = round as f64 / rounds as f64;
            let density = |last: f64| libm::pow(self.config.course.initial.density(last), part);
            let amounts = self.selector(&plan).counts(&scores, &density);
            let mut masks = context.masks().to_vec();
            for ((layer, scores), amount) in self.layers.iter().zip(&scores).zip(amounts) {
                masks[layer.tensor] = best(layer, scores, amount).map(|(mask, _)| mask);
            }
            context.set_masks(masks);
        }
        let scores = score(kind, &mut context)?;
        self.add_passes(context.passes());
        self.rank(scores)
    }

    /// S, of each pruned layer.
    pub(super) fn mixed_scores(
        &mut self,
        network: &mut Network,
        steps: u64,
        progress: f64,
        batches: &mut dyn FnMut() -> Vec<Batch>,
    ) -> Result<Vec<Array2<f64>>, PruneError> {
        let lambda = self.config.course.lambda(progress);
        let frozen = self.frozen.clone().filter(|_| lambda < 1.0);
        if let (Some(frozen), true) = (&frozen, lambda == 0.0) {
            return Ok(frozen.clone());
        }
        let mut context = ScoreContext::new(network, batches, self.seed, steps);
        let scores = score(self.config.score, &mut context)?;
        self.add_passes(context.passes());
        let mut scores = self.rank(scores)?;
        for (scores, frozen) in scores.iter_mut().zip(frozen.iter().flatten()) {
            scores.zip_mut_with(frozen, |s, f| *s = (1.0 - lambda) * f + lambda * *s);
        }
        Ok(scores)
    }

    /// Ranks over the set that the budget ranges over, of the pruned layers.
    fn rank(&self, scored: (ScoreKind, Vec<Array2<f64>>)) -> Result<Vec<Array2<f64>>, PruneError> {
        let (kind, scores) = scored;
        for layer in &self.layers {
            if !scores[layer.tensor].iter().all(|s| s.is_finite()) {
                return Err(PruneError::NotFinite { score: kind.name, layer: layer.name.clone() });
            }
        }
        let together = |layer: &PrunedLayer| self.config.budget.compares_layers() && layer.fixed.is_none();
        let shared: Vec<_> =
            self.layers.iter().filter(|l| together(l)).map(|layer| &scores[layer.tensor]).collect();
        let mut shared = ranks(&shared).into_iter();
        let mut rank = |layer: &PrunedLayer| {
            let own = || ranks(&[&scores[layer.tensor]]).swap_remove(0);
            if together(layer) { shared.next().expect("one for each shared layer") } else { own() }
        };
        Ok(self.layers.iter().map(&mut rank).collect())
    }

    /// The frozen ranks: weights that rounds of scoring pruned have the rank 0.
    pub(super) fn freeze(&self, mut scores: Vec<Array2<f64>>, masks: &[Chosen]) -> Vec<Array2<f64>> {
        if self.config.rounds > 1 {
            for (scores, mask) in scores.iter_mut().zip(masks) {
                if let Some((mask, _)) = mask {
                    scores.zip_mut_with(mask, |s, &kept| *s = if kept { *s } else { 0.0 });
                }
            }
        }
        scores
    }

    fn add_passes(&mut self, more: ScoringPasses) {
        let add = |to: &mut Passes, from: Passes| {
            to.forward += from.forward;
            to.backward += from.backward;
        };
        add(&mut self.passes.batches, more.batches);
        add(&mut self.passes.single, more.single);
    }
}

fn score(
    kind: ScoreKind,
    context: &mut ScoreContext<'_>,
) -> Result<(ScoreKind, Vec<Array2<f64>>), PruneError> {
    let scores = kind.score.score(context);
    let scores = scores.map_err(|source| PruneError::Probe { score: kind.name, source })?;
    Ok((kind, scores))
}
