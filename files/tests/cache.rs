//! The cache: built once, found again, built anew if it is not what was made.

use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tandem_files::{Cache, CacheError, EntryError, FileError, MANIFEST, Wanted, check_trusted, key};
use tempfile::TempDir;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn wanted(key: &str) -> Wanted<'_> {
    Wanted { key, waiting: &|| (), stop: &GO_ON }
}

/// An entry with two files; gives the number of builds so far.
fn make(cache: &Cache, key: &str, builds: &AtomicUsize) -> Result<usize, EntryError<std::io::Error>> {
    let load = |entry: &Path| match fs::read_to_string(entry.join("a")) {
        Ok(text) if text == "unusable" => Err(text),
        _ => Ok(builds.load(SeqCst)),
    };
    cache.entry(&wanted(key), load, |_, entry| {
        builds.fetch_add(1, SeqCst);
        fs::write(entry.join("a"), "one")?;
        fs::write(entry.join("b"), "two")
    })
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// A manifest that agrees with these files.
fn manifest(key: &str, files: &[(&str, &str)]) -> String {
    let lines: String =
        files.iter().map(|(name, text)| format!("{} {} {name}\n", hex(text), text.len())).collect();
    let text = format!("tandem cache entry 1\nkey {key}\n{lines}");
    let end = hex(&text);
    format!("{text}end {end}\n")
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_broken_entry_is_built_again_and_only_that() {
    let dir = TempDir::new().unwrap();
    let cache = Cache::open(Some(dir.path())).unwrap();
    let key = key(["entry"]);
    let entry = dir.path().join(&key);
    let builds = AtomicUsize::new(0);
    let file = |name: &str, text: &str| fs::write(entry.join(name), text).unwrap();
    let gone = |name: &str| fs::remove_file(entry.join(name)).unwrap();
    assert_eq!(make(&cache, &key, &builds).unwrap(), 1);
    let whole = fs::read_to_string(entry.join(MANIFEST)).unwrap();
    assert_eq!(whole, manifest(&key, &[("a", "one"), ("b", "two")]));
    let damages: [(&str, &dyn Fn()); 13] = [
        ("changed", &|| file("a", "onf")),
        ("cut", &|| file("a", "on")),
        ("empty", &|| file("a", "")),
        ("one file more", &|| file("c", "more")),
        ("one file less", &|| gone("b")),
        ("no manifest", &|| gone(MANIFEST)),
        ("manifest empty", &|| file(MANIFEST, "")),
        ("manifest cut", &|| file(MANIFEST, &whole[..whole.len() - 70])),
        ("manifest of another key", &|| file(MANIFEST, &manifest("k", &[("a", "one"), ("b", "two")]))),
        ("a link", &|| {
            gone("a");
            symlink("b", entry.join("a")).unwrap();
        }),
        ("writable by others", &|| set_mode(&entry.join("a"), 0o666)),
        ("the entry is a file", &|| {
            fs::remove_dir_all(&entry).unwrap();
            fs::write(&entry, "").unwrap();
        }),
        ("unusable, but as the manifest says", &|| {
            file("a", "unusable");
            gone("b");
            file(MANIFEST, &manifest(&key, &[("a", "unusable")]));
        }),
    ];
    for (i, (what, damage)) in damages.iter().enumerate() {
        damage();
        assert_eq!(make(&cache, &key, &builds).unwrap(), i + 2, "{what}");
        assert_eq!(make(&cache, &key, &builds).unwrap(), i + 2, "{what}: repaired");
    }
}

#[test]
fn entries_are_private_whatever_the_builder_left() {
    let dir = TempDir::new().unwrap();
    let cache = Cache::open(Some(&dir.path().join("new/cache"))).unwrap();
    let key = key(["k"]);
    let made: Result<(), EntryError<std::io::Error>> = cache.entry(
        &wanted(&key),
        |_| Ok(()),
        |_, entry| {
            fs::write(entry.join("a"), "one")?;
            set_mode(&entry.join("a"), 0o777);
            set_mode(entry, 0o777);
            Ok(())
        },
    );
    made.unwrap();
    let cache = dir.path().join("new/cache");
    let entry = cache.join(&key);
    assert_eq!([&cache, &entry, &entry.join("a")].map(|p| mode(p)), [0o700; 3]);
}

#[test]
fn threads_build_once() {
    let dir = TempDir::new().unwrap();
    let cache = Cache::open(Some(dir.path())).unwrap();
    let builds = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| make(&cache, "k", &builds).unwrap());
        }
    });
    assert_eq!(builds.into_inner(), 1);
}

