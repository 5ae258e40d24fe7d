//! What is decided about a module before it is printed.
use super::elab::Module;
use super::fold;
use super::groups::{self, Grouping};
use super::ir::{Expr, NetId, NetKind, Node, Stmt};
use super::print::Body;
use super::text;
use std::collections::{BTreeSet, HashMap};

/// Decisions taken before printing.
pub(super) struct Plan {
    /// Groups that are one unconditional assignment.
    pub single: HashMap<usize, Expr>,
    /// Child inputs that need no net, and the text to connect or to substitute.
    pub connected: HashMap<NetId, Connection>,
    /// Groups that need no process.
    pub absorbed: BTreeSet<usize>,
    /// Nets driven by an `always` block here or inside an inlined cell.
    pub variables: BTreeSet<NetId>,
    /// Nets that the kernel or an inlined cell reads.
    pub read: BTreeSet<NetId>,
    /// Next values of registers that are assigned at the clock edge, without a net of their own.
    pub clocked: HashMap<NetId, Register>,
}

/// A register whose next value is by default the present one.
pub(super) struct Register {
    pub q: NetId,
    pub clock: NetId,
    /// The initial value, printed.
    pub initial: String,
}

pub(super) enum Connection {
    /// Another net or a literal, with no logic in between.
    Plain(Expr),
    /// An expression in the text of an inlined cell.
    Inside(Expr),
}

impl Plan {
    pub fn new(body: &mut Body, modules: &[Module], grouping: &Grouping) -> Self {
        let mut plan = Plan {
            single: HashMap::new(),
            connected: HashMap::new(),
            absorbed: BTreeSet::new(),
            variables: BTreeSet::new(),
            read: BTreeSet::new(),
            clocked: HashMap::new(),
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
        plan.clock_registers(body, modules, grouping);
        plan
    }

    /// Groups with a register that holds its value unless a condition says otherwise: all their registers are assigned at the clock
    /// edge, if nothing else reads their next value and it needs no intermediate value of another signal.
    fn clock_registers(&mut self, body: &Body, modules: &[Module], grouping: &Grouping) {
        let depends = groups::dependencies_of(&body.kernel);
        let mut held = BTreeSet::new();
        let mut found = vec![];
        for c in &body.children {
            let module = &modules[c.module];
            let port = |key: &str| module.ports.iter().position(|p| p.key == key).map(|i| c.nets[i]);
            let Some(initial) = module.inline.as_deref().and_then(text::plain_register) else { continue };
            let (Some(d), Some(q), Some(clock)) = (port("d"), port("q"), port("clock")) else { continue };
            let Some(g) = grouping.of.get(&d).filter(|g| !self.single.contains_key(g)) else { continue };
            let Some(Connection::Plain(Expr { node: Node::Net(clock), .. })) = self.connected.get(&clock)
            else {
                continue;
            };
            let group = &grouping.groups[*g];
            let local = |n: &NetId| group.targets.contains(n) && body.nets[*n].kind != NetKind::ChildInput;
            if self.read.contains(&d) || depends[&d].iter().any(local) {
                continue;
            }
            if holds(group.stmts.iter().map(|s| &body.kernel[*s]), d, q) {
                held.insert((*g, *clock));
            }
            found.push(((*g, *clock), d, Register { q, clock: *clock, initial: initial.into() }));
        }
        let clocked = found.into_iter().filter(|(at, ..)| held.contains(at));
        self.clocked.extend(clocked.map(|(_, d, register)| (d, register)));
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

/// Whether the first assignment of `d` is that of `q`, in any case.
fn holds<'a>(mut stmts: impl Iterator<Item = &'a Stmt>, d: NetId, q: NetId) -> bool {
    let assigns = |s: &Stmt| {
        let mut found = false;
        s.visit(&mut |n, write| found |= write && n == d);
        found
    };
    stmts.find(|s| assigns(s)).is_some_and(|s| is_hold(s, d, q))
}

/// Whether a statement is `d = q`.
pub(super) fn is_hold(s: &Stmt, d: NetId, q: NetId) -> bool {
    matches!(s, Stmt::Assign(n, Expr { node: Node::Net(r), .. }) if *n == d && *r == q)
}
