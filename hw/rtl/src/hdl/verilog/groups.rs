//! Which signals share a process.
//!
//! rust_hdl prints a kernel as one `always` block. A simulator then sees the block read the output
//! of a child and write the child's input, takes the signals for a loop and runs the block until it
//! settles. Here a kernel is split into *groups* of signals, each printed as an assignment or a
//! process of its own:
//!
//! 1. every assigned signal is a group;
//! 2. a signal whose intermediate value another one reads joins that one's group (order matters);
//! 3. signals assigned under one `if` or `match` join, so that a state machine stays readable,
//!    unless that would close a loop through a child;
//! 4. a loop that remains is an error.
//!
//! What a child passes through at once is known from its own analysis (`comb`), so loops are judged
//! signal by signal across the whole hierarchy.
use super::error::ElabError;
use super::ir::{NetId, NetKind, Nets, Stmt};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One process: the signals it assigns and the kernel statements that concern it, in order.
#[derive(Debug)]
pub(super) struct Group {
    pub targets: Vec<NetId>,
    pub stmts: Vec<usize>,
}

/// The split kernel.
pub(super) struct Grouping {
    pub groups: Vec<Group>,
    /// Group of every assigned net.
    pub of: HashMap<NetId, usize>,
}

/// Checks that every signal has a value on every path, and splits the kernel.
///
/// `arcs` are the input/output pairs that children connect combinationally.
pub(super) fn group(
    path: &str,
    nets: &Nets,
    kernel: &[Stmt],
    arcs: &[(NetId, NetId)],
) -> Result<Grouping, ElabError> {
    check_assigned(path, nets, kernel)?;
    let touched: Vec<Touched> = kernel.iter().map(Touched::of).collect();
    let ordered = ordered_unions(nets, &touched);
    let mut merged = ordered.clone();
    for t in &touched {
        t.writes.windows(2).for_each(|w| merged.union(w[0], w[1]));
    }
    let looped = Graph::new(nets, &touched, &mut merged, arcs).loops();
    if !looped.is_empty() {
        // undo rule 3 where it closed a loop
        let roots: BTreeSet<NetId> = looped.iter().flatten().map(|n| merged.root(*n)).collect();
        let mut mended = ordered;
        for t in &touched {
            for w in t.writes.windows(2) {
                if !roots.contains(&merged.root(w[0])) {
                    mended.union(w[0], w[1]);
                }
            }
        }
        merged = mended;
        if let Some(signals) = Graph::new(nets, &touched, &mut merged, arcs).loops().first() {
            let signals = signals.iter().map(|n| nets[*n].field()).collect();
            return Err(ElabError::CombinationalLoop { path: path.into(), signals });
        }
    }
    Ok(collect(&touched, &mut merged))
}

/// What one top-level statement assigns, in order, and what each of these signals depends on there.
struct Touched {
    writes: Vec<NetId>,
    reads: Vec<Vec<NetId>>,
}

impl Touched {
    fn of(s: &Stmt) -> Self {
        let mut found: BTreeMap<NetId, BTreeSet<NetId>> = BTreeMap::new();
        dependencies(s, &mut vec![], &mut found);
        let (writes, reads) = found.into_iter().map(|(w, r)| (w, r.into_iter().collect())).unzip();
        Touched { writes, reads }
    }

    fn pairs(&self) -> impl Iterator<Item = (NetId, &[NetId])> {
        self.writes.iter().copied().zip(self.reads.iter().map(Vec::as_slice))
    }
}

/// A signal depends on the expressions assigned to it and on the conditions around them.
fn dependencies(s: &Stmt, conditions: &mut Vec<NetId>, found: &mut BTreeMap<NetId, BTreeSet<NetId>>) {
    let (test, branches): (_, Vec<&Vec<Stmt>>) = match s {
        Stmt::Assign(n, e) => {
            let reads = found.entry(*n).or_default();
            reads.extend(conditions.iter());
            e.reads(&mut |r| {
                reads.insert(r);
            });
            return;
        }
        Stmt::If(c, a, b) => (c, vec![a, b]),
        Stmt::Case(c, cases, default) => (c, cases.iter().map(|(_, b)| b).chain(default).collect()),
    };
    let outer = conditions.len();
    test.reads(&mut |r| conditions.push(r));
    branches.into_iter().flatten().for_each(|s| dependencies(s, conditions, found));
    conditions.truncate(outer);
}

/// What every net that a kernel assigns depends on.
pub(super) fn dependencies_of(kernel: &[Stmt]) -> HashMap<NetId, BTreeSet<NetId>> {
    let mut found = BTreeMap::new();
    kernel.iter().for_each(|s| dependencies(s, &mut vec![], &mut found));
    found.into_iter().collect()
}

