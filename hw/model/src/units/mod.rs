//! Units of the compute engine: what the twin, the cycle model and the hazard watch ask of one, and the list of them.
//!
//! ```text
//! queue ─► the unit of the head's opcode ─┬─ span: when it is idle and quiet, what it has counted      (timing)
//!                                         ├─ touches: words that it reads and writes                   (hazard)
//!                                         └─ execute                                                   (memories)
//! ```
//! A unit is a folder: another one is that folder and a line in [`all`].

use crate::compute::Array;
use crate::fft::FftUnit;
use crate::hazard::Place;
use crate::memory::Memories;
use std::fmt::Debug;
use std::sync::Arc;
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

/// The units of `config`.
pub(crate) fn all(config: &Config) -> Vec<Box<dyn Unit>> {
    let array: Box<dyn Unit> = Box::new(Array::new(config));
    let fft = config.fft.iter().map(|f| Box::new(FftUnit::new(f)) as Box<dyn Unit>);
    std::iter::once(array).chain(fft).collect()
}

/// The unit that executes an instruction of the compute engine.
///
/// # Panics
/// If there is none: the front end lets no such instruction through.
pub(crate) fn of<'a>(units: &'a [Box<dyn Unit>], i: &Instruction) -> &'a dyn Unit {
    &**units.iter().find(|u| u.opcode() == i.opcode().name).expect("an opcode that is generated has a unit")
}

/// The same, to execute.
pub(crate) fn of_mut<'a>(units: &'a mut [Box<dyn Unit>], i: &Instruction) -> &'a mut dyn Unit {
    &mut **units
        .iter_mut()
        .find(|u| u.opcode() == i.opcode().name)
        .expect("an opcode that is generated has a unit")
}
