//! Every kind of thing that can lie at an output's path.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tandem_files::{Existing, FileError, Folder, FolderLock, Output, replace, write};
use tempfile::TempDir;

const OLD: &[u8] = b"old";
const NEW: &[u8] = b"new";

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_new_file_has_the_mode_of_the_umask() {
    let dir = TempDir::new().unwrap();
    let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
    write(&ours, Existing::Keep, NEW).unwrap();
    File::create(&plain).unwrap();
    let mode = |p: &Path| p.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
    assert_eq!(fs::read(&ours).unwrap(), NEW);
    assert_eq!(names(dir.path()), ["ours", "plain"]);
}

#[test]
fn an_existing_file_stays_unless_it_is_forced() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, OLD).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Output::open(&file, Existing::Keep), Err(FileError::Exists { .. })));
    assert_eq!(fs::read(&file).unwrap(), OLD);
    write(&file, Existing::Replace, NEW).unwrap();
    assert_eq!(fs::read(&file).unwrap(), NEW);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_file_that_appears_during_the_work_stays() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    let output = Output::open(&file, Existing::Keep).unwrap();
    fs::write(&file, OLD).unwrap();
    assert!(matches!(output.write(NEW), Err(FileError::Exists { .. })));
    assert_eq!(fs::read(&file).unwrap(), OLD);
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn links_are_followed_and_stay_links() {
    let dir = TempDir::new().unwrap();
    let (real, link, chain) = (dir.path().join("real"), dir.path().join("link"), dir.path().join("chain"));
    symlink("real", &link).unwrap();
    symlink("link", &chain).unwrap();
    write(&chain, Existing::Keep, NEW).unwrap();
    assert_eq!(fs::read(&real).unwrap(), NEW);
    assert!(link.is_symlink() && chain.is_symlink());
    assert!(matches!(write(&link, Existing::Keep, OLD), Err(FileError::Exists { .. })));
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    symlink(&b, &a).unwrap();
    symlink(&a, &b).unwrap();
    assert!(matches!(write(&a, Existing::Keep, NEW), Err(FileError::Io { .. })));
}

#[test]
fn fifos_and_devices_are_written_to_and_stay() {
    let dir = TempDir::new().unwrap();
    let fifo = dir.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut text = vec![];
            File::open(fifo).unwrap().read_to_end(&mut text).unwrap();
            text
        }
    });
    write(&fifo, Existing::Keep, NEW).unwrap();
    assert_eq!(reader.join().unwrap(), NEW);
    assert!(!fifo.metadata().unwrap().is_file());
    write(Path::new("/dev/null"), Existing::Keep, NEW).unwrap();
    let full = write(Path::new("/dev/full"), Existing::Keep, NEW).unwrap_err();
    assert!(!full.is_usage(), "{full}");
    assert!(!Path::new("/dev/full").metadata().unwrap().is_file());
}

#[test]
fn places_that_cannot_be_written_are_known_before_the_work() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, OLD).unwrap();
    let long = dir.path().join("x".repeat(300));
    for path in [dir.path(), &dir.path().join("missing/out"), &file.join("out"), &long] {
        for existing in [Existing::Keep, Existing::Replace] {
            let error = Output::open(path, existing).unwrap_err();
            assert!(error.is_usage(), "{error}");
        }
    }
    assert!(matches!(Folder::create(&file, Existing::Replace), Err(FileError::NotAFolder { .. })));
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn what_a_killed_process_left_is_collected_and_what_is_in_use_stays() {
    let dir = TempDir::new().unwrap();
    let (left, folder, used) =
        (dir.path().join(".tandem-1-1-1"), dir.path().join(".tandem-1-1-2"), dir.path().join(".tandem-2"));
    fs::write(&left, OLD).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("design.v"), OLD).unwrap();
    let lock = File::create(&used).unwrap();
    lock.lock().unwrap();
    replace(&dir.path().join("out"), NEW).unwrap();
    assert_eq!(names(dir.path()), [".tandem-2", "out"]);
}

#[test]
fn a_folder_appears_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("a/b");
    let folder = Folder::create(&target, Existing::Keep).unwrap();
    folder.write("one", NEW).unwrap();
    assert!(folder.write("../two", NEW).is_err());
    assert!(!target.exists());
    drop(folder);
    assert_eq!(names(&dir.path().join("a")), [""; 0]);
    let folder = Folder::create(&target, Existing::Keep).unwrap();
    folder.write("one", NEW).unwrap();
    folder.commit().unwrap();
    assert_eq!(names(&target), ["one"]);
    assert_eq!(names(&dir.path().join("a")), ["b"]);
}

#[test]
fn a_folder_with_files_is_refused_or_gets_them_replaced() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("one"), OLD).unwrap();
    fs::write(dir.path().join("other"), OLD).unwrap();
    assert!(matches!(Folder::create(dir.path(), Existing::Keep), Err(FileError::NotEmpty { .. })));
    let folder = Folder::create(dir.path(), Existing::Replace).unwrap();
    folder.write("one", NEW).unwrap();
    folder.commit().unwrap();
    assert_eq!(names(dir.path()), ["one", "other"]);
    assert_eq!(fs::read(dir.path().join("one")).unwrap(), NEW);
    assert_eq!(fs::read(dir.path().join("other")).unwrap(), OLD);
}

#[test]
fn a_folder_is_taken_by_one() {
    let dir = TempDir::new().unwrap();
    let lock = FolderLock::take(dir.path()).unwrap();
    assert!(matches!(FolderLock::take(dir.path()), Err(FileError::Locked { .. })));
    drop(lock);
    FolderLock::take(dir.path()).unwrap();
}
