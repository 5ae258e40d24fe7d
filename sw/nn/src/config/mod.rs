//! Experiments: TOML → validated [`Experiment`] → [`NetworkPlan`].
//!
//! ```toml
//! name = "digits-mlp"
//! accelerator = "default"
//!
//! [data]
//! set = "digits"
//! batch = 32
//!
//! [train]
//! epochs = 20
//! optimizer = "sgd"
//! lr = 0.05
//! schedule = "cosine"
//!
//! [bits]
//! weights = 4
//! activations = 4
//! gradients = 8
//!
//! [[layer]]
//! type = "linear"
//! outputs = 10
//! ```
//!
//! | table | keys (default) |
//! |---|---|
//! | top level | `name`, `accelerator` ("default") |
//! | `[data]` | `set`, `batch`, `images` (all): first training images used, `validation` (0): last ones held back |
//! | | `size`, `channels`, `memory` (1024): see [`crate::data::Options`]; `preprocess`, `augment`: lists of tables with `kind`, see [`crate::data::step::List`] |
//! | `[train]` | `epochs`, `seed` (0), `lr`, `optimizer`: "sgd" with `momentum` (0.9), "adam" with `beta1` (0.9), `beta2` (0.999), `eps` (1e-8), `weight_decay` (0) |
//! | | `schedule`: "constant", "cosine" or "linear" with `final_lr` (0), "step" with `step_epochs` and `step_factor`; `warmup_steps` (0) |
//! | `[bits]` | `weights`, `activations`, `gradients`, `spectra` (8), `results` (32) of Y and `input_gradients` (`results`) of dX, `weight_clip` ("max-abs"), `activation_clip` ("learned"): see [`crate::quant::CLIPS`] |
//! | | `weight_scale` ("tensor") or "channel", `gradient_quantizer` ("max-abs"): see [`crate::quant::gradient::GRADIENTS`] |
//! | | `level_bits` (4, or 8 for codes of more than 4 bits), `percentile` (99.9), `refit_steps` (10), `refit_until` (0.5): share of the run; see [`crate::quant::Fitting`] |
//! | `[[layer]]` | `type`: see [`crate::layers::LAYERS`], `name` (type and count), `input`: name of the layer whose output it takes (the one before), `bits`: an inline table of what differs from `[bits]`, and the keys of the type |
//! | `[pruning]` | if absent, nothing is pruned. `method`: see [`crate::prune::preset::PRESETS`]; it decides what is not given |
//! | | `pattern` ("unstructured"): "bins" of spectral layers, "1:4", "transposable 1:4", "N:4" with an open N, or a table of `n`, `m`, `transposable` |
//! | | `density` or (compute) `cycles`, shares of the dense ones, where the pattern leaves them open; `budget`: see [`crate::prune::budget::BUDGETS`] |
//! | | `layers`: names (all but the first and the last with weights); `[pruning.layer.NAME]`: `skip` (false) or another `pattern` |
//! | | `initial`: density after the first pruning, `shape`: "cubic" or "step", `start`, `end`: shares of the run, `interval` (a twentieth of what lies between them) in steps |
//! | | `initial_score`, `score`: see [`crate::prune::scores::SCORES`], `lambda_start`, `lambda_end`, `rounds`, `batches` (1) of the initial score |
//! | | `regrow`: share replaced by largest dense gradient, `rescale`: kept weights stay as large as those before, `forget`: dropped weights are 0, `sr_ste` (0): λ_w, `shuffle` (false): masks shuffled inside layers, `seed` (that of `[train]`) |
//!
//! Every bound is checked here, and shapes in [`Experiment::plan`]; a mistake names file, line, key,
//! value and what is allowed. After that nothing can be invalid.

mod bits;
mod canonical;
mod data;
mod document;
mod error;
mod named;
mod pruning;
pub mod setting;
mod train;

