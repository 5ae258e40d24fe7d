//! The MAC array as a unit of the compute engine.

use super::run::Run;
use super::tiles::Tiles;
use super::{Array, touch};
use crate::hazard::Place;
use crate::memory::Memories;
use crate::units::{Span, Touch, Unit};
use std::iter::once;
use std::sync::Arc;
use tandem_spec::{Compute, Config, Instruction, Memory, Timing};

fn of(i: &Instruction) -> &Compute {
    match i {
        Instruction::Compute(c) => c,
        other => unreachable!("{other} is not of the MAC array"),
    }
}

impl Unit for Array {
    fn opcode(&self) -> &'static str {
        "COMPUTE"
    }

    fn waits_for_quiet(&self) -> bool {
        false
    }

    fn span(&self, config: &Config, i: &Instruction, taken: u64, release: u64) -> Arc<dyn Span> {
        let timing = Timing::new(config);
        Arc::new(Run::new(Tiles::new(of(i), config, timing.col_skew), taken, release, &timing))
    }

    fn touches(&self, config: &Config, i: &Instruction, memories: &Memories, touch: &mut dyn FnMut(Touch)) {
        let c = of(i);
        let mut read = |memory, element, words: &mut dyn Iterator<Item = usize>| {
            touch(Touch { place: Place::Operand(memory), element, words, writes: false });
        };
        for r in 0..memories[Memory::Offset].elements {
            read(Memory::Offset, r, &mut once(0));
        }
        let offsets: Vec<i16> = (0..memories[Memory::Row].elements).map(|r| memories.row_offset(r)).collect();
        touch::rows(config, c, &offsets, |r, words| read(Memory::Row, r, &mut words.iter().copied()));
        let levels = if c.coded { vec![0] } else { vec![] };
        for (memory, words) in
            [touch::cols(config, c), (Memory::Level, levels), (Memory::Index, touch::indices(config, c))]
        {
            for e in 0..memories[memory].elements {
                read(memory, e, &mut words.iter().copied());
            }
        }
        let words = &mut touch::results(config, c);
        touch(Touch { place: Place::Result, element: 0, words, writes: true });
    }

    fn execute(&mut self, config: &Config, i: &Instruction, memories: &mut Memories) {
        self.compute(config, of(i), memories);
    }
}
