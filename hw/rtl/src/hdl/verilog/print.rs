//! One elaborated unit → the body of one Verilog module.
use super::elab::{Module, RESET};
use super::error::ElabError;
use super::expr::{Printer, literal};
use super::groups::{self, Grouping};
use super::ir::{Net, NetId, NetKind, Nets, Stmt};
use super::plan::{Connection, Plan, is_hold};
use super::process::Process;
use super::text;
use crate::hdl::design;
use crate::hdl::names::Namer;
use crate::hdl::number_format::NumberFormat;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// How a child's input or output is reached from this module.
#[derive(Clone)]
pub(super) struct ChildPorts {
    /// The Rust field: `pe[3]`.
    pub field: String,
    pub inst: String,
    pub module: usize,
    pub nets: Vec<NetId>,
}

/// Everything about a module but its text.
#[derive(Clone)]
pub(super) struct Body {
    pub path: String,
    pub nets: Nets,
    pub kernel: Vec<Stmt>,
    pub children: Vec<ChildPorts>,
    pub namer: Namer,
}

/// What the parent of a module sees: which output depends on which input at once.
pub(super) type Through = HashMap<NetId, BTreeSet<NetId>>;

/// A module as it is printed: its ports, not yet documented, and what stands between them and `endmodule`.
#[derive(Clone, Debug, Default)]
pub(super) struct Printed {
    pub ports: Vec<design::Port>,
    pub body: String,
}

/// Prints a module with a kernel.
pub(super) fn kernel_module(mut body: Body, modules: &[Module]) -> Result<(Printed, Through), ElabError> {
    let arcs = child_arcs(&body, modules);
    check_driven(&body)?;
    let grouping = groups::group(&body.path, &body.nets, &body.kernel, &arcs)?;
    let through = groups::through(&body.nets, &body.kernel, &grouping, &arcs);
    let plan = Plan::new(&mut body, modules, &grouping);
    let mut out = Out {
        body,
        plan,
        modules,
        declared: vec![],
        decls: String::new(),
        code: String::new(),
        reading: String::new(),
    };
    out.processes(&grouping);
    out.instances();
    Ok((out.finish(), through))
}

fn child_arcs(body: &Body, modules: &[Module]) -> Vec<(NetId, NetId)> {
    let mut arcs = vec![];
    for c in &body.children {
        arcs.extend(modules[c.module].through.iter().map(|(i, o)| (c.nets[*i], c.nets[*o])));
    }
    arcs
}

fn check_driven(body: &Body) -> Result<(), ElabError> {
    let mut written = vec![false; body.nets.all.len()];
    body.kernel.iter().for_each(|s| s.visit(&mut |n, write| written[n] |= write));
    for (n, net) in body.nets.all.iter().enumerate() {
        let ours = matches!(net.kind, NetKind::Output | NetKind::Local | NetKind::ChildInput);
        let (path, signal) = (body.path.to_string(), net.field());
        match (ours, written[n]) {
            (true, false) => return Err(ElabError::Undriven { path, signal }),
            (false, true) => return Err(ElabError::DrivenTwice { path, signal }),
            _ => {}
        }
    }
    Ok(())
}

struct Out<'a> {
    body: Body,
    plan: Plan,
    modules: &'a [Module],
    /// Parts of expressions that have a name.
    declared: Vec<(String, NumberFormat)>,
    decls: String,
    code: String,
    /// The code, of instances only what their inputs are.
    reading: String,
}

