//! A product of two signed digits.
use super::{declared, tag};
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y = a · b`.
///
/// ```text
/// shift and add:   b = −b_{n−1}·2^{n−1} + Σ b_i·2^i     y = (a·b_0 + 2·a·b_1) + 4·(a·b_2 − …)
/// ```
/// The Verilog has both forms. With the macro [`SHIFT_ADD`], a number, products of this rank or a higher one add partial
/// products in pairs, which takes half the LUTs that Yosys makes of `*`; the others, and all without the macro, are left
/// to the tool: it has multipliers for so many.
///
/// # Numeric  signed, exact: `y` has the bits of `a` and `b` together
/// # Timing   combinational
#[derive(LogicBlock)]
pub struct Product {
    /// A factor.
    pub a: Sig<In>,
    /// The factor whose bits choose.
    pub b: Sig<In>,
    /// The product.
    pub y: Sig<Out>,
    _rank: usize,
}

/// The macro whose value is the lowest rank that shifts and adds.
pub const SHIFT_ADD: &str = "TANDEM_SHIFT_ADD";

impl Product {
    /// A product of factors of `a` and `b` bits; the lower its rank, the sooner a multiplier is spent on it.
    ///
    /// # Panics
    /// Unless both have 2 bits or more.
    pub fn new(a: usize, b: usize, rank: usize) -> Self {
        assert!(a > 1 && b > 1, "a product of {a} by {b} bits");
        Product { a: Sig::signed(a), b: Sig::signed(b), y: Sig::signed(a + b), _rank: rank }
    }
}

impl Logic for Product {
    fn update(&mut self) {
        self.y.set(self.a.val().get() * self.b.val().get());
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "`ifdef {SHIFT_ADD}\n{}assign y = ({} < `{SHIFT_ADD}) ? a * b : sum;\n`else\nassign y = a * b;\n`endif",
            shift_and_add(self.a.bits(), self.b.bits()),
            self._rank
        ))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let name = format!("product_{}_{}_{}", tag(self.a.format()), tag(self.b.format()), self._rank);
        names::cell(name, &[], &[])
    }
}

/// A sum of partial products: `a` times the bits `low .. low + count` of `b`.
struct Part {
    name: String,
    low: usize,
    count: usize,
    /// To be subtracted: the sign bit alone.
    negative: bool,
}

fn shift_and_add(a: usize, b: usize) -> String {
    let mut v = String::new();
    let mut parts: Vec<Part> = vec![];
    for i in 0..b {
        let format = declared(crate::hdl::format::Format::signed(a));
        writeln!(v, "wire {format}p{i} = a & {{{a}{{b[{i}]}}}};").expect("a string");
        parts.push(Part { name: format!("p{i}"), low: i, count: 1, negative: i + 1 == b });
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
            let name = format!("s{}_{count}", low.low);
            let format = declared(crate::hdl::format::Format::signed(a + count));
            let sign = if high.negative { '-' } else { '+' };
            let by = high.low - low.low;
            writeln!(v, "wire {format}{name} = {} {sign} ({} <<< {by});", low.name, high.name)
                .expect("a string");
            next.push(Part { name, low: low.low, count, negative: false });
        }
        parts = next;
    }
    writeln!(v, "wire {}sum = {};", declared(crate::hdl::format::Format::signed(a + b)), parts[0].name)
        .expect("a string");
    v
}
