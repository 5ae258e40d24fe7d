//! The visitor over rust_hdl's elaboration: collects every unit, prints it once its children are
//! known, and keeps one module for all units that print alike.
use super::error::ElabError;
use super::groups;
use super::ir::{Expr, Net, NetId, NetKind, Nets, Node, Stmt, field_path};
use super::lower::{literal_value, lower};
use super::print::{self, Body, ChildPorts, Printed};
use super::{Style, prune, text};
use crate::hdl::cells::{INLINE, register};
use crate::hdl::constant::{CONST_TYPE, DIM_TYPE};
use crate::hdl::design::{self, Design};
use crate::hdl::docs;
use crate::hdl::names::{Namer, is_identifier, type_of};
use crate::hdl::number_format::NumberFormat;
use crate::hdl::sig::SIG_TYPE;
use rust_hdl::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The clock of every unit.
const CLOCK: &str = "clock";
/// The input that a design may have beside those of its units.
pub(super) const RESET: &str = "reset";

/// A port as the parent of a module sees it.
pub(super) struct Port {
    /// rust_hdl's name.
    pub key: String,
    /// Verilog's name.
    pub name: String,
    pub input: bool,
    pub format: NumberFormat,
}

/// A module.
pub(super) struct Module {
    pub name: String,
    pub ports: Vec<Port>,
    /// The ports' nets.
    pub port_nets: Vec<NetId>,
    /// Ports `(input, output)` that are connected without a register between.
    pub through: Vec<(usize, usize)>,
    /// Text to be printed inside the parent, instead of a module.
    pub inline: Option<String>,
    /// A register, which keeps its value where a kernel does not assign `d`.
    holds: bool,
    /// What it is printed from.
    pub source: Source,
    /// The path of the first instance.
    pub first: String,
    /// Its Rust type.
    type_name: String,
}

/// What a module is printed from.
pub(super) enum Source {
    Cell(Cell),
    Kernel(Body),
}

/// Hand-written Verilog.
pub(super) struct Cell {
    pub nets: Nets,
    pub text: String,
}

impl Cell {
    /// Whether the text has port `key`.
    pub fn mentions(&self, key: &str) -> bool {
        text::uses(&self.text, key).count > 0
    }
}

/// A signal or constant of a unit that is being visited.
#[derive(Debug)]
struct AtomInfo {
    key: String,
    kind: AtomKind,
    format: NumberFormat,
    value: i128,
    type_name: String,
}

/// A unit that is being visited.
pub(super) struct Open {
    inst: String,
    role: Option<TimingInfo>,
    code: Verilog,
    atoms: Vec<AtomInfo>,
    enums: BTreeMap<String, (i128, NumberFormat)>,
    pub children: Vec<(String, usize)>,
}

/// Visits a whole design.
pub(super) struct Elab<'a> {
    style: Style<'a>,
    top: String,
    stack: Vec<Open>,
    space: Vec<String>,
    modules: Vec<Module>,
    /// Modules by what they were made from: most instances need no second look.
    by_source: HashMap<String, usize>,
    /// Modules by what was printed.
    by_text: HashMap<String, usize>,
    names: Namer,
    pub error: Option<ElabError>,
}

impl Probe for Elab<'_> {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let role = node.timing().into_iter().next();
        let code = if self.error.is_none() { node.hdl() } else { Verilog::Empty };
        self.stack.push(Open {
            inst: name.into(),
            role,
            code,
            atoms: vec![],
            enums: BTreeMap::new(),
            children: vec![],
        });
    }

    fn visit_start_namespace(&mut self, name: &str, _: &dyn Block) {
        self.space.push(name.into());
    }

    fn visit_end_namespace(&mut self, _: &str, _: &dyn Block) {
        self.space.pop();
    }

    fn visit_atom(&mut self, name: &str, a: &dyn Atom) {
        let key = self.space.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("$");
        let d = a.descriptor();
        let format = NumberFormat::new(a.bits(), matches!(d.kind, TypeKind::Signed(_)));
        if let TypeKind::Enum(labels) = &d.kind {
            // the kernel that reads a state names its values, in the unit or around it
            let depth = self.stack.len().saturating_sub(2);
            for open in &mut self.stack[depth..] {
                open.enums.extend(
                    labels.iter().enumerate().map(|(i, l)| (l.replace("::", "$"), (i as i128, format))),
                );
            }
        }
        let value = if a.kind() == AtomKind::Constant { format.wrap(literal_value(&a.verilog())) } else { 0 };
        let is_enum = matches!(d.kind, TypeKind::Enum(_));
        let known = is_enum || [SIG_TYPE, CONST_TYPE, DIM_TYPE, "Bit", "clock"].contains(&d.name.as_str());
        if !known && self.error.is_none() {
            self.error = Some(ElabError::NativeType {
                path: self.path(),
                signal: field_path(&key),
                kind: d.name.clone(),
            });
        }
        let open = self.stack.last_mut().expect("signals are visited inside a unit");
        open.atoms.push(AtomInfo { key, kind: a.kind(), format, value, type_name: d.name });
    }

    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        let path = self.path();
        let open = self.stack.pop().expect("every scope that ends has started");
        if self.error.is_some() {
            return;
        }
        match self.shared_module(&path, &open) {
            Ok(id) => {
                if let Some(parent) = self.stack.last_mut() {
                    parent.children.push((open.inst, id));
                }
            }
            Err(e) => self.error = Some(e),
        }
    }
}

