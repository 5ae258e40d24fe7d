//! The third opinion: rust_hdl's own simulation against the printed Verilog under Icarus.
//!
//! ```text
//! unit ──simulate──▶ Trace (top-level ports, cycle by cycle) ──bench──▶ self-checking Verilog ─┐
//!   └──verilog────────────────────────────────────────────────────────────────────────────────┴▶ iverilog
//! ```
//! A trace knows nothing of what a unit should do: it shows that the Rust model and the Verilog do
//! the same, cell models included.
use super::names::Namer;
use super::verilog::literal_value;
use rust_hdl::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use thiserror::Error;

/// Iterations in which a settled design must stop changing.
const SETTLE: usize = 1000;

/// Values of a unit's ports over time.
#[derive(Default)]
pub struct Trace {
    ports: Vec<Port>,
    samples: Vec<Vec<u128>>,
}

struct Port {
    name: String,
    input: bool,
    clock: bool,
    bits: usize,
}

/// Why the Verilog did not confirm a trace.
#[derive(Debug, Error)]
pub enum TraceError {
    /// A tool could not be started.
    #[error("cannot run {tool}: {source}")]
    Missing {
        /// The program.
        tool: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A tool failed.
    #[error("{command} failed with {status}:\n{output}")]
    Tool {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A file could not be written.
    #[error("cannot write the bench: {0}")]
    Io(#[from] std::io::Error),
    /// The simulations differ.
    #[error("{bad} of {checks} values differ:\n{report}")]
    Mismatch {
        /// Values compared.
        checks: usize,
        /// Values that differ.
        bad: usize,
        /// The first differences.
        report: String,
    },
}

impl Trace {
    /// An empty trace.
    pub fn new() -> Self {
        Trace::default()
    }

    /// Lets `top` settle, records its ports, and gives one pulse on the clock that `clock` sets.
    ///
    /// # Panics
    /// If the unit does not settle.
    pub fn cycle<U: Block>(&mut self, top: &mut U, clock: impl Fn(&mut U, bool)) {
        assert!(simulate(top, SETTLE), "the unit does not settle");
        self.sample(top);
        for level in [true, false] {
            clock(top, level);
            assert!(simulate(top, SETTLE), "the unit does not settle");
        }
    }

    /// Records the ports of a unit that has settled.
    pub fn sample<U: Block>(&mut self, top: &U) {
        let mut s = Sampler::default();
        top.accept("top", &mut s);
        if self.ports.is_empty() {
            self.ports = s.ports;
        }
        self.samples.push(s.values);
    }

    /// Values that a bench compares.
    pub fn checks(&self) -> usize {
        self.samples.len() * self.ports.iter().filter(|p| !p.input).count()
    }

    /// A Verilog bench `bench` that applies the inputs to module `top` and compares the outputs.
    pub fn bench(&self, top: &str) -> String {
        let mut v = "`timescale 1ns/1ns\nmodule bench;\n  integer bad = 0;\n".to_string();
        for p in &self.ports {
            let kind = if p.input { "reg" } else { "wire" };
            let init = if p.input { format!(" = {}'d0", p.bits) } else { String::new() };
            writeln!(v, "  {kind} [{}:0] {}{init};", p.bits - 1, p.name).expect("a string");
        }
        let list: Vec<String> = self.ports.iter().map(|p| format!(".{0}({0})", p.name)).collect();
        writeln!(v, "  {top} dut({});", list.join(", ")).expect("a string");
        v += "  task differs(input integer cycle, input [1023:0] name, input [127:0] got, input [127:0] expected);\n\
              \x20   begin\n      bad = bad + 1;\n\
              \x20     if (bad <= 10) $display(\"cycle %0d: %0s is %h, expected %h\", cycle, name, got, expected);\n    end\n  endtask\n\
              \x20 initial begin\n";
        for (cycle, values) in self.samples.iter().enumerate() {
            for (p, x) in self.ports.iter().zip(values).filter(|(p, _)| p.input && !p.clock) {
                writeln!(v, "    {} = {}'h{x:x};", p.name, p.bits).expect("a string");
            }
            v += "    #1;\n";
            for (p, x) in self.ports.iter().zip(values).filter(|(p, _)| !p.input) {
                let (name, bits) = (&p.name, p.bits);
                writeln!(
                    v,
                    "    if ({name} !== {bits}'h{x:x}) differs({cycle}, \"{name}\", {name}, {bits}'h{x:x});"
                )
                .expect("a string");
            }
            for p in self.ports.iter().filter(|p| p.clock) {
                writeln!(v, "    {0} = 1; #1; {0} = 0; #1;", p.name).expect("a string");
            }
        }
        writeln!(
            v,
            "    $display(\"{} checks, %0d bad\", bad);\n    $finish;\n  end\nendmodule",
            self.checks()
        )
        .expect("a string");
        v
    }

    /// Runs the bench on `verilog`, whose top module is `top`, under Icarus. Files go into `dir`.
    ///
    /// # Errors
    /// A missing or failing tool, or a difference.
    pub fn check(&self, top: &str, verilog: &str, dir: &Path) -> Result<(), TraceError> {
        std::fs::write(dir.join("dut.v"), verilog)?;
        std::fs::write(dir.join("bench.v"), self.bench(top))?;
        run(Command::new("iverilog").current_dir(dir).args([
            "-g2005",
            "-o",
            "bench.vvp",
            "bench.v",
            "dut.v",
        ]))?;
        let report = run(Command::new("vvp").current_dir(dir).args(["-n", "bench.vvp"]))?;
        let summary = report.lines().last().unwrap_or_default();
        if summary == format!("{} checks, 0 bad", self.checks()) {
            return Ok(());
        }
        let bad = summary.split_whitespace().nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        Err(TraceError::Mismatch { checks: self.checks(), bad, report })
    }
}

fn run(c: &mut Command) -> Result<String, TraceError> {
    let command = format!("{c:?}");
    let o = c
        .output()
        .map_err(|source| TraceError::Missing { tool: c.get_program().to_string_lossy().into(), source })?;
    let text = |b: &[u8]| String::from_utf8_lossy(b).trim().to_string();
    if o.status.success() {
        Ok(text(&o.stdout))
    } else {
        Err(TraceError::Tool {
            command,
            status: o.status.to_string(),
            output: format!("{}\n{}", text(&o.stdout), text(&o.stderr)),
        })
    }
}

/// Reads the ports of the outermost unit.
#[derive(Default)]
struct Sampler {
    depth: usize,
    space: Vec<String>,
    namer: Namer,
    ports: Vec<Port>,
    values: Vec<u128>,
}

impl Probe for Sampler {
    fn visit_start_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth += 1;
    }
    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth -= 1;
    }
    fn visit_start_namespace(&mut self, name: &str, _: &dyn Block) {
        self.space.push(name.into());
    }
    fn visit_end_namespace(&mut self, _: &str, _: &dyn Block) {
        self.space.pop();
    }
    fn visit_atom(&mut self, name: &str, a: &dyn Atom) {
        let input = a.kind() == AtomKind::InputParameter;
        if self.depth != 1 || !(input || a.kind() == AtomKind::OutputParameter) {
            return;
        }
        let key = self.space.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("$");
        let bits = a.bits();
        self.ports.push(Port {
            name: self.namer.signal(&key),
            input,
            clock: a.descriptor().name == "clock",
            bits,
        });
        let mask = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
        self.values.push(literal_value(&a.verilog()) as u128 & mask);
    }
}
