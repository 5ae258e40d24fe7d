//! What a result was made from: experiment, accelerator, data, numerics, and initial weights if they were given.
//!
//! The seed is one of the experiment's keys. The engine is no part of it: all exact ones give the same bits. Two runs of
//! the same identity end with the same weights, so a run may go on from a checkpoint, and an outcome may be used again,
//! exactly if identities agree.
//!
//! One difference is sound: more `train.epochs`, if nothing depends on how many there are: the learning rate (`schedule` "constant" or
//! "step"), pruning (no `[pruning]`), quantizers that are fitted (`refit_until` 1). The run is then the one that had them from the start.

use crate::checkpoint::State;
use crate::config::{Experiment, Keys, flatten};
use crate::digest::Digest;
use serde::{Deserialize, Serialize};

/// Version of the arithmetic. Raised whenever the same experiment and data give other weights than before: with every
/// change that gives a golden digest of the tests another value.
pub const NUMERICS: u32 = 2;

/// Key under which a checkpoint keeps it.
const IDENTITY: &str = "identity";
/// The key that may grow.
const EPOCHS: &str = "train.epochs";

/// What decides a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// See [`Experiment::keys`].
    pub experiment: Keys,
    /// The accelerator's keys without its name; empty if none was given.
    pub accelerator: Keys,
    /// See [`crate::data::Dataset::digest`].
    pub data: String,
    /// See [`NUMERICS`].
    pub numerics: u32,
    /// Digest of the weights it started from, if they were not drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
}

/// Two results that were not made from the same. `saved` is the one that is there, `now` the one that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A key of the experiment differs.
    #[error("the experiment has changed: `{key}` was {}, now {}{}", text(saved), text(now), if key == EPOCHS { EXTENSION } else { "" })]
    Experiment {
        /// The key.
        key: String,
        /// Its value in the checkpoint, if it was set.
        saved: Option<String>,
        /// Its value now, if it is set.
        now: Option<String>,
    },
    /// A key of the accelerator differs.
    #[error("the accelerator has changed: `{key}` was {}, now {}", text(saved), text(now))]
    Accelerator {
        /// The key.
        key: String,
        /// Its value in the checkpoint, if it was set.
        saved: Option<String>,
        /// Its value now, if it is set.
        now: Option<String>,
    },
    /// The data differ.
    #[error("the data set has changed: its digest was {saved}, now {now}")]
    Data {
        /// Digest in the checkpoint.
        saved: String,
        /// Digest of the data at hand.
        now: String,
    },
    /// Another version of the arithmetic.
    #[error("it was made by version {saved} of the numerics, this program has version {now}")]
    Numerics {
        /// Version in the checkpoint.
        saved: u32,
        /// Version of this program.
        now: u32,
    },
    /// Not recorded.
    #[error("it does not say what it was made from: it was written by an earlier version, or damaged")]
    Unknown,
}

const EXTENSION: &str = ": it may only grow, and only with `train.schedule` \"constant\" or \"step\", without `[pruning]` and with `refit_until` 1";

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("not set")
}

impl Identity {
    /// The identity of a result. `accelerator`: its TOML text, empty for none; `data`: [`crate::data::Dataset::digest`], for which all of
    /// them are read.
    ///
    /// # Panics   if `accelerator` is not TOML
    pub fn new(experiment: &Experiment, accelerator: &str, data: String) -> Self {
        let mut keys = Keys::new();
        let table: toml::Table = accelerator.parse().expect("an accelerator's TOML text");
        flatten("", &serde_json::to_value(table).expect("TOML is plain data"), &mut keys);
        keys.remove("name");
        Identity { experiment: experiment.keys(), accelerator: keys, data, numerics: NUMERICS, initial: None }
    }

    /// The identity that a checkpoint keeps.
    ///
    /// # Errors   [`IdentityError::Unknown`]
    pub fn saved(state: &State) -> Result<Self, IdentityError> {
        let text = state.metadata(IDENTITY).ok_or(IdentityError::Unknown)?;
        serde_json::from_str(text).map_err(|_| IdentityError::Unknown)
    }

    /// Lets a checkpoint keep it.
    pub fn save(&self, state: &mut State) {
        let text = serde_json::to_string(self).expect("maps of texts are valid JSON");
        state.set_metadata(IDENTITY, &text);
    }

    /// Checks that a result of identity `saved` may be taken for one of this identity, or gone on from. `initial` is not looked at: a run that
    /// goes on keeps the saved one.
    ///
    /// # Errors   the first difference that is not sound (see the [module](self))
    pub fn check(&self, saved: &Identity) -> Result<(), IdentityError> {
        if saved.numerics != self.numerics {
            return Err(IdentityError::Numerics { saved: saved.numerics, now: self.numerics });
        }
        if let Some((key, saved, now)) = self.different_key(saved) {
            return Err(IdentityError::Experiment { key, saved, now });
        }
        if let Some((key, saved, now)) = difference(&saved.accelerator, &self.accelerator).next() {
            return Err(IdentityError::Accelerator { key, saved, now });
        }
        if saved.data != self.data {
            return Err(IdentityError::Data { saved: saved.data.clone(), now: self.data.clone() });
        }
        Ok(())
    }

    fn different_key(&self, saved: &Identity) -> Option<Difference> {
        let grows = |saved: &Option<String>, now: &Option<String>| {
            let number = |text: &Option<String>| text.as_ref()?.parse::<u64>().ok();
            number(saved) < number(now)
        };
        difference(&saved.experiment, &self.experiment)
            .find(|(key, saved, now)| !(key == EPOCHS && grows(saved, now) && self.is_open_ended()))
    }

    /// Whether no step depends on the number of epochs.
    fn is_open_ended(&self) -> bool {
        let schedule = self.experiment.get("train.schedule").map(String::as_str);
        let prunes = self.experiment.keys().any(|key| key.starts_with("pruning."));
        let freezes = |(key, value): (&String, &String)| key.ends_with(".refit_until") && value != "1.0";
        matches!(schedule, Some("\"constant\"" | "\"step\""))
            && !prunes
            && !self.experiment.iter().any(freezes)
    }

    /// SHA-256 of all of it.
    pub fn digest(&self) -> String {
        let mut digest = Digest::new();
        let text = serde_json::to_vec(self).expect("maps of texts are valid JSON");
        digest.add("identity", "JSON", &[], &text);
        digest.finish()
    }
}

/// A key and its two values.
type Difference = (String, Option<String>, Option<String>);

/// All differences, in order of the keys.
fn difference<'a>(saved: &'a Keys, now: &'a Keys) -> impl Iterator<Item = Difference> + 'a {
    let mut all: Vec<&String> = saved.keys().chain(now.keys()).collect();
    all.sort();
    all.dedup();
    let pair = |key: &'a String| (key.clone(), saved.get(key).cloned(), now.get(key).cloned());
    all.into_iter().map(pair).filter(|(_, saved, now)| saved != now)
}
