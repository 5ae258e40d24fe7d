//! How tandem writes: one policy for every output of every command.
//!
//! ```text
//! what lies at the path        a new output                          with Replace (--force)
//! nothing                      written atomically                    the same
//! regular file                 refused                               replaced atomically, keeps its mode
//! symbolic link                what it points to decides             the same
//! FIFO, device, socket         written to                            the same
//! folder                       refused for a file; for a folder: taken if empty, its files are replaced with Replace
//! ```
//! - [`Output::open`] and [`Folder::create`] look before the work starts: a place that cannot be written is known at once.
//! - Atomic: a reader sees the old contents or all of the new, after a crash too (temporary file in the same folder, fsync,
//!   rename, fsync of the folder). New files get the mode that the umask gives.
//! - What a killed process leaves behind is named `.tandem-…` and unlocked; the next write into that folder removes it.
//! - [`plain_name`]: a name from a file never leads out of a folder.
//! - [`FolderLock`]: one process at a time works on a folder.
//! - [`Cache`]: what was built once, found again whole or built anew.
//! - [`ensure_private`], [`check_trusted`]: what is believed or run is nobody else's.
//! - [`embedded`]: the named TOML files that come with the program, for build scripts.

mod cache;
mod embed;
mod error;
mod folder;
mod lock;
mod name;
mod output;
mod temporary;
mod text;
mod trust;

pub use cache::{Cache, CacheError, EntryError, MANIFEST, Wanted, key, place, user_dir};
pub use embed::embedded;
pub use error::{FileError, is_usage};
pub use folder::Folder;
pub use lock::{FolderLock, LOCK_FILE};
pub use name::plain_name;
pub use output::{Output, replace, write};
pub use temporary::is_temporary;
pub use text::{LONGEST_TEXT, read_text};
pub use trust::{check_trusted, ensure_private};

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the output is refused.
    Keep,
    /// It is replaced.
    Replace,
}

impl Existing {
    /// The choice of a flag `--force`.
    pub fn forced(force: bool) -> Self {
        if force { Existing::Replace } else { Existing::Keep }
    }
}
