//! Hazards: two engines at the same word of a memory, one of them writing, and no token between them.
//!
//! ```text
//! instruction ─► [order] what tokens put before it ─┐
//!             └► [touch] words that it touches ─────┴► [cells] last touched by whom ─► Hazard
//! ```
//! Judged by the tokens alone (docs/accelerator.md, "Hazards"), so that a program has the same hazards however
//! its link stalls.

mod cells;
mod order;
mod ring;
mod touch;

use crate::memory::Memories;
use crate::units::Touch;
use cells::{Cells, Mark};
use order::Order;
pub(crate) use ring::Ring;
use std::fmt;
use tandem_spec::isa::Who;
use tandem_spec::{Config, Load, Memory, Store, Tokens};

pub(crate) use touch::wrapped;

/// Hazards that are kept of a run: the first ones found.
const KEPT: usize = 64;

/// A memory of the accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One that a LOAD fills.
    Operand(Memory),
    /// The result memory.
    Result,
}

impl Place {
    /// Its name and what it has one of for every element, if it has.
    fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            Place::Operand(memory) => (memory.row().name, memory.row().element),
            Place::Result => ("result memory", None),
        }
    }
}

/// An instruction that is one side of a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The engine that executes it.
    pub engine: Who,
    /// Its number since reset.
    pub instruction: u32,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            Who::Load => "load",
            Who::Compute => "compute",
            Who::Store => "store",
        };
        write!(f, "instruction {} ({engine} engine)", self.instruction)
    }
}

/// Two instructions that may read and write the same words at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// The memory.
    pub place: Place,
    /// Row or column whose memory it is; 0 if there is one memory for all.
    pub element: usize,
    /// The lowest address that both touch, in that element.
    pub address: usize,
    /// Who writes.
    pub writer: Party,
    /// Who reads.
    pub reader: Party,
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, element) = self.place.names();
        write!(f, "hazard: {memory}")?;
        if let Some(kind) = element {
            write!(f, " of {kind} {}", self.element)?;
        }
        write!(
            f,
            ", address {}: {} writes it, {} reads it, and no token orders them",
            self.address, self.writer, self.reader
        )
    }
}

/// Looks for hazards while instructions are executed.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    order: Order,
    /// Of what loads fill, by their codes.
    operands: [Cells; Memory::ALL.len()],
    result: Cells,
    /// Of the present run.
    found: Vec<Hazard>,
}

impl Watch {
    /// An accelerator that has executed nothing.
    pub(crate) fn new(config: &Config, memories: &Memories) -> Self {
        let cells = |m| Cells::new(memories[m].elements, memories[m].addresses / memories[m].banks);
        Watch {
            order: Order::default(),
            operands: Memory::ALL.map(cells),
            result: Cells::new(1, config.memory.result),
            found: vec![],
        }
    }

    /// A run begins.
    pub(crate) fn begin(&mut self) {
        self.found.clear();
    }

    /// What the run has shown.
    pub(crate) fn found(&self) -> &[Hazard] {
        &self.found
    }

    /// Everything that has started is done before anything else starts: a run is over.
    pub(crate) fn rest(&mut self) {
        self.order.rest();
    }

    /// A failure has emptied the token counters.
    pub(crate) fn fail(&mut self) {
        self.order.flush();
    }

    /// A RESET: everything is done, numbers start anew.
    pub(crate) fn reset(&mut self) {
        self.order = Order::default();
        self.operands.iter_mut().chain([&mut self.result]).for_each(Cells::forget);
    }

    /// A LOAD starts.
    pub(crate) fn load(&mut self, config: &Config, number: u32, l: &Load, memories: &Memories) {
        let mark = self.order.start(Who::Load, number, [false, l.tokens.pop_next]);
        let cells = &mut self.operands[l.memory as usize];
        let mut meet = Meet { found: &mut self.found, mark, place: Place::Operand(l.memory) };
        let addresses = usize::from(l.address)..usize::from(l.address) + usize::from(l.count);
        for e in touch::loaded(config, l, &memories[l.memory]) {
            meet.write(cells, e, addresses.clone());
        }
        self.order.pushing(l.tokens.push_next);
    }

    /// The payload of the LOAD that started last is there.
    pub(crate) fn loaded(&mut self) {
        self.order.loaded();
    }

    /// An instruction of the compute engine starts; `touches` gives what it touches.
    pub(crate) fn compute(
        &mut self,
        number: u32,
        tokens: Tokens,
        touches: impl FnOnce(&mut dyn FnMut(Touch)),
    ) {
        let mark = self.begin_compute(number, tokens);
        let Watch { operands, result, found, .. } = self;
        touches(&mut |t| {
            let cells = match t.place {
                Place::Operand(memory) => &mut operands[memory as usize],
                Place::Result => &mut *result,
            };
            let mut meet = Meet { found: &mut *found, mark, place: t.place };
            if t.writes {
                meet.write(cells, t.element, t.words)
            } else {
                meet.read(cells, t.element, t.words)
            }
        });
    }

    fn begin_compute(&mut self, number: u32, t: Tokens) -> Mark {
        let mark = self.order.start(Who::Compute, number, [t.pop_prev, t.pop_next]);
        self.order.push_from_compute([t.push_prev, t.push_next]);
        mark
    }

    /// A STORE starts.
    pub(crate) fn store(&mut self, number: u32, s: &Store) {
        let mark = self.begin_store(number, s.tokens);
        let addresses = usize::from(s.address)..usize::from(s.address) + usize::from(s.count);
        let mut meet = Meet { found: &mut self.found, mark, place: Place::Result };
        meet.read(&mut self.result, 0, addresses);
    }

    /// A READ starts.
    pub(crate) fn read(&mut self, number: u32, t: Tokens) {
        self.begin_store(number, t);
    }

    fn begin_store(&mut self, number: u32, t: Tokens) -> Mark {
        let mark = self.order.start(Who::Store, number, [t.pop_prev, false]);
        self.order.push_from_store(t.push_prev);
        mark
    }
}

/// An instruction at a memory.
struct Meet<'a> {
    found: &'a mut Vec<Hazard>,
    mark: Mark,
    place: Place,
}

impl Meet<'_> {
    fn write(&mut self, cells: &mut Cells, element: usize, addresses: impl Iterator<Item = usize>) {
        let reader = if self.place == Place::Result { Who::Store } else { Who::Compute };
        if let Some((address, other)) = cells.write(self.mark, reader, element, addresses) {
            let reader = Party { engine: reader, instruction: other };
            self.keep(Hazard { place: self.place, element, address, writer: self.party(), reader });
        }
    }

    fn read(&mut self, cells: &mut Cells, element: usize, addresses: impl Iterator<Item = usize>) {
        let writer = if self.place == Place::Result { Who::Compute } else { Who::Load };
        if let Some((address, other)) = cells.read(self.mark, writer, element, addresses) {
            let writer = Party { engine: writer, instruction: other };
            self.keep(Hazard { place: self.place, element, address, writer, reader: self.party() });
        }
    }

    fn party(&self) -> Party {
        Party { engine: self.mark.who, instruction: self.mark.number() }
    }

    /// Keeps one hazard of two instructions and a memory: that of the lowest element.
    fn keep(&mut self, hazard: Hazard) {
        let same = |h: &Hazard| (h.place, h.writer, h.reader) == (hazard.place, hazard.writer, hazard.reader);
        if self.found.len() < KEPT && !self.found.iter().any(same) {
            self.found.push(hazard);
        }
    }
}
