//! One file a command: arguments, work, report.

pub mod board;
pub mod check;
pub mod compare;
pub mod conv;
pub mod data;
pub mod doctor;
pub mod estimate;
pub mod eval;
pub mod fft;
pub mod gemm;
pub mod generate;
pub mod plot;
pub mod run;
mod step_time;
pub mod sweep;
pub mod synth;
pub mod train;

use crate::engines;
use anyhow::Result;
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

/// The values of `--set`.
///
/// # Errors   one that is not KEY=VALUE
pub fn settings(texts: &[String]) -> Result<Vec<Setting>, SettingError> {
    texts.iter().map(|text| Setting::parse(text)).collect()
}
