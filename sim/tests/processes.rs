//! Two processes that need the same model build it once.

mod fixture;

use fixture::{config, design, echo, packet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Engine, RunOptions};

const DIR: &str = "TANDEM_TEST_DIR";

#[test]
fn two_processes_build_once() {
    let dir = tempfile::TempDir::new().unwrap();
    let script = dir.path().join("verilator");
    let log = dir.path().join("log");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *--cc*) echo built >> '{}' ;; esac\nexec verilator \"$@\"\n",
        log.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let children: Vec<_> = (0..2)
        .map(|_| {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "build_in_this_process", "--ignored"]).env(DIR, dir.path());
            child.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "built\n");
}

#[test]
#[ignore = "started by two_processes_build_once"]
fn build_in_this_process() {
    let dir = std::env::var_os(DIR).expect("started by two_processes_build_once");
    let dir = Path::new(&dir);
    let mut options = SimOptions { cache: Some(dir.join("cache")), ..SimOptions::default() };
    options.programs.verilator = dir.join("verilator");
    let mut sim = Sim::of_design(&config(8), &design(8), &options).unwrap();
    let expected = [packet(8, 5, 1)];
    assert_eq!(sim.run(&echo(8, &expected), &RunOptions::default()).unwrap().packets, expected);
}
