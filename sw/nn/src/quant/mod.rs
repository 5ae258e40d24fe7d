//! Quantizers: from f32 values to integers and scales, v ≈ s·q.
//!
//! ```text
//! forward    v ──► q, s          v̂ = s·q enters the products
//! backward   ∂L/∂v̂ ──► ∂L/∂v     straight-through estimator, plus the gradient of a learned s
//! ```
//!
//! A quantizer is one file here, its `mod` line and one line in [`CLIPS`], which is what `weight_clip` and `activation_clip` of an
//! experiment choose from. Uniform ones choose a step: from the largest value ([`max_abs`]), by training ([`learned`]), by a fit of the
//! clip ([`clipped`]: [`percentile`], [`octav`]). The others have a [`Codebook`] that is fitted ([`coded`]: [`lloyd_max`], [`apot`],
//! [`quantile`], [`sign`]). Output gradients have quantizers of their own: [`gradient`].
//!
//! An experiment says the bits of *codes*; the integers, *levels*, that are multiplied may have more ([`Clip::levels`]): 2^b codes of a
//! non-uniform quantizer lie on a finer grid of `level_bits`. [`Quantizer::codebook`] has the table.

pub mod apot;
pub mod clipped;
pub mod coded;
#[cfg(test)]
mod fitting_tests;
pub mod fixed;
pub mod gradient;
pub mod learned;
pub mod lloyd_max;
pub mod max_abs;
pub mod octav;
pub mod percentile;
pub mod quantile;
pub mod scales;
pub mod sign;
pub mod sorted;
pub mod storage;
pub mod uniform;

use crate::backend::Moment;
use crate::tensor::{Mask, Slot, slice};
use ndarray::Array2;
pub use scales::Scales;
pub use storage::{Storage, Target};
use tandem_driver::{Codebook, Format, Operand};

/// All quantizers of weights and activations.
pub const CLIPS: &[Clip] = &[
    max_abs::CLIP,
    learned::CLIP,
    percentile::CLIP,
    octav::CLIP,
    lloyd_max::CLIP,
    apot::CLIP,
    quantile::CLIP,
    sign::CLIP,
];

/// Chooses integers and scales for a tensor, again in each step.
pub trait Quantizer: Send {
    /// The format of the integers: [`Clip::levels`] of the role's.
    fn format(&self) -> Format;

    /// Writes the integers, 0 where values are not kept, and returns the scales.
    ///
    /// In training it may update its statistics.
    fn quantize(&mut self, values: Values<'_>, q: Target<'_>, now: Moment) -> Scales;

    /// Turns `gradient` = ∂L/∂v̂ into ∂L/∂v in place, for the values of the last
    /// [`quantize`](Self::quantize), and sets the gradient of its own parameters.
    fn straight_through(&mut self, values: Values<'_>, gradient: &mut [f32]);

    /// The table of the last [`quantize`](Self::quantize): all its integers are levels of it, but those of values that are not kept.
    /// `None` if codes are the integers themselves.
    fn codebook(&self) -> Option<&Codebook> {
        None
    }

    /// Its state. Names start with the role that it was built for.
    fn slots(&mut self) -> Vec<Slot<'_>>;
}

/// What is quantized.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The values, row-major.
    pub v: &'a [f32],
    /// Values in a row; those of weights are output channels.
    pub columns: usize,
    /// Which are kept. The others are 0, and no part of a distribution.
    pub kept: Option<&'a [bool]>,
}

impl<'a> Values<'a> {
    /// All of an array, or those that a mask keeps.
    pub fn new(v: &'a Array2<f32>, mask: Option<&'a Mask>) -> Self {
        Values { v: slice(v), columns: v.ncols().max(1), kept: mask.map(slice) }
    }

    /// Whether value `i` is kept.
    #[inline(always)]
    pub fn keeps(self, i: usize) -> bool {
        self.kept.is_none_or(|kept| kept[i])
    }

    /// Whether some are not kept.
    pub fn drops_some(self) -> bool {
        self.kept.is_some_and(|kept| kept.contains(&false))
    }
}

/// How quantizers that look at a distribution do that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitting {
    /// Width of the levels of a table; `None` is 4, or 8 for codes of more than 4 bits.
    pub level_bits: Option<u8>,
    /// The percentile that [`percentile`] clips at.
    pub percentile: f64,
    /// Training steps from one fit to the next.
    pub interval: u64,
    /// Share of a run after which fits are frozen.
    pub until: f64,
}

impl Fitting {
    /// What an experiment need not say.
    pub const DEFAULT: Fitting = Fitting { level_bits: None, percentile: 99.9, interval: 10, until: 0.5 };

    /// Whether to fit now.
    pub fn is_due(&self, now: Moment, is_fitted: bool) -> bool {
        let scheduled = now.step.is_multiple_of(self.interval) && now.progress() < self.until;
        !is_fitted || now.is_training() && scheduled
    }
}

/// What a quantizer is built for.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Prefix of its state's names: `weight` or `input`.
    pub name: &'static str,
    /// The codes to choose from: width as in the experiment.
    pub format: Format,
    /// Values in one example (activations) or in all (weights): N of LSQ's gradient scale.
    pub features: usize,
    /// Output channels, if each has a scale of its own.
    pub channels: Option<usize>,
    /// How distributions are looked at.
    pub fitting: Fitting,
}

