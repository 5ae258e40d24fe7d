//! Transforms as a program: how many a TRANSFORM takes, where samples and spectra lie, which tokens.
//!
//! ```text
//! per block of batches:   LOAD samples (C → L: space)   TRANSFORM (L → C, S → C)   STORE spectra, status (C → S)
//! ```
//! Candidates are blocks of c, c/2, c/4 … batches, c as many as memories and status word hold; the exact
//! cycle model chooses.

use super::{FftProblem, FftRequest, Points};
use crate::device::{Cost, DeviceError};
use crate::schedule::{Chain, Ring, Stage};
use crate::traffic::{Traffic, cost};
use std::ops::Range;
use tandem_spec::config::Fft;
use tandem_spec::engine::Predict;
use tandem_spec::isa::words_per_address;
use tandem_spec::{Config, Counters, Instruction, Load, Memory, Store, Tokens, Transform};

/// A program for transforms of one kind.
#[derive(Clone, Debug)]
pub struct FftPlan {
    /// The problem.
    pub problem: FftProblem,
    /// In order; the last one is the READ. Direction and scaling, on which no cycle depends, are those of a
    /// forward transform without block exponents.
    pub instructions: Vec<Instruction>,
    /// Per block, in order: the transforms that it computes.
    pub blocks: Vec<Range<usize>>,
    /// Registers at its end, predicted.
    pub predicted: Counters,
    /// Link words.
    pub traffic: Traffic,
    /// Its cost, predicted.
    pub cost: Cost,
}

/// Sizes of blocks of one kind of transform.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Points of a transform.
    points: usize,
    /// Transforms in lockstep.
    samples: usize,
    /// Groups in a word of the sample memory.
    groups: usize,
    /// Groups in a result word.
    result_groups: usize,
    /// Words of the sample memory, and of the result memory.
    depths: [usize; 2],
}

impl Sizes {
    fn new(config: &Config, fft: &Fft, points: Points) -> Self {
        Sizes {
            points: points.count(),
            samples: fft.samples,
            groups: fft.groups(config.link_bits),
            result_groups: config.array.drain / fft.samples,
            depths: [fft.depth, config.memory.result],
        }
    }

    /// Words of the sample memory for so many batches.
    fn sample_words(&self, batches: usize) -> usize {
        batches * self.points / self.groups
    }

    /// Result words with spectra of so many batches; one with the status follows.
    fn result_words(&self, batches: usize) -> usize {
        (batches * self.points).div_ceil(self.result_groups)
    }

    /// Most batches of a TRANSFORM.
    fn most(&self) -> usize {
        let fit = self.depths[0] / self.sample_words(1);
        let results = (self.depths[1] - 1) * self.result_groups / self.points;
        fit.min(results).min(4 * self.result_groups)
    }
}

/// Sizes of blocks, or why an accelerator cannot run such transforms.
fn sizes(config: &Config, points: Points) -> Result<Sizes, String> {
    let fft = config.fft.as_ref().ok_or_else(|| {
        format!("accelerator {}: has no FFT unit: expected a table [fft] in its configuration", config.name)
    })?;
    let n = points.count();
    match points {
        Points::Line(_) if !fft.takes_line(n) => {
            let smallest = if fft.any_size { 4 } else { fft.points };
            let allowed = format!("a power of two from {smallest} to {}", fft.points);
            return Err(format!("{n} points: the accelerator's FFT unit takes {allowed}"));
        }
        Points::Tile(side) if !fft.takes_tile(side) => {
            let generated = if fft.tiles { "4, 8 or 16 points a side" } else { "none" };
            return Err(format!(
                "tiles of {side}×{side} points: the accelerator's FFT unit takes {generated}, at most {} points",
                fft.points
            ));
        }
        _ => {}
    }
    let sizes = Sizes::new(config, fft, points);
    if sizes.most() == 0 {
        let needed = (sizes.result_words(1) + 1).next_power_of_two();
        let depth = config.memory.result;
        return Err(format!("{n} points: memory.result_depth is {depth}: expected at least {needed}"));
    }
    Ok(sizes)
}

