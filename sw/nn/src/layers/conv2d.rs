//! Two-dimensional convolution.
//!
//! ```text
//! Y[b, y, x, o] = Σ_{ky, kx, c} X[b, y·stride + ky − padding, x·stride + kx − padding, g(o)·C + c] · W[(ky, kx, c), o] + b[o]
//! X [B, h, w, G·C], W [k_h·k_w·C, out], Y [B, h', w', out]        g(o) = ⌊o·G / out⌋
//! ```
//! Kernel, stride and padding each have a height and a width. With G = `groups` above 1 channels and outputs fall into blocks, each a
//! convolution of its own ([`super::affine::blocks`]); G = all channels is a depthwise convolution.
//!
//! A device gets images and the window, and computes each of the three products the way that takes it the fewest cycles
//! ([`tandem_driver::conv`]). The float reference lays out windows a few at a time ([`crate::tensor::conv`]).

use super::affine::{Affine, Input, InputGradient, blocks};
use super::unquantized::Unquantized;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape, three_products};
use crate::backend::{Pass, ProductError};
use crate::layers::prunable::{Groups, Prunable};
use crate::layers::{LayerBits, ProductPlan, Range, Signal};
use crate::number::{Int, Pair, one, ones, sizes, yes};
use crate::quant::Quantized;
use crate::spectral::power::Power;
use crate::tensor::{Shape, Slot, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tandem_driver::Window;

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Conv2d>("conv2d");

/// A convolution, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    channels: Int<1, 4096>,
    kernel: Pair<1, 31>,
    #[serde(default = "ones")]
    stride: Pair<1, 31>,
    #[serde(default)]
    padding: Pair<0, 30>,
    /// Not said where it is 1: experiments without the key are the same ones.
    #[serde(default = "one", skip_serializing_if = "Int::is_one")]
    groups: Int<1, 4096>,
    #[serde(default = "yes")]
    bias: bool,
    #[serde(default)]
    domain: MaskDomain,
}

/// What masks are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum MaskDomain {
    /// Weights.
    #[default]
    Space,
    /// Coefficients of the kernels' cosine transform ([`super::cosine`]).
    Dct,
}

impl Conv2d {
    fn groups(&self, input: Signal) -> Groups {
        let ([height, width], blocks) = (self.kernel.get(), self.groups.get());
        Groups { height, width, channels: input.shape.c / blocks, outputs: self.channels.get(), blocks }
    }

    /// That of one block.
    fn window(&self, input: Shape) -> Window {
        let block = Shape { c: input.c / self.groups.get(), ..input };
        block.window(self.kernel.get(), self.stride.get(), self.padding.get())
    }
}

impl LayerSpec for Conv2d {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let input = inputs[0].shape;
        let wrong = |key, problem| Err(SpecError { key, problem });
        let (kernel, padding) = (self.kernel.get(), self.padding.get());
        if (0..2).any(|axis| padding[axis] >= kernel[axis]) {
            return wrong("padding", format!("must be less than the kernel, {}", sizes(kernel)));
        }
        let (c, groups) = (self.channels.get(), self.groups.get());
        if !input.c.is_multiple_of(groups) {
            return wrong("groups", format!("must divide the {} channels of the input, {input}", input.c));
        }
        if !c.is_multiple_of(groups) {
            return wrong("groups", format!("must divide the {c} channels of the output"));
        }
        if self.domain == MaskDomain::Dct && kernel[0] != kernel[1] {
            return wrong("domain", format!("`dct` needs a square kernel, got {}", sizes(kernel)));
        }
        let Some((h, w)) = self.window(input).positions() else {
            let room = sizes([input.h + 2 * padding[0], input.w + 2 * padding[1]]);
            return wrong("kernel", format!("must be at most {room}: the input is {input}"));
        };
        Ok(Signal { shape: Shape { h, w, c }, range: Range::Real })
    }

    fn trained(&self) -> bool {
        true
    }

    fn has_scales_by_axis(&self) -> bool {
        true
    }

    fn products(&self, input: Signal, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
        let window = self.window(input.shape);
        let (h, w) = window.positions().unwrap_or_default();
        let products = three_products(input, bits, batch * h * w, self.groups(input));
        products.into_iter().map(|p| ProductPlan { window: Some(window), ..p }).collect()
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let input = site.inputs[0];
        let groups = self.groups(input);
        let mut affine = Affine::new(groups, self.bias, site);
        if self.domain == MaskDomain::Dct {
            affine = affine.masked_in_cosine_domain();
        }
        Box::new(Conv2dLayer {
            input: input.shape,
            window: self.window(input.shape),
            blocks: self.groups.get(),
            affine,
            x: Quantized::new(site.bits.input_quantizer(input)),
            channels: Vec::new(),
        })
    }
}

struct Conv2dLayer {
    /// Shape of all blocks' input.
    input: Shape,
    /// That of one block.
    window: Window,
    blocks: usize,
    affine: Affine,
    x: Quantized,
    /// The input of several blocks on the float engine, block after block.
    channels: Vec<f32>,
}

impl Conv2dLayer {
    /// The input of the last forward pass, as the engine reads it: integers, or `pixels` of each block.
    fn input<'a>(x: &'a Quantized, pixels: &'a [f32], window: Window, is_float: bool) -> Input<'a> {
        if is_float {
            Input::Pixels(pixels, window)
        } else {
            Input::Images(x.operand(), x.scales().one(), window)
        }
    }
}

impl Layer for Conv2dLayer {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let x = inputs[0];
        if !pass.is_float() {
            self.x.quantize(x, None, pass.moment());
        } else if self.blocks > 1 {
            self.channels = blocks::split(slice(x), x.nrows(), self.blocks, self.window.channels);
        }
        let pixels = if self.blocks == 1 { slice(x) } else { &self.channels };
        let input = Self::input(&self.x, pixels, self.window, pass.is_float());
        self.affine.forward(input, output, pass)
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let pixels = if self.blocks == 1 { slice(tape.inputs[0]) } else { &self.channels };
        let input = Self::input(&self.x, pixels, self.window, pass.is_float());
        let gradient = self.affine.backward(input, tape.dy, dx[0].is_some(), pass)?;
        if let (Some(gradient), Some(dx)) = (gradient, &mut dx[0]) {
            let dx = slice_mut(dx);
            match gradient {
                InputGradient::Real(images) if self.blocks == 1 => dx.copy_from_slice(slice(&images)),
                InputGradient::Real(images) => {
                    blocks::merge(slice(&images), self.blocks, self.window.channels, dx);
                }
                InputGradient::Integer(pixels, scales) => {
                    scales.apply(&pixels, dx);
                    self.x.straight_through(tape.inputs[0], None, dx);
                }
            }
        }
        Ok(())
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        let mut slots = self.affine.slots();
        slots.extend(self.x.slots());
        slots
    }

    fn prunables(&mut self) -> Vec<&mut dyn Prunable> {
        vec![&mut self.affine]
    }

    fn quantized(&self) -> Option<[&Quantized; 2]> {
        Some([self.affine.quantized(), &self.x])
    }

    fn input_power(
        &self,
        inputs: &[&Array2<f32>],
        pass: &mut Pass<'_>,
    ) -> Result<Option<Power>, ProductError> {
        Power::of_maps(self.input, self.window.kernel, (inputs[0], &self.x), pass).map(Some)
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(self.affine.unquantized(self.window))
    }
}
