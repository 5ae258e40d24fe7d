//! Every command's outputs against every kind of thing that can lie at their place, and commands that are stopped.

use crate::common::command::{Scratch, run, text};
use crate::common::{repository, tandem};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

const OLD: &[u8] = b"old";

/// Commands that write a file: arguments, with `OUT` for the file.
const FILES: [&[&str]; 6] = [
    &["gemm", "-c", "minimal", "--random", "3", "4", "5", "-o", "OUT"],
    &["fft", "-c", "spectral", "--random", "2", "--points", "16", "-o", "OUT"],
    &["run", "record", "-c", "minimal", "--random", "3", "4", "5", "-o", "OUT"],
    &["filter", "docs/sweep-report.png", "OUT", "--kind", "box"],
    &["data", "show", "-c", "configs/experiments/digits-mlp.toml", "-o", "OUT"],
    &["check", "-c", "minimal", "--seconds", "1", "--junit", "OUT"],
];

/// Commands that write a folder.
const FOLDERS: [&[&str]; 2] = [
    &["generate", "-c", "minimal", "-o", "OUT"],
    &["train", "-c", "configs/experiments/digits-mlp.toml", "--steps", "1", "-o", "OUT"],
];

fn with<'a>(arguments: &[&'a str], out: &'a str) -> Vec<&'a str> {
    arguments.iter().map(|a| if *a == "OUT" { out } else { *a }).collect()
}

fn code(arguments: &[&str], out: &str, more: &[&str]) -> (Option<i32>, String) {
    let output = run(&[], &[&with(arguments, out)[..], more].concat(), &[]);
    let err = text(&output.stderr);
    assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    (output.status.code(), err)
}

#[test]
fn files() {
    let s = Scratch::new();
    for arguments in FILES {
        let name = arguments[0];
        let refused = |out: &str, more: &[&str], says: &str| {
            let (code, err) = code(arguments, out, more);
            assert_eq!(code, Some(2), "{name} to {out}: {err}");
            assert!(err.contains(says) && err.contains(out.trim_end_matches('/')), "{name} to {out}: {err}");
        };
        let done = |out: &str, more: &[&str]| {
            let (code, err) = code(arguments, out, more);
            assert_eq!(code, Some(0), "{name} to {out}: {err}");
        };
        // new: the umask's mode
        let new = s.path(&format!("{name}-new"));
        done(&new, &[]);
        let plain = s.write("plain", OLD);
        let mode = |p: &str| fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&new), mode(&plain), "{name}");
        // existing: stays, or is replaced
        let existing = s.write(&format!("{name}-existing"), OLD);
        refused(&existing, &[], "exists");
        assert_eq!(fs::read(&existing).unwrap(), OLD);
        done(&existing, &["--force"]);
        assert_ne!(fs::read(&existing).unwrap(), OLD);
        // symbolic links are followed
        let (link, real) = (s.path(&format!("{name}-link")), s.path(&format!("{name}-real")));
        symlink(&real, &link).unwrap();
        done(&link, &[]);
        assert!(Path::new(&link).is_symlink() && fs::metadata(&real).unwrap().is_file());
        refused(&link, &[], "exists");
        // FIFO, devices
        let fifo = s.path(&format!("{name}-fifo"));
        let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let fifo = fifo.clone();
            move || {
                let mut bytes = vec![];
                File::open(fifo).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            }
        });
        done(&fifo, &[]);
        assert!(!reader.join().unwrap().is_empty(), "{name}");
        assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
        done("/dev/null", &[]);
        let (full, err) = code(arguments, "/dev/full", &[]);
        assert_eq!(full, Some(1), "{name} to /dev/full: {err}");
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        // no place for a file
        refused(&s.path(""), &[], "folder");
        refused(&s.path("missing/out"), &[], "No such file");
        refused(&format!("{plain}/out"), &[], "Not a directory");
        refused(&s.path("long").replace("long", &"x".repeat(300)), &["--force"], "File name too long");
    }
}

