//! One elaborated unit → the body of one Verilog module.
use super::elab::Module;
use super::error::ElabError;
use super::expr::{Printer, literal};
use super::fold;
use super::groups::{self, Grouping};
use super::ir::{Expr, Net, NetId, NetKind, Nets, Node, Stmt};
use super::text;
use crate::hdl::design;
use crate::hdl::format::Format;
use crate::hdl::names::Namer;
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

/// Decisions taken before printing.
struct Plan {
    /// Groups that are one unconditional assignment.
    single: HashMap<usize, Expr>,
    /// Child inputs that need no net, and the text to connect or to substitute.
    connected: HashMap<NetId, Connection>,
    /// Groups that need no process.
    absorbed: BTreeSet<usize>,
    /// Nets driven by an `always` block here or inside an inlined cell.
    variables: BTreeSet<NetId>,
    /// Nets that the kernel or an inlined cell reads.
    read: BTreeSet<NetId>,
}

enum Connection {
    /// Another net or a literal, with no logic in between.
    Plain(Expr),
    /// An expression in the text of an inlined cell.
    Inside(Expr),
}

impl Plan {
    fn new(body: &mut Body, modules: &[Module], grouping: &Grouping) -> Self {
        let mut plan = Plan {
            single: HashMap::new(),
            connected: HashMap::new(),
            absorbed: BTreeSet::new(),
            variables: BTreeSet::new(),
            read: BTreeSet::new(),
        };
        body.kernel.iter().for_each(|s| {
            s.visit(&mut |n, write| {
                if !write {
                    plan.read.insert(n);
                }
            })
        });
        for (g, group) in grouping.groups.iter().enumerate() {
            if let [target] = group.targets[..] {
                let stmts = group.stmts.iter().map(|s| &body.kernel[*s]);
                if let Some(e) = fold::unconditional(target, stmts) {
                    plan.single.insert(g, e);
                    continue;
                }
            }
            plan.variables.extend(&group.targets);
        }
        plan.connect_inputs(body, modules, grouping);
        plan.pass_outputs(body, modules, grouping);
        plan
    }

    /// Inputs of children that are a copy, a constant or, in an inlined cell, an expression.
    fn connect_inputs(&mut self, body: &Body, modules: &[Module], grouping: &Grouping) {
        for c in &body.children {
            let module = &modules[c.module];
            for (port, n) in
                module.ports.iter().zip(&c.nets).filter(|(p, n)| p.input && !self.read.contains(n))
            {
                let Some(g) = grouping.of.get(n) else { continue };
                let Some(e) = self.single.get(g) else { continue };
                let uses = module.inline.as_ref().map(|t| text::uses(t, &port.key));
                let bits = body.nets[*n].format.bits;
                let connection = match &e.node {
                    Node::Net(r) if body.nets[*r].format.bits == bits => Connection::Plain(e.clone()),
                    Node::Literal(_) if uses.is_none_or(|u| !u.selected) => Connection::Plain(e.clone()),
                    _ if uses.is_some_and(|u| u.count == 1 && !u.selected) => Connection::Inside(e.clone()),
                    _ => continue,
                };
                self.connected.insert(*n, connection);
                self.absorbed.insert(*g);
            }
        }
    }

    /// Outputs that are a copy of a child's output: the child drives them, no wire in between.
    fn pass_outputs(&mut self, body: &mut Body, modules: &[Module], grouping: &Grouping) {
        let children: Vec<NetId> = body
            .children
            .iter()
            .filter(|c| modules[c.module].inline.is_none())
            .flat_map(|c| c.nets.iter().copied())
            .filter(|n| body.nets[*n].kind == NetKind::ChildOutput)
            .collect();
        let mut free: BTreeSet<NetId> = children.into_iter().collect();
        for o in 0..body.nets.all.len() {
            let Some(g) = grouping.of.get(&o).filter(|_| body.nets[o].kind == NetKind::Output) else {
                continue;
            };
            let Some(Expr { node: Node::Net(c), .. }) = self.single.get(g) else { continue };
            if body.nets[*c].format == body.nets[o].format && free.remove(c) {
                body.nets.all[*c].name = body.nets[o].name.clone();
                self.absorbed.insert(*g);
            }
        }
    }
}

struct Out<'a> {
    body: Body,
    plan: Plan,
    modules: &'a [Module],
    /// Parts of expressions that have a name.
    declared: Vec<(String, Format)>,
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
                self.process(&group.targets, &group.stmts);
            }
        }
    }

    fn process(&mut self, targets: &[NetId], stmts: &[usize]) {
        let own: BTreeSet<NetId> = targets.iter().copied().collect();
        let mut p = Process {
            printer: Printer::new(&self.body.nets, &mut self.body.namer),
            own: &own,
            lines: String::new(),
        };
        for s in stmts {
            p.stmt(&self.body.kernel[*s], 2);
        }
        let (lines, hoisted) = (p.lines, std::mem::take(&mut p.printer.hoisted));
        let defaults = self.hoist(hoisted, targets);
        self.emit(&format!("  always @* begin\n{defaults}{lines}  end\n"));
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
            match &module.inline {
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
        let connected = &self.plan.connected;
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
                NetKind::ChildInput if !connected.contains_key(&id) => {
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
            NetKind::ChildInput => !connected.contains_key(id),
            NetKind::ChildOutput => !outputs.contains(n.name.as_str()),
            _ => false,
        });
        let mut signals: Vec<(&str, Format)> = declared.map(|(_, n)| (n.name.as_str(), n.format)).collect();
        signals.extend(self.declared.iter().map(|(name, format)| (name.as_str(), *format)));
        if let Some(list) = unused(&signals, &self.reading) {
            let name = self.body.namer.unique("unused_bits");
            writeln!(self.code, "  wire {name} = &{{{}}};", wrap(&list)).expect("a string");
        }
        Printed { ports, body: self.decls + &self.code }
    }
}

/// Bits of these signals that `code` does not read; none if it reads all.
fn unused(signals: &[(&str, Format)], code: &str) -> Option<Vec<String>> {
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

/// Prints the statements of one `always` block.
struct Process<'a> {
    printer: Printer<'a>,
    own: &'a BTreeSet<NetId>,
    lines: String,
}

impl Process<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.lines, "{:1$}{text}", "", 2 * depth).expect("a string");
    }

    fn stmt(&mut self, s: &Stmt, depth: usize) {
        if !self.concerns(s) {
            return;
        }
        match s {
            Stmt::Assign(n, e) => {
                let before = self.printer.hoisted.len();
                let net = &self.printer.nets[*n];
                let value = self.printer.assigned(e, net.format.bits, &net.name);
                self.parts(before, depth);
                let name = &net.name;
                self.line(depth, &format!("{name} = {value};"));
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

fn range(format: Format) -> String {
    if format.bits == 1 { String::new() } else { format!("[{}:0] ", format.bits - 1) }
}

fn port(direction: design::Direction, net: &Net, variable: bool) -> design::Port {
    let Format { bits, signed } = net.format;
    design::Port {
        name: net.name.clone(),
        doc: String::new(),
        direction,
        bits: bits as usize,
        signed,
        variable,
    }
}

fn declaration(kind: &str, format: Format, name: &str) -> String {
    let sign = if format.signed { "signed " } else { "" };
    format!("  {kind} {sign}{}{name};\n", range(format))
}

/// Connections on one line if they fit, else one a line.
fn wrap(list: &[String]) -> String {
    let line = list.join(", ");
    if line.len() <= 100 { line } else { format!("\n    {}\n  ", list.join(",\n    ")) }
}
