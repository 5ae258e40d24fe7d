//! A reset in the middle of a program leaves nothing of it but what is in the memories.
//!
//! ```text
//! host ─►[ a part of a program, then other programs ]─► wrapper ─► accelerator with a port `reset`
//!                                                          └ after the part: some cycles, then the reset
//! ```
//! The wrapper has the accelerator's name and ports, so the bench does not know of it; it drops what the first program sends.

use crate::bench::{Run, simulate_design};
use crate::{accelerator, agree, programs, prologue};
use std::fmt::Write;
use tandem_rtl::hdl::design::Direction;
use tandem_spec::{Config, RunOptions, Stream};
use tandem_stimuli::random_program;

/// Verilog of the accelerator in the wrapper, which takes `words` words, waits for `cycles` cycles and then sets `reset` to `level`
/// for one.
fn wrapped(config: &Config, words: usize, cycles: usize, level: u8) -> String {
    let design = tandem_rtl::emit_prefixed(config, "inner_").unwrap();
    let ports: Vec<_> = design.top().ports.iter().filter(|p| p.name != "reset").collect();
    let header: Vec<String> = ports.iter().map(|p| format!("  {p}")).collect();
    let header = header.join(",\n").replace("output reg", "output wire");
    let mut connections = format!(".reset(cut && waited == {cycles} && {level})");
    for p in &ports {
        let own = match (p.name.as_str(), p.direction) {
            ("in_valid" | "in_ready" | "out_valid" | "status_waiting", _) => format!("inner_{}", p.name),
            (name, Direction::Input | Direction::Output) => name.into(),
        };
        write!(connections, ",\n    .{}({own})", p.name).unwrap();
    }
    format!(
        "module tandem (\n{header}\n);\n\
         \x20 reg [31:0] taken = 0, waited = 0;\n  reg done = 0;\n\
         \x20 wire cut = !done && taken == {words};\n\
         \x20 wire inner_valid, inner_in_ready, inner_out_valid, inner_status_waiting;\n\
         \x20 wire inner_in_valid = in_valid && !cut;\n\
         \x20 assign in_ready = inner_in_ready && !cut;\n\
         \x20 assign out_valid = inner_out_valid && done;\n\
         \x20 assign status_waiting = inner_status_waiting && done;\n\
         \x20 always @(posedge clock) begin\n\
         \x20   if (!done && in_valid && in_ready && !(in_first && in_closed)) taken <= taken + 1;\n\
         \x20   if (cut) waited <= waited + 1;\n\
         \x20   if (cut && waited == {cycles}) done <= 1;\n\
         \x20 end\n  inner_tandem inner(\n    {connections}\n  );\nendmodule\n{}",
        design.text()
    )
}

/// `words` words of a program, the reset, then programs, the first of which writes all memories.
fn interrupted(config: &Config, seed: u64, words: usize, cycles: usize, level: u8) {
    let first = random_program(config, seed, 20);
    assert!(words < first.words(), "a part of a program");
    let mut list = vec![(prologue::stream(config), RunOptions::default())];
    list.extend(programs(config, seed..seed + 3));
    let mut sent = list.clone();
    let (bytes, rest) = (words * first.link_bytes, &mut sent[0].0);
    *rest = Stream {
        bytes: [&first.bytes[..bytes], &rest.bytes].concat(),
        first: [&first.first[..words], &rest.first].concat(),
        ..rest.clone()
    };
    let found: Vec<Run> = simulate_design(&wrapped(config, words, cycles, level), config, &sent, false);
    agree(config, &list, found, false);
}

fn with_reset(name: &str) -> Config {
    Config { reset: true, ..accelerator(name) }
}

#[test]
fn programs_after_a_reset_are_as_after_power_up() {
    for name in ["dense", "select", "reduced", "fft", "gaussian"] {
        let config = with_reset(name);
        for (seed, part, cycles) in [(1, 0.2, 0), (2, 0.5, 3), (3, 0.8, 17), (4, 0.95, 1)] {
            let words = (random_program(&config, seed, 20).words() as f64 * part) as usize;
            interrupted(&config, seed, words, cycles, 1);
        }
    }
}

#[test]
#[should_panic]
fn without_the_reset_the_rest_of_a_program_is_missed() {
    let config = with_reset("dense");
    let words = random_program(&config, 2, 20).words() / 2;
    interrupted(&config, 2, words, 3, 0);
}