/// The fastest program for `problem`.
///
/// # Errors
/// [`DeviceError::Request`] if the accelerator has no FFT unit or one that does not take such transforms.
pub(crate) fn plan(
    config: &Config,
    predict: &dyn Predict,
    problem: &FftProblem,
) -> Result<FftPlan, DeviceError> {
    let sizes = sizes(config, problem.points).map_err(|what| DeviceError::Request { what })?;
    let batches = problem.transforms.div_ceil(sizes.samples);
    let most = sizes.most().min(batches.max(1));
    let halved = std::iter::successors(Some(most), |c| (*c > 1).then(|| c.div_ceil(2)));
    let candidates = halved.map(|block| FftPlan::new(config, predict, problem, sizes, block));
    Ok(candidates.min_by_key(|plan| plan.cost.cycles).expect("at least one"))
}

impl FftPlan {
    fn new(config: &Config, predict: &dyn Predict, problem: &FftProblem, sizes: Sizes, block: usize) -> Self {
        let batches = problem.transforms.div_ceil(sizes.samples);
        let mut samples = Ring::new(sizes.depths[0], sizes.sample_words(block));
        let mut results = Ring::new(sizes.depths[1], sizes.result_words(block) + 1);
        let mut chain = Chain::default();
        let mut blocks = vec![];
        for (index, first) in (0..batches).step_by(block).enumerate() {
            let count = block.min(batches - first);
            let last = ((first + count) * sizes.samples).min(problem.transforms);
            blocks.push(first * sizes.samples..last);
            let number = chain.count(Stage::Compute) + 1;
            let space = samples.region(index, sizes.sample_words(count));
            let (address, free) = (space.start, space.free_after);
            space.used_until = number;
            let load = Load {
                tokens: Tokens::default(),
                broadcast: false,
                memory: Memory::Sample,
                address: address as u16,
                count: sizes.sample_words(count) as u16,
                words: words_per_address(config, Memory::Sample, 1) as u16,
                mask: 1,
            };
            chain.push(Stage::Load, Instruction::Load(load), &[(Stage::Compute, free)]);
            let words = sizes.result_words(count) + 1;
            let space = results.region(index, words);
            space.used_until = number;
            let needs = [(Stage::Load, number), (Stage::Store, space.free_after)];
            let result = space.start;
            let transform = Transform {
                tokens: Tokens::default(),
                inverse: false,
                block: false,
                tile: matches!(problem.points, Points::Tile(_)),
                address: address as u16,
                count: count as u16,
                result_base: result as u16,
                log_points: sizes.points.trailing_zeros() as u8,
            };
            chain.push(Stage::Compute, Instruction::Transform(transform), &needs);
            let store = Store {
                tokens: Tokens::default(),
                format: tandem_spec::Format::S32,
                address: result as u16,
                count: words as u16,
                shift: 0,
            };
            chain.push(Stage::Store, Instruction::Store(store), &[(Stage::Compute, number)]);
        }
        chain.push(Stage::Store, Instruction::Read(Tokens::default()), &[]);
        let instructions = chain.instructions;
        let predicted = predict.predict(config, &instructions);
        let traffic = Traffic::of(config, &instructions);
        let cost = cost(config, 0, &traffic, &predicted, &predicted);
        FftPlan { problem: *problem, instructions, blocks, predicted, traffic, cost }
    }

    /// The instructions for a direction and a scaling.
    pub(crate) fn instructions_for(&self, request: &FftRequest<'_>) -> Vec<Instruction> {
        let mut all = self.instructions.clone();
        for i in &mut all {
            if let Instruction::Transform(t) = i {
                let kind = request.kind();
                (t.inverse, t.block) = (kind.inverse, kind.block);
            }
        }
        all
    }
}
