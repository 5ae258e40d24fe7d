//! The whole accelerator's Verilog: a snapshot of the smallest one, and what other tools say of it.

use std::process::Command;
use tandem_spec::Config;

const TINY: &str = "name = \"tiny\"\n[array]\nrows = 1\ncols = 2\nlanes = 1\nrow_digit = 1\ncol_digit = 2\n\
    row_bits = 2\ncol_bits = 4\n[memory]\nrow_depth = 4\ncol_depth = 4\nresult_depth = 4\n[link]\nbits = 32\n\
    [control]\nqueue = 2\n";

fn emit(text: &str) -> String {
    tandem_rtl::emit(&Config::from_toml("test.toml", text).unwrap()).unwrap().verilog
}

#[test]
fn snapshot_of_the_smallest_accelerator() {
    insta::assert_snapshot!(emit(TINY));
}

#[test]
fn one_module_a_unit_and_the_same_text_every_time() {
    let text = include_str!("../../../configs/accelerators/default.toml");
    let verilog = emit(text);
    assert_eq!(verilog, emit(text));
    for unit in
        ["processing_element", "row_port", "col_port", "array_row", "sequencer", "drain", "store_engine"]
    {
        let definitions = verilog.lines().filter(|l| l.starts_with(&format!("module {unit} ("))).count();
        let copies = verilog.lines().filter(|l| l.starts_with(&format!("module {unit}_2"))).count();
        assert_eq!((definitions, copies), (1, 0), "{unit}");
    }
}

#[test]
fn verilator_icarus_and_yosys_accept_it_without_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in
        [("tiny", TINY), ("default", include_str!("../../../configs/accelerators/default.toml"))]
    {
        let file = dir.path().join(format!("{name}.v"));
        std::fs::write(&file, emit(text)).unwrap();
        let lint =
            ["--lint-only", "-Wall", "-Wno-DECLFILENAME", "-Wno-UNUSEDSIGNAL", "--top-module", "tandem"];
        let icarus = ["-g2005", "-Wall", "-s", "tandem", "-o", "/dev/null"];
        for (tool, args) in [("verilator", &lint[..]), ("iverilog", &icarus[..])] {
            let out = Command::new(tool).args(args).arg(&file).output().expect("the tool is installed");
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success() && said.is_empty(), "{tool}, {name}: {said}");
        }
        let script =
            format!("read_verilog {}; hierarchy -check -top tandem; proc; check -assert", file.display());
        let out = Command::new("yosys").args(["-q", "-p", &script]).output().expect("yosys is installed");
        let said = String::from_utf8_lossy(&out.stderr) + String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && !said.contains("Warning"), "yosys, {name}: {said}");
    }
}

/// A list of initial values takes Yosys a time that grows with its square: 8,192 words a minute, these hours.
#[test]
fn yosys_comes_to_an_end_with_the_deepest_memories() {
    let text = TINY
        .replace(
            "row_depth = 4\ncol_depth = 4\nresult_depth = 4",
            "row_depth = 32768\ncol_depth = 32768\nresult_depth = 32768",
        )
        .replace("cols = 2", "cols = 1");
    let verilog = emit(&format!("{text}[fft]\npoints = 1024\ndepth = 32768\n"));
    assert!(verilog.matches("mem [0:32767]").count() >= 3);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep.v");
    std::fs::write(&file, verilog).unwrap();
    let script =
        format!("read_verilog {}; hierarchy -check -top tandem; proc; check -assert", file.display());
    let out = Command::new("yosys").args(["-q", "-p", &script]).output().expect("yosys is installed");
    let said = String::from_utf8_lossy(&out.stderr) + String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && !said.contains("Warning"), "{said}");
}
