//! rust_hdl's AST → IR: loops unrolled, indices evaluated, names resolved, dead branches dropped.
use super::error::ElabError;
use super::ir::{Expr, NetId, NetKind, Nets, Node, Op, Reduction, Stmt, field_path};
use crate::hdl::number_format::NumberFormat;
use rust_hdl::core::ast::{
    VerilogBlock, VerilogBlockOrConditional as Else, VerilogConditional, VerilogExpression as E, VerilogLink,
    VerilogLiteral, VerilogMatch, VerilogOp as VOp, VerilogOpUnary as VUn, VerilogStatement as S,
};

type Result<T> = std::result::Result<T, ElabError>;

/// Lowers the kernel of one module.
pub(super) fn lower(path: &str, nets: &Nets, kernel: &VerilogBlock) -> Result<Vec<Stmt>> {
    let mut l = Lower { path, nets, env: vec![] };
    let mut out = vec![];
    l.block(kernel, &mut out)?;
    Ok(out)
}

struct Lower<'a> {
    path: &'a str,
    nets: &'a Nets,
    /// Loop variables, innermost last.
    env: Vec<(String, usize)>,
}

impl Lower<'_> {
    fn unsupported<T>(&self, what: &str) -> Result<T> {
        Err(ElabError::Unsupported { path: self.path.into(), what: what.into() })
    }

    fn block(&mut self, block: &VerilogBlock, out: &mut Vec<Stmt>) -> Result<()> {
        block.iter().try_for_each(|s| self.statement(s, out))
    }

    fn statement(&mut self, s: &S, out: &mut Vec<Stmt>) -> Result<()> {
        match s {
            S::Assignment(l, r) => {
                let stmt = Stmt::Assign(self.target(l)?, self.expr(r)?);
                out.push(stmt);
                Ok(())
            }
            S::If(c) => self.conditional(c, out),
            S::Match(m) => self.case(m, out),
            S::Loop(l) => {
                for i in l.from.as_usize()..l.to.as_usize() {
                    self.env.push((l.index.clone(), i));
                    self.block(&l.block, out)?;
                    self.env.pop();
                }
                Ok(())
            }
            S::Macro(b) => self.block(b, out),
            S::Comment(_) => Ok(()),
            S::SliceAssignment { .. } => self.unsupported("an assignment to part of a signal"),
            S::Link(links) => links.iter().try_for_each(|l| match l {
                VerilogLink::Forward(l) => self.join(&l.owner_name, &l.other_name, out),
                _ => self.unsupported("a link (use wire::join_all)"),
            }),
        }
    }

    fn conditional(&mut self, c: &VerilogConditional, out: &mut Vec<Stmt>) -> Result<()> {
        let test = self.expr(&c.test)?;
        if test.value().is_none_or(|v| v != 0) {
            let mut then = vec![];
            self.block(&c.then, &mut then)?;
            if test.value().is_some() {
                out.extend(then);
                return Ok(());
            }
            let mut otherwise = vec![];
            self.otherwise(&c.otherwise, &mut otherwise)?;
            out.push(Stmt::If(test, then, otherwise));
            return Ok(());
        }
        self.otherwise(&c.otherwise, out)
    }

    fn otherwise(&mut self, e: &Else, out: &mut Vec<Stmt>) -> Result<()> {
        match e {
            Else::None => Ok(()),
            Else::Block(b) => self.block(b, out),
            Else::Conditional(s) => self.statement(s, out),
        }
    }

    fn case(&mut self, m: &VerilogMatch, out: &mut Vec<Stmt>) -> Result<()> {
        let test = self.expr(&m.test)?;
        let (mut cases, mut default) = (vec![], None);
        for c in &m.cases {
            let mut body = vec![];
            self.block(&c.block, &mut body)?;
            match c.condition.as_str() {
                "default" => default = Some(body),
                "true" | "false" => return self.unsupported("match on a bool (use if)"),
                label => {
                    let id =
                        self.nets.find(label).filter(|n| matches!(self.nets[*n].kind, NetKind::Named(_)));
                    match id {
                        Some(id) => cases.push((id, body)),
                        None => return self.unknown(label),
                    }
                }
            }
        }
        // Rust has proved the match exhaustive: without `_`, the last arm takes every other pattern
        if default.is_none() {
            default = cases.pop().map(|(_, body)| body);
        }
        out.push(Stmt::Case(test, cases, default));
        Ok(())
    }

    /// Assignments between the wires of two bundles, or between two signals.
    fn join(&self, from: &str, to: &str, out: &mut Vec<Stmt>) -> Result<()> {
        let (from, to) = (self.key(from)?, self.key(to)?);
        let wires = self.nets.below(&from);
        if wires.len() != self.nets.below(&to).len() {
            let what = format!("a join of `{}` and `{}`, which differ", field_path(&from), field_path(&to));
            return self.unsupported(&what);
        }
        for a in wires {
            let key = format!("{to}{}", &self.nets[a].key[from.len()..]);
            let b = self.nets.find(&key).map_or_else(|| self.unknown(&key), Ok)?;
            let (target, source) = if self.runs_back(a, b) { (a, b) } else { (b, a) };
            out.push(Stmt::Assign(
                target,
                Expr { node: Node::Net(source), format: self.nets[source].format },
            ));
        }
        Ok(())
    }

    /// Whether a joined wire's value comes from the second bundle: it is that one that cannot be assigned here,
    /// or the first one must be.
    fn runs_back(&self, a: NetId, b: NetId) -> bool {
        let source = |n: NetId| matches!(self.nets[n].kind, NetKind::Input | NetKind::ChildOutput);
        let sink = |n: NetId| matches!(self.nets[n].kind, NetKind::Output | NetKind::ChildInput);
        source(b) || (sink(a) && !sink(b))
    }

    fn target(&self, e: &E) -> Result<NetId> {
        let E::Signal(name) = e else { return self.unsupported("an assignment to an expression") };
        let key = self.key(name)?;
        self.nets.find(&key).map_or_else(|| self.unknown(&key), Ok)
    }

    fn unknown<T>(&self, name: &str) -> Result<T> {
        Err(ElabError::UnknownName { path: self.path.into(), name: name.replace('$', ".") })
    }

    fn expr(&self, e: &E) -> Result<Expr> {
        Ok(match e {
            E::Signal(name) => self.named(name)?,
            E::Literal(l) => Expr::literal(literal_value(l)),
            E::Cast(e, bits) => Expr::cast(self.expr(e)?, NumberFormat::unsigned(*bits)),
            E::Signed(e) => {
                let e = self.expr(e)?;
                let format = NumberFormat { signed: true, ..e.format };
                Expr::cast(e, format)
            }
            E::Unsigned(e) => {
                let e = self.expr(e)?;
                let format = NumberFormat { signed: false, ..e.format };
                Expr::cast(e, format)
            }
            E::Paren(e) => self.expr(e)?,
            E::Binary(l, op, r) => self.binary(l, op, r)?,
            E::Unary(op, e) => {
                let e = self.expr(e)?;
                match op {
                    VUn::Not => Expr::not(e),
                    VUn::Neg => Expr::neg(e),
                    VUn::All => Expr::reduce(Reduction::All, e),
                    VUn::Any => Expr::reduce(Reduction::Any, e),
                    VUn::Xor => Expr::reduce(Reduction::Xor, e),
                }
            }
            E::Index(e, i) => {
                let i = self.constant(i, "a bit index")?;
                Expr::cast(Expr::shr(self.expr(e)?, i), NumberFormat::BIT)
            }
            E::Slice(e, bits, offset) => {
                let offset = self.constant(offset, "the offset of a slice")?;
                Expr::cast(Expr::shr(self.expr(e)?, offset), NumberFormat::unsigned(*bits))
            }
            E::IndexReplace(..) => return self.unsupported("replace_bit"),
        })
    }

    fn constant(&self, e: &E, what: &str) -> Result<usize> {
        match self.expr(e)?.value() {
            Some(v) if (0..1 << 16).contains(&v) => Ok(v as usize),
            _ => self.unsupported(&format!("{what} that is no constant")),
        }
    }

    fn binary(&self, l: &E, op: &VOp, r: &E) -> Result<Expr> {
        let (l, r) = (self.expr(l)?, self.expr(r)?);
        let op = match op {
            VOp::Add => Op::Add,
            VOp::Sub => Op::Sub,
            VOp::Mul => Op::Mul,
            VOp::LogicalAnd | VOp::BitAnd => Op::And,
            VOp::LogicalOr | VOp::BitOr => Op::Or,
            VOp::BitXor => Op::Xor,
            VOp::Eq => Op::Eq,
            VOp::Lt => Op::Lt,
            VOp::Le => Op::Le,
            VOp::Ne => Op::Ne,
            VOp::Ge => Op::Ge,
            VOp::Gt => Op::Gt,
            VOp::Shl => {
                return match r.value() {
                    Some(n) if (0..1 << 16).contains(&n) => Ok(Expr::shl(l, n as usize)),
                    _ => self.unsupported("a left shift by a run-time amount (use ShiftLeft)"),
                };
            }
            VOp::Shr => {
                return match r.value() {
                    Some(n) if (0..1 << 16).contains(&n) => Ok(Expr::shr(l, n as usize)),
                    _ if r.format.signed => self.unsupported("a shift by a signed amount"),
                    _ => Ok(Expr { format: l.format, node: Node::ShrBy(Box::new(l), Box::new(r)) }),
                };
            }
        };
        Ok(Expr::binary(op, l, r))
    }

    fn named(&self, name: &str) -> Result<Expr> {
        if let Some((_, v)) = self.env.iter().rev().find(|(n, _)| n == name) {
            return Ok(Expr::literal(*v as i128));
        }
        let key = self.key(name)?;
        match self.nets.find(&key) {
            Some(id) => Ok(match self.nets[id].kind {
                NetKind::Value(v) => Expr::literal(v),
                _ => Expr { node: Node::Net(id), format: self.nets[id].format },
            }),
            None => self.unknown(&key),
        }
    }

    /// `row[i].w[j + 1].next` → `row$0$w$3`.
    ///
    /// rust_hdl drops blanks from a name, but not the line breaks of a long one.
    fn key(&self, name: &str) -> Result<String> {
        let joined: String;
        let name = if name.contains(char::is_whitespace) {
            joined = name.split_whitespace().collect();
            &joined
        } else {
            name
        };
        let mut rest = name.strip_suffix("$next").unwrap_or(name);
        let mut key = String::with_capacity(rest.len() + 8);
        while let Some(open) = rest.find('[') {
            let close = rest.find(']').filter(|c| *c > open);
            let Some(close) = close else { return self.bad_index(name, "unbalanced brackets") };
            let index = Index { lower: self, name, rest: &rest[open + 1..close] }.evaluate()?;
            key += &rest[..open];
            key.push('$');
            key += &index.to_string();
            rest = &rest[close + 1..];
        }
        key += rest;
        Ok(key)
    }

    fn bad_index<T>(&self, name: &str, reason: &str) -> Result<T> {
        Err(ElabError::Index { path: self.path.into(), name: name.into(), reason: reason.into() })
    }
}

