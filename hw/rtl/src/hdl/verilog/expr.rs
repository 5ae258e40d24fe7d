//! Expressions → Verilog that computes the same integer.
//!
//! Verilog widens operands to the widest one around them, by rules that depend on the signs of all
//! of them. Nothing is left to these rules here: an expression is asked for its low `bits` bits and
//! every operand is written with exactly that many (`{4'd0, x}`, `x[3:0]`, `{{4{x[3]}}, x}`). What is
//! computed modulo a power of two, sums, products and bitwise operators, passes the width down;
//! comparisons, reductions and right shifts ask for enough bits to be exact.
//!
//! Only a product keeps narrow operands (Verilog widens them, and multipliers stay small in
//! synthesis), and where nothing around it sets the width, only its right one. A product of signed
//! numbers makes the expression around it *signed*: then every operand in it carries a sign. Sums of
//! such products are formed in 32 or 64 bits before they are cut to size: Verilator masks and extends
//! every operand of an odd width again (measured: 8 lanes of 5-bit products run 1.3 times as fast),
//! and synthesis removes the bits that nobody reads.
use super::ir::{Expr, NetId, NetKind, Nets, Node, Op, Reduction};
use crate::hdl::names::Namer;
use crate::hdl::number_format::NumberFormat;

/// A value that needs a name because Verilog cannot select bits of an expression.
pub(super) struct Hoisted {
    pub name: String,
    pub format: NumberFormat,
    pub text: String,
    /// The nets it is computed from.
    pub reads: Vec<NetId>,
}

/// Prints the expressions of one process.
pub(super) struct Printer<'a> {
    pub nets: &'a Nets,
    pub namer: &'a mut Namer,
    pub hoisted: Vec<Hoisted>,
    /// Whether the place being printed widens its operands: the right side of an assignment does,
    /// the inside of `{}`, `$signed()` or a comparison does not.
    widens: bool,
}

/// Verilog text and what stands outermost in it.
struct Text {
    text: String,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Names, literals, selections, concatenations, calls.
    Primary,
    /// `~x`: no parentheses beside a binary operator.
    Not,
    /// `-x`, `|x`.
    Unary,
    Binary(Op),
    /// Shifts.
    Other,
}

fn primary(text: String) -> Text {
    Text { text, shape: Shape::Primary }
}

fn number(v: i128, bits: u32, signed: bool) -> Text {
    let text = literal(v, bits, signed);
    let shape = if text.starts_with('-') { Shape::Unary } else { Shape::Primary };
    Text { text, shape }
}

impl Text {
    /// As the operand of a unary operator.
    fn primary(self) -> String {
        if self.shape == Shape::Primary { self.text } else { format!("({})", self.text) }
    }
    /// As an operand of a binary operator.
    fn operand(self) -> String {
        if self.shape == Shape::Not { self.text } else { self.primary() }
    }
    /// Chains of one associative operator need no parentheses on the left.
    fn left_of(self, op: Op) -> String {
        let chain = match op {
            Op::Add | Op::Sub => matches!(self.shape, Shape::Binary(Op::Add | Op::Sub | Op::Mul)),
            Op::And | Op::Or | Op::Xor | Op::Mul => self.shape == Shape::Binary(op),
            _ => false,
        };
        if chain { self.text } else { self.operand() }
    }
    fn right_of(self, op: Op) -> String {
        let product = matches!(op, Op::Add | Op::Sub) && self.shape == Shape::Binary(Op::Mul);
        if product { self.text } else { self.operand() }
    }
}

impl<'a> Printer<'a> {
    pub fn new(nets: &'a Nets, namer: &'a mut Namer) -> Self {
        Printer { nets, namer, hoisted: vec![], widens: false }
    }

