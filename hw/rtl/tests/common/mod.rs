//! What the tests share: random stimuli, and the two checks that every unit gets.
#![allow(dead_code, reason = "each test binary uses its own part")]
use rust_hdl::prelude::*;
use std::process::Command;
use tandem_rtl::hdl::{trace::Trace, verilog};

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
    let v = simulated(top, trace);
    lint(&v);
    v
}

/// Prints `top` and confirms `trace` under Icarus. Returns the Verilog.
pub fn simulated<U: Block>(top: &mut U, trace: &Trace) -> String {
    let v = verilog("top", top).unwrap_or_else(|e| panic!("{e}")).text();
    let dir = tempfile::tempdir().expect("a scratch folder");
    trace.check("top", &v, dir.path()).unwrap_or_else(|e| panic!("{e}\n{v}"));
    v
}

/// Verilator with every warning an error; scheduling included, so that false loops show.
pub fn lint(v: &str) {
    lint_but(v, &[]);
}

/// As [`lint`], without the given warnings.
pub fn lint_but(v: &str, allowed: &[&str]) {
    let dir = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(dir.path().join("top.v"), v).expect("a file");
    let o = Command::new("verilator")
        .current_dir(dir.path())
        .args(["--cc", "-Wall", "-Wno-DECLFILENAME", "-Wno-UNUSEDSIGNAL", "--top-module", "top", "top.v"])
        .args(allowed)
        .output()
        .expect("verilator is installed");
    assert!(o.status.success(), "{}\n{v}", String::from_utf8_lossy(&o.stderr));
}