pub use crate::prune::config::{LayerOverride, PruningConfig, Target};
pub use canonical::Keys;
pub(crate) use canonical::flatten;
pub use data::DataConfig;
pub use document::Document;
pub use error::ConfigError;
pub use setting::{Setting, SettingError};
pub use train::TrainConfig;

use crate::layers::{LAYERS, LayerBits, LayerEntry};
use crate::network::plan::{NetworkPlan, PlanError};
use crate::prune::plan::Unfit;
use crate::tensor::Shape;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A validated experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// The accelerator it is meant for: a name under configs/accelerators, or a path.
    pub accelerator: String,
    /// What to train on.
    pub data: DataConfig,
    /// How to train.
    pub train: TrainConfig,
    /// The layers, first to last.
    pub layers: Vec<LayerEntry>,
    /// What to prune, and when.
    pub pruning: Option<PruningConfig>,
    document: Document,
}

/// The top level, without the layers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    #[serde(default = "default_accelerator")]
    accelerator: String,
    data: data::RawData,
    train: train::RawTrain,
    bits: bits::RawBits,
    pruning: Option<pruning::RawPruning>,
}

fn default_accelerator() -> String {
    "default".to_owned()
}

impl Experiment {
    /// Reads an experiment's file.
    ///
    /// # Errors   the file cannot be read, is not TOML, or has a key or value that is not allowed
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(Document::read_file(path)?)
    }

    /// Reads an experiment from a text.
    ///
    /// # Errors   as [`load`](Self::load)
    pub fn parse(document: Document) -> Result<Self, ConfigError> {
        let mut tree = document.tree()?;
        let layers = tree.remove("layer");
        let span = 0..document.text().len();
        let raw: Raw = document.read(Spanned::new(span, DeValue::Table(tree)))?;
        if let Err(error) = tandem_files::plain_name(&raw.name) {
            return Err(document.invalid("name", error.to_string()));
        }
        let data = DataConfig::new(raw.data, &document)?;
        let train = TrainConfig::new(raw.train, &document)?;
        let layers = document.layers(layers, raw.bits.complete(&document)?)?;
        let pruning = raw.pruning.map(|raw| PruningConfig::new(raw, &layers, &document)).transpose()?;
        Ok(Experiment {
            name: raw.name,
            accelerator: raw.accelerator,
            data,
            train,
            layers,
            pruning,
            document,
        })
    }

    /// The accelerator: a name, or a path. A path in a file is relative to that file.
    pub fn accelerator_place(&self) -> String {
        let folder = self.file().parent().unwrap_or(Path::new(""));
        relative_to(folder, &self.accelerator)
    }

    /// The file that it was read from: what it names is relative to it.
    pub fn file(&self) -> &Path {
        self.document.file()
    }

    /// The text that it was read from.
    pub fn source(&self) -> &str {
        self.document.text()
    }

    /// The network for images of this shape.
    ///
    /// # Errors   a layer that does not suit its input, or an output other than one value a class
    pub fn plan(&self, input: Shape, classes: usize) -> Result<NetworkPlan, ConfigError> {
        NetworkPlan::new(&self.layers, self.data.batch, input, classes).map_err(|error| match error {
            PlanError::Layer { layer, key, problem } => {
                self.document.invalid(&format!("layer[{layer}].{key}"), problem)
            }
            PlanError::Batch { problem } => self.document.invalid("data.batch", problem),
        })
    }

    /// Checks batch, images and validation against the number of training images in the set, `all`.
    ///
    /// # Errors   validation ≥ all, images > all − validation, or batch > images
    pub fn check_images(&self, all: usize) -> Result<(), ConfigError> {
        if self.data.validation >= all {
            let problem = format!("must be less than the {all} training images");
            return Err(self.document.invalid("data.validation", problem));
        }
        let rest = all - self.data.validation;
        if self.data.images.is_some_and(|images| images > rest) {
            let problem = format!("must be at most {rest}, the number of training images");
            return Err(self.document.invalid("data.images", problem));
        }
        let images = self.data.training_images(all);
        if self.data.batch > images {
            let problem = format!("must be at most {images}, the number of training images");
            return Err(self.document.invalid("data.batch", problem));
        }
        Ok(())
    }

    /// The error that the table `[pruning]` does not suit the network.
    pub(crate) fn unfit_pruning(&self, unfit: Unfit) -> ConfigError {
        self.document.invalid(&format!("pruning.{}", unfit.key), unfit.problem)
    }
}

