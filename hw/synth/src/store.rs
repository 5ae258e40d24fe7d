//! Finished results, kept by a hash of everything that shapes them.

use crate::error::SynthError;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The key of `parts`, in hexadecimal.
pub fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for p in parts {
        hash.update((p.len() as u64).to_le_bytes());
        hash.update(p);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The entry of `key` in `dir`, if it is complete.
pub fn find(dir: &Path, key: &str) -> Option<PathBuf> {
    let entry = dir.join(key);
    entry.join("result.json").exists().then_some(entry)
}

/// Makes the finished `files` the entry of `key`; one that is there already stays.
///
/// # Errors
/// [`SynthError::Io`].
pub fn keep(dir: &Path, key: &str, files: &[PathBuf]) -> Result<PathBuf, SynthError> {
    std::fs::create_dir_all(dir).map_err(|e| SynthError::io(dir, e))?;
    let scratch = tempfile::TempDir::new_in(dir).map_err(|e| SynthError::io(dir, e))?;
    for f in files {
        let name = f.file_name().expect("a file");
        std::fs::copy(f, scratch.path().join(name)).map_err(|e| SynthError::io(f, e))?;
    }
    let entry = dir.join(key);
    match std::fs::rename(scratch.path(), &entry) {
        // renamed: the scratch folder is the entry now
        Ok(()) => drop(scratch.keep()),
        Err(_) if entry.join("result.json").exists() => {}
        Err(e) => return Err(SynthError::io(&entry, e)),
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab"]).len(), 64);
    }

    #[test]
    fn an_entry_is_complete_or_not_there() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("result.json");
        std::fs::write(&file, "{}").unwrap();
        let entries = dir.path().join("entries");
        assert_eq!(find(&entries, "k"), None);
        for _ in 0..2 {
            let entry = keep(&entries, "k", std::slice::from_ref(&file)).unwrap();
            assert_eq!(find(&entries, "k"), Some(entry));
        }
        assert_eq!(std::fs::read_dir(&entries).unwrap().count(), 1);
    }
}
