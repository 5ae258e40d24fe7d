//! The FFT unit as a unit of the compute engine.

use super::flow::flow;
use super::{execute, touch};
use crate::hazard::Place;
use crate::memory::Memories;
use crate::units::{Span, Touch, Unit};
use std::sync::Arc;
use tandem_spec::config::Fft;
use tandem_spec::{Config, Instruction, Memory, Transform};

/// The unit of an accelerator.
#[derive(Debug)]
pub(crate) struct FftUnit {
    fft: Fft,
}

impl FftUnit {
    /// The unit of `fft`.
    pub(crate) fn new(fft: &Fft) -> Self {
        FftUnit { fft: fft.clone() }
    }
}

fn of(i: &Instruction) -> &Transform {
    match i {
        Instruction::Transform(t) => t,
        other => unreachable!("{other} is not of the FFT unit"),
    }
}

impl Unit for FftUnit {
    fn opcode(&self) -> &'static str {
        "TRANSFORM"
    }

    fn span(&self, config: &Config, i: &Instruction, taken: u64, _: u64) -> Arc<dyn Span> {
        Arc::new(flow(of(i), config, &self.fft, taken))
    }

    fn touches(&self, config: &Config, i: &Instruction, _: &Memories, touch: &mut dyn FnMut(Touch)) {
        let (mut reads, mut writes) = touch::transform(config, &self.fft, of(i));
        touch(Touch { place: Place::Operand(Memory::Sample), element: 0, words: &mut reads, writes: false });
        touch(Touch { place: Place::Result, element: 0, words: &mut writes, writes: true });
    }

    fn execute(&mut self, config: &Config, i: &Instruction, memories: &mut Memories) {
        execute(config, &self.fft, of(i), memories);
    }
}