    /// The low `bits` bits of `e`, for the right side of an assignment to `target`, which has as many.
    pub fn assigned(&mut self, e: &Expr, bits: u32, target: &str) -> String {
        let signed = multiplies_signed(e);
        let machine = bits.next_power_of_two().clamp(32, 64);
        self.widens = true;
        let whole = if signed && bits < machine { machine } else { bits };
        let text = self.ring(e, whole, signed).text;
        self.widens = false;
        if whole == bits {
            return text;
        }
        let name = self.hoist(&format!("{target}_full"), e, NumberFormat::signed(whole as usize), text);
        select(&name, bits)
    }

    /// The low `bits` bits of `e`, an expression of exactly that width wherever it stands.
    pub fn operand(&mut self, e: &Expr, bits: u32) -> String {
        self.root(e, bits).text
    }

    /// A truth value.
    pub fn test(&mut self, e: &Expr) -> String {
        self.root(e, 1).text
    }

    fn root(&mut self, e: &Expr, bits: u32) -> Text {
        self.apart(e, bits, multiplies_signed(e))
    }

    /// As [`Printer::ring`], in a place of its own.
    fn apart(&mut self, e: &Expr, bits: u32, signed: bool) -> Text {
        let outer = std::mem::replace(&mut self.widens, false);
        let text = self.ring(e, bits, signed);
        self.widens = outer;
        text
    }

    /// The low `bits` bits of `e`; in a `signed` surrounding, every operand carries a sign.
    fn ring(&mut self, e: &Expr, bits: u32, signed: bool) -> Text {
        match &e.node {
            Node::Net(n) => self.net(*n, bits, signed),
            Node::Literal(v) => number(*v, bits, signed),
            Node::Binary(op, l, r) if op.compares() => one_bit(self.comparison(*op, l, r), bits, signed),
            Node::Binary(Op::Mul, l, r) if r.value() == Some(1) => self.ring(l, bits, signed),
            Node::Binary(Op::Mul, l, r) if l.value() == Some(1) => self.ring(r, bits, signed),
            Node::Binary(Op::Mul, l, r) => {
                let (l, r) =
                    (self.factor(l, bits, signed, !self.widens), self.factor(r, bits, signed, false));
                Text { text: format!("{l} * {r}"), shape: Shape::Binary(Op::Mul) }
            }
            Node::Binary(op, l, r) => {
                // 0 is where accumulations start
                if matches!(op, Op::Add | Op::Or | Op::Xor) && l.value() == Some(0) {
                    return self.ring(r, bits, signed);
                }
                if matches!(op, Op::Add | Op::Sub | Op::Or | Op::Xor) && r.value() == Some(0) {
                    return self.ring(l, bits, signed);
                }
                let (l, r) = (self.ring(l, bits, signed), self.ring(r, bits, signed));
                Text {
                    text: format!("{} {} {}", l.left_of(*op), op.symbol(), r.right_of(*op)),
                    shape: Shape::Binary(*op),
                }
            }
            Node::Not(a) => {
                let own = a.format.bits;
                if bits <= own || a.format.signed {
                    not(self.ring(a, bits, signed))
                } else {
                    let inner = not(self.root(a, own)).text;
                    padded(inner, own, bits, signed)
                }
            }
            Node::Neg(a) => {
                let a = self.ring(a, bits, signed).primary();
                Text { text: format!("-{a}"), shape: Shape::Unary }
            }
            Node::Reduce(kind, a) => {
                let symbol = match kind {
                    Reduction::Any => "|",
                    Reduction::All => "&",
                    Reduction::Xor => "^",
                };
                let a = self.root(a, a.format.bits).primary();
                one_bit(Text { text: format!("{symbol}{a}"), shape: Shape::Unary }, bits, signed)
            }
            Node::Cast(a) => self.cast(e, a, bits, signed),
            Node::Shl(a, n) => {
                let n = *n as u32;
                if bits <= n {
                    return number(0, bits, signed);
                }
                let kept = self.root(a, bits - n).text;
                primary(with_sign(format!("{{{kept}, {n}'d0}}"), signed))
            }
            Node::Shr(a, n) => self.shr(a, *n as u32, bits, signed),
            Node::ShrBy(a, by) => self.shr_by(e, a, by, bits, signed),
        }
    }

