//! Products of signed digits that share a factor.
use super::carry::{ECP5, Position, chain};
use super::{declared, literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::NumberFormat;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y_i = a_i · b` for one or two `a`; `b` is a digit with a sign: its top bit is 0 or a copy of the one below.
///
/// ```text
/// shift and add:   b = −b_{n−1}·2^{n−1} + Σ b_j·2^j        y = (a·b_0 + 2·a·b_1) + 4·(a·b_2 − …)
/// carry chains:    b = ±b_{n−2}·2^{n−2} + Σ b_j·2^j        minus if b_{n−1}; y = ((a·b_0 + 2·a·b_1) + 4·a·b_2) ± …
/// two in one:      (a_1·2^s + a_0)·b = a_1·b·2^s + a_0·b   s: bits of a product; y_1 gains 1 if y_0 is negative
/// ```
/// The Verilog has all forms. With the macro [`SHIFT_ADD`], a number, products of this rank or a higher one add partial
/// products in pairs, which takes half the LUTs that Yosys makes of `*`; the others, and all without the macro, are left
/// to the tool: it has multipliers for so many. With the macro [`ECP5`] as well, partial products are added by `CCU2C`, gates
/// and all, and the multipliers of a deep cell are `MULT18X18D` with their own registers, two products in each if [`Product::packs`].
///
/// # Numeric  signed, exact: `y` has the bits of `a` and `b` together
/// # Timing   combinational; a *deep* cell has a register before and one behind the product: latency 2
#[derive(LogicBlock)]
pub struct Product {
    /// Clock (used if deep).
    pub clock: Signal<In, Clock>,
    /// Factors.
    pub a: Vec<Sig<In>>,
    /// The factor that they share, whose bits choose.
    pub b: Sig<In>,
    /// The products.
    pub y: Vec<Sig<Out>>,
    _rank: usize,
    _deep: bool,
    _operands: Vec<i128>,
}

/// The macro whose value is the lowest rank that shifts and adds.
pub const SHIFT_ADD: &str = "TANDEM_SHIFT_ADD";
/// Width of a factor of such a multiplier.
const DSP_BITS: usize = 18;

impl Product {
    /// `count` products of `a` by `b` bits; the lower its rank, the sooner a multiplier is spent on the cell.
    ///
    /// # Panics
    /// Unless both have 2 bits or more and there are one or two products.
    pub fn new(count: usize, a: usize, b: usize, rank: usize, deep: bool) -> Self {
        assert!(a > 1 && b > 1 && (1..=2).contains(&count), "{count} products of {a} by {b} bits");
        Product {
            clock: Default::default(),
            a: Sig::vec(count, a, true),
            b: Sig::signed(b),
            y: Sig::vec(count, a + b, true),
            _rank: rank,
            _deep: deep,
            _operands: vec![0; count + 1],
        }
    }

    /// Whether two products of `a` by `b` bits fit into one multiplier: a + b for the lower one, a + 1 above it.
    pub fn packs(a: usize, b: usize) -> bool {
        2 * a + b < DSP_BITS && b <= DSP_BITS
    }
}

impl Logic for Product {
    fn update(&mut self) {
        if !self._deep {
            for i in 0..self.a.len() {
                self.y[i].set(self.a[i].val().get() * self.b.val().get());
            }
        } else if self.clock.pos_edge() {
            let n = self.a.len();
            for i in 0..n {
                self.y[i].set(self._operands[i] * self._operands[n]);
                self._operands[i] = self.a[i].val().get();
            }
            self._operands[n] = self.b.val().get();
        }
    }
    fn connect(&mut self) {
        self.y.iter_mut().for_each(|y| y.connect());
    }
    fn hdl(&self) -> Verilog {
        let n = self.a.len();
        let (a, b) = (self.a[0].bits(), self.b.bits());
        let (fa, fb, fy) = (
            declared(NumberFormat::signed(a)),
            declared(NumberFormat::signed(b)),
            declared(NumberFormat::signed(a + b)),
        );
        let each = |f: &dyn Fn(usize) -> String| (0..n).map(f).collect::<String>();
        // the product as logic: operands f, g; result m; registers around it if deep
        let mut logic = match self._deep {
            true => {
                let zero = |bits| literal(0, NumberFormat::signed(bits));
                each(&|i| {
                    format!(
                        "reg {fa}f{i};\nreg {fy}r{i};\ninitial f{i} = {};\ninitial r{i} = {};\n",
                        zero(a),
                        zero(a + b)
                    )
                }) + &format!(
                    "reg {fb}g;\ninitial g = {};\nalways @(posedge clock) begin\n  g <= b;\n",
                    zero(b)
                ) + &each(&|i| format!("  f{i} <= a${i};\n  r{i} <= m{i};\n"))
                    + "end\n"
                    + &each(&|i| format!("assign y${i} = r{i};\n"))
            }
            false => {
                each(&|i| format!("wire {fa}f{i} = a${i};\nassign y${i} = m{i};\n"))
                    + &format!("wire {fb}g = b;\n")
            }
        };
        logic = each(&|i| format!("wire {fy}m{i};\n")) + &logic;
        let choice = each(&|i| {
            format!(
                "`ifdef {ECP5}\n{}`else\n{}`endif\nassign m{i} = ({} < `{SHIFT_ADD}) ? f{i} * g : sum{i};\n",
                in_carry_chains(i, a, b),
                shift_and_add(i, a, b),
                self._rank
            )
        });
        let plain = each(&|i| format!("assign m{i} = f{i} * g;\n"));
        logic += &format!("`ifdef {SHIFT_ADD}\n{choice}`else\n{plain}`endif");
        Verilog::Custom(match self._deep {
            true => format!(
                "`ifdef {ECP5}\ngenerate if ({} < `{SHIFT_ADD}) begin : hard\n{}end else begin : soft\n`endif\n{logic}\n\
                 `ifdef {ECP5}\nend endgenerate\n`endif",
                self._rank,
                multipliers(n, a, b)
            ),
            false => logic,
        })
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let (a, b) = (tag(self.a[0].format()), tag(self.b.format()));
        let (n, rank) = (self.a.len(), self._rank);
        match self._deep {
            true => names::cell::<Self>(format!("deep_product_{n}x{a}_{b}_{rank}"), &["a", "b"], &["y"]),
            false => names::cell::<Self>(format!("product_{n}x{a}_{b}_{rank}"), &[], &[]),
        }
    }
}

/// One registered `MULT18X18D` for both products, or one for each.
fn multipliers(n: usize, a: usize, b: usize) -> String {
    let y = a + b;
    if n == 2 && Product::packs(a, b) {
        let both = a + y + 1;
        return format!(
            "wire signed [{}:0] both = (a$1 <<< {y}) + a$0;\n{}\
             assign y$0 = p_both[{}:0];\nassign y$1 = p_both[{}:{y}] + p_both[{}];",
            both - 1,
            multiplier("both", "both", both, b),
            y - 1,
            2 * y - 1,
            y - 1
        );
    }
    (0..n)
        .map(|i| {
            let name = format!("u{i}");
            format!("{}assign y${i} = p_{name};\n", multiplier(&name, &format!("a${i}"), a, b))
        })
        .collect()
}

/// `p_name = signal · b` by a `MULT18X18D` with registers at both factors and at the product, bit by bit as its ports are. Factors are at the upper
/// end of their ports: a sign bit that is repeated takes a wire for each of its copies, a zero takes none.
fn multiplier(name: &str, signal: &str, a_bits: usize, b_bits: usize) -> String {
    let factor = |port: &str, signal: &str, bits: usize| -> String {
        let bit = |i: usize| match i.checked_sub(DSP_BITS - bits) {
            Some(i) => format!("{signal}[{i}]"),
            None => "1'b0".into(),
        };
        (0..DSP_BITS).map(|i| format!("  .{port}{i}({}),\n", bit(i))).collect()
    };
    let (bits, unused) = (a_bits + b_bits, 2 * DSP_BITS - a_bits - b_bits);
    let product: String = (0..bits).map(|i| format!("  .P{}(p_{name}[{i}]),\n", unused + i)).collect();
    format!(
        "wire signed [{}:0] p_{name};\n\
         MULT18X18D #(.REG_INPUTA_CLK(\"CLK0\"), .REG_INPUTB_CLK(\"CLK0\"), .REG_OUTPUT_CLK(\"CLK0\")) {name}_dsp (\n\
         {}{}{product}  .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0), .CLK0(clock), .CE0(1'b1), .RST0(1'b0)\n);\n",
        bits - 1,
        factor("A", signal, a_bits),
        factor("B", "b", b_bits),
    )
}

/// A sum of partial products: `f` times the bits `low .. low + count` of `g`.
struct Part {
    name: String,
    low: usize,
    count: usize,
    /// To be subtracted: the sign bit alone.
    negative: bool,
}

/// `f{i} · g` as wires, the last of them `sum{i}`.
fn shift_and_add(i: usize, a: usize, b: usize) -> String {
    let mut v = String::new();
    let mut parts: Vec<Part> = vec![];
    for bit in 0..b {
        let format = declared(NumberFormat::signed(a));
        let name = format!("p{i}_{bit}");
        writeln!(v, "wire {format}{name} = f{i} & {{{a}{{g[{bit}]}}}};").expect("a string");
        parts.push(Part { name, low: bit, count: 1, negative: bit + 1 == b });
    }
    while parts.len() > 1 {
        let mut next = vec![];
        let mut rest = parts.into_iter();
        while let Some(low) = rest.next() {
            let Some(high) = rest.next() else {
                next.push(low);
                break;
            };
            let count = low.count + high.count;
            let name = format!("s{i}_{}_{count}", low.low);
            let format = declared(NumberFormat::signed(a + count));
            let sign = if high.negative { '-' } else { '+' };
            let by = high.low - low.low;
            writeln!(v, "wire {format}{name} = {} {sign} ({} <<< {by});", low.name, high.name)
                .expect("a string");
            next.push(Part { name, low: low.low, count, negative: false });
        }
        parts = next;
    }
    let format = declared(NumberFormat::signed(a + b));
    writeln!(v, "wire {format}sum{i} = {};", parts[0].name).expect("a string");
    v
}

/// The same in carry chains of an ECP5, a partial product after the other, gates in the chains' LUTs: the first chain adds two of
/// them, the last adds or subtracts one.
fn in_carry_chains(i: usize, a: usize, b: usize) -> String {
    let (top, y) = (b - 1, a + b);
    let f = |k: usize| format!("f{i}[{}]", k.min(a - 1));
    let g = |j: usize| format!("g[{j}]");
    let mut v = format!(
        "wire {}sum{i};\nassign sum{i}[{}] = sum{i}[{}];\n",
        declared(NumberFormat::signed(y)),
        y - 1,
        y - 2
    );
    // the sum of the partial products below bit j, without its j settled bits: a bits
    let mut high = vec!["1'b0".to_owned(); a];
    if top > 1 {
        writeln!(v, "assign sum{i}[0] = {} & {};", f(0), g(0)).expect("a string");
        high = (0..a).map(|k| format!("({} & {})", f(k + 1), g(0))).collect();
    }
    for j in if top > 1 { 1 } else { 0 }..top {
        let name = format!("row{i}_{j}");
        let last = j + 1 == top;
        let sum = |k: usize| if last { format!("sum{i}[{}]", j + k) } else { format!("{name}[{k}]") };
        if !last {
            writeln!(v, "wire [{a}:0] {name};\nassign sum{i}[{j}] = {name}[0];").expect("a string");
        }
        let mut positions = vec![];
        if last {
            positions.push(Position::carry(&g(top)));
        }
        for k in 0..=a {
            let (x, y) = (&high[k.min(a - 1)], f(k));
            positions.push(match (j, last) {
                (1, false) => Position::both_gated([&f(k + 1), &g(0), &y, &g(1)], &sum(k)),
                (_, false) => Position::gated([x, &y, &g(j)], &sum(k)),
                (_, true) => Position::signed([x, &y, &g(j), &g(top)], &sum(k)),
            });
        }
        v += &chain(&name, &positions);
        high = (1..=a).map(sum).collect();
    }
    v
}
