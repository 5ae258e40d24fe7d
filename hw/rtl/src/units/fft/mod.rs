//! The FFT unit (docs/fft.md).
//!
//! ```text
//! LOAD ─► [groups] ──► [core: pair ─► pair ─► … ─► reorder ─► normalise] ─► [packer] ─► result memory
//!              ▲            delay lines, twiddles
//!          [unit]: takes TRANSFORMs, reads groups, gives tokens
//! ```
//! A signal of P complex samples is a vector of 2P *parts*: real and imaginary part of transform 0, of transform 1 …

pub mod core;
pub mod delay_line;
pub mod group;
pub mod normalise;
pub mod packer;
pub mod pair;
pub mod reorder;
pub mod reversal;
pub mod twiddle;
pub mod unit;

use tandem_spec::config::Fft;

/// Widths and counts that the unit's parts share.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// P: transforms in lockstep.
    pub lanes: usize,
    /// b: bits of a sample's part.
    pub bits: usize,
    /// Bits of a part between passes.
    pub inner: usize,
    /// log2 of the largest transform.
    pub log_points: usize,
    /// Pairs of butterflies.
    pub pairs: usize,
    /// Block floating point is there.
    pub block: bool,
    /// Tiles are there.
    pub tiles: bool,
    /// Smaller transforms are there.
    pub any_size: bool,
}

/// Bits of a twiddle factor's part after the binary point.
pub const TWIDDLE_FRACTION: usize = 16;

/// Radix-2 stages that `block` lets grow before it drops a bit each.
pub const FREE_STAGES: usize = 6;

/// Bits of `log_points` fields.
pub const LOG_BITS: usize = 4;

impl Shape {
    /// The shape of `fft`.
    pub fn new(fft: &Fft) -> Self {
        let log_points = fft.points.ilog2() as usize;
        Shape {
            lanes: fft.samples,
            bits: fft.bits,
            inner: fft.bits + if fft.block { 1 + FREE_STAGES } else { 3 },
            log_points,
            pairs: log_points.div_ceil(2),
            block: fft.block,
            tiles: fft.tiles,
            any_size: fft.any_size,
        }
    }

    /// Parts of a group.
    pub fn parts(&self) -> usize {
        2 * self.lanes
    }

    /// log2 Q of pair `j`, 0 being the first that data passes.
    pub fn log_quarter(&self, j: usize) -> usize {
        2 * (self.pairs - 1 - j)
    }
}
