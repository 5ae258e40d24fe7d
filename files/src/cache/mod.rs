//! A folder of built things, shared by all processes of a user.
//!
//! ```text
//! <cache>/<key>/            an entry, complete and never changed
//! <cache>/<key>/manifest    key, size and digest of every file, and its own digest
//! <cache>/<key>.lock        held while the entry is built
//! <cache>/.tandem-…/        the build; its folder `entry` is renamed into place at its end
//! ```
//! - An entry is used only if it is what its manifest says and its user can load it; else it is built again.
//! - Files, manifest and folders are on the disk before the rename: a power failure leaves an entry or none.
//! - The folder is trusted only if nobody else can have written to it (see [`ensure_private`](crate::ensure_private)).
//! - What a killed builder left is removed when the next one starts.

mod manifest;
mod place;

use crate::temporary::{Temporary, collect, sync_folder};
use crate::{FileError, ensure_private, plain_name};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use manifest::{MANIFEST, key};
pub use place::{place, user_dir};

/// How long another builder is waited for before the caller's wish to stop is looked at again.
const LOOK: Duration = Duration::from_millis(50);

/// Why the cache has no folder or no entry.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No variable says where it is.
    #[error("no folder for the cache: set TANDEM_CACHE, XDG_CACHE_HOME or HOME")]
    NoPlace,
    /// It cannot be written, or somebody else can.
    #[error("{0} (TANDEM_CACHE names another folder for the cache)")]
    File(#[from] FileError),
    /// An entry that was built just now is broken: a bug of its builder, or a failing disk.
    #[error("{} was built just now but cannot be used: {what}", entry.display())]
    Unusable {
        /// The entry.
        entry: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The caller wished to stop while another process built.
    #[error("stopped")]
    Stopped,
}

/// Why there is no entry: the cache's fault, or the builder's.
#[derive(Debug)]
pub enum EntryError<E> {
    /// The cache.
    Cache(CacheError),
    /// What `build` returned.
    Build(E),
}

/// An entry that is wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Its name: a [`key`] of everything that shapes it.
    pub key: &'a str,
    /// Called once if another process or thread builds it.
    pub waiting: &'a dyn Fn(),
    /// Set when the caller wishes to stop.
    pub stop: &'a AtomicBool,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// The cache in `dir`, or in the user's folder (see [`user_dir`]). Nothing is made or looked at before the first entry.
    ///
    /// # Errors   [`CacheError::NoPlace`], [`CacheError::File`]
    pub fn open(dir: Option<&Path>) -> Result<Cache, CacheError> {
        let dir = dir.map_or_else(user_dir, |dir| Ok(dir.to_path_buf()))?;
        // builders run in other folders
        let dir = std::path::absolute(&dir).map_err(|e| FileError::io(&dir, e))?;
        Ok(Cache { dir })
    }

    /// The entry, built if it is not there or broken.
    ///
    /// `build` gets a scratch folder and a folder to fill; `load` makes something of the finished entry, or says why it is
    /// broken.
    ///
    /// # Errors   [`EntryError`]; a failed build leaves nothing
    pub fn entry<T, E>(
        &self,
        wanted: &Wanted<'_>,
        load: impl Fn(&Path) -> Result<T, String>,
        build: impl FnOnce(&Path, &Path) -> Result<(), E>,
    ) -> Result<T, EntryError<E>> {
        let key = plain_name(wanted.key).map_err(CacheError::from)?;
        ensure_private(&self.dir).map_err(CacheError::from)?;
        collect(&self.dir);
        let entry = self.dir.join(key);
        let checked = || manifest::verify(&entry, key).and_then(|()| load(&entry));
        if let Ok(loaded) = checked() {
            return Ok(loaded);
        }
        let _lock = self.lock(wanted)?;
        // whoever held the lock may have built it
        match checked() {
            Ok(loaded) => return Ok(loaded),
            Err(broken) if entry.symlink_metadata().is_ok() => {
                tracing::warn!(entry = %entry.display(), %broken, "cache entry is built again");
            }
            Err(_) => {}
        }
        let scratch = Temporary::folder_in(&self.dir).map_err(CacheError::from)?;
        let fresh = scratch.path.join("entry");
        fs::create_dir(&fresh).map_err(|e| CacheError::from(FileError::io(&fresh, e)))?;
        build(&scratch.path, &fresh).map_err(EntryError::Build)?;
        self.keep(&fresh, &entry, key)?;
        drop(scratch);
        checked().map_err(|what| CacheError::Unusable { entry, what }.into())
    }

    fn lock(&self, wanted: &Wanted<'_>) -> Result<File, CacheError> {
        let path = self.dir.join(format!("{}.lock", wanted.key));
        let file = File::create(&path).map_err(|e| FileError::io(&path, e))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(FileError::io(&path, e).into()),
            }
            if !told {
                (wanted.waiting)();
                told = true;
            }
            if wanted.stop.load(Ordering::Relaxed) {
                return Err(CacheError::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Makes the finished folder `fresh` the entry, in the place of a broken one.
    fn keep(&self, fresh: &Path, entry: &Path, key: &str) -> Result<(), CacheError> {
        manifest::seal(fresh, key)?;
        let fail = |e| FileError::io(entry, e);
        let removed = match entry.symlink_metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(entry),
            Ok(_) => fs::remove_file(entry),
            Err(_) => Ok(()),
        };
        match removed {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(fail(e).into()),
            _ => fs::rename(fresh, entry).map_err(fail)?,
        }
        Ok(sync_folder(&self.dir)?)
    }
}

impl<E> From<CacheError> for EntryError<E> {
    fn from(error: CacheError) -> Self {
        EntryError::Cache(error)
    }
}
