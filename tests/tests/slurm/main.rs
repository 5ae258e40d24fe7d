//! `tandem sweep --slurm` under Slurm itself: the same results as here, whatever is killed.

mod cluster;
#[path = "../common/mod.rs"]
mod common;

use cluster::{ARRAY, Cluster};
use common::command::{Scratch, files, object, succeeds, text};
use common::sweeps::{self, AXES};
use common::{repository, tandem};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A sweep of four points times what `axes` makes of them.
fn small(s: &Scratch, epochs: u32, axes: &str) -> String {
    sweeps::small(s, "sweep.toml", "", epochs, &format!("{AXES}\n{axes}"))
}

/// The files of results, byte for byte.
fn results(folder: &str) -> BTreeMap<&'static str, String> {
    let read = |name| {
        (
            name,
            std::fs::read_to_string(Path::new(folder).join(name)).unwrap_or_else(|e| panic!("{name}: {e}")),
        )
    };
    ["results.csv", "summary.json", "front.svg"].map(read).into()
}

fn there(folder: &str, ending: &str) -> usize {
    let is = |path: &PathBuf| path.extension().is_some_and(|e| e == ending);
    files(Path::new(folder)).into_keys().filter(is).count()
}

/// A run of `tandem sweep --slurm`.
fn start(cluster: &Cluster, arguments: &[&str]) -> Child {
    let mut command = cluster.command(tandem());
    command.current_dir(repository()).args(["sweep", "--slurm"]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tandem starts")
}

fn signal(id: u32, signal: &str) {
    let sent = Command::new("kill").args([signal, &id.to_string()]).status().expect("kill");
    assert!(sent.success(), "{signal} {id}");
}

fn wait_for<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what} within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that trains a point into this folder, and the point.
fn worker(folder: &str) -> Option<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let line = text(&line);
        let words: Vec<&str> = line.split_terminator('\0').collect();
        let is_worker = Path::new(words.first()?).ends_with("tandem")
            && words.get(1..3)? == ["sweep", "run"]
            && words.iter().any(|word| word.strip_prefix("--output=") == Some(folder));
        is_worker.then(|| (id, words[words.len() - 1].to_owned()))
    })
    .next()
}

/// A worker that is stopped before its point has an outcome.
fn stopped_worker(folder: &str) -> u32 {
    wait_for("worker", || {
        let (id, point) = worker(folder)?;
        // it may have ended since
        Command::new("kill")
            .args(["-STOP", &id.to_string()])
            .stderr(Stdio::null())
            .status()
            .ok()?
            .success()
            .then_some(())?;
        let is_open = worker_is(id, &point) && !Path::new(folder).join(format!("{point}.json")).exists();
        if !is_open {
            let _ = Command::new("kill").args(["-CONT", &id.to_string()]).stderr(Stdio::null()).status();
        }
        is_open.then_some(id)
    })
}

fn worker_is(id: u32, point: &str) -> bool {
    std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| text(&line).contains(point))
}

fn finished(child: Child) -> Output {
    child.wait_with_output().expect("a child")
}

