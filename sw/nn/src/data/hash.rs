//! SHA-256 of files, and of bytes on their way.

use super::DataError;
use crate::digest::hex;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

const CHUNK: usize = 1 << 20;

/// Size and SHA-256 of a stream of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hash {
    pub bytes: u64,
    pub sha256: String,
}

/// Why a copy stopped.
pub(super) enum CopyError {
    /// Reading failed.
    From(io::Error),
    /// Writing failed.
    To(io::Error),
}

/// Copies all of `from` into `to` and hashes it; calls `progress` with the bytes copied so far.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Hash, CopyError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::From(error)),
        };
        hash.update(&buffer[..n]);
        to.write_all(&buffer[..n]).map_err(CopyError::To)?;
        bytes += n as u64;
        progress(bytes);
    }
    Ok(Hash { bytes, sha256: hex(&hash.finalize()) })
}

/// # Errors   the file cannot be read
pub(super) fn of_file(path: &Path) -> Result<Hash, DataError> {
    let hash = File::open(path).and_then(|mut file| {
        copy(&mut file, &mut io::sink(), &mut |_| ()).map_err(|error| match error {
            CopyError::From(error) | CopyError::To(error) => error,
        })
    });
    hash.map_err(|source| DataError::Read { file: path.to_owned(), source })
}
