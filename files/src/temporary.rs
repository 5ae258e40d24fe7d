//! Files and folders that are not there yet: named `.tandem-…`, locked while they are written.

use crate::FileError;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How their names begin.
pub(crate) const PREFIX: &str = ".tandem-";

/// A temporary file or folder: removed when it is dropped, unless it was moved into place.
pub(crate) struct Temporary {
    /// Where it is.
    pub path: PathBuf,
    /// The file, or a handle of the folder; holds the lock.
    pub file: File,
    /// Whether it is to be removed.
    pub owned: bool,
}

impl Temporary {
    /// A new empty file in `folder`.
    pub fn file_in(folder: &Path) -> Result<Self, FileError> {
        Self::make(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
    }

    /// A new empty folder in `folder`.
    pub fn folder_in(folder: &Path) -> Result<Self, FileError> {
        Self::make(folder, |path| {
            fs::create_dir(path)?;
            // a collector may have come in between: another one
            File::open(path).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => io::ErrorKind::AlreadyExists.into(),
                _ => e,
            })
        })
    }

    fn make(folder: &Path, create: impl Fn(&Path) -> io::Result<File>) -> Result<Self, FileError> {
        collect(folder);
        loop {
            let path = folder.join(name());
            let file = match create(&path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|e| FileError::io(folder, e))?,
            };
            let temporary = Temporary { path, file, owned: true };
            temporary.file.lock().map_err(|e| FileError::io(folder, e))?;
            // a collector may have come between creation and lock
            if same(&temporary.path, &temporary.file) {
                return Ok(temporary);
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.owned {
            remove(&self.path);
        }
    }
}

/// Process, time and count: never two at once.
fn name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{}-{:x}-{count}", std::process::id(), now.as_nanos())
}

/// Whether `path` is still the file that is open.
fn same(path: &Path, file: &File) -> bool {
    let id = |m: fs::Metadata| (m.dev(), m.ino());
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(a), Ok(b)) => id(a) == id(b),
        _ => false,
    }
}

/// Removes what processes that were killed have left in `folder`: ours, and nobody holds its lock.
pub(crate) fn collect(folder: &Path) {
    let user = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_temporary(&entry.file_name()) {
            continue;
        }
        let Ok(meta) = entry.path().symlink_metadata() else { continue };
        if meta.uid() != user || !(meta.is_file() || meta.is_dir()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            remove(&entry.path());
        }
    }
}

/// Whether a file of this name is being written, or was left behind by a process that was killed.
pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn remove(path: &Path) {
    // a leftover is no failure: the next write collects it
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// Makes the entries of `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| FileError::io(folder, e))
}

/// Gives the file `from` the name `to`, where nothing may be.
pub(crate) fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // a file system without hard links: not atomic against others who create the same file
        Err(e) if matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            if to.symlink_metadata().is_ok() {
                Err(io::ErrorKind::AlreadyExists.into())
            } else {
                fs::rename(from, to)
            }
        }
        Err(e) => Err(e),
    }
}