    /// An operand of a product: as narrow as it is, or of all the bits if it has to set the width.
    fn factor(&mut self, e: &Expr, bits: u32, signed: bool, full: bool) -> String {
        let own = if signed { e.format.signed_bits() } else { e.format.bits };
        let bits = if full { bits } else { bits.min(own) };
        let simple = self.apart(e, bits, signed);
        if simple.shape == Shape::Primary {
            return simple.text;
        }
        // what it computes modulo 2^bits must not see the bits that the product would add
        with_sign(format!("{{{}}}", self.root(e, bits).text), signed)
    }

    fn comparison(&mut self, op: Op, l: &Expr, r: &Expr) -> Text {
        let common = l.format.common(r.format);
        let equality = matches!(op, Op::Eq | Op::Ne);
        if equality && common == NumberFormat::BIT {
            match (op, r.value()) {
                (Op::Eq, Some(1)) | (Op::Ne, Some(0)) => return self.root(l, 1),
                (Op::Eq, Some(0)) | (Op::Ne, Some(1)) => return not(self.root(l, 1)),
                _ => {}
            }
        }
        let signed = (common.signed && !equality) || multiplies_signed(l) || multiplies_signed(r);
        let bits = if signed { common.signed_bits() } else { common.bits };
        let (l, r) = (self.apart(l, bits, signed).operand(), self.apart(r, bits, signed).operand());
        Text { text: format!("{l} {} {r}", op.symbol()), shape: Shape::Binary(op) }
    }

    fn cast(&mut self, e: &Expr, a: &Expr, bits: u32, signed: bool) -> Text {
        let own = e.format.bits;
        if bits <= own {
            return self.ring(a, bits, signed);
        }
        if e.format.signed {
            let name = self.named(a, e.format);
            primary(extended(&name, e.format, bits, signed))
        } else {
            let inner = self.root(a, own).text;
            padded(inner, own, bits, signed)
        }
    }

    fn shr(&mut self, a: &Expr, n: u32, bits: u32, signed: bool) -> Text {
        let NumberFormat { bits: own, signed: negative } = a.format;
        let name = match a.node {
            Node::Net(id) if !matches!(self.nets[id].kind, NetKind::Named(_)) => self.nets[id].name.clone(),
            _ => self.named(a, a.format),
        };
        let lo = n.min(own - 1);
        let (left, top) = (own - lo, own - 1);
        let kept = left.min(bits);
        let field = match kept {
            _ if own == 1 => name.clone(),
            _ if kept == own => name.clone(),
            1 => format!("{name}[{lo}]"),
            _ => format!("{name}[{}:{lo}]", lo + kept - 1),
        };
        if kept == bits {
            return primary(with_sign(field, signed));
        }
        if negative {
            let sign = if own == 1 { name } else { format!("{name}[{top}]") };
            primary(with_sign(format!("{{{{{}{{{sign}}}}}, {field}}}", bits - kept), signed))
        } else {
            padded(field, kept, bits, signed)
        }
    }

    fn shr_by(&mut self, e: &Expr, a: &Expr, by: &Expr, bits: u32, signed: bool) -> Text {
        if bits < e.format.bits {
            let name = self.named(e, e.format);
            return primary(with_sign(select(&name, bits), signed));
        }
        let amount = self.root(by, by.format.bits).operand();
        if e.format.signed {
            let a = self.apart(a, bits, true).operand();
            primary(format!("$signed({a} >>> {amount})"))
        } else {
            let a = self.apart(a, bits, multiplies_signed(a)).operand();
            let text = format!("{a} >> {amount}");
            if signed { primary(format!("$signed({text})")) } else { Text { text, shape: Shape::Other } }
        }
    }