/// Integer arithmetic inside brackets: `+ - * / %`, parentheses, loop variables and `Dim`s.
struct Index<'a> {
    lower: &'a Lower<'a>,
    name: &'a str,
    rest: &'a str,
}

impl Index<'_> {
    fn evaluate(mut self) -> Result<usize> {
        let v = self.sum()?;
        if self.rest.is_empty() {
            Ok(v)
        } else {
            self.lower.bad_index(self.name, &format!("unexpected `{}`", self.rest))
        }
    }

    fn sum(&mut self) -> Result<usize> {
        let mut v = self.product()?;
        while let Some(op) = self.take(&['+', '-']) {
            let r = self.product()?;
            v = self.checked(if op == '+' { v.checked_add(r) } else { v.checked_sub(r) })?;
        }
        Ok(v)
    }

    fn product(&mut self) -> Result<usize> {
        let mut v = self.atom()?;
        while let Some(op) = self.take(&['*', '/', '%']) {
            let r = self.atom()?;
            v = self.checked(match op {
                '*' => v.checked_mul(r),
                '/' => v.checked_div(r),
                _ => v.checked_rem(r),
            })?;
        }
        Ok(v)
    }

    fn atom(&mut self) -> Result<usize> {
        if self.take(&['(']).is_some() {
            let v = self.sum()?;
            return match self.take(&[')']) {
                Some(_) => Ok(v),
                None => self.lower.bad_index(self.name, "unbalanced parentheses"),
            };
        }
        let end =
            self.rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix("()").unwrap_or(rest);
        if let Ok(v) = word.trim_end_matches("usize").parse() {
            return Ok(v);
        }
        let variable = self.lower.env.iter().rev().find(|(n, _)| n == word).map(|(_, v)| *v);
        let dim = || {
            let id = self.lower.nets.find(word.strip_suffix("$val")?)?;
            match self.lower.nets[id].kind {
                NetKind::Value(v) => usize::try_from(v).ok(),
                _ => None,
            }
        };
        match variable.or_else(dim) {
            Some(v) => Ok(v),
            None => self.lower.bad_index(
                self.name,
                &format!("`{}` is neither a loop variable nor a Dim", word.replace('$', ".")),
            ),
        }
    }

    fn take(&mut self, any: &[char]) -> Option<char> {
        let c = self.rest.chars().next().filter(|c| any.contains(c))?;
        self.rest = &self.rest[1..];
        Some(c)
    }

    fn checked(&self, v: Option<usize>) -> Result<usize> {
        v.map_or_else(|| self.lower.bad_index(self.name, "negative, too large or divided by 0"), Ok)
    }
}

/// The number behind `32'h1f`, `3'b101` or `8'h-3`; rust_hdl shows literals only as text.
pub(in crate::hdl) fn literal_value(l: &VerilogLiteral) -> i128 {
    let text = l.to_string();
    let digits = text.split_once('\'').map_or(text.as_str(), |(_, d)| d);
    let (radix, digits) = match digits.strip_prefix('b') {
        Some(d) => (2, d),
        None => (16, digits.trim_start_matches('h')),
    };
    i128::from_str_radix(digits, radix).unwrap_or_else(|e| panic!("rust_hdl literal `{text}`: {e}"))
}
