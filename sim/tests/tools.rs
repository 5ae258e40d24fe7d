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

#[test]
fn a_warning_is_an_error() {
    let wide = "module wide (input [3:0] a, output [1:0] b); assign b = a; endmodule\n";
    let design = design_with(32, wide);
    let with_instance = design
        .verilog
        .replace("integer i;", "integer i; wire [1:0] b; wide w (.a(number[3:0]), .b(b));")
        .replace("load_number = number", "load_number = number | {30'd0, b & 2'd0}");
    let what = say(&Design { verilog: with_instance, ..design }, |_| ());
    assert!(what.contains("%Warning-WIDTH: tandem.v:1:"), "{what}");
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
