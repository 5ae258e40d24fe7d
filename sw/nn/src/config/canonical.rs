//! An experiment key by key: what its text comes to, with defaults filled in.
//!
//! Two experiments with the same keys and values train the same network in the same way. What decides nothing is left out:
//! the experiment's name and the accelerator's, comments, order, and how a number is written.

use super::{Experiment, LayerBits, LayerOverride, PruningConfig, Target};
use crate::data::step::List;
use crate::optim::Optimizer;
use crate::optim::schedule::Decay;
use crate::prune::budget::BUDGETS;
use crate::prune::schedule::Initial;
use crate::quant::gradient;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Keys as in the file, such as `data.batch` or `layer[2].kernel`, and their values as JSON texts.
///
/// Texts, so that they compare exactly and are saved exactly.
pub type Keys = BTreeMap<String, String>;

impl Experiment {
    /// All keys that decide what is trained.
    pub fn keys(&self) -> Keys {
        let mut keys = Keys::new();
        let config = &self.data;
        let size = config.options.size.map(|(h, w)| [h, w]);
        let data = json!({
            "set": config.set, "batch": config.batch, "images": config.images, "validation": config.validation,
            "size": size, "channels": config.options.channels, "augment": config.augment.is_empty().then_some("none"),
        });
        flatten("data", &data, &mut keys);
        for (list, steps) in [(List::Preprocess, &config.preprocess), (List::Augment, &config.augment)] {
            for (i, step) in steps.iter().enumerate() {
                flatten(&format!("data.{}[{i}]", list.key()), &json!(list.described(step)), &mut keys);
            }
        }
        let train = json!({ "epochs": self.train.epochs, "seed": self.train.seed });
        flatten("train", &train, &mut keys);
        flatten("train", &optimizer(&self.train.optimizer), &mut keys);
        let schedule = &self.train.schedule;
        flatten("train", &json!({ "lr": schedule.lr, "warmup_steps": schedule.warmup_steps }), &mut keys);
        flatten("train", &decay(schedule.decay), &mut keys);
        for (i, layer) in self.layers.iter().enumerate() {
            let path = format!("layer[{i}]");
            flatten(
                &path,
                &json!({ "type": layer.kind, "name": layer.name, "input": layer.input }),
                &mut keys,
            );
            flatten(&path, &layer.spec.described(), &mut keys);
            let own = if layer.overrides_bits { format!("{path}.bits") } else { "bits".to_owned() };
            flatten(&own, &bits(&layer.bits), &mut keys);
        }
        if let Some(config) = &self.pruning {
            flatten("pruning", &pruning(config), &mut keys);
        }
        keys
    }
}

/// Adds all values below `value`; what is not set is left out.
pub(crate) fn flatten(path: &str, value: &Value, keys: &mut Keys) {
    match value {
        Value::Null => {}
        Value::Object(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, keys);
            }
        }
        value => drop(keys.insert(path.to_owned(), value.to_string())),
    }
}

fn optimizer(optimizer: &Optimizer) -> Value {
    match *optimizer {
        Optimizer::Sgd { momentum, weight_decay } => {
            json!({ "optimizer": "sgd", "momentum": momentum, "weight_decay": weight_decay })
        }
        Optimizer::Adam { beta1, beta2, eps, weight_decay } => json!({
            "optimizer": "adam", "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay,
        }),
    }
}

fn decay(decay: Decay) -> Value {
    match decay {
        Decay::Constant => json!({ "schedule": "constant" }),
        Decay::Cosine { last } => json!({ "schedule": "cosine", "final_lr": last }),
        Decay::Linear { last } => json!({ "schedule": "linear", "final_lr": last }),
        Decay::Step { epochs, factor } => {
            json!({ "schedule": "step", "step_epochs": epochs, "step_factor": factor })
        }
    }
}

/// What decides nothing, or is as it was before there was a key for it, is left out: earlier runs go on.
fn bits(bits: &LayerBits) -> Value {
    let fitting = bits.fitting;
    let percentile = [bits.weight_clip, bits.activation_clip].iter().any(|clip| clip.name == "percentile");
    json!({
        "weights": bits.weights, "activations": bits.activations, "gradients": bits.gradients,
        "spectra": bits.spectra, "results": bits.results, "input_gradients": bits.input_gradients,
        "weight_clip": bits.weight_clip.name, "activation_clip": bits.activation_clip.name,
        "weight_scale": bits.weight_channels.then_some("channel"),
        "gradient_quantizer": Some(bits.gradient_quantizer.name).filter(|name| *name != gradient::max_abs::KIND.name),
        "level_bits": fitting.level_bits.filter(|_| bits.has_table()),
        "percentile": percentile.then_some(fitting.percentile),
        "refit_steps": bits.is_fitted().then_some(fitting.interval),
        "refit_until": bits.is_fitted().then_some(fitting.until),
    })
}

fn pruning(config: &PruningConfig) -> Value {
    let (density, cycles) = match config.target {
        Target::Pattern => (None, None),
        Target::Density(share) => (Some(share), None),
        Target::Cycles(share) => (None, Some(share)),
    };
    let initial = match config.course.initial {
        Initial::Share(share) => json!(share),
        other => json!(format!("{other:?}").to_lowercase()),
    };
    let budget = BUDGETS.iter().find(|(_, budget)| *budget == config.budget).map(|(name, _)| *name);
    let layer = |own: &LayerOverride| match own {
        LayerOverride::Skip => json!({ "skip": true }),
        LayerOverride::Pattern(pattern) => json!({ "pattern": pattern.to_string() }),
    };
    let overrides: BTreeMap<_, _> = config.overrides.iter().map(|(name, own)| (name, layer(own))).collect();
    json!({
        "method": config.method, "pattern": config.pattern.to_string(), "density": density, "cycles": cycles,
        "budget": budget, "layers": config.layers, "layer": overrides,
        "initial_score": config.initial_score.map(|s| s.name), "rounds": config.rounds, "batches": config.batches,
        "score": config.score.name, "initial": initial, "shape": format!("{:?}", config.course.shape).to_lowercase(),
        "lambda_start": config.course.lambda.0, "lambda_end": config.course.lambda.1,
        "regrow": config.course.regrow, "start": config.span.0, "end": config.span.1,
        "interval": config.interval,
        // experiments from before there were these keys are the same ones
        "rescale": config.rescale.then_some(true), "forget": config.forget.then_some(true),
        "sr_ste": config.sr_ste, "shuffle": config.shuffle, "seed": config.seed,
    })
}