    /// The name of a wire that holds all bits of `e`.
    fn named(&mut self, e: &Expr, format: NumberFormat) -> String {
        if let Node::Net(n) = e.node {
            let net = &self.nets[n];
            if net.format.bits == format.bits && !matches!(net.kind, NetKind::Named(_)) {
                return net.name.clone();
            }
        }
        let text = self.root(e, format.bits).text;
        self.hoist("part", e, format, text)
    }

    fn hoist(&mut self, name: &str, e: &Expr, format: NumberFormat, text: String) -> String {
        let mut reads = vec![];
        e.reads(&mut |n| reads.push(n));
        let name = self.namer.unique(name);
        self.hoisted.push(Hoisted { name: name.clone(), format, text, reads });
        name
    }

    fn net(&self, n: NetId, bits: u32, signed: bool) -> Text {
        let net = &self.nets[n];
        match net.kind {
            NetKind::Named(v) if bits != net.format.bits => number(v, bits, signed),
            _ if bits < net.format.bits => primary(with_sign(select(&net.name, bits), signed)),
            _ => primary(extended(&net.name, net.format, bits, signed)),
        }
    }
}

/// The low bits of a net.
fn select(name: &str, bits: u32) -> String {
    if bits == 1 { format!("{name}[0]") } else { format!("{name}[{}:0]", bits - 1) }
}

/// A net of the given format in a place of at least as many bits.
fn extended(name: &str, format: NumberFormat, bits: u32, signed: bool) -> String {
    let more = bits - format.bits;
    if more == 0 {
        return if signed && !format.signed { format!("$signed({name})") } else { name.to_string() };
    }
    let text = match (format.signed, format.bits) {
        (false, _) => format!("{{{more}'d0, {name}}}"),
        (true, 1) => format!("{{{bits}{{{name}}}}}"),
        (true, own) => format!("{{{{{more}{{{name}[{}]}}}}, {name}}}", own - 1),
    };
    with_sign(text, signed)
}

fn not(t: Text) -> Text {
    Text { text: format!("~{}", t.primary()), shape: Shape::Not }
}

/// An unsigned expression of `own` bits in a place of more.
fn padded(text: String, own: u32, bits: u32, signed: bool) -> Text {
    primary(with_sign(format!("{{{}'d0, {text}}}", bits - own), signed))
}

/// A truth value in a place of one bit or more.
fn one_bit(t: Text, bits: u32, signed: bool) -> Text {
    match (bits, signed) {
        (1, false) => t,
        (1, true) => primary(format!("$signed({})", t.text)),
        _ => padded(t.text, 1, bits, signed),
    }
}

fn with_sign(text: String, signed: bool) -> String {
    if signed { format!("$signed({text})") } else { text }
}

/// `v mod 2^bits` with its width: decimal where that reads well.
pub(super) fn literal(v: i128, bits: u32, signed: bool) -> String {
    let format = NumberFormat { bits, signed };
    let v = format.wrap(v);
    let s = if signed { "s" } else { "" };
    match v {
        0..=9999 => format!("{bits}'{s}d{v}"),
        -9999..0 if bits > 1 && format.wrap(-v) == -v => format!("-{bits}'{s}d{}", -v),
        _ => format!("{bits}'{s}h{:x}", NumberFormat { bits, signed: false }.wrap(v) as u128),
    }
}

