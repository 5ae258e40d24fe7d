//! What the tests share: random stimuli, and the two checks that every unit gets.
#![allow(dead_code, reason = "each test binary uses its own part")]
use rust_hdl::prelude::*;
use std::path::Path;
use std::process::Command;
use tandem_rtl::hdl::{Design, Module, trace::Trace, verilog};

/// A small linear congruential generator: the same stimuli in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }
    pub fn wide(&mut self) -> i128 {
        // one in four is extreme: all zeros, all ones
        match self.next() % 8 {
            0 => 0,
            1 => -1,
            _ => (i128::from(self.next()) << 84) ^ (i128::from(self.next()) << 42) ^ i128::from(self.next()),
        }
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn bit(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

/// Prints `top`, confirms `trace` under Icarus and lints under Verilator. Returns the Verilog.
pub fn confirm<U: Block>(top: &mut U, trace: &Trace) -> String {
    let design = described(top, trace);
    lint(&design);
    design.text()
}

/// Prints `top` and confirms `trace` under Icarus.
pub fn described<U: Block>(top: &mut U, trace: &Trace) -> Design {
    let design = verilog("top", top).unwrap_or_else(|e| panic!("{e}"));
    let (v, dir) = (design.text(), tempfile::tempdir().expect("a scratch folder"));
    trace.check("top", &v, dir.path()).unwrap_or_else(|e| panic!("{e}\n{v}"));
    design
}

/// Verilator with every warning an error; scheduling included, so that false loops show.
pub fn lint(design: &Design) {
    lint_but(design, &[]);
}

/// As [`lint`], without the given warnings.
pub fn lint_but(design: &Design, allowed: &[&str]) {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let files = files(design, dir.path());
    let o = Command::new("verilator")
        .current_dir(dir.path())
        .args(["--cc", "-Wall", "--top-module", "top"])
        .args(allowed)
        .args(files)
        .output()
        .expect("verilator is installed");
    assert!(o.status.success(), "{}\n{}", String::from_utf8_lossy(&o.stderr), design.text());
}

/// Verilator, Icarus and Yosys read the files of `design`, documentation and all, and say nothing.
pub fn accepted(design: &Design) {
    let top = &design.top().name;
    let dir = tempfile::tempdir().expect("a scratch folder");
    let files = files(design, dir.path());
    let lint = ["--lint-only", "-Wall", "--top-module", top];
    let icarus = ["-g2005", "-Wall", "-s", top, "-t", "null"];
    let script =
        format!("read_verilog {}; hierarchy -check -top {top}; proc; check -assert", files.join(" "));
    let yosys = ["-q", "-p", &script];
    for (tool, args) in [("verilator", &lint[..]), ("iverilog", &icarus[..]), ("yosys", &yosys[..])] {
        let own = if tool == "yosys" { &[][..] } else { &files[..] };
        let mut command = Command::new(tool);
        let out = command.current_dir(dir.path()).args(args).args(own).output().expect("it is installed");
        let said = String::from_utf8_lossy(&out.stderr) + String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && said.is_empty(), "{tool}, {}: {said}", design.modules.len());
    }
}

/// Writes one file a module, as `tandem generate` does; their names.
fn files(design: &Design, dir: &Path) -> Vec<String> {
    let write = |m: &Module| {
        let name = format!("{}.v", m.name);
        std::fs::write(dir.join(&name), m.file("A banner.")).expect("a file");
        name
    };
    design.modules.iter().map(write).collect()
}