impl<'a> Elab<'a> {
    pub fn new(style: Style<'a>, top: &str) -> Result<Self, ElabError> {
        let name = format!("{}{top}", style.prefix);
        if !is_identifier(&name) {
            return Err(ElabError::ModuleName { name });
        }
        let mut names = Namer::default();
        names.unique(&name);
        Ok(Elab {
            style,
            top: name,
            stack: vec![],
            space: vec![],
            modules: vec![],
            by_source: HashMap::new(),
            by_text: HashMap::new(),
            names,
            error: None,
        })
    }

    /// The design, without what does not reach an output.
    pub fn design(self) -> Result<Design, ElabError> {
        self.error.map_or_else(|| prune::design(self.modules), Err)
    }

    fn path(&self) -> String {
        self.stack.iter().map(|o| field_path(&o.inst)).collect::<Vec<_>>().join(".")
    }

    /// The module of a unit, an earlier one if that was made from the same.
    fn shared_module(&mut self, path: &str, open: &Open) -> Result<usize, ElabError> {
        let source = format!(
            "{} {:?} {:?} {:?} {:?}",
            self.role(open),
            open.code,
            open.atoms,
            open.enums,
            open.children
        );
        if let Some(id) = self.by_source.get(&source) {
            return Ok(*id);
        }
        let id = self.module(path, open)?;
        self.by_source.insert(source, id);
        Ok(id)
    }

    /// The module of a unit whose children are finished.
    fn module(&mut self, path: &str, open: &Open) -> Result<usize, ElabError> {
        let mut namer = Namer::default();
        let cell = cell_text(open);
        let resets = self.style.reset
            && match &cell {
                Some((text, _)) => text::resets(text),
                None => open.children.iter().any(|(_, id)| self.modules[*id].resets()),
            };
        let mut nets = own_nets(path, open, resets, &mut namer)?;
        let ports: Vec<(NetId, Port)> = nets
            .all
            .iter()
            .enumerate()
            .filter(|(_, n)| matches!(n.kind, NetKind::Input | NetKind::Output))
            .map(|(i, n)| {
                (
                    i,
                    Port {
                        key: n.key.clone(),
                        name: n.name.clone(),
                        input: n.kind == NetKind::Input,
                        format: n.format,
                    },
                )
            })
            .collect();
        let unsupported = |what: &str| Err(ElabError::Unsupported { path: path.into(), what: what.into() });
        let (printed, inline, through, source) = match (&open.code, cell) {
            (Verilog::Custom(code), _) if !open.children.is_empty() => {
                return unsupported(&format!("a child inside hand-written Verilog ({} bytes)", code.len()));
            }
            (_, Some((text, inline))) => {
                let cell = Cell { nets, text: text::with_reset(&text, resets) };
                let printed = match inline {
                    true => Printed { ports: vec![], body: cell.text.clone() },
                    false => print::custom_module(&cell.nets, &cell.text),
                };
                (printed, inline, cell_through(open, &ports), Source::Cell(cell))
            }
            (Verilog::Empty | Verilog::Combinatorial(_), None) => {
                let children = self.child_nets(open, &mut nets, &mut namer);
                let mut kernel = match &open.code {
                    Verilog::Combinatorial(block) => lower(path, &nets, block)?,
                    _ => vec![],
                };
                if let Some(clock) = open.role.as_ref().and_then(|r| nets.find(&r.clock)) {
                    let mut first = self.prepare(path, &nets, &children, &kernel, clock)?;
                    first.append(&mut kernel);
                    kernel = first;
                }
                let body = Body { path: path.into(), nets, kernel, children, namer };
                let (printed, through) = print::kernel_module(body.clone(), &self.modules)?;
                (printed, false, kernel_through(&ports, &through), Source::Kernel(body))
            }
            _ => return unsupported("a black box"),
        };
        let name = self.role(open);
        // the text of an inlined cell does not show the formats of its ports
        let formats: Vec<NumberFormat> =
            if inline { ports.iter().map(|(_, p)| p.format).collect() } else { vec![] };
        let holds = open.role.as_ref().is_some_and(|r| ["register", "dff"].contains(&r.name.as_str()));
        let text = format!("{holds}{formats:?}{printed:?}");
        if let Some(id) = self.by_text.get(&text) {
            return Ok(*id);
        }
        let name = match (inline, self.stack.is_empty()) {
            (true, _) => name,
            (false, true) => self.top.clone(),
            (false, false) => self.names.unique(&format!("{}{name}", self.style.prefix)),
        };
        let (port_nets, ports) = ports.into_iter().unzip();
        self.modules.push(Module {
            name,
            ports,
            port_nets,
            through,
            inline: inline.then_some(printed.body),
            holds,
            source,
            type_name: open.role.as_ref().map_or_else(String::new, |t| type_of(t).into()),
            first: path.into(),
        });
        let id = self.modules.len() - 1;
        self.by_text.insert(text, id);
        Ok(id)
    }

