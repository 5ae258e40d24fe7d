//! Failures and their exit codes: 1 a failed check or a failing disk, 2 bad usage or configuration, 3 a missing or failing tool.

use std::{fmt, io};
use tandem_driver::DeviceError;
use tandem_files::CacheError;
use tandem_link::LinkError;
use tandem_nn::checkpoint::CheckpointError;
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

/// A tool that is missing or fails (3).
pub fn tool(message: impl fmt::Display) -> anyhow::Error {
    Failure::new(3, message).into()
}

/// An error and its causes, those left out that the message before says already.
pub fn text(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
        said = cause;
    }
    text
}

/// The exit code of an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(code) = error.chain().find_map(decided) {
        return code;
    }
    // whatever carries the system's reason: a full or failing disk is no mistake of the user
    let reasons = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if reasons.map(io::Error::kind).all(tandem_files::is_usage) { 2 } else { 1 }
}

/// The exit code of errors that have one of their own.
fn decided(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(f) = cause.downcast_ref::<Failure>() {
        return Some(f.code);
    }
    if let Some(e) = cause.downcast_ref::<EngineError>() {
        return match e {
            EngineError::Io { source, .. } if !tandem_files::is_usage(source.kind()) => Some(1),
            _ => Some(3),
        };
    }
    if cause.is::<LinkError>() {
        return Some(3);
    }
    if let Some(e) = cause.downcast_ref::<SynthError>() {
        return match e {
            SynthError::DoesNotFit { .. } | SynthError::Loader { .. } => Some(1),
            SynthError::Cache(CacheError::File(e)) if !e.is_usage() => Some(1),
            e if e.is_tool() => Some(3),
            _ => None,
        };
    }
    if let Some(DataError::ToolMissing { .. } | DataError::ToolFailed { .. }) = cause.downcast_ref() {
        return Some(3);
    }
    if let Some(e) = cause.downcast_ref::<TrainError>() {
        return match e {
            TrainError::Product { source: DeviceError::Engine { .. }, .. } => Some(3),
            TrainError::Diverged { .. } | TrainError::NotFinite { .. } | TrainError::Unfit { .. } => Some(1),
            TrainError::Checkpoint(CheckpointError::NotFinite { .. }) => Some(1),
            _ => None,
        };
    }
    match cause.downcast_ref() {
        Some(CheckpointError::NotFinite { .. }) => Some(1),
        _ => matches!(cause.downcast_ref(), Some(DeviceError::Engine { .. })).then_some(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind::{
        FileTooLarge, InvalidData, NotFound, PermissionDenied, QuotaExceeded, StorageFull,
    };
    use tandem_files::FileError;
    use tandem_nn::config::ConfigError;

    /// Every error that carries the system's reason, for a reason.
    fn carriers(kind: io::ErrorKind) -> Vec<anyhow::Error> {
        let file = || "f".into();
        let source = || io::Error::from(kind);
        let written = || CheckpointError::Write { file: file(), source: FileError::io(&file(), source()) };
        vec![
            source().into(),
            FileError::io(&file(), source()).into(),
            written().into(),
            CheckpointError::Read { file: file(), source: source() }.into(),
            TrainError::from(written()).into(),
            DataError::Read { file: file(), source: source() }.into(),
            DataError::Write { path: file(), source: source() }.into(),
            DataError::Gzip { file: file(), source: source() }.into(),
            TrainError::from(DataError::Write { path: file(), source: source() }).into(),
            ConfigError::Read { file: file(), source: source() }.into(),
            anyhow::Error::from(written()).context("one more"),
            SynthError::Io { file: "f".into(), source: source() }.into(),
        ]
    }

    #[test]
    fn a_full_disk_is_a_failure_and_a_wrong_path_a_mistake() {
        for (kind, code) in [
            (StorageFull, 1),
            (QuotaExceeded, 1),
            (FileTooLarge, 1),
            (NotFound, 2),
            (PermissionDenied, 2),
            (InvalidData, 2),
        ] {
            for error in carriers(kind) {
                assert_eq!(exit_code(&error), code, "{error:#}");
            }
        }
    }

    #[test]
    fn a_full_disk_under_a_tool_is_no_missing_tool() {
        let source = || io::Error::from(StorageFull);
        let engine = EngineError::Io { file: "f".into(), source: source() };
        let cache = SynthError::Cache(CacheError::File(FileError::io(std::path::Path::new("f"), source())));
        assert_eq!((exit_code(&engine.into()), exit_code(&cache.into())), (1, 1));
        let engine = EngineError::Io { file: "f".into(), source: NotFound.into() };
        assert_eq!(exit_code(&engine.into()), 3);
    }

    #[test]
    fn a_cause_is_said_once() {
        for error in carriers(StorageFull) {
            let text = text(&error);
            assert_eq!(text.matches("no storage space").count(), 1, "{text}");
        }
        let error = anyhow::anyhow!("inner").context("middle").context("outer");
        assert_eq!(text(&error), "outer: middle: inner");
        let device = || DeviceError::Engine { engine: "serial".into(), what: "gone".into() };
        let tells = anyhow::Error::from(device()).context(format!("layer `a`: {}", device()));
        assert_eq!(text(&tells), format!("layer `a`: {}", device()));
    }

    #[test]
    fn numbers_that_are_none_are_a_failed_check() {
        let tensor = || "fc.weight".to_owned();
        let saved = || CheckpointError::NotFinite { file: "f".into(), tensor: tensor() };
        let all: Vec<anyhow::Error> = vec![
            saved().into(),
            TrainError::from(saved()).into(),
            TrainError::NotFinite { tensor: tensor(), step: 1 }.into(),
            TrainError::Diverged { step: 1 }.into(),
            TrainError::Unfit { first: 0, last: 1 }.into(),
        ];
        assert!(all.iter().all(|error| exit_code(error) == 1));
    }
}
