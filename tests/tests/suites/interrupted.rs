//! `tandem train`: whatever interrupts a run, its log, report and weights end as if nothing had.

use crate::common::command::{Scratch, run, succeeds, text};
use crate::common::{config, repository, tandem};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const CHECKPOINT: &str = "checkpoint.safetensors";

/// Noise, a filter and augmentations: batches are made ahead by threads, which end and go on with the run.
const LISTS: &str = "batch = 32\n\
    preprocess = [{ kind = \"noise\", deviation = 20 }, { kind = \"median\", size = 3 }]\n\
    augment = [{ kind = \"shift\" }, { kind = \"cutout\", size = 2 }]";

/// An experiment of 2 epochs of 10 steps.
fn short(s: &Scratch) -> String {
    let text = std::fs::read_to_string(repository().join("configs/experiments/digits-mlp.toml")).unwrap();
    let text =
        text.replace("epochs = 20", "epochs = 2").replace("batch = 32", &format!("{LISTS}\nimages = 330"));
    s.write("short.toml", text)
}

/// The same for a run that does not end by itself.
fn endless(s: &Scratch) -> String {
    let text = std::fs::read_to_string(repository().join("configs/experiments/digits-mlp.toml")).unwrap();
    s.write("endless.toml", text.replace("epochs = 20", "epochs = 1000000").replace("batch = 32", LISTS))
}

fn without(mut value: Value, keys: &[&str]) -> Value {
    keys.iter().for_each(|key| drop(value.as_object_mut().unwrap().remove(*key)));
    value
}

/// Log and report of a run's folder, without times and place.
fn outcome(folder: &str) -> (Vec<Value>, Value) {
    let read = |name: &str| std::fs::read_to_string(Path::new(folder).join(name)).unwrap();
    let log = read("log.jsonl");
    let lines =
        log.lines().map(|l| without(serde_json::from_str(l).unwrap(), &["images_per_s", "data_wait"]));
    let report = serde_json::from_str(&read("report.json")).unwrap();
    (lines.collect(), without(report, &["run", "images_per_s", "data_wait", "wall_s"]))
}

fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new(tandem());
    command.current_dir(repository()).arg("train").args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("tandem starts")
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "no {what} within a minute");
        std::thread::yield_now();
    }
}

fn signalled(child: Child, signal: &str) -> Output {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    child.wait_with_output().expect("a child")
}

/// After every step, with the log as it was before the checkpoint, or with none.
#[test]
fn a_kill_between_checkpoint_and_log_loses_nothing() {
    let s = Scratch::new();
    let (file, whole) = (short(&s), s.path("whole"));
    succeeds(&["train", "-c", &file, "-o", &whole]);
    let expected = outcome(&whole);
    assert_eq!((expected.0.len(), &expected.1["steps"]), (2, &Value::from(20)));
    assert_eq!((&expected.1["images_per_epoch"], &expected.1["dropped_images"]), (&320.into(), &10.into()));
    for steps in 0..=20 {
        let folder = s.path(&format!("cut-{steps}"));
        succeeds(&["train", "-c", &file, "-o", &folder, "--steps", &steps.to_string()]);
        let log = format!("{folder}/log.jsonl");
        let text = std::fs::read_to_string(&log).unwrap();
        let older: String = text.lines().take(steps / 20).map(|l| format!("{l}\n")).collect();
        if steps % 2 == 0 {
            std::fs::write(&log, older).unwrap()
        } else {
            std::fs::remove_file(&log).unwrap()
        }
        std::fs::remove_file(format!("{folder}/report.json")).unwrap();
        succeeds(&["train", "--resume", &folder]);
        assert_eq!(outcome(&folder), expected, "after {steps} steps");
    }
    succeeds(&["train", "--resume", &whole]);
    assert_eq!(outcome(&whole), expected, "a finished run");
}

