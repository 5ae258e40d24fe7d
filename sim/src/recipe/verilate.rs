//! Verilog → C++: Verilator's part of a build.

use super::clock::previous_values;
use super::command::{VERILATOR, create_dir, io_error, run, write};
use super::design::{Design, Interface, Waveform};
use super::tools::Tools;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tandem_spec::EngineError;

/// What both harnesses share.
pub const MODEL: &str = include_str!("model.h");
/// The harness of accelerators in C++, the same for every model.
pub const SHIM: &str = include_str!("shim.cpp");
/// The harness of boards.
pub const PINS: &str = include_str!("pins.cpp");

/// Fast simulation. A warning stops no build: newer versions know more of them than the tests of this one, which
/// are strict.
pub const VERILATOR_FLAGS: &[&str] = &[
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "--inline-mult",
    "1",
    "--output-split",
    "4000",
    "--output-split-cfuncs",
    "300",
    "-Wno-fatal",
];

/// C++ of a model, in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verilated {
    /// The folder.
    pub dir: PathBuf,
    /// Files with code that runs every cycle, among them the shim.
    pub fast: Vec<String>,
    /// Files with code that runs once.
    pub slow: Vec<String>,
    /// Files of Verilator's own run time that the model needs, without extension.
    pub runtime: Vec<String>,
}

/// Translates `design` into `dir/cpp`; its Verilog stays beside that folder as `tandem.v`.
///
/// # Errors
/// [`EngineError::Tool`] if Verilator is missing or finds an error, [`EngineError::Io`].
pub fn verilate(
    design: &Design,
    prefix: &str,
    waveform: Option<Waveform>,
    tools: &Tools,
    dir: &Path,
) -> Result<Verilated, EngineError> {
    let cpp = dir.join("cpp");
    create_dir(&cpp)?;
    write(&dir.join("tandem.v"), &design.verilog)?;
    let mut verilator = tools.verilator();
    verilator.current_dir(dir).args(VERILATOR_FLAGS);
    verilator.args(waveform.map(Waveform::verilator_flag));
    verilator.args(["--top-module", &design.top, "--prefix", prefix, "--Mdir", "cpp", "tandem.v"]);
    run(VERILATOR, &mut verilator)?;

    let root = read(&cpp.join(format!("{prefix}___024root.h")))?;
    write(&cpp.join("ports.h"), &ports(design, prefix, &root))?;
    let harness = match design.interface {
        Interface::Link { .. } => SHIM,
        Interface::Pins => PINS,
    };
    write(&cpp.join("model.h"), MODEL)?;
    write(&cpp.join("shim.cpp"), harness)?;
    let classes = read(&cpp.join(format!("{prefix}_classes.mk")))?;
    let cpp_files = |variables: [&str; 2]| -> Vec<String> {
        let names = variables.iter().flat_map(|v| make_list(&classes, v));
        names.map(|n| format!("{n}.cpp")).collect()
    };
    let mut fast = vec!["shim.cpp".into()];
    fast.extend(cpp_files(["VM_CLASSES_FAST", "VM_SUPPORT_FAST"]));
    let slow = cpp_files(["VM_CLASSES_SLOW", "VM_SUPPORT_SLOW"]);
    let runtime = ["VM_GLOBAL_FAST", "VM_GLOBAL_SLOW"].iter().flat_map(|v| make_list(&classes, v)).collect();
    Ok(Verilated { dir: cpp, fast, slow, runtime })
}

fn read(path: &Path) -> Result<String, EngineError> {
    std::fs::read_to_string(path).map_err(|e| io_error(path, e))
}

/// The header that tells the shim about this model.
fn ports(design: &Design, prefix: &str, root_header: &str) -> String {
    let mut s = String::from("// What the shim must know of this model. Generated.\n#pragma once\n");
    let _ = writeln!(s, "#include \"{prefix}.h\"\n#include \"{prefix}___024root.h\"");
    let _ = writeln!(s, "#define TANDEM_MODEL {prefix}");
    let _ = writeln!(s, "#define TANDEM_SYMBOL(name) {prefix}_##name");
    let _ = writeln!(s, "#define TANDEM_LANE uint{}_t", design.interface.lane_bits());
    let _ = writeln!(s, "#define TANDEM_LANES {}", design.interface.lanes());
    let lanes: Vec<String> = (0..design.interface.lanes()).map(|i| format!("X({i})")).collect();
    let _ = writeln!(s, "#define TANDEM_EACH_LANE(X) {}", lanes.join(" "));
    if let Some(fields) = previous_values(root_header) {
        let resets: Vec<String> = fields.iter().map(|f| format!("(root)->{f} = 0")).collect();
        let _ = writeln!(s, "#define TANDEM_FORGET_CLOCK(root) {}", resets.join(", "));
    }
    s
}

/// The words of a `NAME += \` list in a makefile.
fn make_list(text: &str, name: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|l| l.split_whitespace().next() != Some(name));
    let mut words = vec![];
    let mut next = lines.next().and_then(|l| l.split_once("+=")).map(|(_, rest)| rest.trim());
    while let Some(line) = next {
        words.extend(line.trim_end_matches('\\').split_whitespace().map(String::from));
        next = if line.ends_with('\\') { lines.next().map(str::trim) } else { None };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_a_makefile() {
        let mk = "# x\nVM_A += \\\n\ta \\\n\tb__Slow \\\n\nVM_B += \\\n\nVM_C += \\\n\tc \\\n";
        assert_eq!(make_list(mk, "VM_A"), ["a", "b__Slow"]);
        assert!(make_list(mk, "VM_B").is_empty());
        assert_eq!(make_list(mk, "VM_C"), ["c"]);
        assert!(make_list(mk, "VM_D").is_empty());
    }

    #[test]
    fn lanes_and_clock_reach_the_shim() {
        let design = |bits| Design {
            verilog: String::new(),
            top: "tandem".into(),
            interface: Interface::Link { bits },
        };
        let one = ports(&design(8), "t0", "  CData/*0:0*/ __Vtrigrprev__TOP__clock;\n");
        assert!(one.contains("TANDEM_LANE uint8_t\n#define TANDEM_LANES 1\n"), "{one}");
        assert!(one.contains("TANDEM_FORGET_CLOCK(root) (root)->__Vtrigrprev__TOP__clock = 0\n"), "{one}");
        let four = ports(&design(128), "t0", "");
        assert!(four.contains("TANDEM_EACH_LANE(X) X(0) X(1) X(2) X(3)\n"), "{four}");
        assert!(!four.contains("FORGET_CLOCK"), "{four}");
    }
}