#[test]
fn folders() {
    for arguments in FOLDERS {
        let s = Scratch::new();
        let name = arguments[0];
        let new = s.path("a/new");
        assert_eq!(code(arguments, &new, &[]).0, Some(0), "{name}");
        let (again, err) = code(arguments, &new, &[]);
        assert_eq!(again, Some(2), "{name}: {err}");
        assert!(err.contains("exists"), "{err}");
        assert_eq!(code(arguments, &new, &["--force"]).0, Some(0), "{name}");
        let file = s.write("file", OLD);
        for (out, says) in [(file.clone(), "not a folder"), (format!("{file}/out"), "Not a directory")] {
            let (refused, err) = code(arguments, &out, &["--force"]);
            assert_eq!(refused, Some(2), "{name} to {out}: {err}");
            assert!(err.to_lowercase().contains(&says.to_lowercase()), "{name} to {out}: {err}");
        }
        assert_eq!(fs::read(&file).unwrap(), OLD);
        let (empty, link) = (s.path("empty"), s.path("link"));
        fs::create_dir(&empty).unwrap();
        symlink(&empty, &link).unwrap();
        assert_eq!(code(arguments, &link, &[]).0, Some(0), "{name}");
        assert!(fs::read_dir(&empty).unwrap().next().is_some());
    }
}

/// A user for whom permissions count, if we are root.
const NOBODY: u32 = 65534;

#[test]
fn folders_that_nobody_may_write_in() {
    let s = Scratch::new();
    // the program where another user finds it
    let program = s.path("tandem");
    fs::copy(tandem(), &program).unwrap();
    let closed = s.path("closed");
    fs::create_dir(&closed).unwrap();
    let open = |path: &str, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(&s.path(""), 0o755);
    open(&program, 0o755);
    open(&closed, 0o555);
    let root = fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m)).unwrap() == 0;
    for arguments in FILES.iter().chain(&FOLDERS) {
        let out = format!("{closed}/out");
        let mut command = Command::new(&program);
        command.current_dir("/").args(with(arguments, &out)).env("HOME", s.path("")).stdout(Stdio::null());
        if arguments[0] == "train" {
            let text = fs::read_to_string(repository().join(arguments[2])).unwrap();
            let file = s.write("net.toml", text);
            command = Command::new(&program);
            command.current_dir("/").args(["train", "-c", &file, "--steps", "1", "-o", &out]);
        }
        if root {
            command.uid(NOBODY);
        }
        let output = command.output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains("Permission denied") && err.contains("closed"), "{arguments:?}: {err}");
    }
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
}

