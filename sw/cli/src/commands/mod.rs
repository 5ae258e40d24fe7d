//! One file a command: arguments, work, report.

pub mod board;
pub mod check;
pub mod compare;
pub mod conv;
pub mod data;
pub mod doctor;
pub mod estimate;
pub mod eval;
pub mod explain;
pub mod fft;
pub mod filter;
pub mod gemm;
pub mod generate;
pub mod plot;
pub mod quantize;
pub mod run;
mod step_time;
pub mod sweep;
pub mod synth;
pub mod train;

use crate::engines::{self, EngineKind};
use crate::failure::usage;
use anyhow::Result;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use tandem_files::{Existing, Output};
use tandem_nn::config::{Setting, SettingError};
use tandem_spec::Config;

/// What becomes of outputs that exist.
#[derive(Clone, Copy, clap::Args)]
pub struct Force {
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

impl Force {
    /// For [`tandem_files`].
    pub fn existing(self) -> Existing {
        Existing::forced(self.force)
    }
}

/// Looks whether the file of an option can be written, before the work for it starts.
///
/// # Errors   as [`Output::open`]
pub fn output(path: Option<&PathBuf>, force: Force) -> Result<Option<Output>> {
    Ok(path.map(|path| Output::open(path, force.existing())).transpose()?)
}

/// Changes to the accelerator that a command reads.
#[derive(Clone, clap::Args)]
pub struct SetAccelerator {
    /// Changes a key of the accelerator, such as array.rows=4.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SetAccelerator {
    /// The accelerator of a file, or of a name, with the changes.
    ///
    /// # Errors   a change that cannot be made, or an accelerator that is not valid
    pub fn read(&self, name: &str) -> Result<Config> {
        engines::accelerator_with(name, settings(&self.set)?)
    }
}

/// What commands that train many variants of an experiment have in common.
#[derive(Clone, clap::Args)]
pub struct Variants {
    /// Who computes the products: model or sim.
    #[arg(long, default_value = "model")]
    engine: EngineKind,
    /// Seeds 1 to N instead of the file's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Changes a key of every variant's experiment, such as train.epochs=5 or layer.conv1.bits.weights=2.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the data sets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Variants {
    /// Whether the engine has cycles that can be compared.
    ///
    /// # Errors   it has none
    fn check(&self) -> Result<()> {
        match &self.engine {
            EngineKind::Model | EngineKind::Sim => Ok(()),
            other => {
                Err(usage(format!("--engine {}: has no cycles to compare; use model or sim", other.name())))
            }
        }
    }

    /// The first option that only makes sense where something is trained.
    fn of_training(&self) -> Option<&'static str> {
        let given = [
            ("--seeds", self.seeds.is_some()),
            ("--data", self.data.is_some()),
            ("--engine", !matches!(self.engine, EngineKind::Model)),
        ];
        given.iter().find(|(_, is_given)| *is_given).map(|(name, _)| *name)
    }

    /// The arguments that say the same.
    fn arguments(&self) -> Vec<OsString> {
        let mut all = vec![option("--engine", self.engine.name())];
        all.extend(self.seeds.map(|n| option("--seeds", n.to_string())));
        all.extend(self.set.iter().map(|set| option("--set", set)));
        all.extend(self.data.as_ref().map(|data| option("--data", data)));
        all
    }

    /// The seeds of a file, or those that are asked for.
    fn seeds(&self, of_file: Option<Vec<u64>>) -> Option<Vec<u64>> {
        self.seeds.map(|n| (1..=n).collect()).or(of_file)
    }

    fn settings(&self) -> Result<Vec<Setting>, SettingError> {
        settings(&self.set)
    }

    /// The same with one setting more, which wins.
    fn with(&self, setting: String) -> Self {
        let mut all = self.clone();
        all.set.push(setting);
        all
    }
}

/// An option and its value as one argument.
pub fn option(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(value);
    argument
}

/// The values of `--set`.
///
/// # Errors   one that is not KEY=VALUE
pub fn settings(texts: &[String]) -> Result<Vec<Setting>, SettingError> {
    texts.iter().map(|text| Setting::parse(text)).collect()
}