/// Whether a product in this expression (not behind a concatenation, a selection or a comparison)
/// needs a signed surrounding.
fn multiplies_signed(e: &Expr) -> bool {
    match &e.node {
        Node::Binary(Op::Mul, a, b) => e.format.signed || multiplies_signed(a) || multiplies_signed(b),
        Node::Binary(op, a, b) if !op.compares() => multiplies_signed(a) || multiplies_signed(b),
        Node::Not(a) | Node::Neg(a) | Node::Cast(a) => multiplies_signed(a),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdl::verilog::ir::Net;

    fn print(bits: u32, build: impl FnOnce(Expr, Expr, Expr) -> Expr) -> String {
        let mut nets = Nets::default();
        for (name, format) in [
            ("u", NumberFormat::unsigned(4)),
            ("s", NumberFormat::signed(4)),
            ("v", NumberFormat::unsigned(8)),
        ] {
            nets.add(Net { key: name.into(), name: name.into(), kind: NetKind::Input, format });
        }
        let net = |n: usize| Expr { node: Node::Net(n), format: nets[n].format };
        let e = build(net(0), net(1), net(2));
        let mut namer = Namer::default();
        let mut p = Printer::new(&nets, &mut namer);
        let text = p.assigned(&e, bits, "y");
        let parts: Vec<String> = p.hoisted.iter().map(|h| format!("{} = {}; ", h.name, h.text)).collect();
        parts.concat() + &text
    }

    #[test]
    fn operands_are_extended_and_truncated_explicitly() {
        let bin = Expr::binary;
        assert_eq!(print(8, |u, _, v| bin(Op::Add, u, v)), "{4'd0, u} + v");
        assert_eq!(print(4, |u, _, v| bin(Op::Add, u, v)), "u + v[3:0]");
        assert_eq!(print(6, |_, s, v| bin(Op::Sub, s, v)), "{{2{s[3]}}, s} - v[5:0]");
        assert_eq!(
            print(1, |u, _, v| bin(Op::Eq, bin(Op::Add, u, Expr::literal(1)), v)),
            "({4'd0, u} + 8'd1) == v"
        );
        assert_eq!(print(1, |_, s, _| bin(Op::Lt, s, Expr::literal(0))), "s < 4'sd0");
        assert_eq!(print(1, |u, s, _| bin(Op::Lt, s, u)), "$signed({{1{s[3]}}, s}) < $signed({1'd0, u})");
    }

    #[test]
    fn products_keep_narrow_operands_and_make_their_surrounding_signed() {
        let bin = Expr::binary;
        assert_eq!(print(12, |u, _, v| bin(Op::Mul, u, v)), "u * v");
        assert_eq!(print(32, |u, s, _| bin(Op::Mul, u, s)), "$signed({1'd0, u}) * s");
        let sum = print(32, |u, s, _| bin(Op::Add, bin(Op::Mul, s.clone(), s), u));
        assert_eq!(sum, "s * s + $signed({28'd0, u})");
        assert_eq!(print(12, |_, s, _| bin(Op::Mul, s.clone(), s)), "y_full = s * s; y_full[11:0]");
        // a sum as a factor must not grow into the product's width
        assert_eq!(print(12, |u, _, v| bin(Op::Mul, Expr::not(u), v)), "{~u} * v");
        // nothing sets the width inside a comparison but the left factor
        assert_eq!(print(1, |u, _, v| bin(Op::Eq, bin(Op::Mul, u.clone(), u), v)), "({4'd0, u} * u) == v");
    }

    #[test]
    fn selections_of_expressions_are_given_a_name() {
        let sum = |u, v| Expr::binary(Op::Add, u, v);
        assert_eq!(print(3, |_, _, v| Expr::shr(v, 2)), "v[4:2]");
        assert_eq!(print(8, |_, s, _| Expr::shr(s, 2)), "{{6{s[3]}}, s[3:2]}");
        assert_eq!(print(3, |u, _, v| Expr::shr(sum(u, v), 2)), "part = {5'd0, u} + {1'd0, v}; part[4:2]");
    }

    #[test]
    fn literals() {
        assert_eq!(literal(5, 4, false), "4'd5");
        assert_eq!(literal(-3, 8, true), "-8'sd3");
        assert_eq!(literal(-3, 8, false), "8'd253");
        assert_eq!(literal(-128, 8, true), "8'sh80");
        assert_eq!(literal(-1, 64, false), "64'hffffffffffffffff");
        assert_eq!(literal(-1, 1, true), "1'sh1");
    }
}
