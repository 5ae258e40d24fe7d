//! Folders whose content is believed or run: nobody else may have written to them.

use crate::FileError;
use crate::temporary::is_temporary;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Write permission of group and others.
const OTHERS_WRITE: u32 = 0o022;
/// Any permission of group and others.
const OTHERS: u32 = 0o077;
/// Length of the hexadecimal keys that names in a cache begin with.
const KEY: usize = 64;

/// Makes `folder`, or looks whether it can be believed: it belongs to this user, and nobody else can write to it. A cache that
/// others can read becomes private.
///
/// # Errors   [`FileError::Untrusted`], [`FileError::NotAFolder`], [`FileError::Io`]
pub fn ensure_private(folder: &Path) -> Result<(), FileError> {
    let fail = |e| FileError::io(folder, e);
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(FileError::NotAFolder { path: folder.to_owned() });
        }
        made => made.map_err(fail)?,
    }
    let meta = folder.metadata().map_err(fail)?;
    let user = rustix::process::geteuid().as_raw();
    if meta.uid() != user || meta.mode() & OTHERS_WRITE != 0 {
        let remedy = format!(
            "expected a folder of yours (user {user}) that nobody else can write to: remove it, it is made again with mode 0700"
        );
        return Err(untrusted(folder, &meta, remedy));
    }
    // a folder of the user's that became the cache by a variable keeps its mode
    if meta.mode() & OTHERS != 0 && has_only_entries(folder).map_err(fail)? {
        // a file system that is read-only: private or not, nobody writes to it
        let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
    Ok(())
}

/// Looks whether what is in `folder` can be run: it belongs to this user or to root, and nobody else can write to it.
///
/// # Errors   [`FileError::Untrusted`] with `remedy`, [`FileError::NotAFolder`], [`FileError::Io`]
pub fn check_trusted(folder: &Path, remedy: &str) -> Result<(), FileError> {
    let meta = folder.metadata().map_err(|e| FileError::io(folder, e))?;
    if !meta.is_dir() {
        return Err(FileError::NotAFolder { path: folder.to_owned() });
    }
    let user = rustix::process::geteuid().as_raw();
    if ![user, 0].contains(&meta.uid()) || meta.mode() & OTHERS_WRITE != 0 {
        let remedy = format!(
            "expected a folder of yours (user {user}) or of root that nobody else can write to: {remedy}"
        );
        return Err(untrusted(folder, &meta, remedy));
    }
    Ok(())
}

fn untrusted(folder: &Path, meta: &fs::Metadata, remedy: String) -> FileError {
    FileError::Untrusted { path: folder.to_owned(), owner: meta.uid(), mode: meta.mode() & 0o7777, remedy }
}

/// Whether a folder has nothing that a cache would not have.
fn has_only_entries(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !is_entry(&entry?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_entry(name: &OsStr) -> bool {
    let key = name.as_encoded_bytes().get(..KEY);
    is_temporary(name) || key.is_some_and(|k| k.iter().all(u8::is_ascii_hexdigit))
}
