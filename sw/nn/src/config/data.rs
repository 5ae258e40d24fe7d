//! The table `[data]`.

use super::{ConfigError, Document};
use crate::number::Int;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawAugment {
    #[default]
    None,
    Shift,
}

/// The table `[data]`, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    set: String,
    batch: Int<1, 65_536>,
    images: Option<Int<1, 1_000_000_000>>,
    #[serde(default)]
    validation: Int<0, 1_000_000_000>,
    #[serde(default)]
    augment: RawAugment,
    shift: Option<Int<1, 16>>,
}

/// How training images are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augment {
    /// Not at all.
    None,
    /// Moved by up to this many pixels along each axis; black moves in.
    Shift(usize),
}

/// What to train on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataConfig {
    /// Name of the data set.
    pub set: String,
    /// Images in a step. An epoch's last images that do not fill one are left out.
    pub batch: usize,
    /// The first images of the training set are trained on, so many; `None`: all that are not held back.
    pub images: Option<usize>,
    /// The last images of the training set, held back for choices.
    pub validation: usize,
    /// How training images are changed.
    pub augment: Augment,
}

impl DataConfig {
    pub(super) fn new(raw: RawData, document: &Document) -> Result<Self, ConfigError> {
        let augment = match (raw.augment, raw.shift) {
            (RawAugment::None, None) => Augment::None,
            (RawAugment::Shift, shift) => Augment::Shift(shift.map_or(1, Int::get)),
            (RawAugment::None, Some(_)) => {
                let problem = "only with `augment = \"shift\"`";
                return Err(document.invalid("data.shift", problem));
            }
        };
        Ok(DataConfig {
            set: raw.set,
            batch: raw.batch.get(),
            images: raw.images.map(Int::get),
            validation: raw.validation.get(),
            augment,
        })
    }

    /// How many of `all` training images are trained on.
    pub fn training_images(&self, all: usize) -> usize {
        self.images.unwrap_or_else(|| all.saturating_sub(self.validation))
    }
}
