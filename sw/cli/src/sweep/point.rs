//! One point: an experiment, an accelerator, a seed.

use crate::variant::Variant;
use sha2::{Digest, Sha256};
use tandem_nn::train::identity::Identity;
use tandem_synth::Area;

/// A point that can run.
#[derive(Clone, Debug)]
pub struct Point {
    /// Made from all that decides its result but the data: the same in every place.
    pub id: String,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// What runs.
    pub variant: Variant,
    /// What the accelerator takes of a board, if it was chosen by that.
    pub area: Option<Area>,
}

/// A point that does not run.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its name, if it got that far.
    pub id: Option<String>,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// Why it does not run.
    pub reason: String,
}

impl Point {
    /// The name of a variant.
    pub fn id(variant: &Variant) -> String {
        let identity = Identity::new(&variant.experiment, &variant.config.to_toml(), String::new());
        let text = serde_json::to_string(&identity).expect("plain data");
        Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether both have the same levels and seed: one may be trained for fewer epochs.
    pub fn is_sibling(&self, other: &Point) -> bool {
        (&self.levels, self.seed) == (&other.levels, other.seed)
    }

    /// The same point, not run for this reason.
    pub fn skipped(&self, reason: impl Into<String>) -> Skipped {
        let (id, levels) = (Some(self.id.clone()), self.levels.clone());
        Skipped { id, levels, seed: self.seed, reason: reason.into() }
    }
}
