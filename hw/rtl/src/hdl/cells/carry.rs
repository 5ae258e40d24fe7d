//! Carry chains of an ECP5, by name: each position of a `CCU2C` has a LUT of four inputs before its carry, so that the gates before an
//! adder cost nothing.
use std::fmt::Write;

/// The macro that asks for an ECP5's cells by name.
pub const ECP5: &str = "TANDEM_ECP5";

/// One position of a chain.
///
/// Its sum is the LUT ⊕ carry in. Where the LUT gives 0, the carry out is `init[3:0]` as a LUT of the first two inputs, else the carry in.
pub(super) struct Position {
    /// Inputs A, B, C, D.
    pub inputs: [String; 4],
    /// The LUT, indexed by DCBA.
    pub init: u16,
    /// The wire of the sum (none: only the carry counts).
    pub sum: String,
}

/// An input that does not matter: unconnected ones read as 1.
const ANY: &str = "1'b1";

impl Position {
    fn new(inputs: [&str; 4], init: u16, sum: &str) -> Self {
        Position { inputs: inputs.map(String::from), init, sum: sum.into() }
    }

    /// `x·f + y·g`.
    pub fn both_gated([x, f, y, g]: [&str; 4], sum: &str) -> Self {
        Self::new([x, f, y, g], 0x7888, sum)
    }

    /// `x + y·g`.
    pub fn gated([x, y, g]: [&str; 3], sum: &str) -> Self {
        Self::new([x, y, g, ANY], 0x6a6a, sum)
    }

    /// `x + y·g`, or `x + ¬y` if `minus`, which implies `g`.
    pub fn signed([x, y, g, minus]: [&str; 4], sum: &str) -> Self {
        Self::new([x, y, g, minus], 0x956a, sum)
    }

    /// A carry into the next position.
    pub fn carry(x: &str) -> Self {
        Self::new([x, ANY, ANY, ANY], 0x000a, "")
    }
}

/// Instances `name_0`, `name_1`, … of `CCU2C` for `positions`, the least significant first.
pub(super) fn chain(name: &str, positions: &[Position]) -> String {
    let mut v = String::new();
    let last = positions.len().div_ceil(2) - 1;
    if last > 0 {
        writeln!(v, "wire [{}:0] {name}_carry;", last - 1).expect("a string");
    }
    let unused = Position::new([ANY; 4], 0, "");
    for (i, pair) in positions.chunks(2).enumerate() {
        let halves = [&pair[0], pair.get(1).unwrap_or(&unused)];
        let init = |h: usize| format!(".INIT{h}(16'h{:04x}), .INJECT1_{h}(\"NO\")", halves[h].init);
        let ports = |h: usize| {
            let p = halves[h];
            let inputs: String = ["A", "B", "C", "D"]
                .iter()
                .zip(&p.inputs)
                .map(|(port, wire)| format!(".{port}{h}({wire}), "))
                .collect();
            format!("{inputs}.S{h}({})", p.sum)
        };
        let into = if i == 0 { "1'b0".into() } else { format!("{name}_carry[{}]", i - 1) };
        let out = if i == last { String::new() } else { format!("{name}_carry[{i}]") };
        writeln!(
            v,
            "CCU2C #({}, {}) {name}_{i} (.CIN({into}), {}, {}, .COUT({out}));",
            init(0),
            init(1),
            ports(0),
            ports(1)
        )
        .expect("a string");
    }
    v
}
