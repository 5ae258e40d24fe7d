//! A folder of built things, shared by all processes of a user.
//!
//! ```text
//! <cache>/<key>/            an entry, complete and never changed; `manifest` holds its files' digests
//! <cache>/<key>.lock        held while the entry is built
//! <cache>/<key>.tmp/        the build; renamed into place at its end
//! ```
//! An entry that fails its digests (truncated, damaged) or cannot be used is built again.

use crate::recipe::command::{create_dir, io_error, write};
use crate::recipe::design::hex;
use crate::recipe::{BuildStep, Key, Report};
use fd_lock::RwLock;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tandem_spec::EngineError;

const MANIFEST: &str = "manifest";

/// The folder.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// The cache in `dir`, or in the user's folder (see [`default_dir`]).
    pub fn open(dir: Option<&Path>) -> Result<Cache, EngineError> {
        let dir = match dir {
            Some(dir) => dir.to_path_buf(),
            None => user_dir()?,
        };
        // compilers run in other folders
        let dir = std::path::absolute(&dir).map_err(|e| io_error(&dir, e))?;
        Ok(Cache { dir })
    }

    /// The entry of `key`, built if it is not there or broken.
    ///
    /// `build` gets a scratch folder and a folder to fill; `load` makes something of the finished
    /// entry, or says why it is broken.
    pub fn entry<T>(
        &self,
        key: &Key,
        report: Report<'_>,
        load: impl Fn(&Path) -> Result<T, String>,
        build: impl FnOnce(&Path, &Path) -> Result<(), EngineError>,
    ) -> Result<T, EngineError> {
        let entry = self.dir.join(key.as_str());
        let checked = || verify(&entry).and_then(|()| load(&entry));
        if let Ok(loaded) = checked() {
            return Ok(loaded);
        }
        create_dir(&self.dir).map_err(hint)?;
        let path = self.dir.join(format!("{}.lock", key.as_str()));
        let file = File::create(&path).map_err(|e| hint(io_error(&path, e)))?;
        let mut lock = RwLock::new(file);
        if lock.try_write().is_err_and(|e| e.kind() == ErrorKind::WouldBlock) {
            report(BuildStep::Waiting);
        }
        let _guard = lock.write().map_err(|e| io_error(&path, e))?;

        // whoever held the lock may have built it
        match checked() {
            Ok(loaded) => return Ok(loaded),
            Err(broken) if entry.exists() => {
                tracing::warn!(entry = %entry.display(), %broken, "cache entry is built again");
            }
            Err(_) => {}
        }
        let scratch = self.dir.join(format!("{}.tmp", key.as_str()));
        let built = fill(&scratch, &entry, build);
        // a failed build leaves no half-written gigabytes behind
        let _ = std::fs::remove_dir_all(&scratch);
        built.map_err(hint)?;
        checked().map_err(|what| EngineError::Tool {
            tool: "sim".into(),
            what: format!("{} was built just now but cannot be used: {what}", entry.display()),
        })
    }
}

/// The user's folder for things that are built once: `$TANDEM_CACHE`, else `$XDG_CACHE_HOME/tandem`, else
/// `$HOME/.cache/tandem`.
///
/// # Errors
/// [`EngineError::Tool`] if none of the three is set.
pub fn user_dir() -> Result<PathBuf, EngineError> {
    default_dir(|name| std::env::var_os(name)).ok_or_else(|| EngineError::Tool {
        tool: "sim".into(),
        what: "no folder for the cache: set TANDEM_CACHE, XDG_CACHE_HOME or HOME".into(),
    })
}

/// `$TANDEM_CACHE`, else `$XDG_CACHE_HOME/tandem`, else `$HOME/.cache/tandem`.
pub fn default_dir(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("TANDEM_CACHE")
        // the XDG specification: relative paths are ignored
        .or_else(|| set("XDG_CACHE_HOME").filter(|p| p.is_absolute()).map(|p| p.join("tandem")))
        .or_else(|| set("HOME").map(|p| p.join(".cache/tandem")))
}

fn fill(
    scratch: &Path,
    entry: &Path,
    build: impl FnOnce(&Path, &Path) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    // left by a process that was killed
    remove(scratch)?;
    let fresh = scratch.join("entry");
    create_dir(&fresh)?;
    build(scratch, &fresh)?;
    let manifest = digests(&fresh).map_err(|e| io_error(&fresh, e))?;
    write(&fresh.join(MANIFEST), &manifest)?;
    remove(entry)?;
    std::fs::rename(&fresh, entry).map_err(|e| io_error(entry, e))
}

