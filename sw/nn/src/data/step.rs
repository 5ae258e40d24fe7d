//! An entry of `data.preprocess` or `data.augment`: a kind with its parameters.

use super::{augment, preprocess};
use std::collections::BTreeMap;
use tandem_filter::{FilterError, Parameter};

/// A kind, and what was said of its parameters, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name of the kind.
    pub kind: String,
    /// Parameters by name; what is not given has its default.
    pub values: BTreeMap<String, String>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    /// The key of the entry; empty: the entry itself.
    pub key: String,
    /// What is wrong with it, or what is expected.
    pub problem: String,
}

/// The two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `data.preprocess`: of every image, before all else, always in the same way.
    Preprocess,
    /// `data.augment`: of training images, in another way each epoch.
    Augment,
}

impl List {
    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            List::Preprocess => "preprocess",
            List::Augment => "augment",
        }
    }

    /// Names of all kinds, with their parameters.
    pub fn kinds(self) -> Vec<(&'static str, Vec<&'static Parameter>)> {
        match self {
            List::Preprocess => preprocess::kinds(),
            List::Augment => augment::AUGMENTATIONS
                .iter()
                .map(|kind| (kind.name, kind.parameters.iter().collect()))
                .collect(),
        }
    }

    /// Checks an entry.
    ///
    /// # Errors   another kind, an unknown or missing key, or a value that is not allowed
    pub fn check(self, step: &Step) -> Result<(), StepError> {
        match self {
            List::Preprocess => preprocess::build(step).map(drop),
            List::Augment => augment::build(step).map(drop),
        }
    }

    /// All parameters of an entry, with their defaults.
    pub fn described(self, step: &Step) -> BTreeMap<String, String> {
        let kinds = self.kinds();
        let parameters = kinds.iter().find(|(name, _)| *name == step.kind).into_iter().flat_map(|(_, p)| p);
        let value = |p: &&Parameter| {
            let text = step.values.get(p.name).map(String::as_str).or(p.default)?;
            Some((p.name.to_owned(), text.to_owned()))
        };
        parameters.filter_map(value).chain([("kind".to_owned(), step.kind.clone())]).collect()
    }

    /// The error that a list has no such kind.
    pub(super) fn unknown(self) -> StepError {
        let names: Vec<_> = self.kinds().iter().map(|(name, _)| format!("`{name}`")).collect();
        StepError { key: "kind".to_owned(), problem: format!("must be one of {}", names.join(", ")) }
    }
}

impl From<FilterError> for StepError {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::UnknownParameter { kind, name, known } => {
                let known = if known.is_empty() { "`kind` alone".to_owned() } else { known };
                StepError { key: name, problem: format!("unknown key of `{kind}`, expected {known}") }
            }
            FilterError::Value { name, expected, .. } => {
                StepError { key: name.to_owned(), problem: format!("expected {expected}") }
            }
            other => StepError { key: String::new(), problem: other.to_string() },
        }
    }
}