/// Rule 2: whoever reads a local or an output that is assigned again later needs the order.
fn ordered_unions(nets: &Nets, touched: &[Touched]) -> Unions {
    let mut last_write = vec![None; nets.all.len()];
    for (i, t) in touched.iter().enumerate() {
        t.writes.iter().for_each(|n| last_write[*n] = Some(i));
    }
    let mut u = Unions::new(nets.all.len());
    for (i, t) in touched.iter().enumerate() {
        for (w, reads) in t.pairs() {
            for r in reads
                .iter()
                .filter(|r| reads_back(nets, **r) && last_write[**r].is_some_and(|last| last >= i))
            {
                u.union(*r, w);
            }
        }
    }
    u
}

/// Whether reading the net inside the kernel shows what the kernel has assigned so far.
fn reads_back(nets: &Nets, n: NetId) -> bool {
    matches!(nets[n].kind, NetKind::Local | NetKind::Output)
}

fn collect(touched: &[Touched], unions: &mut Unions) -> Grouping {
    let mut groups: Vec<Group> = vec![];
    let mut by_root: HashMap<NetId, usize> = HashMap::new();
    let mut of = HashMap::new();
    for (i, t) in touched.iter().enumerate() {
        for w in &t.writes {
            let g = *by_root.entry(unions.root(*w)).or_insert_with(|| {
                groups.push(Group { targets: vec![], stmts: vec![] });
                groups.len() - 1
            });
            if of.insert(*w, g).is_none() {
                groups[g].targets.push(*w);
            }
            if groups[g].stmts.last() != Some(&i) {
                groups[g].stmts.push(i);
            }
        }
    }
    Grouping { groups, of }
}

#[derive(Clone)]
struct Unions {
    parent: Vec<NetId>,
}

impl Unions {
    fn new(n: usize) -> Self {
        Unions { parent: (0..n).collect() }
    }
    fn root(&mut self, mut n: NetId) -> NetId {
        while self.parent[n] != n {
            self.parent[n] = self.parent[self.parent[n]];
            n = self.parent[n];
        }
        n
    }
    fn union(&mut self, a: NetId, b: NetId) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

/// Nets, then one node a group (named by its root): net → group that reads it → nets it assigns.
struct Graph {
    next: Vec<Vec<usize>>,
    nets: usize,
}

impl Graph {
    fn new(nets: &Nets, touched: &[Touched], unions: &mut Unions, arcs: &[(NetId, NetId)]) -> Self {
        let n = nets.all.len();
        let mut next = vec![vec![]; 2 * n];
        for t in touched {
            for (w, reads) in t.pairs() {
                let root = unions.root(w);
                next[n + root].push(w);
                // inside its own process a local is a variable, not a wire
                for r in reads.iter().filter(|r| !(reads_back(nets, **r) && unions.root(**r) == root)) {
                    next[*r].push(n + root);
                }
            }
        }
        for (i, o) in arcs {
            next[*i].push(*o);
        }
        for list in &mut next {
            list.sort_unstable();
            list.dedup();
        }
        Graph { next, nets: n }
    }

