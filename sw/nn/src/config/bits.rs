//! Widths and quantizers of the numbers that enter the products.

use crate::layers::LayerBits;
use crate::layers::bits::{EXACT, SPECTRA};
use crate::number::Int;
use crate::quant::{CLIPS, Clip};
use serde::de::{Deserialize, Deserializer, Error};

/// A quantizer, by its name.
#[derive(Clone, Copy)]
struct Chosen(&'static Clip);

impl<'de> Deserialize<'de> for Chosen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match CLIPS.iter().find(|clip| clip.name == name) {
            Some(clip) => Ok(Chosen(clip)),
            None => {
                let names: Vec<_> = CLIPS.iter().map(|c| format!("`{}`", c.name)).collect();
                let names = names.join(", ");
                Err(D::Error::custom(format!("unknown quantizer, expected one of {names}")))
            }
        }
    }
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

fn exact() -> Results {
    Results(EXACT)
}

/// The table `[bits]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBits {
    weights: Int<2, 16>,
    activations: Int<1, 16>,
    gradients: Int<2, 16>,
    #[serde(default = "eight")]
    spectra: Int<2, 16>,
    #[serde(default = "exact")]
    results: Results,
    input_gradients: Option<Results>,
    #[serde(default = "max_abs")]
    weight_clip: Chosen,
    #[serde(default = "learned")]
    activation_clip: Chosen,
}

fn eight() -> Int<2, 16> {
    Int::new(SPECTRA as u64)
}

fn max_abs() -> Chosen {
    Chosen(&crate::quant::max_abs::CLIP)
}

fn learned() -> Chosen {
    Chosen(&crate::quant::learned::CLIP)
}

/// The inline table `bits` of a layer: what differs from `[bits]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOverride {
    weights: Option<Int<2, 16>>,
    activations: Option<Int<1, 16>>,
    gradients: Option<Int<2, 16>>,
    spectra: Option<Int<2, 16>>,
    results: Option<Results>,
    input_gradients: Option<Results>,
    weight_clip: Option<Chosen>,
    activation_clip: Option<Chosen>,
}

impl From<RawBits> for LayerBits {
    fn from(raw: RawBits) -> Self {
        LayerBits {
            weights: raw.weights.get() as u8,
            activations: raw.activations.get() as u8,
            gradients: raw.gradients.get() as u8,
            spectra: raw.spectra.get() as u8,
            results: raw.results.0,
            input_gradients: raw.input_gradients.unwrap_or(raw.results).0,
            weight_clip: raw.weight_clip.0,
            activation_clip: raw.activation_clip.0,
        }
    }
}

impl RawOverride {
    /// These bits where it says nothing else.
    pub(super) fn of(self, bits: LayerBits) -> LayerBits {
        LayerBits {
            weights: self.weights.map_or(bits.weights, |n| n.get() as u8),
            activations: self.activations.map_or(bits.activations, |n| n.get() as u8),
            gradients: self.gradients.map_or(bits.gradients, |n| n.get() as u8),
            spectra: self.spectra.map_or(bits.spectra, |n| n.get() as u8),
            results: self.results.map_or(bits.results, |r| r.0),
            input_gradients: self.input_gradients.or(self.results).map_or(bits.input_gradients, |r| r.0),
            weight_clip: self.weight_clip.map_or(bits.weight_clip, |c| c.0),
            activation_clip: self.activation_clip.map_or(bits.activation_clip, |c| c.0),
        }
    }
}
