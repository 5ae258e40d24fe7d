//! The united schedule at work: masks before the first step, and as training goes on.
//!
//! ```text
//! start        initial score ─► rounds ─► masks of density d0; ranks frozen
//! before step  dense gradients asked for, if this step needs them
//! gradients    SR-STE: g ← g_dense + λ_w·(1 − m)·w
//! after step   if due: S = (1 − λ)·frozen + λ·ranks ─► amounts ─► masks
//! ```

use super::config::PruningConfig;
use super::cycles::{CycleOracle, Multiplications};
use super::plan::{self, PrunedLayer, Unfit};
use super::probe::ProbeError;
use super::rank::Scores;
use super::regrow::replace;
use super::schedule::Timeline;
use super::scores::{ScoringPasses, Source, uniform};
use super::select::{Amount, BudgetError, Chosen, Selector, best};
use crate::layers::prunable::{Domain, MaskPattern, Prunable};
use crate::network::Network;
use crate::network::plan::NetworkPlan;
use crate::tensor::Mask;
use ndarray::{Array2, Zip};

/// Why masks could not be chosen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PruneError {
    /// The score needs a layer in f64 that has no such form.
    #[error("score `{score}`: {source}")]
    Probe {
        /// The score.
        score: &'static str,
        /// The layer.
        source: ProbeError,
    },
    /// A score is infinite or not a number.
    #[error(
        "score `{score}` of layer `{layer}` is not a finite number: the weights or gradients are too large"
    )]
    NotFinite {
        /// The score.
        score: &'static str,
        /// The layer.
        layer: String,
    },
    /// The budget is too small.
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

/// Chooses masks.
pub struct Pruner {
    pub(super) config: PruningConfig,
    pub(super) layers: Vec<PrunedLayer>,
    timeline: Timeline,
    pub(super) seed: u64,
    oracle: Box<dyn CycleOracle>,
    /// Whether the masks before the first step were chosen.
    pub(super) started: bool,
    /// The initial scores.
    pub(super) frozen: Option<Scores>,
    /// The pattern of each layer's mask.
    pub(super) patterns: Vec<Option<MaskPattern>>,
    pub(super) passes: ScoringPasses,
}

/// Streams of random numbers of shuffles lie apart from those of scores, whose step this is added to.
const SHUFFLE: u64 = 1 << 63;

impl Pruner {
    /// For a run of `steps` steps; `seed` is that of the run. Cycles are counted in multiplications.
    ///
    /// # Errors   the table does not suit the network
    pub fn new(config: &PruningConfig, network: &mut Network, steps: u64, seed: u64) -> Result<Self, Unfit> {
        let layers = plan::layers(config, network)?;
        let at = |share: f64| (share * steps as f64).round() as u64;
        let (start, end) = (at(config.span.0), at(config.span.1));
        let interval = config.interval.unwrap_or(((end - start) / 20).max(1));
        Ok(Pruner {
            timeline: Timeline { start, end, interval },
            seed: config.seed.unwrap_or(seed),
            oracle: Box::new(Multiplications::new(network.plan())),
            started: false,
            frozen: None,
            patterns: vec![None; layers.len()],
            passes: ScoringPasses::default(),
            config: config.clone(),
            layers,
        })
    }

    /// Predicts cycles by `oracle` from now on.
    pub fn set_cycle_oracle(&mut self, oracle: Box<dyn CycleOracle>) {
        self.oracle = oracle;
    }

