//! The text of one `always` block.
use super::expr::Printer;
use super::ir::{NetId, Stmt};
use super::plan::Register;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// Prints the statements of one `always` block.
pub(super) struct Process<'a> {
    pub printer: Printer<'a>,
    pub own: &'a BTreeSet<NetId>,
    /// What is assigned at a clock edge.
    pub clocked: &'a HashMap<NetId, Register>,
    pub lines: String,
}

impl Process<'_> {
    pub fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.lines, "{:1$}{text}", "", 2 * depth).expect("a string");
    }

    pub fn stmt(&mut self, s: &Stmt, depth: usize) {
        if !self.concerns(s) {
            return;
        }
        match s {
            Stmt::Assign(n, e) => {
                let before = self.printer.hoisted.len();
                let (target, sign) = self.clocked.get(n).map_or((*n, "="), |r| (r.q, "<="));
                let net = &self.printer.nets[target];
                let value = self.printer.assigned(e, net.format.bits, &net.name);
                self.parts(before, depth);
                let name = &net.name;
                self.line(depth, &format!("{name} {sign} {value};"));
            }
            Stmt::If(c, a, b) => {
                let before = self.printer.hoisted.len();
                let test = self.printer.test(c);
                self.parts(before, depth);
                let (then, otherwise) =
                    (a.iter().any(|s| self.concerns(s)), b.iter().any(|s| self.concerns(s)));
                let test = if then { test } else { format!("!({test})") };
                self.line(depth, &format!("if ({test}) begin"));
                if then {
                    a.iter().for_each(|s| self.stmt(s, depth + 1));
                    if otherwise {
                        self.line(depth, "end else begin");
                    }
                }
                b.iter().for_each(|s| self.stmt(s, depth + 1));
                self.line(depth, "end");
            }
            Stmt::Case(c, cases, default) => {
                let before = self.printer.hoisted.len();
                let test = self.printer.operand(c, c.format.bits);
                self.parts(before, depth);
                self.line(depth, &format!("case ({test})"));
                for (label, body) in cases {
                    let label = self.printer.nets[*label].name.clone();
                    self.arm(&label, body, depth + 1);
                }
                self.arm("default", default.as_deref().unwrap_or(&[]), depth + 1);
                self.line(depth, "endcase");
            }
        }
    }

    fn arm(&mut self, label: &str, body: &[Stmt], depth: usize) {
        if !body.iter().any(|s| self.concerns(s)) {
            return self.line(depth, &format!("{label}: ;"));
        }
        self.line(depth, &format!("{label}: begin"));
        body.iter().for_each(|s| self.stmt(s, depth + 1));
        self.line(depth, "end");
    }

    /// Named parts that read this process's own signals are computed where they are needed.
    fn parts(&mut self, from: usize, depth: usize) {
        for i in from..self.printer.hoisted.len() {
            let h = &self.printer.hoisted[i];
            if h.reads.iter().any(|r| self.own.contains(r)) {
                let line = format!("{} = {};", h.name, h.text);
                self.line(depth, &line);
            }
        }
    }

    fn concerns(&self, s: &Stmt) -> bool {
        match s {
            Stmt::Assign(n, _) => self.own.contains(n),
            Stmt::If(_, a, b) => a.iter().chain(b).any(|s| self.concerns(s)),
            Stmt::Case(_, cases, default) => {
                cases.iter().flat_map(|(_, b)| b).chain(default.iter().flatten()).any(|s| self.concerns(s))
            }
        }
    }
}
