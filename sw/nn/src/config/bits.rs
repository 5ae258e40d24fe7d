//! Widths and quantizers of the numbers that enter the products.

use super::named::{Named, Table};
use super::{ConfigError, Document};
use crate::layers::LayerBits;
use crate::layers::bits::{EXACT, SPECTRA};
use crate::number::{Int, Percent, Real, Unit};
use crate::quant::gradient::{self, GRADIENTS, GradientKind};
use crate::quant::{CLIPS, Clip, Fitting, learned, max_abs};
use serde::de::{Deserialize, Deserializer, Error};

impl Table for &'static Clip {
    const WHAT: &'static str = "quantizer";
    fn rows() -> Vec<(&'static str, Self)> {
        CLIPS.iter().map(|clip| (clip.name, clip)).collect()
    }
}

impl Table for &'static GradientKind {
    const WHAT: &'static str = "quantizer of gradients";
    fn rows() -> Vec<(&'static str, Self)> {
        GRADIENTS.iter().map(|kind| (kind.name, kind)).collect()
    }
}

/// What a scale of weights is for.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawScale {
    Tensor,
    Channel,
}

/// A width of results: 8 or 16 bits, or 32, which is exact.
#[derive(Clone, Copy)]
struct Results(u8);

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            bits @ (8 | 16 | 32) => Ok(Results(bits as u8)),
            other => Err(D::Error::custom(format!("{other}: expected 8, 16 or 32"))),
        }
    }
}

/// The table `[bits]`, and the inline table `bits` of a layer: what differs from it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBits {
    weights: Option<Int<1, 16>>,
    activations: Option<Int<1, 16>>,
    gradients: Option<Int<2, 16>>,
    spectra: Option<Int<2, 16>>,
    results: Option<Results>,
    input_gradients: Option<Results>,
    weight_clip: Option<Named<&'static Clip>>,
    weight_scale: Option<RawScale>,
    activation_clip: Option<Named<&'static Clip>>,
    gradient_quantizer: Option<Named<&'static GradientKind>>,
    level_bits: Option<Int<2, 16>>,
    percentile: Option<Real<Percent>>,
    refit_steps: Option<Int<1, 1_000_000>>,
    refit_until: Option<Real<Unit>>,
}

/// What an experiment need not say. Widths of weights, activations and gradients it does say.
const DEFAULT: LayerBits = LayerBits {
    weights: 4,
    activations: 4,
    gradients: 8,
    spectra: SPECTRA,
    results: EXACT,
    input_gradients: EXACT,
    weight_clip: &max_abs::CLIP,
    weight_channels: false,
    activation_clip: &learned::CLIP,
    gradient_quantizer: &gradient::max_abs::KIND,
    fitting: Fitting::DEFAULT,
};

impl RawBits {
    /// The table `[bits]`.
    ///
    /// # Errors   a width is missing
    pub(super) fn complete(self, document: &Document) -> Result<LayerBits, ConfigError> {
        for (key, width) in [
            ("weights", self.weights.is_some()),
            ("activations", self.activations.is_some()),
            ("gradients", self.gradients.is_some()),
        ] {
            if !width {
                return Err(document.invalid("bits", format!("missing field `{key}`")));
            }
        }
        Ok(self.of(DEFAULT))
    }

    /// These bits where it says nothing else.
    pub(super) fn of(self, bits: LayerBits) -> LayerBits {
        let fitting = bits.fitting;
        LayerBits {
            weights: self.weights.map_or(bits.weights, |n| n.get() as u8),
            activations: self.activations.map_or(bits.activations, |n| n.get() as u8),
            gradients: self.gradients.map_or(bits.gradients, |n| n.get() as u8),
            spectra: self.spectra.map_or(bits.spectra, |n| n.get() as u8),
            results: self.results.map_or(bits.results, |r| r.0),
            input_gradients: self.input_gradients.or(self.results).map_or(bits.input_gradients, |r| r.0),
            weight_clip: self.weight_clip.map_or(bits.weight_clip, |c| c.0),
            weight_channels: self.weight_scale.map_or(bits.weight_channels, |s| s == RawScale::Channel),
            activation_clip: self.activation_clip.map_or(bits.activation_clip, |c| c.0),
            gradient_quantizer: self.gradient_quantizer.map_or(bits.gradient_quantizer, |k| k.0),
            fitting: Fitting {
                level_bits: self.level_bits.map(|n| n.get() as u8).or(fitting.level_bits),
                percentile: self.percentile.map_or(fitting.percentile, |p| p.get()),
                interval: self.refit_steps.map_or(fitting.interval, |n| n.get_u64()),
                until: self.refit_until.map_or(fitting.until, |share| share.get()),
            },
        }
    }
}
