//! One process at a time.

use crate::FileError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Name of the file that is locked.
pub const LOCK_FILE: &str = ".lock";

/// A folder that this process works on; free again when it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder.
    ///
    /// # Errors   [`FileError::Locked`] if another process has it, [`FileError::Io`]
    pub fn take(folder: &Path) -> Result<Self, FileError> {
        let path = folder.join(LOCK_FILE);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| FileError::io(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(FileError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(e)) => Err(FileError::io(&path, e)),
        }
    }
}
