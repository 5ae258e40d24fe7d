//! The scores that masks are chosen by: ranks of the initial score, of the later one, and their mean.
//!
//! ```text
//! S = (1 − λ)·frozen + λ·ranks          over the set that the budget ranges over
//! ```

use super::pattern::Structure;
use super::plan::PrunedLayer;
use super::pruner::{PruneError, Pruner};
use super::rank::{Scores, ranks, shares};
use super::scores::{Passes, ScoreContext, ScoreKind, ScoringPasses, Source};
use super::select::{Chosen, best};
use crate::layers::prunable::Groups;
use crate::network::Network;
use crate::tensor::slice_mut;
use ndarray::Array2;

impl Pruner {
    /// Scores and prunes round by round; the last round's scores.
    pub(super) fn initial_scores(
        &mut self,
        network: &mut Network,
        kind: ScoreKind,
        source: &mut dyn Source,
    ) -> Result<Scores, PruneError> {
        let rounds = self.config.rounds;
        let plan = network.plan().clone();
        let mut context = ScoreContext::new(network, source, self.seed, 0);
        for round in 1..rounds {
            let scores = self.rank(score(kind, &mut context)?)?;
            let part = round as f64 / rounds as f64;
            let density = |last: f64| libm::pow(self.config.course.initial.density(last), part);
            let amounts = self.selector(&plan).counts(&scores.ranks, &density);
            let mut masks = context.masks().to_vec();
            for ((layer, ranks), amount) in self.layers.iter().zip(&scores.ranks).zip(amounts) {
                masks[layer.tensor] = best(layer, ranks, amount).map(|(mask, _)| mask);
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
        source: &mut dyn Source,
    ) -> Result<Scores, PruneError> {
        let lambda = self.config.course.lambda(progress);
        let frozen = self.frozen.clone().filter(|_| lambda < 1.0);
        if let (Some(frozen), true) = (&frozen, lambda == 0.0) {
            return Ok(frozen.clone());
        }
        let mut context = ScoreContext::new(network, source, self.seed, steps);
        let scores = score(self.config.score, &mut context)?;
        self.add_passes(context.passes());
        let mut scores = self.rank(scores)?;
        if let Some(frozen) = &frozen {
            scores.mix(frozen, lambda);
        }
        Ok(scores)
    }

    /// The scores of the pruned layers, over the set that the budget ranges over.
    fn rank(&self, scored: (ScoreKind, Vec<Array2<f64>>)) -> Result<Scores, PruneError> {
        let (kind, mut scores) = scored;
        for layer in self.layers.iter().filter(|layer| layer.structure == Structure::Bins) {
            level_positions(&mut scores[layer.tensor], layer.groups);
        }
        for layer in &self.layers {
            if !scores[layer.tensor].iter().all(|s| s.is_finite()) {
                return Err(PruneError::NotFinite { score: kind.name, layer: layer.name.clone() });
            }
        }
        let scores: Vec<_> = self.layers.iter().map(|layer| &scores[layer.tensor]).collect();
        Ok(Scores { ranks: self.together(&scores, ranks), shares: self.together(&scores, shares) })
    }

    /// `f` of the layers that share the budget together, if it compares them, and of others by themselves.
    fn together(
        &self,
        scores: &[&Array2<f64>],
        f: fn(&[&Array2<f64>]) -> Vec<Array2<f64>>,
    ) -> Vec<Array2<f64>> {
        let shares = |layer: &PrunedLayer| self.config.budget.compares_layers() && layer.fixed.is_none();
        let pairs = || self.layers.iter().zip(scores);
        let common: Vec<_> = pairs().filter(|(layer, _)| shares(layer)).map(|(_, scores)| *scores).collect();
        let mut common = f(&common).into_iter();
        let mut of = |(layer, scores): (&PrunedLayer, &&Array2<f64>)| {
            let own = || f(&[*scores]).swap_remove(0);
            if shares(layer) { common.next().expect("one for each") } else { own() }
        };
        pairs().map(&mut of).collect()
    }

    /// The frozen scores: weights that rounds of scoring pruned have the score 0.
    pub(super) fn freeze(&self, mut scores: Scores, masks: &[Chosen]) -> Scores {
        if self.config.rounds > 1 {
            for (layer, chosen) in masks.iter().enumerate() {
                if let Some((mask, _)) = chosen {
                    scores.clear(layer, mask);
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

/// Replaces the scores of each position by their mean, so that positions keep their order among ranks.
fn level_positions(scores: &mut Array2<f64>, groups: Groups) {
    let size = groups.channels * groups.outputs;
    for position in slice_mut(scores).chunks_mut(size) {
        let mean = position.iter().sum::<f64>() / size as f64;
        position.fill(mean);
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
