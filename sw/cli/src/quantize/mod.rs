//! Which quantizers suit the layers of a run: measured, drawn, chosen.

mod chart;
mod text;

pub use chart::chart;
pub use text::{choices, text};

use crate::failure::usage;
use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use std::str::FromStr;
use tandem_driver::Device;
use tandem_nn::backend::Backend;
use tandem_nn::choice::auto::{self, Choice, Limit};
use tandem_nn::choice::measure::{self, Candidate};
use tandem_nn::config::Setting;
use tandem_nn::layers::LayerBits;
use tandem_nn::network::plan::NetworkPlan;
use tandem_nn::quant::gradient;
use tandem_nn::train::{LayerTensors, Trainer};
use toml::Value;

/// What the choice may cost, as a share of what the run's own widths cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// What is limited.
    pub limit: Limit,
    /// The share.
    pub share: f64,
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected cycles=SHARE or weight-bits=SHARE, SHARE above 0, at most 16".to_owned();
        let (name, share) = text.split_once('=').ok_or_else(expected)?;
        let limit = match name.trim() {
            "cycles" => Limit::Cycles,
            "weight-bits" => Limit::WeightBits,
            _ => return Err(expected()),
        };
        let share = share.trim().parse().ok().filter(|s| *s > 0.0 && *s <= 16.0).ok_or_else(expected)?;
        Ok(Budget { limit, share })
    }
}

impl Budget {
    /// What is limited, in words.
    pub fn name(self) -> &'static str {
        match self.limit {
            Limit::Cycles => "cycles of a training step",
            Limit::WeightBits => "bits of weights",
        }
    }
}

/// A layer, measured.
#[derive(Serialize)]
pub struct Measured {
    /// Its name.
    pub layer: String,
    /// Weights that are kept, of all.
    pub weights: [usize; 2],
    /// Noise of weights and input as the run quantizes them; none on the float engine.
    pub used: Option<[f64; 2]>,
    /// Candidates of weights, input and output gradients.
    pub candidates: [Vec<Candidate>; 3],
    /// What is chosen.
    pub choice: Choice,
    /// Cycles of a training step as the run has it.
    pub cycles: u64,
    #[serde(skip)]
    bits: LayerBits,
    #[serde(skip)]
    tensors: LayerTensors,
}

impl Measured {
    /// The layer's widths and quantizers now.
    pub fn bits(&self) -> &LayerBits {
        &self.bits
    }
}

/// What a run came to.
#[derive(Serialize)]
pub struct Analysis {
    /// The layers with weights in space.
    pub layers: Vec<Measured>,
    /// What is limited: what the run's own widths cost, the limit, and what is chosen.
    pub own: u64,
    /// Most of it.
    pub most: u64,
    /// What the choice takes.
    pub chosen: u64,
    /// Layers whose weights are spectra, which are quantized by rings.
    pub left_out: Vec<String>,
}

