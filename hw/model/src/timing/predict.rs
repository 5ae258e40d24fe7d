//! The cycle model as planners and tests see it: instructions in, registers out, no payloads.

use super::front::{Piece, Then};
use super::schedule::{Event, Schedule};
use crate::units::{fft, gaussian};
use num_complex::Complex;
use tandem_spec::engine::{CosineWindow, Predict, TransformKind, Transformed, UnitModel};
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Config, Counters, Instruction, RunOptions, Timing, Tokens};

/// The exact cycle model.
///
/// # Timing
/// Predicted registers equal those that [`crate::Twin`], the simulator and a board return, error 0. All are
/// predicted, generated or not ([`Counters::generated`]).
#[derive(Clone, Copy, Debug, Default)]
pub struct CycleModel;

impl CycleModel {
    /// The registers of every READ of `program`, in order, on a link that stalls as `options` say.
    ///
    /// Ends early where the accelerator would: a deadlock, a RESET or `options.max_cycles`. What an
    /// invalid instruction gives is unspecified.
    pub fn registers(&self, config: &Config, program: &[Instruction], options: &RunOptions) -> Vec<Counters> {
        let mut read = vec![];
        walk(config, program.iter(), options, |counters| read.push(counters));
        read
    }
}

impl Predict for CycleModel {
    /// A READ without tokens is added if `program` has none. If the READ is never taken, these are the
    /// registers when nothing moves any more.
    fn predict(&self, config: &Config, program: &[Instruction]) -> Counters {
        let read = [Instruction::Read(Tokens::default())];
        let present = program.iter().any(|i| matches!(i, Instruction::Read(_)));
        let extra = if present { &read[..0] } else { &read[..] };
        let mut last = None;
        let options = RunOptions { max_cycles: u64::MAX, ..RunOptions::default() };
        let rest = walk(config, program.iter().chain(extra), &options, |c| last = Some(c));
        last.unwrap_or(rest)
    }
}

impl UnitModel for CycleModel {
    fn transforms(
        &self,
        bits: usize,
        kind: &TransformKind,
        samples: &mut [Complex<i32>],
    ) -> Vec<Transformed> {
        fft::transform_all(bits, kind, samples)
    }

    fn smooth(&self, window: &CosineWindow, pixels: &[i16]) -> Vec<i32> {
        gaussian::smooth(window, pixels)
    }
}

/// Adds the registers that never change.
pub(crate) fn with_identity(counters: Counters, hash: u64) -> Counters {
    Counters { identity: IDENTITY, config_lo: hash as u32, config_hi: (hash >> 32) as u32, ..counters }
}

/// Runs a program; gives the registers of each READ, returns those at the end.
fn walk<'a>(
    config: &Config,
    mut program: impl Iterator<Item = &'a Instruction>,
    options: &RunOptions,
    mut read: impl FnMut(Counters),
) -> Counters {
    let timing = Timing::new(config);
    let hash = config.hash();
    let mut schedule = Schedule::new(config);
    schedule.begin(options);
    let (mut number, mut payload) = (0, None);
    loop {
        if schedule.wants_words() {
            if let Some(words) = payload.take() {
                schedule.feed(Piece { words, then: Then::Payload });
                continue;
            }
            if let Some(instruction) = program.next() {
                if let Instruction::Load(l) = instruction {
                    payload = Some(u64::from(l.count) * u64::from(l.words) + timing.check_words as u64);
                }
                let words = (instruction.opcode().units * timing.unit_words) as u64;
                let then = Then::Instruction(number, Box::new(*instruction));
                schedule.feed(Piece { words, then });
                number += 1;
                continue;
            }
        }
        match schedule.step() {
            Event::Load(..) | Event::Queued | Event::Execute(..) | Event::Store(..) => {}
            Event::Read(_, _, counters) => read(with_identity(counters, hash)),
            Event::Fault(_) | Event::Ready | Event::Quiet | Event::Limit => {
                return with_identity(schedule.registers(), hash);
            }
        }
    }
}