/// With points that fail, in arrays of five.
#[test]
fn the_results_are_those_of_the_local_sweep() {
    let (s, cluster) = (Scratch::new(), Cluster::start());
    let wild = "[[axis]]\nname = \"decay\"\nchoices = [{ name = \"none\" }, { name = \"little\", set.train.weight_decay = 0.001 }, { name = \"wild\", set.train = { lr = 100.0, weight_decay = 0.9, epochs = 8 } }]\n";
    let file = small(&s, 2, wild);
    // in names of logs a percent sign is special
    let (here, there_) = (s.path("here"), s.path("there, 100 %d"));
    let run = |arguments: &[&str]| {
        let output = cluster.output(tandem(), &[&["--json", "sweep", &file], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        (object(&output), text(&output.stderr))
    };
    let (local, _) = run(&["-o", &here, "--seeds", "1", "--set", "data.images=256"]);
    assert_eq!(
        (local["points"].as_array().unwrap().len(), local["failed"].as_array().unwrap().len()),
        (8, 4)
    );
    let same = ["-o", &there_, "--seeds", "1", "--set", "data.images=256", "--slurm"];
    let (slurm, said) =
        run(&[&same[..], &["--slurm-arg=--comment=a b", "--slurm-arg", "--time=10"]].concat());
    assert_eq!(slurm, local);
    assert_eq!(results(&there_), results(&here));
    assert!(said.contains("12 of 12 points") && said.contains("wild: "), "{said}");
    // chunked
    let lists: Vec<_> = files(Path::new(&there_))
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "points"))
        .collect();
    let lengths: Vec<_> = lists.iter().map(|(_, ids)| text(ids).lines().count()).collect();
    assert_eq!(lengths, [ARRAY, ARRAY, 2]);
    assert_eq!(there(&there_, "log"), 12);
    // all is there: only what failed runs again, two tasks at a time
    let (again, said) = run(&[&same[..], &["--jobs", "2"]].concat());
    assert_eq!(again, local);
    assert!(said.contains("12 of 12 points"), "{said}");
    assert_eq!((results(&there_), there(&there_, "points")), (results(&here), 4));
    let refused = cluster.output(
        tandem(),
        &["sweep", &file, "-o", &s.path("none"), "--slurm", "--slurm-arg=--partition=none"],
    );
    let said = text(&refused.stderr);
    assert!(
        refused.status.code() == Some(3) && said.contains("sbatch: ") && said.contains("partition"),
        "{said}"
    );
    // halving: the tasks of a rung have its epochs
    let file = sweeps::small(&s, "halved.toml", "halving = { epochs = [1] }", 2, AXES);
    let (here, there_) = (s.path("halved here"), s.path("halved there"));
    let run = |arguments: &[&str]| {
        let output = cluster.output(tandem(), &[&["--json", "sweep", &file], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        object(&output)
    };
    let local = run(&["-o", &here]);
    assert_eq!(run(&["-o", &there_, "--slurm"]), local);
    assert_eq!((results(&there_), there(&there_, "log")), (results(&here), 4 + 2));
}

/// Interrupted twice, killed once, and a task killed at work.
#[test]
fn whatever_is_killed_the_table_is_complete_and_equal() {
    let (s, cluster) = (Scratch::new(), Cluster::start());
    let seeds = "[[axis]]\nname = \"gradients\"\nkey = \"bits.gradients\"\nvalues = [4, 6, 8]\n";
    let file = small(&s, 30, seeds);
    let (here, out) = (s.path("here"), s.path("there"));
    succeeds(&["sweep", &file, "-o", &here]);
    let begin = || start(&cluster, &[&file, "-o", &out]);
    let mut before = 0;
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let command = begin();
        wait_for("outcome", || (there(&out, "json") > before).then_some(()));
        wait_for("worker", || worker(&out));
        signal(command.id(), name);
        let ended = finished(command);
        assert_eq!(ended.status.code(), Some(code), "{}", text(&ended.stderr));
        assert!(
            text(&ended.stdout).contains("of 12 points; the same command goes on"),
            "{}",
            text(&ended.stdout)
        );
        // its tasks have ended with it
        wait_for("end of the tasks", || (cluster.tasks() == 0).then_some(()));
        before = there(&out, "json");
        assert!(before < 12, "{before}");
    }
    // killed, it leaves its tasks in the queue, one of them stopped
    let command = begin();
    let stopped = stopped_worker(&out);
    signal(command.id(), "-KILL");
    finished(command);
    assert!(cluster.tasks() > 0);
    let mut command = begin();
    let mut lines = BufReader::new(command.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = vec![];
    while !said.last().is_some_and(|line: &String| line.ends_with("in the queue already")) {
        said.push(lines.next().unwrap_or_else(|| panic!("{said:?}")));
    }
    signal(stopped, "-KILL");
    said.extend(lines);
    assert!(finished(command).status.success(), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("1 lost")), "{said:?}");
    assert_eq!(results(&out), results(&here));
}

/// Programs whose library is broken where the tasks run: four tries, the reason, and the same command when it is mended.
#[test]
fn a_point_whose_tasks_cannot_run_is_given_up_with_its_reason() {
    let (s, cluster) = (Scratch::new(), Cluster::start());
    let file = small(&s, 2, "");
    s.write("lib/libgcc_s.so.1", "broken");
    let (out, library) =
        (s.path("out"), format!("--slurm-arg=--export=ALL,LD_LIBRARY_PATH={}", s.path("lib")));
    let arguments = ["--json", "sweep", &file, "-o", &out, "--slurm"];
    let ran = cluster.output(tandem(), &[&arguments[..], &[&library]].concat());
    let (report, said) = (object(&ran), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(1), "{said}");
    let failed = report["failed"].as_array().unwrap();
    let lost = said.lines().filter_map(|line| line.split_once(" lost")?.0.parse::<usize>().ok());
    assert_eq!((failed.len(), lost.sum()), (4, 3 * 4), "{said}");
    for point in failed {
        let reason = point["reason"].as_str().unwrap();
        assert!(
            reason.contains("4 tasks ended without an outcome") && reason.contains("libgcc_s.so.1"),
            "{reason}"
        );
    }
    let ran = cluster.output(tandem(), &arguments);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!((object(&ran)["points"].as_array().unwrap().len(), there(&out, "failed")), (4, 0));
}

#[test]
fn without_slurm_it_says_so() {
    let s = Scratch::new();
    let file = small(&s, 2, "");
    let out = s.path("out");
    let says = ["scontrol was not found", "--slurm", "slurm-client"];
    s.fails(3, &says, &["sweep", &file, "-o", &out, "--slurm"], &[("PATH", &s.path("empty"))]);
    assert!(!Path::new(&out).exists());
    s.refuses(&["--slurm"], &["sweep", &file, "-o", &out, "--slurm-arg=--time=1"]);
}
