//! One point: a network, an accelerator, a seed.

use super::clock::Clock;
use super::network::Network;
use crate::variant::Variant;
use sha2::{Digest, Sha256};
use tandem_nn::config::{Document, Experiment, Setting};
use tandem_nn::train::identity::Identity;
use tandem_spec::Config;
use tandem_synth::Area;
use toml::Value;

/// A point that can run.
#[derive(Clone, Debug)]
pub struct Point {
    /// Made from all that decides its result but the data: the same in every place.
    pub id: String,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed; none where nothing is trained.
    pub seed: Option<u64>,
    /// What is computed.
    pub network: Network,
    /// What computes it.
    pub config: Config,
    /// What the accelerator takes of a board, if the sweep has `[silicon]`.
    pub area: Option<Area>,
    /// Its clock, if the sweep has `[clock]`.
    pub clock: Option<Clock>,
}

/// A point that does not run.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its name, if it got that far.
    pub id: Option<String>,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed; none where nothing is trained.
    pub seed: Option<u64>,
    /// Why it does not run.
    pub reason: String,
}

impl Point {
    /// The name of a network on an accelerator.
    pub fn id(network: &Network, config: &Config) -> String {
        let text = match network {
            Network::Experiment(experiment) => {
                serde_json::to_string(&Identity::new(experiment, &config.to_toml(), String::new()))
            }
            Network::Topology(topology) => {
                serde_json::to_string(&(Network::digest(topology), config.hash_text()))
            }
        };
        short_digest(text.expect("plain data").as_bytes())
    }

    /// What is trained.
    ///
    /// # Panics   if it is a topology, which is not
    pub fn variant(&self) -> Variant<'_> {
        let experiment = self.network.experiment().expect("topologies are not trained");
        Variant { experiment, config: &self.config }
    }

    /// The same point, trained for so many epochs.
    ///
    /// # Errors   the experiment does not take them
    pub fn with_epochs(&self, epochs: u32) -> anyhow::Result<Point> {
        let Variant { experiment, config } = self.variant();
        let mut table = toml::from_str(experiment.source()).expect("it is an experiment");
        Setting::new("halving", "train.epochs", Value::from(epochs)).apply(&mut table)?;
        let text = toml::to_string(&table).expect("tables of TOML are TOML");
        let experiment = Experiment::parse(Document::new(experiment.file(), text))?;
        let network = Network::Experiment(Box::new(experiment));
        Ok(Point { id: Point::id(&network, config), network, ..self.clone() })
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

/// Twelve hexadecimal digits of what a name is made from.
pub fn short_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
