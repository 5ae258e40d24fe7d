//! Units of the compute engine: what the twin, the cycle model and the hazard watch ask of one, and the list of them.
//!
//! ```text
//! queue ─► the unit of the head's opcode ─┬─ span: when it is idle and quiet, what it has counted      (timing)
//!                                         ├─ touches: words that it reads and writes                   (hazard)
//!                                         └─ execute                                                   (memories)
//! ```
//! A unit is a folder: another one is that folder, its `mod` and a line in [`Units::new`].

pub(crate) mod fft;
mod flow;
pub(crate) mod gaussian;
mod gemm;

use crate::hazard::Place;
use crate::memory::Memories;
use fft::FftUnit;
use gaussian::GaussianUnit;
use gemm::Array;
use std::fmt::Debug;
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use tandem_spec::isa::OPCODES;
use tandem_spec::{Config, Instruction};

/// A unit: it executes one opcode.
pub(crate) trait Unit: Debug + Send {
    /// The opcode's name.
    fn opcode(&self) -> &'static str;

    /// Whether it starts only when all that was taken before is quiet; else as soon as that is idle.
    fn waits_for_quiet(&self) -> bool {
        true
    }

    /// The instruction in time, taken in cycle `taken`; `release` is that of the one before.
    fn span(&self, config: &Config, i: &Instruction, taken: u64, release: u64) -> Arc<dyn Span>;

    /// Gives all words that a valid instruction reads and writes, reads first.
    fn touches(&self, config: &Config, i: &Instruction, memories: &Memories, touch: &mut dyn FnMut(Touch));

    /// Executes a valid instruction.
    fn execute(&mut self, config: &Config, i: &Instruction, memories: &mut Memories);
}

/// Words of a memory, of one element, that an instruction touches.
pub(crate) struct Touch<'a> {
    /// The memory.
    pub(crate) place: Place,
    /// The row or column.
    pub(crate) element: usize,
    /// Addresses, each once and rising.
    pub(crate) words: &'a mut dyn Iterator<Item = usize>,
    /// Whether they are written.
    pub(crate) writes: bool,
}

/// An instruction in time: closed forms of what it has done before any cycle.
pub(crate) trait Span: Debug + Send + Sync {
    /// First cycle in which its unit can take another instruction.
    fn idle(&self) -> u64;

    /// First cycle in which everything is written and tokens are visible.
    fn quiet(&self) -> u64;

    /// The next tile's last step is not issued before this cycle.
    fn release(&self) -> u64 {
        0
    }

    /// Everything before `cycle`.
    fn before(&self, cycle: u64) -> Progress;

    /// Cycle in which step number `step` is issued.
    fn issue_of(&self, step: u128) -> u64;
}

/// What an instruction has done before a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Steps issued, or groups read.
    pub(crate) steps: u128,
    /// Cycles in which a tile's last step was held back.
    pub(crate) held_back: u128,
    /// Result words written.
    pub(crate) drained: u128,
    /// `products` of these steps, modulo 2^32.
    pub(crate) products: u32,
    /// `skipped` of these steps, modulo 2^32.
    pub(crate) skipped: u32,
}

/// The units of an accelerator; `units[&instruction]` is the one that executes it.
///
/// # Panics
/// If there is none: the front end lets no such instruction through.
#[derive(Debug)]
pub(crate) struct Units {
    all: Vec<Box<dyn Unit>>,
    /// Which one executes an opcode, by its place in the table.
    of: [Option<usize>; OPCODES.len()],
}

impl Units {
    /// The units of `config`.
    pub(crate) fn new(config: &Config) -> Self {
        let mut all: Vec<Box<dyn Unit>> = vec![Box::new(Array::new(config))];
        all.extend(config.fft.iter().map(|f| Box::new(FftUnit::new(f)) as Box<dyn Unit>));
        all.extend(config.gaussian.iter().map(|g| Box::new(GaussianUnit::new(g)) as Box<dyn Unit>));
        let of = std::array::from_fn(|place| all.iter().position(|u| u.opcode() == OPCODES[place].name));
        Units { all, of }
    }

    fn place(&self, i: &Instruction) -> usize {
        self.of[i.place()].expect("an opcode that is generated has a unit")
    }
}

impl Index<&Instruction> for Units {
    type Output = dyn Unit;

    fn index(&self, i: &Instruction) -> &(dyn Unit + 'static) {
        &*self.all[self.place(i)]
    }
}

impl IndexMut<&Instruction> for Units {
    fn index_mut(&mut self, i: &Instruction) -> &mut (dyn Unit + 'static) {
        let place = self.place(i);
        &mut *self.all[place]
    }
}