/// Whether a name of an accelerator or board is a path: it has a `/` or ends with `.toml`.
pub fn is_path(place: &str) -> bool {
    place.contains('/') || place.ends_with(".toml")
}

/// A name as it is, and a path as seen from `folder`.
pub fn relative_to(folder: &Path, place: &str) -> String {
    if is_path(place) { folder.join(place).to_string_lossy().into_owned() } else { place.to_owned() }
}

impl Document {
    fn read<T: DeserializeOwned>(&self, value: Spanned<DeValue<'_>>) -> Result<T, ConfigError> {
        T::deserialize(value.into_deserializer()).map_err(|error| self.explain(&error))
    }

    fn layers(
        &self,
        value: Option<Spanned<DeValue<'_>>>,
        bits: LayerBits,
    ) -> Result<Vec<LayerEntry>, ConfigError> {
        let problem = "at least one `[[layer]]` is needed";
        let Some(value) = value else {
            return Err(self.invalid("layer", problem));
        };
        let DeValue::Array(tables) = value.into_inner() else {
            return Err(self.invalid("layer", "must be a list of tables: at least one `[[layer]]`"));
        };
        if tables.is_empty() {
            return Err(self.invalid("layer", problem));
        }
        let mut counts = BTreeMap::new();
        let mut layers: Vec<LayerEntry> = Vec::new();
        for (i, table) in tables.into_iter().enumerate() {
            let span = table.span();
            let DeValue::Table(table) = table.into_inner() else {
                return Err(self.invalid(&format!("layer[{i}]"), "must be a table"));
            };
            let layer = self.layer(i, table, span, bits, &mut counts)?;
            if layer.name == "input" || layers.iter().any(|other| other.name == layer.name) {
                let problem = format!("the name `{}` is taken", layer.name);
                return Err(self.invalid(&format!("layer[{i}].name"), problem));
            }
            layers.push(layer);
        }
        Ok(layers)
    }

    fn layer(
        &self,
        index: usize,
        mut table: DeTable<'_>,
        span: std::ops::Range<usize>,
        bits: LayerBits,
        counts: &mut BTreeMap<&'static str, usize>,
    ) -> Result<LayerEntry, ConfigError> {
        let names = || LAYERS.iter().map(|k| format!("`{}`", k.name)).collect::<Vec<_>>();
        let unknown = || {
            let problem = format!("must be one of {}", names().join(", "));
            self.invalid(&format!("layer[{index}].type"), problem)
        };
        let kind: String = self.read(table.remove("type").ok_or_else(unknown)?)?;
        let kind = LAYERS.iter().find(|k| k.name == kind).ok_or_else(unknown)?;
        let count = counts.entry(kind.name).or_insert(0);
        *count += 1;
        let name = match table.remove("name") {
            Some(name) => self.read(name)?,
            None => format!("{}{count}", kind.name),
        };
        let input = table.remove("input").map(|name| self.read(name)).transpose()?;
        let own: Option<bits::RawBits> = table.remove("bits").map(|b| self.read(b)).transpose()?;
        let spec =
            (kind.parse)(Spanned::new(span, DeValue::Table(table))).map_err(|error| self.explain(&error))?;
        Ok(LayerEntry {
            name,
            kind: kind.name,
            input,
            spec,
            overrides_bits: own.is_some(),
            bits: own.map_or(bits, |own| own.of(bits)),
        })
    }
}
