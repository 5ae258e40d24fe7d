//! Quantizers: from f32 values to integers and one scale, v ≈ s·q.
//!
//! ```text
//! forward    v ──► q, s          v̂ = s·q enters the products
//! backward   ∂L/∂v̂ ──► ∂L/∂v     straight-through estimator, plus the gradient of a learned s
//! ```
//!
//! A quantizer is one file here, its `mod` line and one line in [`CLIPS`], which is what `weight_clip` and
//! `activation_clip` of an experiment choose from. An experiment says the bits of its *codes*; its integers, the
//! *levels* that are multiplied, may have more ([`Clip::levels`]): 2^b codes of a non-uniform quantizer lie on a finer grid.

pub mod fixed;
pub mod learned;
pub mod max_abs;
pub mod uniform;

use crate::backend::Mode;
use crate::random::Stream;
use crate::tensor::blocks::max_abs;
use crate::tensor::{Slot, reshape, slice, slice_mut};
use ndarray::{Array2, ArrayView2};
use tandem_driver::{Format, Operand};

/// Chooses integers and a scale for a tensor, again in each step.
pub trait Quantizer: Send {
    /// The format of the integers: [`Clip::levels`] of the role's.
    fn format(&self) -> Format;

    /// Writes the integers and returns the scale.
    ///
    /// In training it may update its statistics.
    fn quantize(&mut self, v: &[f32], q: &mut [i32], mode: Mode) -> f32;

    /// Turns `gradient` = ∂L/∂v̂ into ∂L/∂v in place, for the values of the last
    /// [`quantize`](Self::quantize), and sets the gradient of its own parameters.
    fn straight_through(&mut self, v: &[f32], gradient: &mut [f32]);

    /// Its state. Names start with the role that it was built for.
    fn slots(&mut self) -> Vec<Slot<'_>>;
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
}

/// A named way to choose the scale.
#[derive(Clone, Copy)]
pub struct Clip {
    /// Its name in experiments.
    pub name: &'static str,
    /// The format of the integers that stand for codes of a format: what the products multiply, and cost.
    pub levels: fn(Format) -> Format,
    /// Builds one.
    pub build: fn(Role) -> Box<dyn Quantizer>,
}

/// The levels of a uniform quantizer: codes are integers.
pub const UNIFORM: fn(Format) -> Format = |codes| codes;

/// All ways to choose the scale.
pub const CLIPS: &[Clip] = &[max_abs::CLIP, learned::CLIP];

/// The largest magnitude of the symmetric grid: −Q … Q if signed, 0 … Q if not.
pub const fn grid(format: Format) -> (i32, i32) {
    let (_, hi) = format.range();
    (if format.signed { -hi } else { 0 }, hi)
}

/// A quantizer and what it produced last.
pub struct Quantized {
    quantizer: Box<dyn Quantizer>,
    integers: Array2<i32>,
    scale: f32,
}

impl Quantized {
    /// Nothing quantized yet.
    pub fn new(quantizer: Box<dyn Quantizer>) -> Self {
        Quantized { quantizer, integers: Array2::default((0, 0)), scale: 0.0 }
    }

    /// Quantizes `v`.
    pub fn quantize(&mut self, v: &Array2<f32>, mode: Mode) {
        reshape(&mut self.integers, v.nrows(), v.ncols());
        self.scale = self.quantizer.quantize(slice(v), slice_mut(&mut self.integers), mode);
    }

    /// The integers.
    pub fn integers(&self) -> ArrayView2<'_, i32> {
        self.integers.view()
    }

    /// The integers as an operand.
    pub fn operand(&self) -> Operand<'_> {
        Operand::new(self.integers.view(), self.format())
    }

    /// Their format.
    pub fn format(&self) -> Format {
        self.quantizer.format()
    }

    /// The scale.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// See [`Quantizer::straight_through`].
    pub fn straight_through(&mut self, v: &[f32], gradient: &mut [f32]) {
        self.quantizer.straight_through(v, gradient);
    }

    /// See [`Quantizer::slots`].
    pub fn slots(&mut self) -> Vec<Slot<'_>> {
        self.quantizer.slots()
    }
}

/// Quantizes an output gradient: symmetric, one scale, stochastic rounding.
///
/// # Numeric  s = max|dY| / (2^(bits−1) − 1); q = ⌊dY/s + u⌋, u by the flat index of the value
pub fn quantize_gradient(dy: &[f32], bits: u8, stream: &Stream, q: &mut [i32]) -> f32 {
    let (_, max) = grid(Format::signed(bits));
    let s = max_abs(dy) / max as f32;
    uniform::round_stochastic(dy, s, max, stream, q);
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantizers_keep_to_their_levels() {
        let v: Vec<f32> = (0..999).map(|i| ((i * 37) % 999) as f32 / 300.0 - 1.0).collect();
        for clip in CLIPS {
            for (name, format) in
                (2..=16).flat_map(|b| [("weight", Format::signed(b)), ("input", Format::unsigned(b))])
            {
                let mut quantizer = (clip.build)(Role { name, format, features: v.len() });
                let levels = (clip.levels)(format);
                assert_eq!(quantizer.format(), levels, "{}", clip.name);
                assert!(levels.bits <= 16 && levels.signed == format.signed, "{}: {levels:?}", clip.name);
                let mut q = vec![0; v.len()];
                quantizer.quantize(&v, &mut q, Mode::Train);
                let ((lo, hi), codes) = (levels.range(), q.iter().collect::<std::collections::BTreeSet<_>>());
                assert!(q.iter().all(|q| (lo..=hi).contains(q)), "{}: {format:?}", clip.name);
                assert!(codes.len() <= 1 << format.bits, "{}: {format:?}", clip.name);
            }
        }
    }

    #[test]
    fn signed_grids_are_symmetric() {
        assert_eq!(grid(Format::signed(4)), (-7, 7));
        assert_eq!(grid(Format::signed(2)), (-1, 1));
        assert_eq!(grid(Format::unsigned(4)), (0, 15));
        assert_eq!(grid(Format::unsigned(1)), (0, 1));
    }
}
