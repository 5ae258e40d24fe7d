//! What can go wrong on the way to a bitstream.

use crate::report::Resources;
use std::path::Path;
use thiserror::Error;

/// Why there is no bitstream.
#[derive(Debug, Error)]
pub enum SynthError {
    /// Neither a file nor a known name.
    #[error("board `{name}`: neither a file nor one of {known}")]
    UnknownBoard {
        /// The name.
        name: String,
        /// The boards that are built in.
        known: String,
    },
    /// Not TOML, or an unknown or missing key; the message quotes the line.
    #[error("{file}: {message}")]
    BoardSyntax {
        /// The file.
        file: String,
        /// What the parser said.
        message: String,
    },
    /// A value that is not allowed.
    #[error("{file}: {key} = {value}: expected {allowed}")]
    BoardValue {
        /// The file.
        file: String,
        /// Dotted key.
        key: String,
        /// The value found.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A serial link that cannot be built.
    #[error("{file}: {message}")]
    BoardLink {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The hardware description is wrong: a bug.
    #[error("the generated hardware is wrong: {0}")]
    Elaboration(#[from] tandem_rtl::hdl::ElabError),
    /// A tool is not there.
    #[error(
        "{tool} was not found: run `make setup-fpga` in tandem's workspace, or set TANDEM_FPGA to a virtual environment with it"
    )]
    Missing {
        /// The tool.
        tool: String,
    },
    /// The tools are in a folder that somebody else could have written to.
    #[error("{0}")]
    Untrusted(tandem_files::FileError),
    /// The cache has no place, or not one of this user's own.
    #[error("{0}")]
    Cache(tandem_files::CacheError),
    /// The caller wished to stop.
    #[error("stopped")]
    Stopped,
    /// A tool failed.
    #[error("`{command}` failed with {status}\n{tail}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// The end of its messages.
        tail: String,
    },
    /// The board's file names no board of the loader.
    #[error("board {board} cannot be programmed: its file has no program.openfpgaloader")]
    NotProgrammable {
        /// The board.
        board: String,
    },
    /// The loader failed; it has said why.
    #[error("`{command}` failed with {status}; what it said is above")]
    Loader {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
    },
    /// The design needs more than the device has.
    #[error("{design} does not fit {device}:\n{}", used.table())]
    DoesNotFit {
        /// The accelerator.
        design: String,
        /// The device.
        device: String,
        /// What it needs.
        used: Box<Resources>,
    },
    /// A tool's report is not understood.
    #[error("{file}: {what}")]
    Report {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// A file.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl SynthError {
    /// An error of reading or writing `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        SynthError::Io { file: path.display().to_string(), source }
    }

    /// Whether a tool or the cache is missing, failed or not to be trusted, rather than the request being wrong.
    pub fn is_tool(&self) -> bool {
        matches!(
            self,
            SynthError::Missing { .. }
                | SynthError::Untrusted(_)
                | SynthError::Cache(_)
                | SynthError::Failed { .. }
                | SynthError::Report { .. }
        )
    }
}
