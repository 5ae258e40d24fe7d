//! The kernel of one module after unrolling: plain statements over numbered nets, every expression
//! with its exact format.
use crate::hdl::number_format::NumberFormat;

/// Index into [`Nets`].
pub(super) type NetId = usize;

/// What a net is in its module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NetKind {
    Input,
    Output,
    Local,
    /// `localparam` of this value.
    Named(i128),
    /// Printed as this value.
    Value(i128),
    /// Input of a child.
    ChildInput,
    /// Output of a child.
    ChildOutput,
    /// Nothing that is printed needs it.
    Unused,
}

/// A signal or constant that a kernel can name.
#[derive(Clone, Debug)]
pub(super) struct Net {
    /// rust_hdl's name: `pe$3$acc`.
    pub key: String,
    /// Verilog's name: `pe_3_acc`.
    pub name: String,
    pub kind: NetKind,
    pub format: NumberFormat,
}

impl Net {
    /// The name a Rust author knows: `pe[3].acc`.
    pub fn field(&self) -> String {
        field_path(&self.key)
    }
}

/// `pe$3$acc` → `pe[3].acc`.
pub(super) fn field_path(key: &str) -> String {
    let mut out = String::new();
    for part in key.split('$') {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            out += &format!("[{part}]");
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out += part;
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
        }
    }
    pub fn compares(self) -> bool {
        matches!(self, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reduction {
    Any,
    All,
    Xor,
}

#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub node: Node,
    pub format: NumberFormat,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Net(NetId),
    Literal(i128),
    Binary(Op, Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Reduce(Reduction, Box<Expr>),
    /// Reduced to the bits of the format, or those bits read with another sign.
    Cast(Box<Expr>),
    Shl(Box<Expr>, usize),
    Shr(Box<Expr>, usize),
    ShrBy(Box<Expr>, Box<Expr>),
}

impl Expr {
    pub fn literal(v: i128) -> Expr {
        Expr { node: Node::Literal(v), format: NumberFormat::of(v) }
    }

    pub fn bit(v: bool) -> Expr {
        Expr::literal(i128::from(v))
    }

    pub fn value(&self) -> Option<i128> {
        match self.node {
            Node::Literal(v) => Some(v),
            _ => None,
        }
    }

    /// A binary operation, folded if its value is known, be it from the operands' ranges. Like every
    /// fold here it keeps the format of the operation: `!` and the reductions look at it.
    pub fn binary(op: Op, l: Expr, r: Expr) -> Expr {
        let (a, b) = (l.format, r.format);
        let format = match op {
            Op::Add => a.add(b),
            Op::Sub => a.sub(b),
            Op::Mul => a.mul(b),
            Op::And => a.and(b),
            Op::Or | Op::Xor => a.or(b),
            _ => NumberFormat::BIT,
        };
        if let Some(v) = known(op, &l, &r) {
            return Expr { node: Node::Literal(v), format };
        }
        if let Some(e) = mask(op, &l, &r) {
            return e;
        }
        Expr { node: Node::Binary(op, Box::new(l), Box::new(r)), format }
    }

    pub fn not(e: Expr) -> Expr {
        let format = e.format;
        if let Some(v) = e.value() {
            return Expr { node: Node::Literal(format.wrap(!v)), format };
        }
        Expr { node: Node::Not(Box::new(e)), format }
    }

    pub fn neg(e: Expr) -> Expr {
        let format = e.format.neg();
        match e.value().and_then(i128::checked_neg) {
            Some(v) => Expr { node: Node::Literal(v), format },
            None => Expr { node: Node::Neg(Box::new(e)), format },
        }
    }

    pub fn reduce(kind: Reduction, e: Expr) -> Expr {
        // one bit is its own OR, AND and XOR
        if e.format == NumberFormat::BIT {
            return e;
        }
        Expr { node: Node::Reduce(kind, Box::new(e)), format: NumberFormat::BIT }
    }

    pub fn cast(e: Expr, format: NumberFormat) -> Expr {
        if e.format == format {
            return e;
        }
        if let Some(v) = e.value() {
            return Expr { node: Node::Literal(format.wrap(v)), format };
        }
        Expr { node: Node::Cast(Box::new(e)), format }
    }

    pub fn shl(e: Expr, n: usize) -> Expr {
        let format = e.format.shl(n);
        let power = (n < 127).then(|| 1i128 << n);
        match e.value().zip(power).and_then(|(v, p)| v.checked_mul(p)) {
            Some(v) => Expr { node: Node::Literal(v), format },
            None if n == 0 => e,
            None => Expr { node: Node::Shl(Box::new(e), n), format },
        }
    }

    pub fn shr(e: Expr, n: usize) -> Expr {
        let format = e.format.shr(n);
        let gone = !e.format.signed && n >= e.format.bits as usize;
        match e.value() {
            Some(v) => Expr { node: Node::Literal(v >> n.min(127)), format },
            None if gone => Expr { node: Node::Literal(0), format },
            None if n == 0 => e,
            None => Expr { node: Node::Shr(Box::new(e), n), format },
        }
    }

    /// Calls `f` on every net in the expression.
    pub fn reads(&self, f: &mut dyn FnMut(NetId)) {
        match &self.node {
            Node::Net(n) => f(*n),
            Node::Literal(_) => {}
            Node::Binary(_, a, b) | Node::ShrBy(a, b) => {
                a.reads(f);
                b.reads(f);
            }
            Node::Not(a)
            | Node::Neg(a)
            | Node::Reduce(_, a)
            | Node::Cast(a)
            | Node::Shl(a, _)
            | Node::Shr(a, _) => a.reads(f),
        }
    }

    /// Smallest and largest value of the expression's format, if they can be told.
    fn range(&self) -> Option<(i128, i128)> {
        if let Some(v) = self.value() {
            return Some((v, v));
        }
        let NumberFormat { bits, signed } = self.format;
        if bits > 126 {
            return None;
        }
        Some(if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) })
    }
}

