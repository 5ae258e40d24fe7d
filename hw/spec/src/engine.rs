//! What every engine does: take an instruction stream, give back packets.

use crate::config::Config;
use crate::isa::{Instruction, Who};
use crate::packet::Packet;
use crate::registers::Counters;
use crate::stream::Stream;
use num_complex::Complex;
use std::path::PathBuf;

/// In which cycles one direction of the link stands still, as a pattern that repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// `pattern[cycle % len]`: true means stalled. Empty: never. Cycle 0 is the first of the run.
    pub pattern: Vec<bool>,
}

impl Stall {
    /// A pattern of 4,093 cycles of which about `percent` in 100 are stalled.
    pub fn random(seed: u64, percent: u64) -> Self {
        let mut s = seed;
        let mut step = || {
            // splitmix64 (Steele, Lea, Flood 2014), as in `stimuli`, which depends on this crate
            s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = s;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Stall { pattern: (0..4093).map(|_| step() % 100 < percent).collect() }
    }

    /// Whether the link stands still in `cycle`.
    pub fn at(&self, cycle: u64) -> bool {
        !self.pattern.is_empty() && self.pattern[(cycle % self.pattern.len() as u64) as usize]
    }
}

/// How to run a stream.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Give up after so many cycles.
    pub max_cycles: u64,
    /// Cycles in which the host offers no word.
    pub stall_in: Stall,
    /// Cycles in which the host takes no word.
    pub stall_out: Stall,
    /// Write a waveform (simulator only).
    pub trace: Option<PathBuf>,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            max_cycles: 1 << 40,
            stall_in: Stall::default(),
            stall_out: Stall::default(),
            trace: None,
        }
    }
}

/// Where the accelerator stands when it has taken all words and nothing moves any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Every instruction is done.
    Idle,
    /// Words are missing: the stream ends inside this instruction or its payload.
    Starved {
        /// Its number since reset.
        instruction: u32,
    },
    /// An engine waits for a token that only further instructions could bring.
    Blocked {
        /// The engine whose waiting instruction has the lowest number.
        engine: Who,
        /// That number.
        instruction: u32,
    },
    /// The program failed (the last packet says why); words are dropped until a reset.
    Failed,
    /// Not finished within [`RunOptions::max_cycles`].
    CycleLimit,
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it ended.
    pub status: Status,
    /// Packets in order.
    pub packets: Vec<Packet>,
}

/// Why an engine could not run at all (a failing *program* is an [`Outcome`]).
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A tool that the engine needs is missing or fails.
    #[error("{tool}: {what}")]
    Tool {
        /// The tool.
        tool: String,
        /// Command, exit code, tail of what it printed.
        what: String,
    },
    /// The accelerator is another one than the program is for.
    #[error("the accelerator's configuration is {found:#018x}, the program is for {expected:#018x}")]
    Mismatch {
        /// Hash of the program's configuration.
        expected: u64,
        /// Hash that the accelerator reports.
        found: u64,
    },
    /// The link gave something that is not a packet.
    #[error("link: {0}")]
    Link(String),
    /// A file could not be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// An accelerator: twin, simulation or board. State (memories, tokens, numbering) lives on between runs.
pub trait Engine: Send {
    /// `model`, `sim` or `serial`.
    fn name(&self) -> &str;

    /// Its configuration.
    fn config(&self) -> &Config;

    /// Feeds the stream and collects packets until nothing moves any more.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself fails.
    fn run(&mut self, stream: &Stream, options: &RunOptions) -> Result<Outcome, EngineError>;
}

/// The exact cycle model, as planners see it: no payloads, no stalls.
pub trait Predict: Send + Sync {
    /// The registers that a `READ` at the end of `program` returns, on an accelerator that starts idle
    /// with empty counters. `program` has no `RESET` and at most that one `READ`.
    fn predict(&self, config: &Config, program: &[Instruction]) -> Counters;
}

/// What a transform is, apart from its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransformKind {
    /// log2 of the points.
    pub log_points: u8,
    /// A square of `2^(log_points/2)` points a side.
    pub tile: bool,
    /// e^(+2πi·nk/N).
    pub inverse: bool,
    /// Block floating point.
    pub block: bool,
}

/// What a transform returns beside its spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transformed {
    /// The transform is the spectrum times `2^exponent`.
    pub exponent: u8,
    /// Whether a part was clamped.
    pub clamped: bool,
}

/// Most cosines of a window.
pub const WAVES: usize = 4;

/// A window of cosines as the Gaussian unit takes it (docs/gaussian.md), apart from pixels.
///
/// # Numeric
/// Coefficients have 30 bits after the binary point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CosineWindow {
    /// Pixels on either side of the centre.
    pub radius: u8,
    /// g.
    pub mean: i32,
    /// λ_k; zeros beyond the unit's terms.
    pub turn: [u32; WAVES],
    /// a_k; zeros beyond the unit's terms.
    pub edge: [i32; WAVES],
}

/// Something that computes what units compute, bit for bit, without a program.
pub trait UnitModel: Send + Sync {
    /// Transforms `samples` in place as the FFT unit does, one transform of `2^log_points` after the other.
    ///
    /// # Numeric
    /// The low `bits` (8 to 16) bits of a part count; results are sign-extended.
    fn transforms(&self, bits: usize, kind: &TransformKind, samples: &mut [Complex<i32>])
    -> Vec<Transformed>;

    /// Filters a line from its beginning to its end as the Gaussian unit does: a result a pixel, of 12 bits after the binary point.
    fn smooth(&self, window: &CosineWindow, pixels: &[i16]) -> Vec<i32>;
}
