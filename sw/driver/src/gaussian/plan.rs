//! How many pixels of a batch of lines a SMOOTH takes.
//!
//! ```text
//! per batch of lines, per piece of them:   LOAD pixels   SMOOTH (the first one begins the lines)   STORE results
//! ```
//! Candidates are pieces of c, c/2, c/4 … pixels, c as many as both memories hold; the exact cycle model chooses.

use super::SmoothProblem;
use crate::device::{Description, DeviceError, Format};
use crate::layout::{Layout, Lines, Order, Scratchpad, Slice};
use crate::planner::Planned;
use crate::request::{Plan, Plannable};
use crate::schedule::{Longest, Program, Schedule, Tiles};
use std::ops::Range;
use tandem_spec::config::Gaussian;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Instruction, Memory, Smooth, StoreWidth};

/// Lines in batches and pieces: plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmoothPlan {
    /// What it computes.
    pub problem: SmoothProblem,
    /// Lines of a batch.
    pub lanes: usize,
    /// Pixels of each piece of a line, in order.
    pub pieces: Vec<Range<usize>>,
}

impl SmoothPlan {
    fn new(unit: &Gaussian, problem: &SmoothProblem, most: usize) -> Self {
        let pixels = problem.pixels;
        let pieces = (0..pixels).step_by(most).map(|first| first..(first + most).min(pixels));
        SmoothPlan { problem: *problem, lanes: unit.lines(), pieces: pieces.collect() }
    }

    /// How lines are cut into batches.
    pub fn lines(&self) -> Lines {
        Lines { count: self.problem.lines, width: self.lanes }
    }

    /// Pixels without a result.
    fn skipped(&self) -> usize {
        2 * usize::from(self.problem.radius)
    }

    /// Which results of its lines a piece gives.
    fn results(&self, piece: &Range<usize>) -> Range<usize> {
        let before = |at: usize| at.saturating_sub(self.skipped());
        before(piece.start)..before(piece.end)
    }

    /// Batch and results of every STORE, in order.
    pub(super) fn stored(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let results = move |batch| self.pieces.iter().map(move |piece| (batch, self.results(piece)));
        (0..self.lines().tiles()).flat_map(results).filter(|(_, results)| !results.is_empty())
    }

    /// Where the pixels of a batch's piece lie.
    fn layout(&self, config: &Config, batch: usize, piece: &Range<usize>) -> Layout {
        // a flat word is a pixel of each line
        let pad = Scratchpad::new(config, Memory::Pixel).with_words(self.lanes, 16);
        let slice = Slice::whole(Format::signed(16));
        Layout::new(pad, Order::Samples(1), self.lines(), batch..batch + 1, (piece.clone(), 1), slice)
    }

    /// Result words of a piece.
    fn words(&self, config: &Config, piece: &Range<usize>) -> usize {
        (self.results(piece).len() * self.lanes).div_ceil(config.array.drain)
    }
}

impl Plan for SmoothPlan {
    fn describe(&self) -> Description {
        let (batches, pieces) = (self.lines().tiles(), self.pieces.len());
        Description {
            plan: format!("{batches} batches of {} lines in {pieces} pieces", self.lanes),
            why: None,
        }
    }

    /// The program without coefficients and shift.
    fn schedule(&self, config: &Config) -> Program {
        let mut longest = Longest::default();
        for piece in &self.pieces {
            longest.add(&self.layout(config, 0, piece));
            longest.results = longest.results.max(self.words(config, piece));
        }
        let mut program = Schedule::new(config, &longest);
        for batch in 0..self.lines().tiles() {
            for (index, piece) in self.pieces.iter().enumerate() {
                let block = batch * self.pieces.len() + index;
                let pixels = Tiles::new(self.layout(config, batch, piece), 0..1);
                program.load(&pixels, block);
                let words = self.words(config, piece);
                let results = (words > 0).then(|| program.results(block, words));
                program.compute(&[&pixels], results.as_ref(), |bases| {
                    Instruction::Smooth(Smooth {
                        keep: index > 0,
                        address: (bases[0] / pixels.layout.pad.banks) as u16,
                        count: piece.len() as u16,
                        result_base: results.map_or(0, |r| r.address) as u16,
                        skip: self.skipped().saturating_sub(piece.start).min(piece.len()) as u16,
                        radius: self.problem.radius,
                        ..Smooth::default()
                    })
                });
                if let Some(results) = &results {
                    program.store(results, self.problem.width);
                }
            }
        }
        program.finish()
    }

    /// Cosines are no digit products.
    fn products(&self, _config: &Config) -> u64 {
        0
    }
}

/// The unit, if it takes such windows.
pub(super) fn unit(config: &Config, radius: u8) -> Result<&Gaussian, DeviceError> {
    let refuse = |what: String| Err(DeviceError::Request { what });
    let name = &config.name;
    match &config.gaussian {
        None => refuse(format!(
            "accelerator {name}: has no Gaussian unit: expected a table [gaussian] in its configuration"
        )),
        Some(unit) if usize::from(radius) > unit.radius => refuse(format!(
            "a window of radius {radius}: accelerator {name} has gaussian.radius = {}",
            unit.radius
        )),
        Some(unit) => Ok(unit),
    }
}

impl Plannable for SmoothProblem {
    type Plan = SmoothPlan;

    fn search(&self, config: &Config, predict: &dyn Predict) -> Result<Planned<SmoothPlan>, DeviceError> {
        let unit = unit(config, self.radius)?;
        if !config.narrow && self.width != StoreWidth::S32 {
            let what =
                format!("results of {} bits: the accelerator has control.narrow = false", self.width.bits());
            return Err(DeviceError::Request { what });
        }
        let room = (unit.depth * unit.steps(config.link_bits))
            .min(config.memory.result * config.array.drain / unit.lines());
        let most = room.min(usize::from(u16::MAX)).min(self.pixels);
        if most == 0 {
            let what = format!(
                "memory.result_depth = {}: expected {} results of {} lines",
                config.memory.result,
                config.array.drain,
                unit.lines()
            );
            return Err(DeviceError::Request { what });
        }
        let halved = std::iter::successors(Some(most), |c| (*c > 16).then(|| c.div_ceil(2)));
        let candidates = halved.map(|most| Planned::new(config, predict, SmoothPlan::new(unit, self, most)));
        Ok(candidates.min_by_key(|planned| planned.cost.cycles).expect("at least one"))
    }
}
