//! What an entry consists of.
//!
//! ```text
//! tandem cache entry 1
//! key <key>
//! <sha256> <size> <name>      every file but this one, by name
//! end <sha256 of the lines above>
//! ```
//! The digest at the end tells a damaged manifest, the key an entry that was renamed.

use crate::temporary::sync_folder;
use crate::{FileError, plain_name};
use sha2::{Digest, Sha256};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Name of an entry's manifest.
pub const MANIFEST: &str = "manifest";

/// The key of `parts`: SHA-256 over them and their lengths, in hexadecimal.
pub fn key<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Writes the manifest of the finished folder `entry`, and everything to the disk.
pub(super) fn seal(entry: &Path, key: &str) -> Result<(), FileError> {
    let fail = |e| FileError::io(entry, e);
    for file in fs::read_dir(entry).map_err(fail)? {
        private(&file.map_err(fail)?.path()).and_then(|f| f.sync_all()).map_err(fail)?;
    }
    drop(private(entry).map_err(fail)?);
    let text = describe(entry, key).map_err(fail)?;
    let mut manifest = File::create_new(entry.join(MANIFEST)).map_err(fail)?;
    manifest.write_all(text.as_bytes()).map_err(fail)?;
    private(&entry.join(MANIFEST)).and_then(|f| f.sync_all()).map_err(fail)?;
    sync_folder(entry)
}

/// Whether the entry is what its manifest says, and nobody else could have written it.
pub(super) fn verify(entry: &Path, key: &str) -> Result<(), String> {
    let manifest = fs::read_to_string(entry.join(MANIFEST)).map_err(|e| format!("{MANIFEST}: {e}"))?;
    let found = describe(entry, key).map_err(|e| e.to_string())?;
    if found == manifest { Ok(()) } else { Err(format!("its files differ from the {MANIFEST}")) }
}

/// The manifest that the folder ought to have.
fn describe(entry: &Path, key: &str) -> io::Result<String> {
    ours(entry, entry.symlink_metadata()?.is_dir())?;
    let mut lines = vec![];
    for file in fs::read_dir(entry)? {
        let file = file?;
        let name = file.file_name().into_string().map_err(|_| io::ErrorKind::InvalidFilename)?;
        plain_name(&name).map_err(|e| io::Error::other(e.to_string()))?;
        ours(&file.path(), file.file_type()?.is_file())?;
        if name != MANIFEST {
            let content = fs::read(file.path())?;
            lines.push((name, format!("{} {}", hex(&Sha256::digest(&content)), content.len())));
        }
    }
    lines.sort();
    let mut text = format!("tandem cache entry 1\nkey {key}\n");
    text.extend(lines.iter().map(|(name, digest)| format!("{digest} {name}\n")));
    let digest = hex(&Sha256::digest(&text));
    Ok(format!("{text}end {digest}\n"))
}

/// Opens a file or folder, and takes the permissions of others away: the umask may have given them.
fn private(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode();
    file.set_permissions(Permissions::from_mode(mode & 0o700))?;
    Ok(file)
}

/// A file of this user of the kind expected, that nobody else may write.
fn ours(path: &Path, expected: bool) -> io::Result<()> {
    let meta = path.symlink_metadata()?;
    if expected && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: link, owner or mode is not what was made", path.display())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(key(["ab", "c"]), key(["a", "bc"]));
        assert_eq!(key(["ab"]).len(), 64);
        assert_eq!(key([""; 0]), hex(&Sha256::digest("")));
    }
}
