//! What can be wrong with a checkpoint.

use super::Dtype;
use std::io;
use std::path::PathBuf;
use tandem_files::FileError;
use thiserror::Error;

/// A checkpoint that cannot be read, written or used; each case names the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be opened or read.
    #[error("cannot read checkpoint {}: {source}", file.display())]
    Read {
        /// The checkpoint.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is shorter or longer than its header says.
    #[error("checkpoint {} is {}: expected {expected} bytes, got {got}", file.display(), if got < expected { "truncated" } else { "too long" })]
    Length {
        /// The checkpoint.
        file: PathBuf,
        /// Bytes that the header announces; at least that many if the header itself is cut.
        expected: u64,
        /// Bytes in the file.
        got: u64,
    },
    /// The file is no safetensors file, or holds what tandem never writes.
    #[error("checkpoint {} is not a tandem safetensors file: {reason}", file.display())]
    Format {
        /// The checkpoint.
        file: PathBuf,
        /// What is malformed.
        reason: String,
    },
    /// The contents do not match the checksum stored with them.
    #[error("checkpoint {} is corrupt: its checksum is {expected}, its contents give {got}", file.display())]
    Checksum {
        /// The checkpoint.
        file: PathBuf,
        /// Checksum stored in the file.
        expected: String,
        /// Checksum of the contents.
        got: String,
    },
    /// A tensor is not there.
    #[error("checkpoint {}: tensor `{tensor}` is missing", file.display())]
    Missing {
        /// The checkpoint.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor has another shape.
    #[error("checkpoint {}: tensor `{tensor}`: expected shape {expected:?}, got {got:?}", file.display())]
    Shape {
        /// The checkpoint.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape that the network needs.
        expected: Vec<usize>,
        /// Shape in the checkpoint.
        got: Vec<usize>,
    },
    /// A tensor has another element type.
    #[error("checkpoint {}: tensor `{tensor}`: expected type {expected}, got {got}", file.display())]
    Type {
        /// The checkpoint.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Type that the network needs.
        expected: Dtype,
        /// Type in the checkpoint.
        got: Dtype,
    },
    /// A count that no run has.
    #[error("checkpoint {}: `{tensor}` is {value}: expected {expected}", file.display())]
    Value {
        /// The checkpoint.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its value.
        value: i64,
        /// What is allowed.
        expected: String,
    },
    /// A tensor has values that are infinite or not a number.
    #[error("checkpoint {}: tensor `{tensor}` has values that are not finite numbers", file.display())]
    NotFinite {
        /// The checkpoint.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// The checkpoint belongs to another network.
    #[error("checkpoint {} belongs to another network: expected `{expected}`, got `{got}`", file.display())]
    Network {
        /// The checkpoint.
        file: PathBuf,
        /// Fingerprint of the network at hand.
        expected: String,
        /// Fingerprint in the checkpoint.
        got: String,
    },
    /// The file cannot be written; a checkpoint that was there before is untouched.
    #[error("checkpoint {}: not written: {source}; what was there before is untouched", file.display())]
    Write {
        /// The checkpoint.
        file: PathBuf,
        /// The file and the system's reason.
        source: FileError,
    },
    /// The state cannot be put into a safetensors file.
    #[error("checkpoint {}: {reason}", file.display())]
    Serialize {
        /// The checkpoint.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}
