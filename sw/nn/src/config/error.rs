//! What is wrong with an experiment, and where.

use super::SettingError;
use std::io;
use std::path::PathBuf;

/// A mistake in an experiment's file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}: {problem}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser expected.
        problem: String,
    },
    /// A key is unknown or missing, or its value is not allowed.
    #[error("{}:{line}: `{key}`{}: {problem}", file.display(), value.as_ref().map(|v| format!(" = {v}")).unwrap_or_default())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key, with the tables it is in; layers count from 0.
        key: String,
        /// The value as written, if it fits a line.
        value: Option<String>,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// A setting from outside the file: it cannot be made, or its value is not allowed.
    #[error(transparent)]
    Setting(#[from] SettingError),
}
