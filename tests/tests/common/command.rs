//! Runs of the program `tandem` in a folder that is thrown away.

#![allow(dead_code, reason = "each suite uses a part")]

use super::{repository, tandem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new one.
    pub fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.0.path())
    }

    /// Runs `tandem`, once plainly and once with `--json`; both must fail alike and change no file.
    pub fn fails(&self, code: i32, says: &[&str], arguments: &[&str], environment: &[(&str, &str)]) {
        let before = self.files();
        for json in [false, true] {
            let output = run(if json { &["--json"] } else { &[] }, arguments, environment);
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}{out}");
            for word in says {
                assert!(err.contains(word), "{arguments:?}: no `{word}` in: {err}");
            }
            assert!(!err.contains("panicked"), "{arguments:?}: {err}");
            if json {
                let object = object(&output);
                assert_eq!(object["exit_code"], code, "{object}");
                assert!(says.iter().all(|w| object["error"].as_str().unwrap().contains(w)), "{object}");
            } else {
                assert_eq!(out, "", "{arguments:?}");
            }
            let now = self.files();
            let changed = before.iter().find(|(path, content)| now.get(*path) != Some(content));
            assert_eq!(changed.map(|c| c.0), None, "{arguments:?}: changed");
        }
    }

    /// A mistake of the user.
    pub fn refuses(&self, says: &[&str], arguments: &[&str]) {
        self.fails(2, says, arguments, &[]);
    }
}

/// What was printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `tandem` in the repository's root.
pub fn run(global: &[&str], arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(tandem());
    command.current_dir(repository()).args(global).args(arguments).envs(environment.iter().copied());
    command.output().expect("tandem starts")
}

/// The one JSON object on stdout.
pub fn object(output: &Output) -> serde_json::Value {
    let out = text(&output.stdout);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    assert!(value.is_object(), "{out}");
    value
}

/// The report of a run that succeeds.
pub fn succeeds(arguments: &[&str]) -> serde_json::Value {
    let output = run(&["--json"], arguments, &[]);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    object(&output)
}

/// All files below a folder and what is in them.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                all.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}