impl Out<'_> {
    fn printer(&mut self) -> Printer<'_> {
        Printer::new(&self.body.nets, &mut self.body.namer)
    }

    fn emit(&mut self, code: &str) {
        self.code += code;
        self.reading += code;
    }

    fn processes(&mut self, grouping: &Grouping) {
        for (g, group) in grouping.groups.iter().enumerate() {
            if self.plan.absorbed.contains(&g) {
                continue;
            }
            if let Some(e) = self.plan.single.get(&g).cloned() {
                let target = group.targets[0];
                let (bits, name) = (self.body.nets[target].format.bits, self.body.nets[target].name.clone());
                let mut p = self.printer();
                let value = p.assigned(&e, bits, &name);
                let hoisted = std::mem::take(&mut p.hoisted);
                self.hoist(hoisted, &[]);
                self.emit(&format!("  assign {name} = {value};\n"));
            } else {
                let clocked = |n: &NetId| self.plan.clocked.contains_key(n);
                let (registers, others): (Vec<NetId>, _) = group.targets.iter().partition(|n| clocked(n));
                if !others.is_empty() {
                    self.process(&others, &group.stmts);
                }
                if !registers.is_empty() {
                    self.clocked_process(&registers, &group.stmts);
                }
            }
        }
    }

    fn process(&mut self, targets: &[NetId], stmts: &[usize]) {
        let own: BTreeSet<NetId> = targets.iter().copied().collect();
        let mut p = Process {
            printer: Printer::new(&self.body.nets, &mut self.body.namer),
            own: &own,
            clocked: &HashMap::new(),
            lines: String::new(),
        };
        for s in stmts {
            p.stmt(&self.body.kernel[*s], 2);
        }
        let (lines, hoisted) = (p.lines, std::mem::take(&mut p.printer.hoisted));
        let defaults = self.hoist(hoisted, targets);
        self.emit(&format!("  always @* begin\n{defaults}{lines}  end\n"));
    }

    /// Registers that change under conditions: what holds them needs no statement.
    fn clocked_process(&mut self, targets: &[NetId], stmts: &[usize]) {
        let own: BTreeSet<NetId> = targets.iter().copied().collect();
        let registers = &self.plan.clocked;
        let name = |n: NetId| self.body.nets[n].name.clone();
        let reset =
            self.body.nets.find(RESET).filter(|n| self.body.nets[*n].kind == NetKind::Input).map(name);
        let clock = name(registers[&targets[0]].clock);
        let mut p = Process {
            printer: Printer::new(&self.body.nets, &mut self.body.namer),
            own: &own,
            clocked: registers,
            lines: String::new(),
        };
        let depth = if let Some(reset) = &reset {
            p.line(2, &format!("if ({reset}) begin"));
            for r in targets.iter().map(|t| &registers[t]) {
                p.line(3, &format!("{} <= {};", self.body.nets[r.q].name, r.initial));
            }
            p.line(2, "end else begin");
            3
        } else {
            2
        };
        let mut first = own.clone();
        for s in stmts.iter().map(|s| &self.body.kernel[*s]) {
            let Stmt::Assign(n, _) = s else {
                s.visit(&mut |n, write| first.retain(|f| !write || *f != n));
                p.stmt(s, depth);
                continue;
            };
            if !(first.remove(n) && is_hold(s, *n, registers[n].q)) {
                p.stmt(s, depth);
            }
        }
        if reset.is_some() {
            p.line(2, "end");
        }
        let (lines, hoisted) = (p.lines, std::mem::take(&mut p.printer.hoisted));
        self.hoist(hoisted, &[]);
        self.emit(&format!("  always @(posedge {clock}) begin\n{lines}  end\n"));
    }

    /// Declares named parts of expressions. Those computed inside a process get a first value there.
    fn hoist(&mut self, hoisted: Vec<super::expr::Hoisted>, targets: &[NetId]) -> String {
        let mut defaults = String::new();
        for h in hoisted {
            self.declared.push((h.name.clone(), h.format));
            if h.reads.iter().any(|r| targets.contains(r)) {
                self.decls += &declaration("reg", h.format, &h.name);
                writeln!(defaults, "    {} = {};", h.name, literal(0, h.format.bits, h.format.signed))
                    .expect("a string");
            } else {
                self.decls += &declaration("wire", h.format, &h.name);
                self.emit(&format!("  assign {} = {};\n", h.name, h.text));
            }
        }
        defaults
    }

    fn instances(&mut self) {
        for c in std::mem::take(&mut self.body.children) {
            let module = &self.modules[c.module];
            let mut ports = HashMap::new();
            for (port, n) in module.ports.iter().zip(&c.nets) {
                let text = self.connection(port.key.as_str(), *n, module.inline.as_deref());
                if module.inline.as_ref().is_some_and(|t| !port.input && !text::assigns(t, &port.key)) {
                    self.plan.variables.insert(*n);
                }
                ports.insert(port.key.as_str(), text);
            }
            let register = c.nets.iter().find_map(|n| self.plan.clocked.get(n));
            match &module.inline {
                Some(_) if register.is_some() => {
                    let initial = register.map_or("", |r| &r.initial);
                    self.code += &format!("  initial {} = {initial};\n", ports["q"]);
                }
                Some(cell) => {
                    let nets = module.ports.iter().zip(&c.nets);
                    let dead = nets.filter(|(_, n)| self.body.nets[**n].kind == NetKind::Unused);
                    let dead: Vec<&str> = dead.map(|(p, _)| p.key.as_str()).collect();
                    let live = text::without_assigns(cell, &dead);
                    for line in text::substitute(&live, &ports).lines() {
                        self.emit(&format!("  {line}\n"));
                    }
                }
                None => {
                    for p in module.ports.iter().filter(|p| p.input) {
                        writeln!(self.reading, "assign _ = {};", ports[p.key.as_str()]).expect("a string");
                    }
                    let list: Vec<String> = module
                        .ports
                        .iter()
                        .map(|p| format!(".{}({})", p.name, ports[p.key.as_str()]))
                        .collect();
                    writeln!(self.code, "  {} {}({});", module.name, c.inst, wrap(&list)).expect("a string");
                }
            }
            self.body.children.push(c);
        }
    }

    /// The text that stands for a child's port.
    fn connection(&mut self, key: &str, n: NetId, inline: Option<&str>) -> String {
        let bits = self.body.nets[n].format.bits;
        match self.plan.connected.remove(&n) {
            None => self.body.nets[n].name.clone(),
            Some(Connection::Plain(e)) => {
                self.plan.read.remove(&n);
                let mut p = self.printer();
                let text = p.operand(&e, bits);
                self.plan.connected.insert(n, Connection::Plain(e));
                text
            }
            Some(Connection::Inside(e)) => {
                let assigned = inline.is_some_and(|t| text::uses(t, key).assigned);
                let name = self.body.nets[n].name.clone();
                let mut p = self.printer();
                let text = if assigned { p.assigned(&e, bits, &name) } else { p.operand(&e, bits) };
                let hoisted = std::mem::take(&mut p.hoisted);
                self.hoist(hoisted, &[]);
                self.plan.connected.insert(n, Connection::Inside(e));
                text
            }
        }
    }

    /// Ports, declarations, processes, instances.
    fn finish(mut self) -> Printed {
        let variables = &self.plan.variables;
        let mut constants = String::new();
        let mut nets = String::new();
        let (connected, clocked) = (&self.plan.connected, &self.plan.clocked);
        let outputs: BTreeSet<&str> = self
            .body
            .nets
            .all
            .iter()
            .filter(|n| n.kind == NetKind::Output)
            .map(|n| n.name.as_str())
            .collect();
        let mut ports = vec![];
        for (id, net) in self.body.nets.all.iter().enumerate() {
            let kind = if variables.contains(&id) { "reg" } else { "wire" };
            match net.kind {
                NetKind::Input => ports.push(port(design::Direction::Input, net, false)),
                NetKind::Output => ports.push(port(design::Direction::Output, net, variables.contains(&id))),
                NetKind::Named(v) if self.plan.read.contains(&id) || labels(&self.body.kernel, id) => {
                    let sign = if net.format.signed { "signed " } else { "" };
                    let value = literal(v, net.format.bits, net.format.signed);
                    writeln!(constants, "  localparam {sign}{}{} = {value};", range(net.format), net.name)
                        .expect("a string");
                }
                NetKind::Local => nets += &declaration(kind, net.format, &net.name),
                NetKind::ChildInput if !connected.contains_key(&id) && !clocked.contains_key(&id) => {
                    nets += &declaration(kind, net.format, &net.name)
                }
                NetKind::ChildOutput if !outputs.contains(net.name.as_str()) => {
                    nets += &declaration(kind, net.format, &net.name)
                }
                _ => {}
            }
        }
        self.decls.insert_str(0, &(constants + &nets));
        let nets = self.body.nets.all.iter().enumerate();
        let declared = nets.filter(|(id, n)| match n.kind {
            NetKind::Input | NetKind::Local => true,
            NetKind::ChildInput => !connected.contains_key(id) && !clocked.contains_key(id),
            NetKind::ChildOutput => !outputs.contains(n.name.as_str()),
            _ => false,
        });
        let mut signals: Vec<(&str, NumberFormat)> =
            declared.map(|(_, n)| (n.name.as_str(), n.format)).collect();
        signals.extend(self.declared.iter().map(|(name, format)| (name.as_str(), *format)));
        if let Some(list) = unused(&signals, &self.reading) {
            let name = self.body.namer.unique("unused_bits");
            writeln!(self.code, "  wire {name} = &{{{}}};", wrap(&list)).expect("a string");
        }
        Printed { ports, body: self.decls + &self.code }
    }
}