fn remove(dir: &Path) -> Result<(), EngineError> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(io_error(dir, e)),
        _ => Ok(()),
    }
}

/// A line `digest name` for every file but the manifest.
fn digests(dir: &Path) -> std::io::Result<String> {
    let mut lines = vec![];
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        if file.file_name() != MANIFEST {
            let digest = hex(&Sha256::digest(std::fs::read(file.path())?));
            lines.push(format!("{digest} {}\n", file.file_name().display()));
        }
    }
    lines.sort();
    Ok(lines.concat())
}

/// Whether the entry's files are what its manifest says. Loading a truncated library would end the
/// process with SIGBUS, so this comes first.
fn verify(entry: &Path) -> Result<(), String> {
    let manifest = std::fs::read_to_string(entry.join(MANIFEST)).map_err(|e| format!("manifest: {e}"))?;
    match digests(entry) {
        Ok(found) if found == manifest && !found.is_empty() => Ok(()),
        Ok(_) => Err("files differ from the manifest".into()),
        Err(e) => Err(e.to_string()),
    }
}

/// Adds what to do about a file that cannot be written.
fn hint(error: EngineError) -> EngineError {
    match error {
        EngineError::Io { file, source } => {
            let text = format!("{source} (TANDEM_CACHE names another folder for the simulator cache)");
            EngineError::Io { file, source: std::io::Error::new(source.kind(), text) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Programs, Tools};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn where_the_cache_is() {
        let dir = |set: &[(&str, &str)]| {
            default_dir(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
        };
        let all = [("TANDEM_CACHE", "t"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(dir(&all), Some("t".into()));
        assert_eq!(dir(&all[1..]), Some("/x/tandem".into()));
        assert_eq!(dir(&all[2..]), Some("/h/.cache/tandem".into()));
        assert_eq!(dir(&[("TANDEM_CACHE", ""), ("XDG_CACHE_HOME", "x"), ("HOME", "/h")]), dir(&all[2..]));
        assert_eq!(dir(&[]), None);
    }

    /// An entry with two files; gives the number of builds so far.
    fn make(cache: &Cache, builds: &AtomicUsize) -> Result<usize, EngineError> {
        let key = Key::of_runtime(&[], &tools(), None);
        let load = |entry: &Path| match std::fs::read_to_string(entry.join("a")) {
            Ok(text) if text == "unusable" => Err(text),
            _ => Ok(builds.load(SeqCst)),
        };
        cache.entry(&key, &|_| (), load, |_, entry| {
            builds.fetch_add(1, SeqCst);
            write(&entry.join("a"), "one")?;
            write(&entry.join("b"), "two")
        })
    }

    fn tools() -> Tools {
        let programs = Programs { verilator: "v".into(), cxx: vec!["c".into()] };
        Tools { programs, verilator_version: "1".into(), cxx_version: "1".into() }
    }

    #[test]
    fn a_broken_entry_is_built_again_and_only_that() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = Cache::open(Some(dir.path())).unwrap();
        let entry = dir.path().join(Key::of_runtime(&[], &tools(), None).as_str());
        let builds = AtomicUsize::new(0);
        let digest = |text: &str| hex(&Sha256::digest(text));
        let unusable = format!("{} a\n", digest("unusable"));
        let file = |name: &str, text: &str| std::fs::write(entry.join(name), text).unwrap();
        let gone = |name: &str| std::fs::remove_file(entry.join(name)).unwrap();
        let damages: [&dyn Fn(); 8] = [
            &|| (),
            &|| file("a", "onf"),
            &|| file("a", "on"),
            &|| file("c", "more"),
            &|| gone("b"),
            &|| gone(MANIFEST),
            &|| file(MANIFEST, ""),
            &|| {
                file("a", "unusable");
                gone("b");
                file(MANIFEST, &unusable);
            },
        ];
        for (i, damage) in damages.iter().enumerate() {
            damage();
            assert_eq!(make(&cache, &builds).unwrap(), i + 1, "damage {i}");
            assert_eq!(make(&cache, &builds).unwrap(), i + 1, "repaired {i}");
        }
    }

    #[test]
    fn threads_build_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = Cache::open(Some(dir.path())).unwrap();
        let builds = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| make(&cache, &builds).unwrap());
            }
        });
        assert_eq!(builds.into_inner(), 1);
    }
}
