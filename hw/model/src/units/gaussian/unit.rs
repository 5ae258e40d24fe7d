//! The Gaussian unit as a unit of the compute engine.

use super::flow::flow;
use super::line::Line;
use super::{execute, words};
use crate::hazard::{Place, wrapped};
use crate::memory::Memories;
use crate::units::{Span, Touch, Unit};
use std::sync::Arc;
use tandem_spec::config::Gaussian;
use tandem_spec::{Config, Instruction, Memory, Smooth};

/// The unit of an accelerator.
#[derive(Debug)]
pub(crate) struct GaussianUnit {
    gaussian: Gaussian,
    /// The lines of a batch.
    lines: Vec<Line>,
}

impl GaussianUnit {
    /// The unit of `gaussian`.
    pub(crate) fn new(gaussian: &Gaussian) -> Self {
        GaussianUnit { gaussian: gaussian.clone(), lines: vec![Line::default(); gaussian.lines()] }
    }
}

fn of(i: &Instruction) -> &Smooth {
    match i {
        Instruction::Smooth(s) => s,
        other => unreachable!("{other} is not of the Gaussian unit"),
    }
}

impl Unit for GaussianUnit {
    fn opcode(&self) -> &'static str {
        "SMOOTH"
    }

    fn span(&self, config: &Config, i: &Instruction, taken: u64, _: u64) -> Arc<dyn Span> {
        Arc::new(flow(of(i), config, &self.gaussian, taken))
    }

    fn touches(&self, config: &Config, i: &Instruction, _: &Memories, touch: &mut dyn FnMut(Touch)) {
        let s = of(i);
        let (from, steps) = (usize::from(s.address), self.gaussian.steps(config.link_bits));
        let mut reads = from..from + usize::from(s.count).div_ceil(steps);
        let mut writes = wrapped(config, s.result_base, words(config, &self.gaussian, s));
        touch(Touch { place: Place::Operand(Memory::Pixel), element: 0, words: &mut reads, writes: false });
        touch(Touch { place: Place::Result, element: 0, words: &mut writes, writes: true });
    }

    fn execute(&mut self, config: &Config, i: &Instruction, memories: &mut Memories) {
        execute(config, &self.gaussian, &mut self.lines, of(i), memories);
    }
}
