//! A disk that fails: for every n, the n-th write, fsync, rename or link of a command fails. The command ends with 1 and
//! says so, nothing that was there is lost, nothing half done stays in the way, and the retry works.

use crate::common::command::{Scratch, files, object, succeeds, text};
use crate::common::faulty::{self, IO, NO_SPACE};
use crate::common::{repository, tandem};
use std::path::Path;
use std::process::{Command, Output};

const DIGITS: &str = "configs/experiments/digits-mlp.toml";
/// No command writes so often: the loop ends before.
const MANY: usize = 2000;

/// Runs a command whose n-th call below `folder` fails; whether it came to that.
fn run(n: usize, error: i32, folder: &str, arguments: &[&str]) -> (Output, bool) {
    let mut command = Command::new(tandem());
    command.current_dir(repository()).arg("--json").args(arguments);
    faulty::run(command, n, error, Path::new(folder))
}

/// Lets every call of a command fail in turn. `prepare` makes the folder anew, `retry` must succeed after each failure.
fn every_fault(
    prepare: &dyn Fn(&str),
    arguments: &dyn Fn(&str) -> Vec<String>,
    retry: &dyn Fn(usize, &str),
) -> usize {
    for n in 1..MANY {
        let s = Scratch::new();
        let folder = s.path("out");
        std::fs::create_dir(&folder).unwrap();
        prepare(&folder);
        let error = if n % 2 == 0 { IO } else { NO_SPACE };
        let before = files(Path::new(&folder));
        let arguments = arguments(&folder);
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        let (output, came) = run(n, error, &folder, &words);
        let err = text(&output.stderr);
        if !came {
            assert!(output.status.success(), "without a fault: {err}");
            retry(n, &folder);
            return n - 1;
        }
        assert_eq!(output.status.code(), Some(1), "call {n} of {words:?}: {err}");
        let says = if error == IO { "Input/output error" } else { "No space left on device" };
        assert!(err.contains(says) && !err.contains("panicked"), "call {n} of {words:?}: {err}");
        assert!(object(&output)["error"].as_str().unwrap().contains(says));
        let after = files(Path::new(&folder));
        let lost = before.keys().find(|path| !after.contains_key(*path));
        assert_eq!(lost, None, "call {n} of {words:?}");
        let half =
            after.keys().find(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b".tandem-"));
        assert_eq!(half, None, "call {n} of {words:?}");
        retry(n, &folder);
    }
    panic!("more than {MANY} calls");
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|w| (*w).to_owned()).collect()
}

#[test]
fn generate() {
    let arguments = |out: &str| words(&["generate", "-c", "minimal", "-o", &format!("{out}/rtl")]);
    let whole = tempfile::tempdir().unwrap();
    succeeds(&arguments(whole.path().to_str().unwrap()).iter().map(String::as_str).collect::<Vec<_>>());
    let count = files(&whole.path().join("rtl")).len();
    let retry = |_: usize, out: &str| {
        if !Path::new(&format!("{out}/rtl")).exists() {
            succeeds(&["generate", "-c", "minimal", "-o", &format!("{out}/rtl")]);
        }
        assert_eq!(files(Path::new(&format!("{out}/rtl"))).len(), count);
    };
    let faults = every_fault(&|_| (), &arguments, &retry);
    assert!(faults > 2 * count, "{count} files, written and synchronised, and a rename: {faults}");
}

#[test]
fn record() {
    let arguments = |out: &str| {
        words(&["run", "record", "-c", "minimal", "--random", "5", "6", "7", "-o", &format!("{out}/s.tdm")])
    };
    let retry = |_: usize, out: &str| {
        let file = format!("{out}/s.tdm");
        if !Path::new(&file).exists() {
            let record = ["run", "record", "-c", "minimal", "--random", "5", "6", "7", "-o", &file];
            succeeds(&record);
        }
        succeeds(&["run", "replay", "-c", "minimal", &file]);
    };
    assert!(every_fault(&|_| (), &arguments, &retry) >= 4);
}

/// Trains to the end of step 3, saving after each.
fn train(out: &str, tail: &[&str]) -> Vec<String> {
    let run = format!("{out}/run");
    let head = match tail.first() {
        Some(&"--resume") => vec!["train", "--resume", run.as_str()],
        _ => vec!["train", "-c", DIGITS, "-o", run.as_str()],
    };
    let small = ["--steps", "3", "--checkpoint-every", "1"];
    let set = if head[1] == "-c" { vec!["--set", "data.images=64"] } else { vec![] };
    words(&[head, set, small.to_vec()].concat())
}

#[test]
fn train_and_resume() {
    let expected = {
        let s = Scratch::new();
        let arguments = train(&s.path("out"), &[]);
        succeeds(&arguments.iter().map(String::as_str).collect::<Vec<_>>())["weights_digest"].clone()
    };
    let retry = |n: usize, out: &str| {
        // what was saved is gone on with; a run that never saved is started again
        let saved = Path::new(&format!("{out}/run/checkpoint.safetensors")).exists();
        let arguments = train(out, if saved { &["--resume"] } else { &[] });
        let report = succeeds(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(report["weights_digest"], expected, "after call {n}");
        let log = std::fs::read_to_string(format!("{out}/run/log.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 1, "after call {n}: {log}");
    };
    let faults = every_fault(&|_| (), &|out| train(out, &[]), &retry);
    assert!(faults >= 20, "checkpoints, log, report, chart: {faults}");
    // the same for a run that goes on
    let begin = |out: &str| {
        let run = format!("{out}/run");
        succeeds(&["train", "-c", DIGITS, "--set", "data.images=64", "--steps", "1", "-o", &run]);
    };
    every_fault(&begin, &|out| train(out, &["--resume"]), &retry);
}

#[test]
fn compare() {
    let table = "name = \"t\"\nexperiment = \"EXPERIMENT\"\nseeds = [1]\nset.train.epochs = 1\nset.data.images = 32\n\
                 [[column]]\nname = \"c\"\n[[row]]\nname = \"r\"\nset.train.lr = 0.1\n";
    let table = table.replace("EXPERIMENT", &repository().join(DIGITS).display().to_string());
    let s = Scratch::new();
    let table = s.write("table.toml", table);
    let arguments = |out: &str| words(&["compare", &table, "-o", &format!("{out}/cells"), "--jobs", "1"]);
    let retry = |_: usize, out: &str| {
        succeeds(&["compare", &table, "-o", &format!("{out}/cells"), "--jobs", "1"]);
        assert_eq!(
            files(Path::new(&format!("{out}/cells"))).keys().filter(|f| f.ends_with("table.md")).count(),
            1
        );
    };
    assert!(every_fault(&|_| (), &arguments, &retry) >= 20);
}
