//! Missing and failing tools.

mod fixture;

use fixture::{config, design, design_with, failure};
use tandem_sim::{Design, Programs, Sim, SimOptions, Tools};
use tempfile::TempDir;

/// The message of a build in a fresh cache with the given tools.
fn say(design: &Design, change: impl FnOnce(&mut Programs)) -> String {
    let dir = TempDir::new().unwrap();
    let mut options = SimOptions { cache: Some(dir.path().into()), ..SimOptions::default() };
    change(&mut options.programs);
    failure(Sim::of_design(&config(32), design, &options))
}

fn shell(script: &str) -> Vec<std::ffi::OsString> {
    ["sh", "-c", script, "c++"].map(Into::into).to_vec()
}

#[test]
fn missing_tools_say_how_to_get_them() {
    let what = say(&design(32), |p| p.verilator = "/nowhere/verilator".into());
    assert!(what.starts_with("verilator: `/nowhere/verilator` was not found; install it"), "{what}");
    assert!(what.contains("apt-get install verilator") && what.contains("VERILATOR"), "{what}");
    let what = say(&design(32), |p| p.cxx = vec!["/nowhere/c++".into()]);
    assert!(what.starts_with("C++ compiler: `/nowhere/c++` was not found; install one"), "{what}");
    assert!(what.contains("apt-get install g++") && what.contains("CXX"), "{what}");
}

#[test]
fn a_failing_verilator_shows_command_code_and_message() {
    let what = say(&design(32), |p| p.verilator = "false".into());
    assert!(what.starts_with("verilator: `false --version` failed with exit code 1"), "{what}");
    let broken = Design { top: "other".into(), ..design(32) };
    let what = say(&broken, |_| ());
    assert!(what.contains("--top-module other") && what.contains("exit code 1\n%Error: "), "{what}");
}

/// Newer versions know more warnings.
#[test]
fn a_warning_stops_no_build() {
    let wide = "module wide (input [3:0] a, output [1:0] b); assign b = a; endmodule\n";
    let design = design_with(32, wide);
    let with_instance = design
        .verilog
        .replace("integer i;", "integer i; wire [1:0] b; wide w (.a(number[3:0]), .b(b));")
        .replace("load_number = number", "load_number = number | {30'd0, b & 2'd0}");
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("tandem.v"), &with_instance).unwrap();
    let lint = std::process::Command::new(Programs::default().verilator)
        .args(["--lint-only", "-Wall", "--top-module", "tandem", "tandem.v"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&lint.stderr);
    assert!(!lint.status.success() && said.contains("%Warning-WIDTH"), "{said}");
    let options = SimOptions { cache: Some(dir.path().join("cache")), ..SimOptions::default() };
    Sim::of_design(&config(32), &Design { verilog: with_instance, ..design }, &options).unwrap();
}

#[test]
fn a_verilator_that_is_too_old_is_refused() {
    let (old, _dir) = script("echo Verilator 5.004 2022-12-14");
    let what = say(&design(32), |p| p.verilator = old);
    assert!(what.starts_with("verilator: version 5.004 is too old: expected 5.006 or a newer one"), "{what}");
}

/// A program of its own that does this.
fn script(text: &str) -> (std::path::PathBuf, TempDir) {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("verilator");
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    (file, dir)
}

#[test]
fn a_failing_compiler_shows_command_code_and_message() {
    let script = r#"case "$*" in *--version*) echo fake 1.0 ;; *) echo boom >&2; exit 4 ;; esac"#;
    let what = say(&design(32), |p| p.cxx = shell(script));
    assert!(what.starts_with("C++ compiler: `sh -c 'case"), "{what}");
    assert!(what.ends_with("failed with exit code 4\nboom"), "{what}");
}

#[test]
fn the_versions_are_known() {
    let tools = Tools::find(Programs::default()).unwrap();
    assert!(tools.verilator_version.starts_with("Verilator "), "{tools:?}");
    assert!(!tools.cxx_version.is_empty());
    let fake = Programs { cxx: shell("echo fake 1.0"), ..Programs::default() };
    assert_eq!(Tools::find(fake).unwrap().cxx_version, "fake 1.0");
}