impl Role {
    /// With one scale, and fits as they are by default.
    pub fn new(name: &'static str, format: Format, features: usize) -> Self {
        Role { name, format, features, channels: None, fitting: Fitting::DEFAULT }
    }

    /// How many scales there are.
    pub fn scales(&self) -> usize {
        self.channels.unwrap_or(1)
    }

    /// So many scales as such.
    pub fn as_scales(&self, all: Vec<f32>) -> Scales {
        if self.channels.is_some() { Scales::Columns(all) } else { Scales::One(all[0]) }
    }

    /// The format of levels.
    pub fn levels(&self, levels: fn(Format, Option<u8>) -> Format) -> Format {
        levels(self.format, self.fitting.level_bits)
    }
}

/// A named quantizer.
#[derive(Clone, Copy)]
pub struct Clip {
    /// Its name in experiments.
    pub name: &'static str,
    /// Narrowest and widest signed codes. Unsigned ones of a uniform grid may have one bit.
    pub widths: (u8, u8),
    /// The format of the integers that stand for codes of a format, given `level_bits`: what the products multiply, and cost.
    pub levels: fn(Format, Option<u8>) -> Format,
    /// Whether it is fitted to a distribution from time to time: see [`Fitting`].
    pub is_fitted: bool,
    /// Whether it has a table of levels, which `level_bits` is for.
    pub is_coded: bool,
    /// Whether a pruned weight has a code.
    pub has_zero: bool,
    /// Whether its scale is trained: no distribution alone tells how well it does.
    pub is_trained: bool,
    /// Builds one.
    pub build: fn(Role) -> Box<dyn Quantizer>,
}

impl Clip {
    /// A uniform quantizer: codes are integers.
    pub const fn uniform(name: &'static str, build: fn(Role) -> Box<dyn Quantizer>) -> Self {
        let levels = |codes, _| codes;
        Clip {
            name,
            widths: (2, 16),
            levels,
            is_fitted: false,
            is_coded: false,
            has_zero: true,
            is_trained: false,
            build,
        }
    }

    /// A uniform quantizer whose clip is fitted.
    pub const fn fitted(name: &'static str, build: fn(Role) -> Box<dyn Quantizer>) -> Self {
        Clip { is_fitted: true, ..Clip::uniform(name, build) }
    }

    /// A quantizer with a table.
    pub const fn coded(
        name: &'static str,
        levels: fn(Format, Option<u8>) -> Format,
        build: fn(Role) -> Box<dyn Quantizer>,
    ) -> Self {
        Clip { widths: (1, 8), levels, is_coded: true, ..Clip::fitted(name, build) }
    }

    /// The narrowest codes.
    pub fn narrowest(&self, signed: bool) -> u8 {
        if signed || self.is_coded { self.widths.0 } else { 1 }
    }
}

/// Levels of `level_bits`; by default of one digit of 4 bits, or 8 bits for wider codes.
pub fn levels_of(codes: Format, level_bits: Option<u8>) -> Format {
    let usual = if codes.bits <= 4 { 4 } else { 8 };
    Format { bits: level_bits.unwrap_or(usual), ..codes }
}

/// The largest magnitude of the symmetric grid: −Q … Q if signed, 0 … Q if not.
pub const fn grid(format: Format) -> (i32, i32) {
    let (_, hi) = format.range();
    (if format.signed { -hi } else { 0 }, hi)
}

/// A quantizer and what it produced last.
pub struct Quantized {
    quantizer: Box<dyn Quantizer>,
    integers: Storage,
    scales: Scales,
}

impl Quantized {
    /// Nothing quantized yet.
    pub fn new(quantizer: Box<dyn Quantizer>) -> Self {
        Quantized { integers: Storage::new(quantizer.format()), quantizer, scales: Scales::One(0.0) }
    }

    /// Quantizes `v`, of which a mask keeps some.
    pub fn quantize(&mut self, v: &Array2<f32>, mask: Option<&Mask>, now: Moment) {
        let target = self.integers.resized(v.nrows(), v.ncols());
        self.scales = self.quantizer.quantize(Values::new(v, mask), target, now);
    }

    /// The integers.
    pub fn integers(&self) -> Array2<i32> {
        self.integers.entries().to_owned()
    }

    /// The integers as an operand, with their table.
    pub fn operand(&self) -> Operand<'_> {
        Operand { codebook: self.codebook(), ..Operand::new(self.integers.entries(), self.format()) }
    }

    /// Their format.
    pub fn format(&self) -> Format {
        self.quantizer.format()
    }

    /// The scales.
    pub fn scales(&self) -> &Scales {
        &self.scales
    }

    /// See [`Quantizer::codebook`].
    pub fn codebook(&self) -> Option<&Codebook> {
        self.quantizer.codebook()
    }

    /// See [`Quantizer::straight_through`].
    pub fn straight_through(&mut self, v: &Array2<f32>, mask: Option<&Mask>, gradient: &mut [f32]) {
        self.quantizer.straight_through(Values::new(v, mask), gradient);
    }

    /// See [`Quantizer::slots`].
    pub fn slots(&mut self) -> Vec<Slot<'_>> {
        self.quantizer.slots()
    }
}