#[test]
fn a_failed_build_leaves_nothing_and_a_killed_ones_scratch_is_collected() {
    let dir = TempDir::new().unwrap();
    let cache = Cache::open(Some(dir.path())).unwrap();
    let left = dir.path().join(".tandem-1-1-1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("design.v"), "").unwrap();
    let failed: Result<(), EntryError<&str>> = cache.entry(
        &wanted("k"),
        |_| Ok(()),
        |scratch, entry| {
            fs::write(scratch.join("x"), "").unwrap();
            fs::write(entry.join("y"), "").unwrap();
            Err("no")
        },
    );
    assert!(matches!(failed, Err(EntryError::Build("no"))));
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["k.lock"]);
}

#[test]
fn who_waits_is_told_once_and_can_stop() {
    let dir = TempDir::new().unwrap();
    let cache = Cache::open(Some(dir.path())).unwrap();
    let lock = fs::File::create(dir.path().join("k.lock")).unwrap();
    lock.lock().unwrap();
    let (told, stop) = (Cell::new(0), AtomicBool::new(false));
    let waiting = || {
        told.set(told.get() + 1);
        stop.store(true, SeqCst);
    };
    let wanted = Wanted { key: "k", waiting: &waiting, stop: &stop };
    let stopped: Result<(), EntryError<()>> = cache.entry(&wanted, |_| Ok(()), |_, _| Ok(()));
    assert!(matches!(stopped, Err(EntryError::Cache(CacheError::Stopped))));
    assert_eq!(told.get(), 1);
}

/// The message of a cache that is refused.
fn refusal(dir: &Path) -> String {
    let builds = AtomicUsize::new(0);
    let result = Cache::open(Some(dir)).unwrap();
    match make(&result, "k", &builds) {
        Err(EntryError::Cache(e @ CacheError::File(FileError::Untrusted { .. }))) => e.to_string(),
        other => panic!("{}: {other:?}", dir.display()),
    }
}

#[test]
fn a_cache_that_others_can_write_to_is_refused_and_one_that_they_can_read_becomes_private() {
    let dir = TempDir::new().unwrap();
    let builds = AtomicUsize::new(0);
    for (open, accepted) in
        [(0o700, true), (0o755, true), (0o750, true), (0o777, false), (0o770, false), (0o1777, false)]
    {
        let folder = dir.path().join(format!("{open:o}"));
        fs::create_dir(&folder).unwrap();
        set_mode(&folder, open);
        if accepted {
            make(&Cache::open(Some(&folder)).unwrap(), "k", &builds).unwrap();
            assert_eq!(mode(&folder), 0o700, "{open:o}");
        } else {
            let said = refusal(&folder);
            let expected = format!("{}: owned by user ", folder.display());
            assert!(said.starts_with(&expected) && said.contains(&format!("mode {open:04o}")), "{said}");
            assert!(said.contains("remove it") && said.contains("TANDEM_CACHE"), "{said}");
            assert_eq!(mode(&folder), open, "nothing is changed");
        }
    }
    let home = dir.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("letter.txt"), "").unwrap();
    set_mode(&home, 0o755);
    make(&Cache::open(Some(&home)).unwrap(), "k", &builds).unwrap();
    assert_eq!(mode(&home), 0o755, "a folder with other things keeps its mode");
}

/// Root can give a folder away; whoever else runs this has a folder of root's at hand.
#[test]
fn a_cache_of_another_user_is_refused() {
    let dir = TempDir::new().unwrap();
    let (folder, owner) = if rustix::process::geteuid().is_root() {
        chown(dir.path(), Some(65_534), None).unwrap();
        (dir.path(), 65_534)
    } else {
        (Path::new("/"), 0)
    };
    let said = refusal(folder);
    assert!(said.contains(&format!("owned by user {owner}, mode 0")), "{said}");
}

#[test]
fn a_folder_of_programs_is_the_users_or_roots_and_nobody_else_writes_to_it() {
    check_trusted(Path::new("/"), "").unwrap();
    let dir = TempDir::new().unwrap();
    for (open, accepted) in [(0o755, true), (0o700, true), (0o775, false), (0o757, false), (0o1777, false)] {
        set_mode(dir.path(), open);
        let checked = check_trusted(dir.path(), "do this");
        assert_eq!(checked.is_ok(), accepted, "{open:o}");
        if let Err(e) = checked {
            assert!(e.to_string().contains(&format!("mode {open:04o}; expected")), "{e}");
            assert!(e.to_string().ends_with("do this"), "{e}");
        }
    }
}