#[test]
fn a_stdout_that_takes_nothing() {
    let s = Scratch::new();
    for arguments in
        FILES.iter().chain(&FOLDERS).chain(&[&["doctor"][..], &["--help"], &["data", "info", "digits"]])
    {
        let out = s.path(&format!("{}-out", arguments[0]));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(tandem());
        command.current_dir(repository()).args(with(arguments, &out)).stdout(full);
        let output = command.output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn a_log_that_no_terminal_shows_has_no_colours() {
    let s = Scratch::new();
    let cache = s.path("cache");
    fs::create_dir(&cache).unwrap();
    let output = run(
        &[],
        &["gemm", "-c", "minimal", "--engine", "sim", "--random", "3", "4", "5"],
        &[("TANDEM_LOG", "trace"), ("TANDEM_CACHE", &cache)],
    );
    let err = text(&output.stderr);
    assert!(output.status.success(), "{err}");
    assert!(
        err.contains(" INFO ") || err.contains("DEBUG ") || err.contains("TRACE "),
        "nothing is logged: {err}"
    );
    assert!(!err.contains('\x1b'), "{err}");
}

#[test]
fn a_configuration_without_end_is_refused() {
    let s = Scratch::new();
    let never = s.path("never");
    s.refuses(&["/dev/zero", "1 MiB"], &["generate", "-c", "/dev/zero", "-o", &never]);
    s.refuses(&["/dev/zero", "1 MiB"], &["train", "-c", "/dev/zero", "-o", &never]);
    s.refuses(&["/dev/zero", "1 MiB"], &["compare", "/dev/zero", "-o", &never]);
}

#[test]
fn names_do_not_lead_out_of_their_folder() {
    let s = Scratch::new();
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let experiment =
        read("configs/experiments/digits-mlp.toml").replace("\"digits-mlp\"", "\"../../../escape\"");
    let file = s.write("net.toml", experiment);
    s.refuses(&["net.toml", "name", "../../../escape"], &["train", "-c", &file, "--steps", "1"]);
    let accelerator = read("configs/accelerators/minimal.toml").replace("\"minimal\"", "\"../../../escape\"");
    let file = s.write("accelerator.toml", accelerator);
    let never = s.path("never");
    s.refuses(&["accelerator.toml", "name", "../../../escape"], &["generate", "-c", &file, "-o", &never]);
    assert!(!Path::new(&never).exists());
}

/// Starts `tandem`, waits for a line that has `sign` on stderr, then sends the signal; how it ended.
fn stopped(arguments: &[&str], sign: &str, signal: &str) -> (Option<i32>, Option<i32>) {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(tandem())
        .current_dir(repository())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines.by_ref().map_while(Result::ok).any(|line| line.contains(sign));
    assert!(seen, "{arguments:?}: no line with `{sign}`");
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    // a full pipe must not hold it up
    lines.for_each(drop);
    let status = child.wait().unwrap();
    (status.code(), status.signal())
}

#[test]
fn train_that_is_stopped_goes_on() {
    let s = Scratch::new();
    let digits = "configs/experiments/digits-mlp.toml";
    let settings = ["--set", "train.epochs=40", "--checkpoint-every", "7"];
    let start = |run: &str| {
        [&["train", "-c", digits, "-o", run][..], &settings]
            .concat()
            .iter()
            .map(|a| (*a).to_owned())
            .collect::<Vec<_>>()
    };
    let digest = |run: &str| {
        let report = fs::read_to_string(format!("{run}/report.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&report).unwrap()["weights_digest"].clone()
    };
    let whole = s.path("whole");
    let all: Vec<_> = start(&whole);
    crate::common::command::succeeds(&all.iter().map(String::as_str).collect::<Vec<_>>());
    for (signal, expected) in
        [("-INT", (Some(130), None)), ("-TERM", (Some(143), None)), ("-KILL", (None, Some(9)))]
    {
        let run = s.path(signal);
        let arguments = start(&run);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        assert_eq!(stopped(&arguments, "epoch   2", signal), expected, "{signal}");
        crate::common::command::succeeds(&["train", "--resume", &run]);
        assert_eq!(digest(&run), digest(&whole), "{signal}");
    }
}

#[test]
fn a_command_that_is_stopped_leaves_nothing() {
    let s = Scratch::new();
    let dir = s.path("out");
    fs::create_dir(&dir).unwrap();
    let junit = format!("{dir}/report.xml");
    let cache = s.path("cache");
    for signal in ["-INT", "-TERM", "-KILL"] {
        let number = match signal {
            "-INT" => 2,
            "-TERM" => 15,
            _ => 9,
        };
        // while a simulator is built in an empty cache
        let arguments = ["check", "-c", "minimal", "--seconds", "600", "--junit", &junit];
        // a shell's background job would pass on that it ignores SIGINT
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,TERM").arg(tandem());
        command.current_dir(repository()).args(arguments).env("TANDEM_CACHE", &cache);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = std::time::Instant::now();
        while !Path::new(&cache).exists() && begun.elapsed().as_secs() < 60 {
            std::thread::yield_now();
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = child.wait().unwrap();
        let ended = status.signal() == Some(number) || status.code() == Some(128 + number);
        assert!(ended, "{signal}: {status}");
        let left: Vec<_> = fs::read_dir(&dir).unwrap().collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
        let _ = fs::remove_dir_all(&cache);
    }
}