    /// What [`unit!`](crate::unit) does before a kernel: every child has the unit's clock, registers keep their values.
    fn prepare(
        &self,
        path: &str,
        nets: &Nets,
        children: &[ChildPorts],
        kernel: &[Stmt],
        clock: NetId,
    ) -> Result<Vec<Stmt>, ElabError> {
        let open = groups::unassigned(path, nets, kernel)?;
        let copy = |to, from| Stmt::Assign(to, Expr { node: Node::Net(from), format: nets[from].format });
        let mut first = vec![];
        for child in children {
            let module = &self.modules[child.module];
            let port = |key| module.ports.iter().position(|p| p.key == key).map(|i| child.nets[i]);
            first.extend(port("clock").map(|n| copy(n, clock)));
            if let (true, Some(d), Some(q)) = (module.holds, port("d"), port("q"))
                && open.contains(&d)
            {
                first.push(copy(d, q));
            }
        }
        Ok(first)
    }

    /// What a unit is called: as it says itself, else as the field that holds it.
    fn role(&self, open: &Open) -> String {
        let own = open.role.as_ref().map(|t| t.name.clone()).filter(|n| is_identifier(n));
        own.unwrap_or_else(|| {
            let field = open.inst.split('$').next().unwrap_or("unit");
            if is_identifier(field) { field.into() } else { format!("{field}_unit") }
        })
    }

    fn child_nets(&self, open: &Open, nets: &mut Nets, namer: &mut Namer) -> Vec<ChildPorts> {
        let mut children = vec![];
        for (inst, id) in &open.children {
            let module = &self.modules[*id];
            let ids = module.ports.iter().map(|p| {
                if let Some(reset) = nets.find(RESET).filter(|_| p.key == RESET) {
                    return reset;
                }
                let key = format!("{inst}${}", p.key);
                let kind = if p.input { NetKind::ChildInput } else { NetKind::ChildOutput };
                let name = namer.signal(&key);
                nets.add(Net { key, name, kind, format: p.format })
            });
            let nets = ids.collect();
            let field = field_path(inst);
            let inst = if module.inline.is_some() { inst.clone() } else { namer.signal(inst) };
            children.push(ChildPorts { field, inst, module: *id, nets });
        }
        children
    }
}

impl Module {
    fn resets(&self) -> bool {
        self.ports.iter().any(|p| p.key == RESET)
    }

    /// With its text and documentation; `done` has its children.
    pub fn finished(
        &self,
        printed: Printed,
        first: &str,
        instances: usize,
        done: &[Module],
    ) -> design::Module {
        let children: BTreeSet<usize> = match &self.source {
            Source::Kernel(body) => body.children.iter().map(|c| c.module).collect(),
            Source::Cell(_) => BTreeSet::new(),
        };
        let mut ports = printed.ports;
        for (port, own) in ports.iter_mut().zip(&self.ports) {
            port.doc = match own.key.as_str() {
                RESET => "Registers take their initial values; memories keep what they hold.".into(),
                key => docs::of_port(&self.type_name, key),
            };
        }
        design::Module {
            name: self.name.clone(),
            doc: docs::of_unit(&self.type_name),
            ports,
            body: printed.body,
            children: children
                .into_iter()
                .map(|c| &done[c])
                .filter(|m| m.inline.is_none())
                .map(|m| m.name.clone())
                .collect(),
            first: first.into(),
            instances,
        }
    }
}

