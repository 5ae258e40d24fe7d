//! A few pins for any module: its ports behind a shift register, to measure or prove a unit by itself.
//!
//! ```text
//! shift_in ─►[ inputs, first port first in ]─► unit ─► outputs ─►[ captured ]─► shift_out
//! ```
//! `apply` copies what has been shifted in to the unit's inputs for one cycle (they are zero otherwise), `capture` takes
//! its outputs.

use std::fmt::Write;

/// A port of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Bits.
    pub bits: usize,
    /// Direction.
    pub input: bool,
}

/// The ports of `module` in generated `verilog`, but its clock.
pub fn ports(verilog: &str, module: &str) -> Vec<Port> {
    let header = verilog
        .split(&format!("module {module}("))
        .nth(1)
        .or_else(|| verilog.split(&format!("module {module} (")).nth(1));
    let header = header.and_then(|h| h.split(");").next()).unwrap_or_default();
    header.lines().filter_map(port).filter(|p| p.name != "clock").collect()
}

fn port(line: &str) -> Option<Port> {
    let mut words = line.trim().trim_end_matches(',').split_whitespace();
    let input = match words.next()? {
        "input" => true,
        "output" => false,
        _ => return None,
    };
    let (mut bits, mut name) = (1, "");
    for w in words {
        match w.strip_prefix('[').and_then(|w| w.strip_suffix(":0]")) {
            Some(top) => bits = top.parse::<usize>().ok()? + 1,
            None => name = w,
        }
    }
    Some(Port { name: name.into(), bits, input })
}

/// Name of the wrapper.
pub const TOP: &str = "scan";

/// The wrapper around `module`.
pub fn verilog(module: &str, ports: &[Port]) -> String {
    let bits = |input: bool| ports.iter().filter(|p| p.input == input).map(|p| p.bits).sum::<usize>().max(1);
    let (inputs, outputs) = (bits(true), bits(false));
    let (mut at, mut wires) = ([0, 0], vec![]);
    for p in ports {
        let (bus, at) = if p.input { ("applied", &mut at[0]) } else { ("found", &mut at[1]) };
        wires.push(format!("    .{}({bus}[{}:{}])", p.name, *at + p.bits - 1, *at));
        *at += p.bits;
    }
    let mut v = String::new();
    let _ = write!(
        v,
        "module {TOP}(\n  input wire clock,\n  input wire shift_in,\n  input wire shift,\n  input wire apply,\n  \
         input wire capture,\n  output wire shift_out\n);\n\
         \x20 reg [{0}:0] given = 0;\n  reg [{0}:0] applied = 0;\n  reg [{1}:0] captured = 0;\n  wire [{1}:0] found;\n\
         \x20 assign shift_out = captured[0];\n\
         \x20 always @(posedge clock) begin\n    if (shift) given <= {{shift_in, given[{0}:1]}};\n    \
         applied <= apply ? given : {{{2}{{1'b0}}}};\n    if (capture) captured <= found;\n    \
         else if (shift) captured <= {{1'b0, captured[{1}:1]}};\n  end\n\
         \x20 {module} unit(\n    .clock(clock),\n{3}\n  );\nendmodule\n",
        inputs - 1,
        outputs - 1,
        inputs,
        wires.join(",\n")
    );
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_a_module() {
        let v = "module top (\n  input wire clock,\n  input wire [3:0] a,\n  output reg signed [7:0] y\n);\nendmodule\n";
        let p = |name: &str, bits, input| Port { name: name.into(), bits, input };
        assert_eq!(ports(v, "top"), [p("a", 4, true), p("y", 8, false)]);
        assert!(verilog("top", &ports(v, "top")).contains(".y(found[7:0])"));
    }
}