/// Bits of these signals that `code` does not read; none if it reads all.
fn unused(signals: &[(&str, NumberFormat)], code: &str) -> Option<Vec<String>> {
    let widths = signals.iter().map(|(name, f)| (*name, f.bits as usize)).collect();
    let read = text::reads(code, &widths);
    let list: Vec<String> = signals.iter().flat_map(|(name, _)| text::gaps(name, &read[name])).collect();
    (!list.is_empty()).then_some(list)
}

/// Whether a constant is the label of a case.
fn labels(kernel: &[Stmt], id: NetId) -> bool {
    kernel.iter().any(|s| match s {
        Stmt::Assign(..) => false,
        Stmt::If(_, a, b) => labels(a, id) || labels(b, id),
        Stmt::Case(_, cases, default) => {
            cases.iter().any(|(l, b)| *l == id || labels(b, id))
                || default.as_ref().is_some_and(|b| labels(b, id))
        }
    })
}

/// Prints a module that is a hand-written cell.
pub(super) fn custom_module(nets: &Nets, code: &str) -> Printed {
    let mut ports = vec![];
    let mut names = HashMap::new();
    let mut declarations = String::new();
    let mut signals = vec![];
    for net in &nets.all {
        names.insert(net.key.as_str(), net.name.clone());
        if matches!(net.kind, NetKind::Input | NetKind::Local) {
            signals.push((net.name.as_str(), net.format));
        }
        match net.kind {
            NetKind::Input => ports.push(port(design::Direction::Input, net, false)),
            NetKind::Output => {
                ports.push(port(design::Direction::Output, net, !text::assigns(code, &net.key)))
            }
            NetKind::Local => {
                let kind = if text::assigns(code, &net.key) { "wire" } else { "reg" };
                declarations += &declaration(kind, net.format, &net.name);
            }
            _ => {}
        }
    }
    let body: String = text::substitute(code, &names)
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| format!("  {l}\n"))
        .collect();
    let unused = unused(&signals, &body)
        .map_or_else(String::new, |list| format!("  wire unused_bits = &{{{}}};\n", wrap(&list)));
    Printed { ports, body: declarations + &body + &unused }
}

fn range(format: NumberFormat) -> String {
    if format.bits == 1 { String::new() } else { format!("[{}:0] ", format.bits - 1) }
}

fn port(direction: design::Direction, net: &Net, variable: bool) -> design::Port {
    let NumberFormat { bits, signed } = net.format;
    design::Port {
        name: net.name.clone(),
        doc: String::new(),
        direction,
        bits: bits as usize,
        signed,
        variable,
    }
}

fn declaration(kind: &str, format: NumberFormat, name: &str) -> String {
    let sign = if format.signed { "signed " } else { "" };
    format!("  {kind} {sign}{}{name};\n", range(format))
}

/// Connections on one line if they fit, else one a line.
fn wrap(list: &[String]) -> String {
    let line = list.join(", ");
    if line.len() <= 100 { line } else { format!("\n    {}\n  ", list.join(",\n    ")) }
}