/// SIGKILL at 40 moments from the start to the end.
#[test]
fn a_run_killed_at_any_moment_resumes_or_starts_again() {
    let s = Scratch::new();
    let (file, whole) = (short(&s), s.path("whole"));
    let begun = Instant::now();
    succeeds(&["train", "-c", &file, "-o", &whole, "--checkpoint-every", "1"]);
    let duration = begun.elapsed();
    let expected = outcome(&whole);
    let (mut again, mut resumed) = (0, 0);
    for moment in 0..40 {
        let folder = s.path(&format!("killed-{moment}"));
        let arguments = ["-c", &file, "-o", &folder, "--checkpoint-every", "1"];
        let begun = Instant::now();
        let mut child = start(&arguments, &[]);
        while begun.elapsed() < duration * moment / 40 {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("a child");
        if Path::new(&folder).join(CHECKPOINT).exists() {
            resumed += 1;
            succeeds(&["train", "--resume", &folder]);
        } else {
            again += 1;
            s.refuses(&[&folder], &["train", "--resume", &folder]);
            succeeds(&[&["train"][..], &arguments].concat());
        }
        assert_eq!(outcome(&folder), expected, "{moment}/40 of {duration:?}");
    }
    assert!(again > 0 && resumed > 0, "{again} started again, {resumed} resumed");
}

#[test]
fn a_folder_without_a_checkpoint_is_a_run_that_has_not_started() {
    let s = Scratch::new();
    let (file, folder) = (short(&s), s.path("run"));
    let train = ["train", "-c", &file, "-o", &folder];
    let expected = succeeds(&train)["weights_digest"].clone();
    for name in [CHECKPOINT, "log.jsonl", "report.json", "training.svg"] {
        std::fs::remove_file(Path::new(&folder).join(name)).unwrap();
    }
    s.refuses(&["run: has no checkpoint.safetensors", "start it again"], &["train", "--resume", &folder]);
    s.refuses(&["run: exists and has experiment.toml"], &[&train[..], &["--seed", "7"]].concat());
    assert_eq!(succeeds(&train)["weights_digest"], expected);
    s.refuses(&["run: exists", "--resume"], &train);
    std::fs::create_dir(s.path("none")).unwrap();
    s.refuses(&["none: is no run"], &["train", "--resume", &s.path("none")]);
}

#[test]
fn one_process_at_a_time_trains_in_a_folder_and_signals_have_their_codes() {
    let s = Scratch::new();
    let (file, folder) = (endless(&s), s.path("run"));
    let mut child = start(&["-c", &file, "-o", &folder], &[]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let log = Path::new(&folder).join("log.jsonl");
        let before = std::fs::read(&log).unwrap_or_default();
        wait_for("epoch", || std::fs::read(&log).is_ok_and(|now| now.len() > before.len()));
        let output = run(&[], &["train", "--resume", &folder], &[]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("run: in use by another process"), "{}", text(&output.stderr));
        succeeds(&["eval", &folder]);
        let output = signalled(child, signal);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(&format!("--resume {folder}")), "{}", text(&output.stderr));
        child = start(&["--resume", &folder], &[]);
    }
    child.kill().expect("killed");
    child.wait().expect("a child");
}

/// Nothing is there to save yet: the signal ends the process, and no folder is left.
#[test]
fn a_signal_while_a_simulator_is_built_ends_the_run() {
    let s = Scratch::new();
    let (marker, folder, cache) = (s.path("pid"), s.path("run"), s.path("cache"));
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 'Verilator 5.006'\necho $$ > {marker}.new\nmv {marker}.new {marker}\nexec sleep 60\n"
    );
    let fake = s.write("fake/verilator", script);
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", s.path("fake"), std::env::var("PATH").unwrap());
    let accelerator = s.write("tiny.toml", config("tiny").to_toml());
    let arguments = ["-c", &short(&s), "-o", &folder, "--engine", "sim", "--accelerator", &accelerator];
    let child = start(&arguments, &[("PATH", &path), ("TANDEM_CACHE", &cache)]);
    wait_for("simulator", || Path::new(&marker).exists());
    let output = signalled(child, "-TERM");
    assert_eq!(output.status.code(), Some(143), "{}", text(&output.stderr));
    assert!(!Path::new(&folder).exists());
    let pid = std::fs::read_to_string(&marker).unwrap();
    Command::new("kill").arg(pid.trim()).status().expect("kill");
}

