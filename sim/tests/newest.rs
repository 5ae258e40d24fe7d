//! A current Verilator, from the environment of the FPGA tools, beside the one on `PATH`: the same simulation, and the strictest
//! look at what is generated.

#[path = "fixture/program.rs"]
mod program;

use program::{default_config, program};
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem_sim::{Programs, Sim, SimOptions, Tools, Waveform};
use tandem_spec::link::BoardLink;
use tandem_spec::{Config, Engine, RunOptions, Stall, Status};
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Verilator's package in `$TANDEM_FPGA`, else in the workspace's `.venv`.
fn newest() -> PathBuf {
    let set = std::env::var_os("TANDEM_FPGA").filter(|v| !v.is_empty()).map(PathBuf::from);
    let environment = set.unwrap_or_else(|| Path::new(ROOT).join(".venv"));
    let pythons = std::fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let mut programs = pythons.map(|p| p.path().join("site-packages/verilator/bin/verilator"));
    programs
        .find(|p| p.exists())
        .unwrap_or_else(|| panic!("{}: no package `verilator`: run `make setup-fpga`", environment.display()))
}

fn with_newest() -> Programs {
    Programs { verilator: newest(), ..Programs::default() }
}

#[test]
fn it_is_newer_and_known_though_it_does_not_print_its_number() {
    let said = Command::new(newest()).arg("--version").output().unwrap().stdout;
    assert!(!String::from_utf8_lossy(&said).contains("Verilator 5"), "the case that this test is for");
    let number = |programs| Tools::find(programs).unwrap().verilator_number().unwrap();
    let (system, newest) = (number(Programs::default()), number(with_newest()));
    assert!(newest > system && newest >= (5, 48), "{newest:?} beside {system:?}");
}

#[test]
fn both_simulate_the_same() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("wave.vcd");
    let options = SimOptions {
        programs: with_newest(),
        cache: Some(dir.path().join("cache")),
        waveform: Some(Waveform::Vcd),
        ..SimOptions::default()
    };
    let config = default_config();
    let mut ours = Sim::new(&config, &SimOptions::default()).unwrap();
    let mut theirs = Sim::new(&config, &options).unwrap();
    let stalls = [(Stall::default(), Stall::default()), (Stall::random(1, 30), Stall::random(2, 40))];
    for (rounds, trace) in [(1, None), (3, None), (2, Some(file.clone()))] {
        let stream = program(&config, rounds);
        for (stall_in, stall_out) in stalls.clone() {
            let plain = RunOptions { stall_in, stall_out, ..RunOptions::default() };
            let outcome = ours.run(&stream, &plain).unwrap();
            assert_eq!((outcome.status, outcome.packets.len()), (Status::Idle, rounds + 1));
            assert_eq!(theirs.run(&stream, &RunOptions { trace: trace.clone(), ..plain }).unwrap(), outcome);
            assert_eq!(theirs.cycles(), ours.cycles());
        }
    }
    assert!(file.metadata().unwrap().len() > 0, "the waveform is there");
}

/// What users may see as a warning is an error here, in every configuration.
#[test]
fn neither_finds_anything_to_warn_of() {
    let lint = |verilator: &Path, design: &tandem_rtl::hdl::Design, name: &str| {
        let dir = TempDir::new().unwrap();
        let files = design.modules.iter().map(|m| {
            let file = dir.path().join(format!("{}.v", m.name));
            std::fs::write(&file, m.file("")).unwrap();
            file
        });
        let files: Vec<PathBuf> = files.collect();
        let output = Command::new(verilator)
            .args(["--lint-only", "-Wall", "--top-module", &design.top().name])
            .args(files)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{name}, {}: {said}", verilator.display());
    };
    let configs = std::fs::read_dir(Path::new(ROOT).join("configs/accelerators")).unwrap();
    let mut count = 0;
    for path in configs.map(|f| f.unwrap().path()) {
        let config = Config::from_file(&path).unwrap();
        // the accelerator is in it
        let link = BoardLink { clock_hz: 25_000_000, baud: 115_200, slots: 4 };
        let board = tandem_rtl::emit_board(&config, &link).unwrap();
        for verilator in [&Programs::default().verilator, &newest()] {
            lint(verilator, &board, &config.name);
        }
        count += 1;
    }
    assert!(count >= 6, "{count} configurations");
}
