//! Widths and quantizers of the numbers that enter the products.

use super::{Range, Signal};
use crate::quant::fixed::UnitInterval;
use crate::quant::{Clip, Quantizer, Role};
use tandem_driver::Format;

/// Width of spectra, unless an experiment says another.
pub const SPECTRA: u8 = 8;

/// Width of results that leave the device as they are.
pub const EXACT: u8 = 32;

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
    /// Width of Y on the link: 8, 16, or [`EXACT`].
    pub results: u8,
    /// Width of dX on the link.
    pub input_gradients: u8,
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
        for (name, bits, usual) in
            [("S", self.spectra, SPECTRA), ("Y", self.results, EXACT), ("dX", self.input_gradients, EXACT)]
        {
            if bits != usual {
                write!(f, " {name}{bits}")?;
            }
        }
        Ok(())
    }
}

impl LayerBits {
    /// The codes of the layer's input.
    fn input_codes(&self, input: Signal) -> Format {
        match input.range {
            Range::Pixel | Range::NonNegative => Format::unsigned(self.activations),
            Range::Real => Format::signed(self.activations),
        }
    }

    /// The integers of the layer's input.
    pub fn input_format(&self, input: Signal) -> Format {
        let codes = self.input_codes(input);
        if input.range == Range::Pixel { codes } else { (self.activation_clip.levels)(codes) }
    }

    /// The integers of weights.
    pub fn weight_format(&self) -> Format {
        (self.weight_clip.levels)(Format::signed(self.weights))
    }

    /// The integers of output gradients.
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
            format: self.input_codes(input),
            features: input.shape.features(),
        })
    }

    /// A quantizer of `count` weights.
    pub fn weight_quantizer(&self, count: usize) -> Box<dyn Quantizer> {
        let format = Format::signed(self.weights);
        (self.weight_clip.build)(Role { name: "weight", format, features: count })
    }
}
