//! Failures and their exit codes: 1 a failed check or a failing disk, 2 bad usage or configuration, 3 a missing or failing tool.

use std::fmt;
use tandem_driver::DeviceError;
use tandem_files::FileError;
use tandem_link::LinkError;
use tandem_nn::data::DataError;
use tandem_nn::train::TrainError;
use tandem_spec::EngineError;
use tandem_synth::SynthError;

/// An error that decides the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The process's exit code.
    pub code: u8,
    message: String,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(code: u8, message: impl fmt::Display) -> Self {
        Failure { code, message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// A check that failed (1).
pub fn check(message: impl fmt::Display) -> anyhow::Error {
    Failure::new(1, message).into()
}

/// A mistake of the user (2).
pub fn usage(message: impl fmt::Display) -> anyhow::Error {
    Failure::new(2, message).into()
}

/// An error and its causes, each once: some tell of their cause themselves.
pub fn message(error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1).map(ToString::to_string);
    causes.fold(
        error.to_string(),
        |said, cause| {
            if said.contains(&cause) { said } else { format!("{said}: {cause}") }
        },
    )
}

/// The exit code of an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(f) = cause.downcast_ref::<Failure>() {
            return f.code;
        }
        if let Some(e) = cause.downcast_ref::<FileError>() {
            return if e.is_usage() { 2 } else { 1 };
        }
        if cause.is::<EngineError>() || cause.is::<LinkError>() {
            return 3;
        }
        if let Some(e) = cause.downcast_ref::<SynthError>() {
            return match e {
                SynthError::DoesNotFit { .. } | SynthError::Loader { .. } => 1,
                e if e.is_tool() => 3,
                _ => 2,
            };
        }
        if let Some(e) = cause.downcast_ref::<DataError>() {
            return if matches!(e, DataError::ToolMissing { .. } | DataError::ToolFailed { .. }) {
                3
            } else {
                2
            };
        }
        if let Some(TrainError::Product { source: DeviceError::Engine { .. }, .. }) =
            cause.downcast_ref::<TrainError>()
        {
            return 3;
        }
        if let Some(DeviceError::Engine { .. }) = cause.downcast_ref::<DeviceError>() {
            return 3;
        }
    }
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let device = || DeviceError::Engine { engine: "serial".into(), what: "gone".into() };
        let told = anyhow::Error::from(device()).context("step 3");
        assert_eq!(message(&told), format!("step 3: {}", device()));
        let tells = anyhow::Error::from(device()).context(format!("layer `a`: {}", device()));
        assert_eq!(message(&tells), format!("layer `a`: {}", device()));
    }
}