/// Measures a run's layers and chooses.
///
/// # Errors   a product that failed, no layer with weights in space, or a budget that nothing fits
pub fn analyse(trainer: Trainer, budget: Budget, device: &mut dyn Device) -> Result<Analysis> {
    let plan = trainer.network().plan().clone();
    let (batch, is_float) = (trainer.experiment().data.batch, matches!(trainer.backend(), Backend::Float));
    let all = trainer.tensors()?;
    if all.is_empty() {
        return Err(usage(
            "the network has no weights in space: spectra are quantized by rings, with one width",
        ));
    }
    let measure = |t: &LayerTensors| {
        let found = candidates(&plan, t);
        eprintln!("{}: measured", plan.layers[t.layer].name);
        found
    };
    let candidates: Vec<[Vec<Candidate>; 3]> = all.par_iter().map(measure).collect();
    let kept =
        |t: &LayerTensors| t.mask.as_ref().map_or(t.weights.len(), |m| m.iter().filter(|k| **k).count());
    let layers: Vec<auto::Layer<'_>> = all
        .iter()
        .zip(&candidates)
        .map(|(t, [w, x, g])| auto::Layer {
            plan: &plan.layers[t.layer],
            batch,
            weights: kept(t),
            pattern: t.pattern,
            candidates: [w, x, g],
        })
        .collect();
    let mut cycles = vec![];
    for layer in &layers {
        let name = &layer.plan.name;
        let own = auto::own_cycles(layer.plan, layer.pattern, device);
        cycles.push(
            own.ok_or_else(|| usage(format!("layer `{name}`: the accelerator cannot run its products")))?,
        );
    }
    let own = match budget.limit {
        Limit::Cycles => cycles.iter().sum::<u64>(),
        Limit::WeightBits => layers.iter().map(|l| l.weights as u64 * u64::from(l.plan.bits.weights)).sum(),
    };
    let most = (own as f64 * budget.share) as u64;
    let choices = auto::choose(&layers, budget.limit, most, device).map_err(|least| {
        let (name, share) = (budget.name(), least as f64 / own as f64);
        usage(format!(
            "--budget: {most} {name} are too few: the smallest choice takes {least}, {share:.3} of {own}"
        ))
    })?;
    let size = |c: &Choice| if budget.limit == Limit::Cycles { c.cycles } else { c.weight_bits };
    let chosen = choices.iter().map(size).sum();
    let left_out = plan
        .layers
        .iter()
        .enumerate()
        .filter(|(i, layer)| !layer.products.is_empty() && all.iter().all(|t| t.layer != *i));
    let left_out = left_out.map(|(_, layer)| layer.name.clone()).collect();
    let measured = all.into_iter().zip(candidates).zip(choices).zip(cycles);
    let measured = measured.map(|(((tensors, candidates), choice), cycles)| Measured {
        layer: plan.layers[tensors.layer].name.clone(),
        weights: [kept(&tensors), tensors.weights.len()],
        used: tensors
            .used
            .as_ref()
            .filter(|_| !is_float)
            .map(|[w, x]| [measure::used(&tensors.weights, w), measure::used(&tensors.input, x)]),
        candidates,
        choice,
        cycles,
        bits: plan.layers[tensors.layer].bits,
        tensors,
    });
    Ok(Analysis { layers: measured.collect(), own, most, chosen, left_out })
}

fn candidates(plan: &NetworkPlan, tensors: &LayerTensors) -> [Vec<Candidate>; 3] {
    let layer = &plan.layers[tensors.layer];
    [
        measure::weights(tensors, &layer.bits),
        measure::activations(tensors, &layer.bits, layer.inputs[0]),
        measure::gradients(tensors),
    ]
}

/// The settings that make an experiment what was chosen: the keys of each layer's `bits` that differ.
pub fn settings(analysis: &Analysis) -> Vec<Setting> {
    let mut all = vec![];
    for layer in &analysis.layers {
        let (now, choice) = (layer.bits(), &layer.choice);
        let new = auto::bits_of(now, &choice.weights, &choice.activations, &choice.gradients);
        let mut set = |key: &str, value: Value| {
            all.push(Setting::of_layer("tandem quantize", &layer.layer, &format!("bits.{key}"), value));
        };
        set("weights", i64::from(new.weights).into());
        set("weight_clip", new.weight_clip.name.into());
        set("activations", i64::from(new.activations).into());
        set("activation_clip", new.activation_clip.name.into());
        set("gradients", i64::from(new.gradients).into());
        if new.weight_channels || now.weight_channels {
            set("weight_scale", if new.weight_channels { "channel" } else { "tensor" }.into());
        }
        let plain = gradient::max_abs::KIND.name;
        if new.gradient_quantizer.name != plain || now.gradient_quantizer.name != plain {
            set("gradient_quantizer", new.gradient_quantizer.name.into());
        }
    }
    all
}
