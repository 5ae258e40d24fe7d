//! What a point computes: an experiment, or a topology with what it leaves open.

use super::point::short_digest;
use crate::estimate::Work;
use crate::estimate::network::{Widths, of_experiment, of_topology};
use crate::estimate::topology::{self, Layer};
use crate::failure::usage;
use crate::operands::parse_pattern;
use crate::variant::Base;
use anyhow::Result;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use tandem_nn::config::{ConfigError, Document, Experiment, relative_to};
use tandem_nn::data::Known;

/// An experiment or a topology.
#[derive(Clone, Debug)]
pub enum Network {
    /// What can be trained.
    Experiment(Box<Experiment>),
    /// Layers alone.
    Topology(Topology),
}

/// A topology with the keys that a sweep may set.
#[derive(Clone, Debug)]
pub struct Topology {
    layers: Arc<Layers>,
    keys: Keys,
    pattern: Option<(usize, usize)>,
    accelerator: String,
    source: String,
}

/// The layers of a file.
#[derive(Debug)]
pub struct Layers {
    layers: Vec<Layer>,
    digest: String,
}

/// Keys of a topology; the options of `tandem estimate` have the same defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    accelerator: String,
    batch: usize,
    bits: BitsKeys,
    pattern: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BitsKeys {
    weights: u8,
    activations: u8,
    gradients: u8,
}

const DEFAULTS: &str =
    "accelerator = \"default\"\nbatch = 1\nbits = { weights = 4, activations = 4, gradients = 8 }\n";

/// Most images of a batch, as of `tandem estimate`.
const MOST_IMAGES: usize = 65536;

impl Layers {
    /// Reads a topology: its layers, and the keys that are open.
    ///
    /// # Errors   it cannot be read, or has a line that is no layer
    pub fn load(file: &Path) -> Result<(Self, Base)> {
        let wrong = |e: &dyn std::fmt::Display| usage(format!("{}: {e}", file.display()));
        let text = tandem_files::read_text(file).map_err(|e| wrong(&e))?;
        let layers = topology::parse(&text).map_err(|e| wrong(&e))?;
        let keys = toml::from_str(DEFAULTS).expect("they are TOML");
        Ok((Layers { layers, digest: short_digest(text.as_bytes()) }, Base::new(file, keys)))
    }
}

impl Topology {
    /// With its keys as TOML, made by the sweep `sweep` from `file`.
    ///
    /// # Errors   a key or value that is not allowed
    pub fn new(layers: Arc<Layers>, source: String, file: &Path, sweep: &Path) -> Result<Self> {
        let document = Document::new(sweep, source);
        // the lines are no file's
        let wrong = |error: ConfigError| match error {
            ConfigError::Invalid { key, value, problem, .. } => {
                let value = value.map_or(String::new(), |value| format!(" = {value}"));
                usage(format!("{}: `{key}`{value}: {problem}", sweep.display()))
            }
            other => other.into(),
        };
        let keys: Keys = toml::from_str(document.text()).map_err(|e| wrong(document.explain(&e)))?;
        let BitsKeys { weights, activations, gradients } = keys.bits;
        for (key, bits) in [("weights", weights), ("activations", activations), ("gradients", gradients)] {
            if !(1..=16).contains(&bits) {
                return Err(wrong(document.invalid(&format!("bits.{key}"), "expected 1 to 16")));
            }
        }
        if !(1..=MOST_IMAGES).contains(&keys.batch) {
            return Err(wrong(document.invalid("batch", format!("expected 1 to {MOST_IMAGES}"))));
        }
        let pattern = keys.pattern.as_deref().map(parse_pattern).transpose();
        let pattern = pattern.map_err(|why| wrong(document.invalid("pattern", why)))?;
        let accelerator = relative_to(file.parent().unwrap_or(Path::new("")), &keys.accelerator);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let source = format!("# layers of {name}\n{}", document.text());
        Ok(Topology { layers, keys, pattern, accelerator, source })
    }
}

impl Network {
    /// Products of a training step; an experiment's images have this shape.
    ///
    /// # Errors   layers that make no network
    pub fn works(&self, shape: Option<Known>) -> Result<Vec<Work>> {
        match self {
            Network::Experiment(experiment) => {
                of_experiment(experiment, shape.expect("an experiment has images"), None, true)
            }
            Network::Topology(Topology { layers, keys, pattern, .. }) => {
                let BitsKeys { weights, activations, gradients } = keys.bits;
                let widths = Widths { activations, weights, gradients };
                Ok(of_topology(&layers.layers, keys.batch, widths, *pattern, true))
            }
        }
    }

    /// The experiment, if it is one.
    pub fn experiment(&self) -> Option<&Experiment> {
        match self {
            Network::Experiment(experiment) => Some(experiment),
            Network::Topology(_) => None,
        }
    }

    /// Images of a step.
    pub fn batch(&self) -> usize {
        match self {
            Network::Experiment(experiment) => experiment.data.batch,
            Network::Topology(topology) => topology.keys.batch,
        }
    }

    /// The accelerator that it names: a name, or a path.
    pub fn accelerator_place(&self) -> String {
        match self {
            Network::Experiment(experiment) => experiment.accelerator_place(),
            Network::Topology(topology) => topology.accelerator.clone(),
        }
    }

    /// Its keys as TOML.
    pub fn source(&self) -> &str {
        match self {
            Network::Experiment(experiment) => experiment.source(),
            Network::Topology(topology) => &topology.source,
        }
    }

    /// What decides its cycles, of a topology.
    pub(super) fn digest(topology: &Topology) -> [String; 2] {
        let keys = Keys { accelerator: String::new(), ..topology.keys.clone() };
        [topology.layers.digest.clone(), format!("{keys:?}")]
    }
}
