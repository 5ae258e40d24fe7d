//! Verilator with every warning, Icarus and Yosys read the files of random accelerators and have nothing to say.

use std::path::Path;
use std::process::Command;
use tandem_spec::Config;
use tandem_stimuli::random_config;

fn accepted(config: &Config) {
    let design = tandem_rtl::emit(config).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let banner = tandem_rtl::banner(config);
    let write = |m: &tandem_rtl::hdl::Module| {
        let name = format!("{}.v", m.name);
        std::fs::write(dir.path().join(&name), m.file(&banner)).unwrap();
        name
    };
    let files: Vec<String> = design.modules.iter().map(write).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let yosys = format!("read_verilog {}; hierarchy -check -top tandem", files.join(" "));
    for command in [
        [&["verilator", "--lint-only", "-Wall", "--top-module", "tandem"], &files[..]].concat(),
        [&["iverilog", "-g2005", "-Wall", "-s", "tandem", "-t", "null"], &files[..]].concat(),
        vec!["yosys", "-q", "-p", &yosys],
    ] {
        says_nothing(&command, dir.path(), &config.name);
    }
}

fn says_nothing(command: &[&str], dir: &Path, name: &str) {
    let out =
        Command::new(command[0]).current_dir(dir).args(&command[1..]).output().expect("it is installed");
    let said = String::from_utf8_lossy(&out.stderr) + String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.is_empty(), "{}, {name}: {said}", command[0]);
}

#[test]
fn nothing_is_said_of_random_accelerators() {
    for seed in 0..12 {
        accepted(&random_config(seed));
    }
}