#[test]
fn an_edited_run_is_refused_with_key_and_both_values() {
    let s = Scratch::new();
    let (file, folder) = (short(&s), s.path("run"));
    succeeds(&["train", "-c", &file, "-o", &folder, "--steps", "7"]);
    let edit = |name: &str, from: &str, to: &str, says: &[&str]| {
        let path = Path::new(&folder).join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        s.refuses(says, &["train", "--resume", &folder]);
        s.refuses(says, &["eval", &folder]);
        std::fs::write(&path, text).unwrap();
    };
    edit("experiment.toml", "batch = 32", "batch = 48", &["`data.batch` was 32, now 48"]);
    edit("experiment.toml", "images = 330", "images = 100", &["`data.images` was 330, now 100"]);
    edit("experiment.toml", "seed = 1", "seed = 3", &["`train.seed` was 1, now 3"]);
    edit("experiment.toml", "lr = 0.05", "lr = 0.5", &["`train.lr` was 0.05, now 0.5"]);
    edit("experiment.toml", "epochs = 2", "epochs = 3", &["`train.epochs` was 2, now 3", "may only grow"]);
    edit("accelerator.toml", "lanes = ", "lanes = 1 # ", &["`array.lanes` was ", "now 1"]);
    for engine in ["sim", "model"] {
        succeeds(&["train", "--resume", &folder, "--engine", engine, "--steps", "9"]);
    }
}

/// With a constant rate more epochs are the run that had them from the start.
#[test]
fn epochs_may_grow_where_nothing_depends_on_their_number() {
    let s = Scratch::new();
    let text = std::fs::read_to_string(short(&s)).unwrap().replace("\"cosine\"", "\"constant\"");
    let three = s.write("three.toml", text.replace("epochs = 2", "epochs = 3"));
    let two = s.write("two.toml", &text);
    let (grown, whole) = (s.path("grown"), s.path("whole"));
    succeeds(&["train", "-c", &two, "-o", &grown]);
    succeeds(&["train", "-c", &three, "-o", &whole]);
    std::fs::copy(&three, s.path("grown/experiment.toml")).unwrap();
    succeeds(&["train", "--resume", &grown]);
    assert_eq!(outcome(&grown), outcome(&whole));
}

/// The size limit of files stands for a full disk: the same call fails, with another reason of the same kind.
#[test]
fn a_full_disk_is_a_failure_and_the_next_try_works() {
    let s = Scratch::new();
    let (file, folder, whole) = (short(&s), s.path("run"), s.path("whole"));
    succeeds(&["train", "-c", &file, "-o", &whole]);
    let limited = |arguments: &[&str]| {
        let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" train \"$@\"";
        let mut command = Command::new("sh");
        command.current_dir(repository()).args(["-c", script]).arg(tandem()).args(arguments);
        let output = command.output().expect("sh");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(CHECKPOINT) && said.contains("File too large"), "{said}");
    };
    limited(&["-c", &file, "-o", &folder]);
    succeeds(&["train", "-c", &file, "-o", &folder, "--steps", "7"]);
    let before = std::fs::read(s.path("run/checkpoint.safetensors")).unwrap();
    limited(&["--resume", &folder, "--checkpoint-every", "1"]);
    assert_eq!(std::fs::read(s.path("run/checkpoint.safetensors")).unwrap(), before);
    succeeds(&["train", "--resume", &folder]);
    assert_eq!(outcome(&folder), outcome(&whole));
}

#[test]
fn a_checkpoint_that_is_no_file_is_refused() {
    let s = Scratch::new();
    let (file, folder) = (short(&s), s.path("run"));
    succeeds(&["train", "-c", &file, "-o", &folder, "--steps", "1"]);
    let checkpoint = s.path("run/checkpoint.safetensors");
    std::fs::remove_file(&checkpoint).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &checkpoint).unwrap();
    for arguments in [["train", "--resume", &folder].as_slice(), &["eval", &folder]] {
        let output = run(&[], arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("not a regular file"), "{}", text(&output.stderr));
    }
}
