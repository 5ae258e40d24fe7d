//! A disk that fails: a library, loaded before all others, that lets one call of `tandem` fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The disk is full.
pub const NO_SPACE: i32 = 28;
/// The disk is broken.
pub const IO: i32 = 5;

/// Runs a command whose n-th write, fsync, rename or link below `folder` fails, and whether it came to that.
pub fn run(mut command: Command, n: usize, error: i32, folder: &Path) -> (Output, bool) {
    let place = tempfile::tempdir().unwrap();
    let mark = place.path().join("mark");
    command.env("LD_PRELOAD", library());
    command.env("TANDEM_TEST_FAULT", format!("{n}:{error}:{}:{}", folder.display(), mark.display()));
    let output = command.output().expect("tandem starts");
    (output, mark.exists())
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let place = |end: &str| {
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faulty-{}.{end}", std::process::id()))
        };
        let (source, library) = (place("c"), place("so"));
        std::fs::write(&source, include_str!("faulty.c")).unwrap();
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).args([&library, &source]);
        let built = command.arg("-ldl").output().expect("cc");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        library
    })
}
