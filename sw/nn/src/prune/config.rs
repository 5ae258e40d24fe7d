//! What to prune, and when: the table `[pruning]` of an experiment, validated.

use super::budget::Budget;
use super::pattern::PatternSpec;
use super::schedule::Course;
use super::scores::ScoreKind;
use std::collections::BTreeMap;

/// What is left in the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// What the fixed N of the pattern says.
    Pattern,
    /// This share of the pruned layers' weights.
    Density(f64),
    /// This share of the dense compute cycles (waits for the drain included) of a training step, layers that
    /// are not pruned included.
    Cycles(f64),
}

/// What differs in one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerOverride {
    /// It is not pruned.
    Skip,
    /// It has a pattern of its own.
    Pattern(PatternSpec),
}

/// What to prune, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct PruningConfig {
    /// Name of the method.
    pub method: &'static str,
    /// The pattern of all layers without one of their own.
    pub pattern: PatternSpec,
    /// What is left in the end.
    pub target: Target,
    /// How it is shared among layers.
    pub budget: Budget,
    /// Names of the layers; `None`: all but the first and the last with weights.
    pub layers: Option<Vec<String>>,
    /// What differs in single layers.
    pub overrides: BTreeMap<String, LayerOverride>,
    /// The score before the first step.
    pub initial_score: Option<ScoreKind>,
    /// Rounds of the initial score.
    pub rounds: usize,
    /// Batches of the initial score.
    pub batches: usize,
    /// The score of later changes.
    pub score: ScoreKind,
    /// Density, λ and regrowth over time.
    pub course: Course,
    /// The share of the run before the first and the last change.
    pub span: (f64, f64),
    /// Steps between changes; `None`: a twentieth of the time from the first to the last.
    pub interval: Option<u64>,
    /// Whether weights in space are scaled so that those that are kept stay as large as those before.
    pub rescale: bool,
    /// Whether weights in space that are dropped are 0 from then on, without momentum; never with `sr_ste`.
    pub forget: bool,
    /// λ_w of the sparse-refined straight-through estimator, 0 without.
    pub sr_ste: f64,
    /// Whether masks are shuffled inside their layers.
    pub shuffle: bool,
    /// Seed of random scores; `None`: the run's.
    pub seed: Option<u64>,
}