    /// Draws random scores by the run's seed from now on, unless the table has one of its own.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = self.config.seed.unwrap_or(seed);
    }

    /// The layers that are pruned.
    pub fn layers(&self) -> &[PrunedLayer] {
        &self.layers
    }

    /// The pattern of each layer's mask now; `None` if dense or unstructured.
    pub fn patterns(&self) -> &[Option<MaskPattern>] {
        &self.patterns
    }

    /// The dense passes that scoring took so far.
    pub fn scoring_passes(&self) -> ScoringPasses {
        self.passes
    }

    /// Prunes at initialisation, if that was not done. `source` gives batches to scores that need some, and runs their passes.
    ///
    /// # Errors   a score or a budget that is not possible
    pub fn start(&mut self, network: &mut Network, source: &mut dyn Source) -> Result<(), PruneError> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let Some(kind) = self.config.initial_score else { return Ok(()) };
        let scores = self.initial_scores(network, kind, source)?;
        let masks = self.select(network, scores.clone(), 0, 0.0)?;
        if self.timeline.end > 0 {
            self.frozen = Some(self.freeze(scores, &masks));
        }
        self.apply(network, masks);
        Ok(())
    }

    /// Asks for dense gradients if the next step, the one after `steps`, needs them.
    pub fn before_step(&self, network: &mut Network, steps: u64) {
        let wanted = self.config.sr_ste > 0.0 || self.regrowth(steps + 1) > 0.0;
        let mut prunables = network.prunables();
        for layer in &self.layers {
            prunables[layer.tensor].1.want_dense_gradient(wanted);
        }
    }

    /// Lets masked weights follow their dense gradients, and decay.
    ///
    /// # Source   Zhou et al., "Learning N:M fine-grained structured sparse neural networks from scratch", 2021
    pub fn refine_gradients(&self, network: &mut Network) {
        if self.config.sr_ste == 0.0 {
            return;
        }
        let decay = self.config.sr_ste as f32;
        let mut prunables = network.prunables();
        for layer in &self.layers {
            let prunable = &mut prunables[layer.tensor].1;
            let (Some(mask), Some(dense)) = (prunable.mask().cloned(), prunable.dense_gradient().cloned())
            else {
                continue;
            };
            let weight = prunable.weight_mut();
            Zip::from(&mut weight.gradient).and(&weight.value).and(&mask).and(&dense).for_each(
                |gradient, &value, &kept, &dense| {
                    if !kept {
                        *gradient = dense + decay * value;
                    }
                },
            );
        }
    }

    /// Changes masks after `steps` steps, if that is due.
    ///
    /// # Errors   a score or a budget that is not possible
    pub fn after_step(
        &mut self,
        network: &mut Network,
        steps: u64,
        source: &mut dyn Source,
    ) -> Result<(), PruneError> {
        if !self.timeline.is_due(steps) {
            return Ok(());
        }
        let progress = self.timeline.progress(steps);
        let scores = self.mixed_scores(network, steps, progress, source)?;
        let masks = self.select(network, scores, steps, progress)?;
        self.apply(network, masks);
        Ok(())
    }

    /// The share of weights that is replaced after `steps` steps.
    fn regrowth(&self, steps: u64) -> f64 {
        let due = self.timeline.is_due(steps);
        if due { self.config.course.regrowth(self.timeline.progress(steps)) } else { 0.0 }
    }

    pub(super) fn selector<'a>(&'a self, plan: &'a NetworkPlan) -> Selector<'a> {
        Selector {
            layers: &self.layers,
            target: self.config.target,
            budget: self.config.budget,
            oracle: &*self.oracle,
            plan,
        }
    }

    fn select(
        &self,
        network: &mut Network,
        mut scores: Scores,
        steps: u64,
        progress: f64,
    ) -> Result<Vec<Chosen>, PruneError> {
        let density = |last: f64| self.config.course.density(progress, last);
        let amounts = self.selector(network.plan()).amounts(&scores, &density)?;
        if self.config.shuffle {
            for (layer, ranks) in self.layers.iter().zip(&mut scores.ranks) {
                *ranks = uniform(self.seed, SHUFFLE + steps, layer.tensor, ranks.dim());
            }
        }
        let regrows = steps > 0 && self.config.course.regrow > 0.0;
        let share = self.regrowth(steps);
        let prunables = network.prunables();
        let choose = |((layer, ranks), amount): ((&PrunedLayer, &Array2<f64>), Amount)| {
            let prunable = &prunables[layer.tensor].1;
            let gradient = prunable.dense_gradient().filter(|_| share > 0.0);
            if regrows {
                replace(layer, ranks, prunable.mask(), gradient, amount, share)
            } else {
                best(layer, ranks, amount)
            }
        };
        Ok(self.layers.iter().zip(&scores.ranks).zip(amounts).map(choose).collect())
    }

    /// Sets the masks. With regrowth, weights that come back start at 0, without momentum. Rescaled, the kept weights of a layer in space
    /// have the root mean square of those that were kept before. Forgotten, those that are dropped are 0.
    fn apply(&mut self, network: &mut Network, masks: Vec<Chosen>) {
        let mut prunables = network.prunables();
        for ((layer, mask), pattern) in self.layers.iter().zip(masks).zip(&mut self.patterns) {
            let prunable = &mut *prunables[layer.tensor].1;
            let (mask, new) = mask.map_or((None, None), |(mask, pattern)| (Some(mask), pattern));
            let in_space = prunable.domain() == Domain::Real;
            if self.config.course.regrow > 0.0 {
                clear_new(prunable, mask.as_ref());
            }
            let before = (self.config.rescale && in_space).then(|| kept_size(prunable));
            prunable.set_mask(mask, new);
            if let Some(before) = before {
                rescale(prunable, before);
            }
            if self.config.forget && self.config.sr_ste == 0.0 && in_space {
                forget(prunable);
            }
            *pattern = new;
        }
    }
}

/// The root mean square of the weights that a mask keeps.
fn kept_size(prunable: &dyn Prunable) -> f64 {
    let mask = prunable.mask();
    let kept = prunable.weight().value.indexed_iter().filter(|(at, _)| mask.is_none_or(|mask| mask[*at]));
    let (sum, count) = kept.fold((0.0, 0.0), |(sum, n), (_, &w)| (sum + f64::from(w).powi(2), n + 1.0));
    if count > 0.0 { (sum / count).sqrt() } else { 0.0 }
}

/// Scales all weights so that the kept ones have this root mean square; nothing if they have none.
///
/// Batch normalization undoes a layer's scale, but a step that is as long turns larger weights less: a score that prefers large ones would
/// lower the rate at which its layers learn.
fn rescale(prunable: &mut dyn Prunable, size: f64) {
    let now = kept_size(prunable);
    if size > 0.0 && now > 0.0 {
        let factor = (size / now) as f32;
        prunable.weight_mut().value.mapv_inplace(|w| w * factor);
    }
}

/// Clears weights and moments that the mask drops: what they were worth when they were dropped says nothing later.
fn forget(prunable: &mut dyn Prunable) {
    let Some(mask) = prunable.mask().cloned() else { return };
    clear(prunable, |at| !mask[at]);
}

/// Clears weights and moments that were masked and are not any more.
fn clear_new(prunable: &mut dyn Prunable, mask: Option<&Mask>) {
    let Some(old) = prunable.mask().cloned() else { return };
    clear(prunable, |at| !old[at] && mask.is_none_or(|mask| mask[at]));
}

/// Sets some weights and their moments to 0.
fn clear(prunable: &mut dyn Prunable, is_meant: impl Fn((usize, usize)) -> bool) {
    let weight = prunable.weight_mut();
    for array in std::iter::once(&mut weight.value).chain(&mut weight.moments) {
        array.indexed_iter_mut().filter(|(at, _)| is_meant(*at)).for_each(|(_, v)| *v = 0.0);
    }
}
