//! The table `[train]`.

use super::{ConfigError, Document};
use crate::number::{Fraction, Int, Rate, Real, Tiny};
use crate::optim::Optimizer;
use crate::optim::schedule::{Decay, Schedule};
use serde::Deserialize;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawOptimizer {
    Sgd,
    Adam,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawDecay {
    Constant,
    Cosine,
    Linear,
    Step,
}

/// The table `[train]`, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrain {
    epochs: Int<1, 1_000_000>,
    #[serde(default)]
    seed: Int<0, { i64::MAX as u64 }>,
    optimizer: RawOptimizer,
    momentum: Option<Real<Fraction>>,
    beta1: Option<Real<Fraction>>,
    beta2: Option<Real<Fraction>>,
    eps: Option<Real<Tiny>>,
    weight_decay: Option<Real<Fraction>>,
    lr: Real<Rate>,
    schedule: RawDecay,
    final_lr: Option<Real<Fraction>>,
    step_epochs: Option<Int<1, 1_000_000>>,
    step_factor: Option<Real<Fraction>>,
    #[serde(default)]
    warmup_steps: Int<0, 1_000_000_000>,
}

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    /// Passes over the training images.
    pub epochs: u64,
    /// Key of every random number of the run.
    pub seed: u64,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// The learning rate over time.
    pub schedule: Schedule,
}

impl TrainConfig {
    pub(super) fn new(raw: RawTrain, document: &Document) -> Result<Self, ConfigError> {
        raw.check(document)?;
        let value = |real: Option<Real<Fraction>>, default| real.map_or(default, |r| r.get());
        let weight_decay = value(raw.weight_decay, 0.0);
        let optimizer = match raw.optimizer {
            RawOptimizer::Sgd => Optimizer::Sgd { momentum: value(raw.momentum, 0.9), weight_decay },
            RawOptimizer::Adam => Optimizer::Adam {
                beta1: value(raw.beta1, 0.9),
                beta2: value(raw.beta2, 0.999),
                eps: raw.eps.map_or(1e-8, |r| r.get()),
                weight_decay,
            },
        };
        let last = value(raw.final_lr, 0.0);
        let decay = match (raw.schedule, raw.step_epochs, raw.step_factor) {
            (RawDecay::Constant, ..) => Decay::Constant,
            (RawDecay::Cosine, ..) => Decay::Cosine { last },
            (RawDecay::Linear, ..) => Decay::Linear { last },
            (RawDecay::Step, Some(epochs), Some(factor)) => {
                Decay::Step { epochs: epochs.get_u64(), factor: factor.get() }
            }
            (RawDecay::Step, ..) => {
                let problem = "needs `step_epochs` and `step_factor`";
                return Err(document.invalid("train.schedule", problem));
            }
        };
        Ok(TrainConfig {
            epochs: raw.epochs.get_u64(),
            seed: raw.seed.get_u64(),
            optimizer,
            schedule: Schedule { lr: raw.lr.get(), warmup_steps: raw.warmup_steps.get_u64(), decay },
        })
    }
}

impl RawTrain {
    /// Refuses keys that the chosen optimiser or schedule would ignore.
    fn check(&self, document: &Document) -> Result<(), ConfigError> {
        let sgd = self.optimizer == RawOptimizer::Sgd;
        let step = self.schedule == RawDecay::Step;
        let ends = matches!(self.schedule, RawDecay::Cosine | RawDecay::Linear);
        let keys = [
            ("momentum", self.momentum.is_some(), sgd, "optimizer = \"sgd\""),
            ("beta1", self.beta1.is_some(), !sgd, "optimizer = \"adam\""),
            ("beta2", self.beta2.is_some(), !sgd, "optimizer = \"adam\""),
            ("eps", self.eps.is_some(), !sgd, "optimizer = \"adam\""),
            ("step_epochs", self.step_epochs.is_some(), step, "schedule = \"step\""),
            ("step_factor", self.step_factor.is_some(), step, "schedule = \"step\""),
            ("final_lr", self.final_lr.is_some(), ends, "schedule = \"cosine\"` or `\"linear\""),
        ];
        match keys.iter().find(|(_, present, used, _)| *present && !used) {
            Some((key, _, _, with)) => {
                Err(document.invalid(&format!("train.{key}"), format!("only with `{with}`")))
            }
            None => Ok(()),
        }
    }
}