/// The value of an operation, as far as it does not depend on nets.
fn known(op: Op, l: &Expr, r: &Expr) -> Option<i128> {
    if op.compares() {
        return decided(op, l.range()?, r.range()?).map(i128::from);
    }
    if let (Op::Mul | Op::And, Some(0), _) | (Op::Mul | Op::And, _, Some(0)) = (op, l.value(), r.value()) {
        return Some(0);
    }
    let (a, b) = (l.value()?, r.value()?);
    match op {
        Op::Add => a.checked_add(b),
        Op::Sub => a.checked_sub(b),
        Op::Mul => a.checked_mul(b),
        Op::And => Some(a & b),
        Op::Or => Some(a | b),
        _ => Some(a ^ b),
    }
}

/// The result of a comparison, if it is the same for all values of both ranges.
fn decided(op: Op, (al, ah): (i128, i128), (bl, bh): (i128, i128)) -> Option<bool> {
    let (below, above) = (ah < bl, al > bh);
    let (not_above, not_below) = (ah <= bl, al >= bh);
    let same = not_above && not_below;
    let pick = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
    match op {
        Op::Eq => pick(same, below || above),
        Op::Ne => pick(below || above, same),
        Op::Lt => pick(below, not_below),
        Op::Le => pick(not_above, above),
        Op::Gt => pick(above, not_above),
        Op::Ge => pick(not_below, below),
        _ => None,
    }
}

