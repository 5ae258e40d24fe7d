//! Widths and quantizers of the numbers that enter the products.

use super::{Range, Signal};
use crate::quant::fixed::UnitInterval;
use crate::quant::gradient::{GradientKind, max_abs};
use crate::quant::{Clip, Fitting, Quantizer, Role};
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
    /// Whether each output channel has a scale of its own.
    pub weight_channels: bool,
    /// Quantizer of the layer's input, unless it is pixels.
    pub activation_clip: &'static Clip,
    /// Quantizer of output gradients.
    pub gradient_quantizer: &'static GradientKind,
    /// How quantizers look at distributions.
    pub fitting: Fitting,
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
        if self.weight_channels {
            f.write_str(" by channel")?;
        }
        if self.gradient_quantizer.name != max_abs::KIND.name {
            write!(f, " G {}", self.gradient_quantizer.name)?;
        }
        if let (true, Some(bits)) = (self.has_table(), self.fitting.level_bits) {
            write!(f, " L{bits}")?;
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

    /// Whether a quantizer has a table of levels.
    pub fn has_table(&self) -> bool {
        self.weight_clip.is_coded || self.activation_clip.is_coded
    }

    /// Whether a quantizer is fitted from time to time.
    pub fn is_fitted(&self) -> bool {
        self.weight_clip.is_fitted || self.activation_clip.is_fitted
    }

    /// The integers of the layer's input.
    pub fn input_format(&self, input: Signal) -> Format {
        let codes = self.input_codes(input);
        if input.range == Range::Pixel {
            codes
        } else {
            (self.activation_clip.levels)(codes, self.fitting.level_bits)
        }
    }

    /// The integers of weights.
    pub fn weight_format(&self) -> Format {
        (self.weight_clip.levels)(Format::signed(self.weights), self.fitting.level_bits)
    }

    /// The integers of output gradients.
    pub fn gradient_format(&self) -> Format {
        self.gradient_quantizer.format(self.gradients)
    }

    /// A quantizer of the layer's input.
    pub fn input_quantizer(&self, input: Signal) -> Box<dyn Quantizer> {
        if input.range == Range::Pixel {
            return Box::new(UnitInterval::new(self.activations));
        }
        let role = Role::new("input", self.input_codes(input), input.shape.features());
        (self.activation_clip.build)(Role { fitting: self.fitting, ..role })
    }

    /// A quantizer of weights `[k, n]`.
    pub fn weight_quantizer(&self, k: usize, n: usize) -> Box<dyn Quantizer> {
        let role = Role::new("weight", Format::signed(self.weights), k * n);
        let channels = self.weight_channels.then_some(n);
        (self.weight_clip.build)(Role { channels, fitting: self.fitting, ..role })
    }
}
