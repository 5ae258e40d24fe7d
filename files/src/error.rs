//! What can go wrong with an output.

use std::io;
use std::path::{Path, PathBuf};

/// An output that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file is there already.
    #[error("{}: exists; nothing is overwritten without --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A folder for output has something in it.
    #[error("{}: exists and is not empty; nothing is overwritten without --force", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder where a file is expected.
    #[error("{}: is a folder, expected a file", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file where a folder is expected.
    #[error("{}: is not a folder", path.display())]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// Another process works on the folder.
    #[error("{}: in use by another process", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A name that would lead out of a folder, or is no file name.
    #[error("name `{}`: expected a file name: no `/`, no control characters, not `.` or `..`, 1 to 200 bytes", name.escape_debug())]
    Name {
        /// The name.
        name: String,
    },
    /// A folder to be believed or run that somebody else could have written to.
    #[error("{}: owned by user {owner}, mode {mode:04o}; {remedy}", path.display())]
    Untrusted {
        /// The folder.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Its permissions.
        mode: u32,
        /// What was expected, and what to do.
        remedy: String,
    },
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FileError {
    /// An error of the system about `path`.
    pub fn io(path: &Path, source: io::Error) -> Self {
        FileError::Io { path: path.to_owned(), source }
    }

    /// Whether another place would do: a mistake of the user, not a failure such as a full disk.
    pub fn is_usage(&self) -> bool {
        match self {
            FileError::Io { source, .. } => is_usage(source.kind()),
            _ => true,
        }
    }
}

/// Whether the system refuses for something the user can put right by naming another place or other contents, rather than
/// because of a failure such as a full disk.
pub fn is_usage(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, ReadOnlyFilesystem, UnexpectedEof,
    };
    matches!(
        kind,
        AlreadyExists
            | InvalidData
            | InvalidFilename
            | InvalidInput
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
            | UnexpectedEof
    )
}
