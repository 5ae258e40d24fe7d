//! Modules without what is not live, printed.
use super::elab::{Module, Source};
use super::error::ElabError;
use super::ir::{Net, NetId, NetKind, Stmt};
use super::live::{self, Live};
use super::print::{self, Printed};
use crate::hdl::design::{self, Design};
use std::collections::BTreeSet;

/// The design of these modules, children before parents, the last one the top.
pub(super) fn design(modules: Vec<Module>) -> Result<Design, ElabError> {
    let live = live::find(&modules);
    let mut tree = Tree {
        modules: &modules,
        live: &live,
        first: vec![None; modules.len()],
        count: vec![0; modules.len()],
    };
    if let Some(top) = modules.len().checked_sub(1) {
        tree.walk(top, &modules[top].first);
    }
    let (first, count) = (tree.first, tree.count);
    let (mut done, mut finished): (Vec<Module>, Vec<design::Module>) = (vec![], vec![]);
    for (id, module) in modules.into_iter().enumerate() {
        let (module, printed) = pruned(module, &live, &done)?;
        if let Some(first) = &first[id] {
            finished.push(module.finished(printed, first, count[id], &done));
        }
        done.push(module);
    }
    finished.reverse();
    Ok(Design { modules: finished })
}

/// Counts instances.
struct Tree<'a> {
    modules: &'a [Module],
    live: &'a [Live],
    first: Vec<Option<String>>,
    count: Vec<usize>,
}

impl Tree<'_> {
    fn walk(&mut self, id: usize, path: &str) {
        let module = &self.modules[id];
        if module.inline.is_some() {
            return;
        }
        self.count[id] += 1;
        self.first[id].get_or_insert_with(|| path.into());
        let Source::Kernel(body) = &module.source else { return };
        for c in body.children.iter().filter(|c| self.live[id].has(c, &body.nets)) {
            self.walk(c.module, &format!("{path}.{}", c.field));
        }
    }
}

/// A module with its live ports, and its text; `done` are those before it.
fn pruned(mut module: Module, live: &[Live], done: &[Module]) -> Result<(Module, Printed), ElabError> {
    let (id, own) = (done.len(), &live[done.len()]);
    let top = id + 1 == live.len();
    let mut printed = Printed::default();
    match &mut module.source {
        Source::Cell(cell) if module.inline.is_none() => {
            for (n, port) in module.port_nets.iter().zip(&own.ports) {
                let net = &mut cell.nets.all[*n];
                if !port {
                    // what the text drives it may also read
                    net.kind = if net.kind == NetKind::Output { NetKind::Local } else { NetKind::Unused };
                }
            }
            printed = print::custom_module(&cell.nets, &cell.text);
        }
        Source::Cell(_) => {}
        Source::Kernel(body) => {
            let (children, nets) = (&mut body.children, &body.nets);
            children.retain(|c| own.has(c, nets));
            for c in &mut body.children {
                c.nets =
                    kept(std::mem::take(&mut c.nets), &live[c.module].ports, done[c.module].inline.is_some());
            }
            let connected: BTreeSet<NetId> = body
                .children
                .iter()
                .filter(|c| done[c.module].inline.is_none())
                .flat_map(|c| c.nets.iter().copied())
                .collect();
            for (n, net) in body.nets.all.iter_mut().enumerate() {
                let port = top && matches!(net.kind, NetKind::Input | NetKind::Output);
                if !own.nets.contains(&n) && !connected.contains(&n) && !port {
                    unused(net);
                }
            }
            body.kernel = statements(&body.kernel, &own.nets);
            let (text, through) = print::kernel_module(body.clone(), done)?;
            let index = |n: &NetId| module.port_nets.iter().position(|p| p == n);
            module.through = through
                .iter()
                .flat_map(|(o, inputs)| inputs.iter().filter_map(|i| Some((index(i)?, index(o)?))))
                .collect();
            printed = text;
        }
    }
    if module.inline.is_none() {
        let number = |port: usize| own.ports[port].then(|| own.ports[..port].iter().filter(|l| **l).count());
        module.through =
            module.through.iter().filter_map(|(i, o)| Some((number(*i)?, number(*o)?))).collect();
        module.ports = kept(module.ports, &own.ports, false);
        module.port_nets = kept(module.port_nets, &own.ports, false);
    }
    Ok((module, printed))
}

fn kept<T>(list: Vec<T>, live: &[bool], all: bool) -> Vec<T> {
    list.into_iter().zip(live).filter(|(_, l)| all || **l).map(|(x, _)| x).collect()
}

fn unused(net: &mut Net) {
    if !matches!(net.kind, NetKind::Named(_) | NetKind::Value(_)) {
        net.kind = NetKind::Unused;
    }
}

/// The statements that assign one of these nets.
fn statements(kernel: &[Stmt], live: &BTreeSet<NetId>) -> Vec<Stmt> {
    let inside = |s: &[Stmt]| statements(s, live);
    let keep = |s: &Stmt| -> Option<Stmt> {
        match s {
            Stmt::Assign(n, _) => live.contains(n).then(|| s.clone()),
            Stmt::If(c, a, b) => {
                let (a, b) = (inside(a), inside(b));
                (!a.is_empty() || !b.is_empty()).then(|| Stmt::If(c.clone(), a, b))
            }
            Stmt::Case(c, cases, default) => {
                let cases: Vec<_> = cases.iter().map(|(l, b)| (*l, inside(b))).collect();
                let default = default.as_ref().map(|b| inside(b));
                let any = cases.iter().map(|(_, b)| b).chain(&default).any(|b| !b.is_empty());
                any.then(|| Stmt::Case(c.clone(), cases, default))
            }
        }
    };
    kernel.iter().filter_map(keep).collect()
}
