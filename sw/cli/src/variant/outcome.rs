//! What a variant came to, and its file.

use super::Variant;
use crate::engines::{self, EngineKind};
use crate::failure::usage;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use tandem_nn::backend::ledger::{Busy, Counters};
use tandem_nn::config::Experiment;
use tandem_nn::data::{self, DataError, Dataset};
use tandem_nn::train::identity::{Identity, IdentityError};
use tandem_nn::train::{Part, Trainer};

/// What a variant came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Seed.
    pub seed: u64,
    /// Engine.
    pub engine: String,
    /// Share of test images with the right answer after the last epoch.
    pub test_accuracy: f64,
    /// Share of the images that were held back, if there are any.
    pub validation_accuracy: Option<f64>,
    /// Share of all weights that masks keep in the end.
    pub density: f64,
    /// Steps of training.
    pub steps: u64,
    /// All products of training: scoring, and gradients that masks would have spared, included.
    pub cost: Counters,
    /// Cycles in which each unit was busy.
    #[serde(default)]
    pub busy: Busy,
    /// The part of `cost` that scores took.
    pub scoring: Counters,
    /// Layer by layer, beside dense.
    pub accounting: serde_json::Value,
    /// Digest of the trained network.
    pub weights_digest: String,
    /// Seconds that it took.
    pub wall_s: f64,
    /// The experiment, as TOML.
    pub experiment: String,
    /// The accelerator, as TOML.
    pub accelerator: String,
    /// All that decides the result.
    pub identity: Option<Identity>,
}

/// A data set that several variants train on.
#[derive(Clone)]
pub struct Data {
    /// The images.
    pub set: Arc<Dataset>,
    /// Its digest, made once: all images are read for it.
    pub digest: String,
}

impl Data {
    /// A data set and its digest.
    pub fn new(set: Dataset) -> Self {
        Data { digest: set.digest(), set: Arc::new(set) }
    }
}

/// Data sets, each loaded once.
pub struct Sets {
    folder: Option<PathBuf>,
    sets: BTreeMap<(String, String), Data>,
}

impl Sets {
    /// Those below a folder, or where they are by default.
    pub fn new(folder: Option<&Path>) -> Self {
        Sets { folder: folder.map(Path::to_owned), sets: BTreeMap::new() }
    }

    /// The one that a variant trains on.
    ///
    /// # Errors   it cannot be loaded
    pub fn of(&mut self, experiment: &Experiment) -> Result<Data, DataError> {
        let (name, options) = (&experiment.data.set, &experiment.data.options);
        let key = (name.clone(), format!("{options:?}"));
        if !self.sets.contains_key(&key) {
            let set = data::load_with(name, self.folder.as_deref(), options)?;
            self.sets.insert(key.clone(), Data::new(set));
        }
        Ok(self.sets[&key].clone())
    }
}

/// Trains a variant, or takes its outcome from `file`, if it is there. True if it was trained.
///
/// # Errors   the file has another outcome, or training fails
pub fn run(variant: Variant<'_>, data: &Data, kind: &EngineKind, file: &Path) -> Result<(Outcome, bool)> {
    let accelerator = variant.config.to_toml();
    let identity = Identity::new(variant.experiment, &accelerator, data.digest.clone());
    if let Some(outcome) = kept(file, &identity, kind)? {
        return Ok((outcome, false));
    }
    let begun = Instant::now();
    let engine = engines::backend(kind, variant.config, None)?;
    let mut trainer = Trainer::new(variant.experiment.clone(), Arc::clone(&data.set), engine)?;
    let go_on = AtomicBool::new(false);
    while !trainer.is_finished() {
        trainer.epoch(&mut (), &go_on)?;
    }
    let mut accuracy = |part| -> Result<f64> {
        Ok(trainer.evaluate(part, &mut (), &go_on)?.context("evaluation")?.accuracy)
    };
    let test_accuracy = accuracy(Part::Test)?;
    let held_back = accuracy(Part::Validation)?;
    let report = trainer.pruning_report();
    let (kept, weights) = report.iter().fold((0, 0), |(k, w), layer| (k + layer.kept, w + layer.weights));
    let outcome = Outcome {
        seed: variant.experiment.train.seed,
        engine: kind.name().to_owned(),
        test_accuracy,
        validation_accuracy: (trainer.experiment().data.validation > 0).then_some(held_back),
        density: kept as f64 / weights as f64,
        steps: trainer.steps(),
        cost: trainer.training_cost().total(),
        busy: trainer.training_cost().busy(),
        scoring: trainer.training_cost().scoring(),
        accounting: serde_json::to_value(trainer.accounting())?,
        weights_digest: trainer.digest(),
        wall_s: begun.elapsed().as_secs_f64(),
        experiment: variant.experiment.source().to_owned(),
        accelerator,
        identity: Some(identity),
    };
    tandem_files::replace(file, serde_json::to_string_pretty(&outcome)?.as_bytes())?;
    Ok((outcome, true))
}

/// The outcome of a variant in a file, if it is there.
///
/// # Errors   it is another one, or no outcome
pub fn kept_of(variant: Variant<'_>, data: &Data, kind: &EngineKind, file: &Path) -> Result<Option<Outcome>> {
    kept(file, &Identity::new(variant.experiment, &variant.config.to_toml(), data.digest.clone()), kind)
}

fn kept(file: &Path, identity: &Identity, kind: &EngineKind) -> Result<Option<Outcome>> {
    if !file.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let outcome: Outcome =
        serde_json::from_str(&text).map_err(|e| usage(format!("{}: {e}", file.display())))?;
    same(&outcome, identity, kind).map_err(|why| {
        usage(format!("{}: {why}; nothing is overwritten (choose another -o)", file.display()))
    })?;
    Ok(Some(outcome))
}

/// Whether an outcome is that of this run, or why not.
fn same(outcome: &Outcome, identity: &Identity, kind: &EngineKind) -> Result<(), String> {
    if outcome.engine != kind.name() {
        return Err(format!("was made on engine {}, now {}", outcome.engine, kind.name()));
    }
    match &outcome.identity {
        None => Err(IdentityError::Unknown.to_string()),
        Some(saved) if saved == identity => Ok(()),
        Some(saved) => Err(match identity.check(saved) {
            Err(difference) => difference.to_string(),
            // a run may go on for more epochs, an outcome is of so many
            Ok(()) => "the experiment has changed: `train.epochs`".to_owned(),
        }),
    }
}