    /// The nets of every strongly connected component with a cycle (Tarjan, without recursion).
    fn loops(&self) -> Vec<Vec<NetId>> {
        let n = self.next.len();
        let (mut index, mut low) = (vec![usize::MAX; n], vec![0; n]);
        let (mut on_stack, mut stack, mut count) = (vec![false; n], vec![], 0);
        let mut found = vec![];
        for start in 0..n {
            if index[start] != usize::MAX {
                continue;
            }
            let mut work = vec![(start, 0)];
            while let Some((v, edge)) = work.pop() {
                if edge == 0 {
                    index[v] = count;
                    low[v] = count;
                    count += 1;
                    stack.push(v);
                    on_stack[v] = true;
                }
                match self.next[v].get(edge) {
                    Some(&w) => {
                        work.push((v, edge + 1));
                        if index[w] == usize::MAX {
                            work.push((w, 0));
                        } else if on_stack[w] {
                            low[v] = low[v].min(index[w]);
                        }
                    }
                    None => {
                        if let Some((parent, _)) = work.last() {
                            low[*parent] = low[*parent].min(low[v]);
                        }
                        if low[v] == index[v] {
                            let at = stack.iter().rposition(|x| *x == v).expect("a visited node");
                            let component = stack.split_off(at);
                            component.iter().for_each(|x| on_stack[*x] = false);
                            if component.len() > 1 {
                                found.push(component.into_iter().filter(|x| *x < self.nets).collect());
                            }
                        }
                    }
                }
            }
        }
        found
    }
}

/// For every output, the inputs it depends on without a register between.
pub(super) fn through(
    nets: &Nets,
    kernel: &[Stmt],
    grouping: &Grouping,
    arcs: &[(NetId, NetId)],
) -> HashMap<NetId, BTreeSet<NetId>> {
    let mut reads: Vec<BTreeSet<NetId>> = vec![BTreeSet::new(); grouping.groups.len()];
    for s in kernel {
        for (w, r) in Touched::of(s).pairs() {
            reads[grouping.of[&w]].extend(r);
        }
    }
    let mut into: HashMap<NetId, Vec<NetId>> = HashMap::new();
    arcs.iter().for_each(|(i, o)| into.entry(*o).or_default().push(*i));
    let mut result = HashMap::new();
    for (o, _) in nets.all.iter().enumerate().filter(|(_, n)| n.kind == NetKind::Output) {
        let (mut seen, mut todo, mut inputs) = (BTreeSet::from([o]), vec![o], BTreeSet::new());
        while let Some(n) = todo.pop() {
            if nets[n].kind == NetKind::Input {
                inputs.insert(n);
            }
            let own = grouping.of.get(&n).map(|g| &reads[*g]);
            let child = into.get(&n);
            todo.extend(
                own.into_iter().flatten().chain(child.into_iter().flatten()).filter(|m| seen.insert(**m)),
            );
        }
        result.insert(o, inputs);
    }
    result
}

/// Every assigned signal has a value on every path, and no local is read before it has one.
fn check_assigned(path: &str, nets: &Nets, kernel: &[Stmt]) -> Result<(), ElabError> {
    match unassigned(path, nets, kernel)?.first() {
        Some(n) => Err(ElabError::Latch { path: path.into(), signal: nets[*n].field() }),
        None => Ok(()),
    }
}

/// Signals that a kernel assigns on some paths only.
pub(super) fn unassigned(path: &str, nets: &Nets, kernel: &[Stmt]) -> Result<BTreeSet<NetId>, ElabError> {
    let mut a = Assigned { path, nets, known: vec![false; nets.all.len()], trail: vec![] };
    a.block(kernel)?;
    let mut open = BTreeSet::new();
    for s in kernel {
        s.visit(&mut |n, write| {
            if write && !a.known[n] {
                open.insert(n);
            }
        });
    }
    Ok(open)
}

struct Assigned<'a> {
    path: &'a str,
    nets: &'a Nets,
    known: Vec<bool>,
    trail: Vec<NetId>,
}

impl Assigned<'_> {
    fn block(&mut self, stmts: &[Stmt]) -> Result<(), ElabError> {
        stmts.iter().try_for_each(|s| self.stmt(s))
    }

    fn stmt(&mut self, s: &Stmt) -> Result<(), ElabError> {
        match s {
            Stmt::Assign(n, e) => {
                self.read(e)?;
                self.learn(*n);
            }
            Stmt::If(c, a, b) => {
                self.read(c)?;
                self.branches(&[a, b])?;
            }
            Stmt::Case(c, cases, default) => {
                self.read(c)?;
                let none = vec![];
                let mut all: Vec<&Vec<Stmt>> = cases.iter().map(|(_, b)| b).collect();
                all.push(default.as_ref().unwrap_or(&none));
                self.branches(&all)?;
            }
        }
        Ok(())
    }

    fn learn(&mut self, n: NetId) {
        if !self.known[n] {
            self.known[n] = true;
            self.trail.push(n);
        }
    }

    /// Only what every branch assigns is known afterwards.
    fn branches(&mut self, all: &[&Vec<Stmt>]) -> Result<(), ElabError> {
        let mut times: HashMap<NetId, usize> = HashMap::new();
        for b in all {
            let mark = self.trail.len();
            self.block(b)?;
            for n in self.trail.split_off(mark) {
                self.known[n] = false;
                *times.entry(n).or_default() += 1;
            }
        }
        times.into_iter().filter(|(_, t)| *t == all.len()).for_each(|(n, _)| self.learn(n));
        Ok(())
    }

    fn read(&self, e: &super::ir::Expr) -> Result<(), ElabError> {
        let mut early = None;
        e.reads(&mut |n| {
            if reads_back(self.nets, n) && !self.known[n] {
                early = Some(n);
            }
        });
        match early {
            Some(n) => {
                Err(ElabError::ReadBeforeWrite { path: self.path.into(), signal: self.nets[n].field() })
            }
            None => Ok(()),
        }
    }
}
