//! How many transforms a TRANSFORM takes.
//!
//! ```text
//! per block of batches:   LOAD samples   TRANSFORM   STORE spectra, status
//! ```
//! Candidates are blocks of c, c/2, c/4 … batches, c as many as memories and status word hold; the exact
//! cycle model chooses.

use super::{FftProblem, Points};
use crate::device::{Description, DeviceError, Format};
use crate::layout::{Layout, Lines, Order, Scratchpad, Slice};
use crate::planner::Planned;
use crate::request::{Plan, Plannable};
use crate::schedule::{Longest, Program, Schedule, Tiles};
use std::ops::Range;
use tandem_spec::config::Fft;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Instruction, Memory, StoreWidth, Transform};

/// Transforms of one kind in blocks: plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FftPlan {
    /// What it computes.
    pub problem: FftProblem,
    /// Transforms in lockstep: a batch.
    pub samples: usize,
    /// Batches of each block, in order.
    pub blocks: Vec<Range<usize>>,
}

impl FftPlan {
    fn new(fft: &Fft, problem: &FftProblem, most: usize) -> Self {
        let batches = problem.transforms.div_ceil(fft.samples);
        let blocks = (0..batches).step_by(most).map(|first| first..(first + most).min(batches));
        FftPlan { problem: *problem, samples: fft.samples, blocks: blocks.collect() }
    }

    /// How transforms are cut into batches.
    fn lines(&self) -> Lines {
        Lines { count: self.problem.transforms, width: self.samples }
    }

    /// The transforms of a block.
    pub fn transforms(&self, block: &Range<usize>) -> Range<usize> {
        self.lines().within(block)
    }

    /// Where the samples of a block lie; its spectra leave in the same order.
    pub fn layout(&self, config: &Config, block: &Range<usize>) -> Layout {
        // a flat word is a point of each transform of a batch
        let pad = Scratchpad::new(config, Memory::Sample).with_words(2 * self.samples, 16);
        let terms = (0..self.problem.points.count(), 1);
        let slice = Slice::whole(Format::signed(16));
        Layout::new(pad, Order::Samples(2), self.lines(), block.clone(), terms, slice)
    }

    /// Result words of a block: spectra, then a word with their status.
    fn result_words(&self, config: &Config, block: &Range<usize>) -> usize {
        spectra_words(config, self.samples, self.problem.points, block.len()) + 1
    }
}

impl Plan for FftPlan {
    fn describe(&self) -> Description {
        let plan = format!("{} transforms in {} blocks", self.problem.transforms, self.blocks.len());
        Description { plan, why: None }
    }

    /// The program of forward transforms without block exponents.
    fn schedule(&self, config: &Config) -> Program {
        let mut longest = Longest::default();
        for block in &self.blocks {
            longest.add(&self.layout(config, block));
            longest.results = longest.results.max(self.result_words(config, block));
        }
        let mut program = Schedule::new(config, &longest);
        for (index, block) in self.blocks.iter().enumerate() {
            let samples = Tiles::new(self.layout(config, block), 0..block.len());
            program.load(&samples, index);
            let results = program.results(index, self.result_words(config, block));
            program.compute(&[&samples], Some(&results), |bases| {
                Instruction::Transform(Transform {
                    tile: matches!(self.problem.points, Points::Tile(_)),
                    address: (bases[0] / samples.layout.pad.banks) as u16,
                    count: block.len() as u16,
                    result_base: results.address as u16,
                    log_points: self.problem.points.log2(),
                    ..Transform::default()
                })
            });
            program.store(&results, StoreWidth::S32);
        }
        program.finish()
    }

    /// Transforms are no digit products.
    fn products(&self, _config: &Config) -> u64 {
        0
    }
}

/// Result words with the spectra of so many batches.
fn spectra_words(config: &Config, samples: usize, points: Points, batches: usize) -> usize {
    (batches * points.count()).div_ceil(config.array.drain / samples)
}

/// Most batches of a TRANSFORM: samples, spectra and status have room.
fn most_batches(config: &Config, fft: &Fft, points: Points) -> usize {
    let (n, groups) = (points.count(), config.array.drain / fft.samples);
    let fit = fft.depth / (n / fft.groups(config.link_bits));
    let results = (config.memory.result - 1) * groups / n;
    fit.min(results).min(4 * groups)
}

/// The unit, and the most batches of a block, or why an accelerator cannot run such transforms.
pub(super) fn unit(config: &Config, points: Points) -> Result<(&Fft, usize), DeviceError> {
    let refuse = |what: String| Err(DeviceError::Request { what });
    let Some(fft) = config.fft.as_ref() else {
        let name = &config.name;
        return refuse(format!(
            "accelerator {name}: has no FFT unit: expected a table [fft] in its configuration"
        ));
    };
    let n = points.count();
    match points {
        Points::Line(_) if !fft.takes_line(n) => {
            let smallest = if fft.any_size { 4 } else { fft.points };
            let allowed = format!("a power of two from {smallest} to {}", fft.points);
            return refuse(format!("{n} points: the accelerator's FFT unit takes {allowed}"));
        }
        Points::Tile(side) if !fft.takes_tile(side) => {
            let generated = if fft.tiles { "4, 8 or 16 points a side" } else { "none" };
            return refuse(format!(
                "tiles of {side}×{side} points: the accelerator's FFT unit takes {generated}, at most {} points",
                fft.points
            ));
        }
        _ => {}
    }
    let most = most_batches(config, fft, points);
    if most == 0 {
        let needed = (spectra_words(config, fft.samples, points, 1) + 1).next_power_of_two();
        let depth = config.memory.result;
        return refuse(format!("{n} points: memory.result_depth is {depth}: expected at least {needed}"));
    }
    Ok((fft, most))
}

impl Plannable for FftProblem {
    type Plan = FftPlan;

    fn search(&self, config: &Config, predict: &dyn Predict) -> Result<Planned<FftPlan>, DeviceError> {
        let (fft, most) = unit(config, self.points)?;
        let most = most.min(self.transforms.div_ceil(fft.samples).max(1));
        let halved = std::iter::successors(Some(most), |c| (*c > 1).then(|| c.div_ceil(2)));
        let candidates = halved.map(|most| Planned::new(config, predict, FftPlan::new(fft, self, most)));
        Ok(candidates.min_by_key(|planned| planned.cost.cycles).expect("at least one"))
    }
}
