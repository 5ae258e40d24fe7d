//! A signal that is only assigned unconditionally is one expression.
use super::ir::{Expr, NetId, Node, Op, Stmt};

/// The final value of `target`, if its statements are plain assignments:
/// `y = 0; y = y + a; y = y + b` is `0 + a + b`.
///
/// Putting an exact sum where its truncation to `format` stood is right only where bits above the
/// signal's width cannot matter: below sums, products and bitwise operators.
pub(super) fn unconditional<'a>(target: NetId, stmts: impl Iterator<Item = &'a Stmt>) -> Option<Expr> {
    let mut value: Option<Expr> = None;
    for s in stmts {
        let Stmt::Assign(n, e) = s else { return None };
        if *n != target {
            return None;
        }
        let mut uses = 0;
        e.reads(&mut |r| uses += usize::from(r == target));
        value = Some(match (uses, value) {
            (0, _) => e.clone(),
            (1, Some(v)) => {
                let mut v = Some(v);
                let next = substitute(e, target, &mut v);
                // not consumed: the use is where all bits matter
                if v.is_some() {
                    return None;
                }
                next
            }
            _ => return None,
        });
    }
    value
}

fn substitute(e: &Expr, target: NetId, value: &mut Option<Expr>) -> Expr {
    match &e.node {
        Node::Net(n) if *n == target => value.take().unwrap_or_else(|| e.clone()),
        Node::Binary(op @ (Op::Add | Op::Sub | Op::Mul | Op::And | Op::Or | Op::Xor), a, b) => {
            let (a, b) = (substitute(a, target, value), substitute(b, target, value));
            Expr::binary(*op, a, b)
        }
        Node::Neg(a) => Expr::neg(substitute(a, target, value)),
        _ => e.clone(),
    }
}
