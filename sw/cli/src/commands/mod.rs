//! One file a command: arguments, work, report.

pub mod board;
pub mod check;
pub mod compare;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod fft;
pub mod gemm;
pub mod generate;
pub mod plot;
pub mod run;
mod step_time;
pub mod synth;
pub mod train;

use anyhow::Result;
use std::path::Path;
use tandem_files::Existing;
use tandem_nn::config::{Setting, SettingError};

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

/// Writes a new file.
///
/// # Errors   it cannot be written; what was there stays
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    Ok(tandem_files::write(path, Existing::Keep, content)?)
}

/// The values of `--set`.
///
/// # Errors   one that is not KEY=VALUE
pub fn settings(texts: &[String]) -> Result<Vec<Setting>, SettingError> {
    texts.iter().map(|text| Setting::parse(text)).collect()
}
