//! A few pins for any module: its ports behind a shift register, to measure or prove a unit by itself.
//!
//! ```text
//! shift_in ─►[ inputs, first port first in ]─► unit ─► outputs ─►[ captured ]─► shift_out
//! ```
//! `apply` copies what has been shifted in to the unit's inputs for one cycle (they are zero otherwise), `capture` takes
//! its outputs.

use std::fmt::Write;
use tandem_rtl::hdl::Module;
use tandem_rtl::hdl::design::{Direction, Port};

/// The ports of `module`, but its clock.
pub fn ports(module: &Module) -> Vec<&Port> {
    module.ports.iter().filter(|p| p.name != "clock").collect()
}

/// Name of the wrapper.
pub const TOP: &str = "scan";

/// The wrapper around `module`.
pub fn verilog(module: &Module) -> String {
    let ports = ports(module);
    let bits = |direction| {
        let some = ports.iter().filter(|p| p.direction == direction);
        some.map(|p| p.bits).sum::<usize>().max(1)
    };
    let (inputs, outputs) = (bits(Direction::Input), bits(Direction::Output));
    let (mut at, mut wires) = ([0, 0], vec![]);
    for p in ports {
        let (bus, at) = match p.direction {
            Direction::Input => ("applied", &mut at[0]),
            Direction::Output => ("found", &mut at[1]),
        };
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
         \x20 {4} unit(\n    .clock(clock),\n{3}\n  );\nendmodule\n",
        inputs - 1,
        outputs - 1,
        inputs,
        wires.join(",\n"),
        module.name
    );
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_but_the_clock_is_behind_the_register() {
        let config = tandem_spec::Config::from_toml(
            "minimal.toml",
            include_str!("../../../configs/accelerators/minimal.toml"),
        );
        let design = tandem_rtl::emit(&config.unwrap()).unwrap();
        let (top, wrapper) = (design.top(), verilog(design.top()));
        assert_eq!(ports(top).len() + 1, top.ports.len());
        let bits: usize = ports(top).iter().filter(|p| p.direction == Direction::Input).map(|p| p.bits).sum();
        assert!(wrapper.contains(&format!("reg [{}:0] given = 0;", bits - 1)), "{wrapper}");
        assert!(wrapper.contains(".in_valid(applied[0:0])") && wrapper.contains(".in_ready(found[0:0])"));
        assert!(wrapper.contains("tandem unit(") && wrapper.contains(".clock(clock)"), "{wrapper}");
    }
}
