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

/// An error with its causes. What one already says of its cause is not said again.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
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
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no such thing");
        // its own text ends with that of its source
        let error = anyhow::Error::new(EngineError::Io { file: "a".into(), source }).context("reading");
        assert_eq!(message(&error), "reading: a: no such thing");
        assert_eq!(message(&anyhow::anyhow!("why").context("what")), "what: why");
    }
}