/// The text of a cell, and whether it is printed inside its parent.
fn cell_text(open: &Open) -> Option<(String, bool)> {
    let Verilog::Custom(code) = &open.code else { return None };
    let inline = code.strip_prefix(INLINE).map(String::from).or_else(|| own_register(open, code));
    Some(inline.map_or_else(|| (code.clone(), false), |text| (text, true)))
}

/// rust_hdl's own register, in our words.
fn own_register(open: &Open, code: &str) -> Option<String> {
    open.role.as_ref().filter(|r| r.name == "dff")?;
    // rust_hdl prints an enum's reset value with 64 bits
    let reset = code.split_once("q = ")?.1.split_once(';')?.0;
    let bits = open.atoms.iter().find(|a| a.key == "q")?.format.bits;
    let digits = reset.trim_start_matches(|c: char| c.is_ascii_digit());
    Some(register("q", &format!("{bits}{digits}"), "q <= d;"))
}

/// The signals, constants and enum values of a unit.
fn own_nets(path: &str, open: &Open, resets: bool, namer: &mut Namer) -> Result<Nets, ElabError> {
    let mut nets = Nets::default();
    // ports first: their names are the ones seen from outside
    let (ports, inner): (Vec<_>, Vec<_>) = open.atoms.iter().partition(|a| a.kind.is_parameter());
    for a in ports.into_iter().chain(inner) {
        let kind = match a.kind {
            AtomKind::InputParameter => NetKind::Input,
            AtomKind::OutputParameter => NetKind::Output,
            AtomKind::LocalSignal => NetKind::Local,
            AtomKind::Constant if a.type_name == DIM_TYPE => NetKind::Value(a.value),
            AtomKind::Constant => NetKind::Named(a.value),
            _ => {
                let what = format!("the direction of `{}`", field_path(&a.key));
                return Err(ElabError::Unsupported { path: path.into(), what });
            }
        };
        if resets && a.key == RESET {
            let what = "a signal `reset` beside the design's own".into();
            return Err(ElabError::Unsupported { path: path.into(), what });
        }
        let name = namer.signal(&a.key);
        nets.add(Net { key: a.key.clone(), name, kind, format: a.format });
        // whatever has a register has a clock
        if resets && a.key == CLOCK {
            let name = namer.signal(RESET);
            nets.add(Net { key: RESET.into(), name, kind: NetKind::Input, format: NumberFormat::BIT });
        }
    }
    for (label, (value, format)) in &open.enums {
        let name = namer.signal(label);
        nets.add(Net { key: label.clone(), name, kind: NetKind::Named(*value), format: *format });
    }
    Ok(nets)
}

/// A cell states which inputs are sampled and which outputs are registered; the rest is connected.
fn cell_through(open: &Open, ports: &[(NetId, Port)]) -> Vec<(usize, usize)> {
    let Some(t) = &open.role else { return all_pairs(ports, |_| true) };
    all_pairs(ports, |p| {
        !t.inputs.contains(&p.key) && !t.outputs.contains(&p.key) && ![CLOCK, RESET].contains(&p.key.as_str())
    })
}

fn all_pairs(ports: &[(NetId, Port)], keep: impl Fn(&Port) -> bool) -> Vec<(usize, usize)> {
    let side = |input: bool| ports.iter().enumerate().filter(move |(_, (_, p))| p.input == input);
    let mut pairs = vec![];
    for (o, _) in side(false).filter(|(_, (_, p))| keep(p)) {
        pairs.extend(side(true).filter(|(_, (_, p))| keep(p)).map(|(i, _)| (i, o)));
    }
    pairs
}

fn kernel_through(ports: &[(NetId, Port)], through: &print::Through) -> Vec<(usize, usize)> {
    let index: HashMap<NetId, usize> = ports.iter().enumerate().map(|(i, (n, _))| (*n, i)).collect();
    let mut pairs: Vec<(usize, usize)> =
        through.iter().flat_map(|(o, inputs)| inputs.iter().map(|i| (index[i], index[o]))).collect();
    pairs.sort_unstable();
    pairs
}