/// A mask of low ones is a truncation; OR with 0 and, between truth values, AND with 1 do nothing.
fn mask(op: Op, l: &Expr, r: &Expr) -> Option<Expr> {
    for (e, other) in [(l, r), (r, l)] {
        let Some(v) = other.value() else { continue };
        let bits = v.trailing_ones() as usize;
        let ones = op == Op::And && bits < 127 && v == (1 << bits) - 1;
        if ones && (e.format.signed || bits <= e.format.bits as usize) {
            return Some(Expr::cast(e.clone(), NumberFormat::unsigned(bits)));
        }
        if op == Op::Or && v == 0 && other.format == NumberFormat::BIT && !e.format.signed {
            return Some(e.clone());
        }
    }
    // constant truth values decide
    let one = |e: &Expr| e.value() == Some(1);
    let truth = l.format == NumberFormat::BIT && r.format == NumberFormat::BIT;
    (op == Op::Or && truth && (one(l) || one(r))).then(|| Expr::bit(true))
}

#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Assign(NetId, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Cases by label (a net of kind `Named`), then the default.
    Case(Expr, Vec<(NetId, Vec<Stmt>)>, Option<Vec<Stmt>>),
}

impl Stmt {
    /// Calls `f` with `(net, true)` for every net assigned and `(net, false)` for every net read.
    pub fn visit(&self, f: &mut dyn FnMut(NetId, bool)) {
        match self {
            Stmt::Assign(n, e) => {
                e.reads(&mut |r| f(r, false));
                f(*n, true);
            }
            Stmt::If(c, a, b) => {
                c.reads(&mut |r| f(r, false));
                a.iter().chain(b).for_each(|s| s.visit(f));
            }
            Stmt::Case(c, cases, default) => {
                c.reads(&mut |r| f(r, false));
                cases.iter().flat_map(|(_, b)| b).chain(default.iter().flatten()).for_each(|s| s.visit(f));
            }
        }
    }
}

/// All nets of a module, found by rust_hdl's names.
#[derive(Clone, Default)]
pub(super) struct Nets {
    pub all: Vec<Net>,
    by_key: std::collections::BTreeMap<String, NetId>,
}

impl Nets {
    pub fn add(&mut self, net: Net) -> NetId {
        let id = self.all.len();
        self.by_key.insert(net.key.clone(), id);
        self.all.push(net);
        id
    }
    pub fn find(&self, key: &str) -> Option<NetId> {
        self.by_key.get(key).copied()
    }
    /// The signal `key`, or the wires of the bundle `key` in the order of their declaration.
    pub fn below(&self, key: &str) -> Vec<NetId> {
        let inside =
            |k: &str| k.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('$'));
        let keys = self.by_key.range(key.to_string()..).take_while(|(k, _)| k.starts_with(key));
        let mut found: Vec<NetId> = keys.filter(|(k, _)| inside(k)).map(|(_, id)| *id).collect();
        found.sort_unstable();
        found
    }
}

impl std::ops::Index<NetId> for Nets {
    type Output = Net;
    fn index(&self, id: NetId) -> &Net {
        &self.all[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(bits: usize, signed: bool) -> Expr {
        Expr { node: Node::Net(0), format: NumberFormat::new(bits, signed) }
    }

    #[test]
    fn comparisons_fold_when_the_ranges_decide() {
        let cases = [
            (Op::Lt, net(3, false), 8, Some(1)),
            (Op::Lt, net(3, false), 7, None),
            (Op::Lt, net(3, false), 0, Some(0)),
            (Op::Ge, net(3, false), 0, Some(1)),
            (Op::Gt, net(3, false), 7, Some(0)),
            (Op::Le, net(3, false), 7, Some(1)),
            (Op::Eq, net(3, false), 8, Some(0)),
            (Op::Ne, net(3, false), 8, Some(1)),
            (Op::Lt, net(3, true), 0, None),
        ];
        for (op, l, r, expected) in cases {
            assert_eq!(Expr::binary(op, l, Expr::literal(r)).value(), expected, "{op:?} {r}");
        }
    }

    #[test]
    fn field_paths_read_like_rust() {
        assert_eq!(field_path("row$3$pe$0$acc"), "row[3].pe[0].acc");
    }
}
