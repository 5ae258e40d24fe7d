//! Widths and quantizers of the numbers that enter the products.

use super::number::Int;
use crate::plan::{Range, Signal};
use crate::quant::fixed::UnitInterval;
use crate::quant::{CLIPS, Clip, Quantizer, Role};
use serde::de::{Deserialize, Deserializer, Error};
use tandem_driver::Format;

/// Width of spectra, unless an experiment says another.
const SPECTRA: u64 = 8;

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

/// The table `[bits]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBits {
    weights: Int<2, 16>,
    activations: Int<1, 16>,
    gradients: Int<2, 16>,
    #[serde(default = "eight")]
    spectra: Int<2, 16>,
    #[serde(default = "max_abs")]
    weight_clip: Chosen,
    #[serde(default = "learned")]
    activation_clip: Chosen,
}

fn eight() -> Int<2, 16> {
    Int::new(SPECTRA)
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
    weight_clip: Option<Chosen>,
    activation_clip: Option<Chosen>,
}

/// Widths and quantizers of one layer.
#[derive(Clone, Copy)]
pub struct LayerBits {
    /// Width of weights, signed.
    pub weights: u8,
    /// Width of the layer's input: unsigned if it cannot be negative.
    pub activations: u8,
    /// Width of output gradients, signed.
    pub gradients: u8,
    /// Width of the spectra that spectral layers multiply, signed.
    pub spectra: u8,
    /// Quantizer of weights.
    pub weight_clip: &'static Clip,
    /// Quantizer of the layer's input, unless it is pixels.
    pub activation_clip: &'static Clip,
}

impl std::fmt::Debug for LayerBits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "W{} {} A{} {} G{}",
            self.weights, self.weight_clip.name, self.activations, self.activation_clip.name, self.gradients
        )?;
        if u64::from(self.spectra) != SPECTRA { write!(f, " S{}", self.spectra) } else { Ok(()) }
    }
}

impl From<RawBits> for LayerBits {
    fn from(raw: RawBits) -> Self {
        LayerBits {
            weights: raw.weights.get() as u8,
            activations: raw.activations.get() as u8,
            gradients: raw.gradients.get() as u8,
            spectra: raw.spectra.get() as u8,
            weight_clip: raw.weight_clip.0,
            activation_clip: raw.activation_clip.0,
        }
    }
}

impl LayerBits {
    pub(super) fn with(self, layer: RawOverride) -> Self {
        LayerBits {
            weights: layer.weights.map_or(self.weights, |n| n.get() as u8),
            activations: layer.activations.map_or(self.activations, |n| n.get() as u8),
            gradients: layer.gradients.map_or(self.gradients, |n| n.get() as u8),
            spectra: layer.spectra.map_or(self.spectra, |n| n.get() as u8),
            weight_clip: layer.weight_clip.map_or(self.weight_clip, |c| c.0),
            activation_clip: layer.activation_clip.map_or(self.activation_clip, |c| c.0),
        }
    }

    /// The format of the layer's input.
    pub fn input_format(&self, input: Signal) -> Format {
        match input.range {
            Range::Pixel | Range::NonNegative => Format::unsigned(self.activations),
            Range::Real => Format::signed(self.activations),
        }
    }

    /// The format of weights.
    pub fn weight_format(&self) -> Format {
        Format::signed(self.weights)
    }

    /// The format of output gradients.
    pub fn gradient_format(&self) -> Format {
        Format::signed(self.gradients)
    }

    /// A quantizer of the layer's input.
    pub fn input_quantizer(&self, input: Signal) -> Box<dyn Quantizer> {
        if input.range == Range::Pixel {
            return Box::new(UnitInterval::new(self.activations));
        }
        (self.activation_clip.build)(Role {
            name: "input",
            format: self.input_format(input),
            features: input.shape.features(),
        })
    }

    /// A quantizer of `count` weights.
    pub fn weight_quantizer(&self, count: usize) -> Box<dyn Quantizer> {
        (self.weight_clip.build)(Role { name: "weight", format: self.weight_format(), features: count })
    }
}
