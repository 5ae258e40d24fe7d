//! What of a design reaches an output of its top module; the rest is not printed.
//!
//! ```text
//! reach    children first: which inputs of a module each of its outputs depends on, through registers too
//! needed   parents first, until nothing changes: which outputs of a module some instance reads, hence which inputs
//! nets     what in a module these outputs depend on
//! ```
//! Instances share their module: a port stays if one of them needs it.
use super::elab::{Module, Source};
use super::groups::dependencies_of;
use super::ir::{NetId, NetKind, Nets};
use super::print::{Body, ChildPorts};
use std::collections::{BTreeSet, HashMap};

/// What is printed of a module.
#[derive(Clone, Default)]
pub(super) struct Live {
    /// Of its ports, in order.
    pub ports: Vec<bool>,
    /// Of its nets; of a cell's nothing is said.
    pub nets: BTreeSet<NetId>,
}

impl Live {
    /// Whether an instance in a module with these nets is printed.
    pub fn has(&self, child: &ChildPorts, nets: &Nets) -> bool {
        child.nets.iter().any(|n| nets[*n].kind == NetKind::ChildOutput && self.nets.contains(n))
    }
}

/// What is printed of every module; the last one is the top, whose ports all stay.
pub(super) fn find(modules: &[Module]) -> Vec<Live> {
    let mut flow = Flow { modules, depends: vec![], reach: vec![] };
    for m in modules {
        let depends = match &m.source {
            Source::Cell(_) => HashMap::new(),
            Source::Kernel(body) => dependencies_of(&body.kernel),
        };
        flow.depends.push(depends);
        let reach = (0..m.ports.len()).map(|p| flow.reached(flow.reach.len(), p)).collect();
        flow.reach.push(reach);
    }
    let mut live: Vec<Live> =
        modules.iter().map(|m| Live { ports: vec![false; m.ports.len()], ..Live::default() }).collect();
    if let Some(top) = live.last_mut() {
        top.ports.fill(true);
    }
    loop {
        let before: usize = count(&live);
        for id in (0..modules.len()).rev() {
            flow.follow(id, &mut live);
        }
        if count(&live) == before {
            return live;
        }
    }
}

fn count(live: &[Live]) -> usize {
    live.iter().flat_map(|l| &l.ports).filter(|p| **p).count()
}

struct Flow<'a> {
    modules: &'a [Module],
    /// Of each module: what its kernel makes of what.
    depends: Vec<HashMap<NetId, BTreeSet<NetId>>>,
    /// Of each module and output: the inputs it depends on.
    reach: Vec<Vec<Vec<usize>>>,
}

impl Flow<'_> {
    /// The input ports of module `id` on which its output port `port` depends.
    fn reached(&self, id: usize, port: usize) -> Vec<usize> {
        let m = &self.modules[id];
        let inputs = |keep: &dyn Fn(usize) -> bool| {
            (0..m.ports.len()).filter(|p| m.ports[*p].input && keep(*p)).collect()
        };
        match &m.source {
            _ if m.ports[port].input => vec![],
            Source::Cell(cell) => inputs(&|p| cell.mentions(&m.ports[p].key)),
            Source::Kernel(body) => {
                let nets = self
                    .slice(id, body, [m.port_nets[port]], |child, output| self.reach[child][output].clone());
                inputs(&|p| nets.contains(&m.port_nets[p]))
            }
        }
    }

    /// Finds the live nets of module `id` and what it needs of its children.
    fn follow(&self, id: usize, live: &mut [Live]) {
        let m = &self.modules[id];
        let Source::Kernel(body) = &m.source else { return };
        let wanted: Vec<NetId> =
            m.port_nets.iter().zip(&live[id].ports).filter(|(_, l)| **l).map(|(n, _)| *n).collect();
        let nets = self.slice(id, body, wanted, |child, output| {
            let ports = &mut live[child].ports;
            ports[output] = true;
            self.reach[child][output].iter().for_each(|i| ports[*i] = true);
            match self.modules[child].inline {
                // its text is the instance's own
                Some(_) => self.reach[child][output].clone(),
                None => {
                    (0..ports.len()).filter(|p| ports[*p] && self.modules[child].ports[*p].input).collect()
                }
            }
        });
        for (port, n) in live[id].ports.iter_mut().zip(&m.port_nets) {
            *port |= nets.contains(n);
        }
        live[id].nets = nets;
    }

    /// The nets of a body on which `from` depends. `inputs` tells which inputs of an instance of a module (its number) matter for
    /// one of its outputs.
    fn slice(
        &self,
        id: usize,
        body: &Body,
        from: impl IntoIterator<Item = NetId>,
        mut inputs: impl FnMut(usize, usize) -> Vec<usize>,
    ) -> BTreeSet<NetId> {
        let mut outputs: HashMap<NetId, (&ChildPorts, usize)> = HashMap::new();
        for c in &body.children {
            let ports = self.modules[c.module].ports.iter().zip(&c.nets).enumerate();
            outputs.extend(ports.filter(|(_, (p, _))| !p.input).map(|(i, (_, n))| (*n, (c, i))));
        }
        let mut todo: Vec<NetId> = from.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(n) = todo.pop() {
            if !seen.insert(n) {
                continue;
            }
            todo.extend(self.depends[id].get(&n).into_iter().flatten());
            if let Some((c, output)) = outputs.get(&n) {
                todo.extend(inputs(c.module, *output).into_iter().map(|i| c.nets[i]));
            }
        }
        seen
    }
}
