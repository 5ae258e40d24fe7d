//! Two-dimensional convolution.
//!
//! ```text
//! Y[b, y, x, o] = Σ_{ky, kx, c} X[b, y·stride + ky − padding, x·stride + kx − padding, c] · W[(ky, kx, c), o] + b[o]
//! X [B, h, w, c], W [k²·c, out], Y [B, h', w', out]
//! ```
//!
//! The host lays the windows of the quantized input out as rows (im2col), so that all three products
//! are matrix products. dX is gathered from dY·Wᵀ on the host (col2im), or is a convolution of dY on the
//! device ([`super::transposed`]): the same integers, so `input_gradient = "auto"` takes the cheaper one.

use super::affine::{Affine, InputGradient, Rows, Wanted, scale_into};
use super::transposed::Transposed;
use super::unquantized::Unquantized;
use super::window::Window;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape, three_products};
use crate::backend::{Pass, Product, ProductError};
use crate::layers::prunable::{Groups, Prunable};
use crate::layers::{LayerBits, ProductPlan, Range, Signal};
use crate::number::{Int, one, yes};
use crate::quant::Quantized;
use crate::tensor::{Shape, Slot, reshape, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tandem_driver::Operand;

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Conv2d>("conv2d");

/// A convolution, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    channels: Int<1, 4096>,
    kernel: Int<1, 31>,
    #[serde(default = "one")]
    stride: Int<1, 31>,
    #[serde(default)]
    padding: Int<0, 30>,
    #[serde(default = "yes")]
    bias: bool,
    #[serde(default)]
    input_gradient: Form,
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

/// How the input gradient runs on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    /// Whichever the cycle model finds faster.
    #[default]
    Auto,
    /// dY·Wᵀ, gathered on the host.
    Col2im,
    /// A convolution of dY.
    Convolution,
}

impl Conv2d {
    fn groups(&self, input: Signal) -> Groups {
        let (kernel, outputs) = (self.kernel.get(), self.channels.get());
        Groups { height: kernel, width: kernel, channels: input.shape.c, outputs }
    }

    fn window(&self, input: Shape) -> Window {
        Window { input, kernel: self.kernel.get(), stride: self.stride.get(), padding: self.padding.get() }
    }
}

impl LayerSpec for Conv2d {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let input = inputs[0].shape;
        let kernel = self.kernel.get();
        if self.padding.get() >= kernel {
            return Err(SpecError {
                key: "padding",
                problem: format!("must be less than the kernel, {kernel}"),
            });
        }
        let window = self.window(input);
        let Some((h, w)) = window.positions() else {
            let side = input.h.min(input.w) + 2 * window.padding;
            return Err(SpecError {
                key: "kernel",
                problem: format!("must be at most {side}: the input is {input}"),
            });
        };
        let c = self.channels.get();
        Ok(Signal { shape: Shape { h, w, c }, range: Range::Real })
    }

    fn trained(&self) -> bool {
        true
    }

    fn products(&self, input: Signal, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
        let window = self.window(input.shape);
        let (h, w) = window.positions().unwrap_or_default();
        let groups = self.groups(input);
        let mut products = three_products(input, bits, batch * h * w, groups);
        let transposed = Transposed { window, groups }.shape(batch);
        for p in products.iter_mut().filter(|p| p.product == Product::InputGradient) {
            match self.input_gradient {
                Form::Auto => p.alternative = Some(transposed),
                Form::Col2im => {}
                Form::Convolution => [p.m, p.k, p.n] = transposed,
            }
        }
        products
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let input = site.inputs[0];
        let groups = self.groups(input);
        let mut plans = self.products(input, site.bits, 1).into_iter();
        let mut affine = Affine::new(groups, self.bias, site);
        if self.domain == MaskDomain::Dct {
            affine = affine.masked_in_cosine_domain();
        }
        Box::new(Conv2dLayer {
            window: self.window(input.shape),
            transposed: Transposed { window: self.window(input.shape), groups },
            form: self.input_gradient,
            gradient: plans.find(|p| p.product == Product::InputGradient).expect("one of the three products"),
            positions: site.output.shape.positions(),
            affine,
            x: Quantized::new(site.bits.input_quantizer(input)),
            integers: Array2::default((0, 0)),
            reals: Array2::default((0, 0)),
        })
    }
}

struct Conv2dLayer {
    window: Window,
    transposed: Transposed,
    form: Form,
    /// The plan of the input gradient, for a batch of one.
    gradient: ProductPlan,
    positions: usize,
    affine: Affine,
    x: Quantized,
    /// Rows of the quantized input, kept for the weight gradient.
    integers: Array2<i32>,
    /// Rows of the input on the float engine.
    reals: Array2<f32>,
}

impl Conv2dLayer {
    fn rows<'a>(
        x: &Quantized,
        integers: &'a Array2<i32>,
        reals: &'a Array2<f32>,
        is_float: bool,
    ) -> Rows<'a> {
        if is_float {
            return Rows::Real(reals.view());
        }
        let operand = Operand { values: integers.view(), format: x.format() };
        Rows::Integer(operand, x.scale())
    }

    /// How the input gradient of a batch runs.
    fn wanted(&self, batch: usize, pass: &mut Pass<'_>) -> Wanted {
        let problems = self.gradient.for_batch(1, batch).problems(self.affine.pattern());
        let convolution = match &problems[..] {
            [rows, pixels] => pass.prefers_second(rows, pixels),
            _ => self.form == Form::Convolution,
        };
        if convolution { Wanted::Pixels(self.transposed) } else { Wanted::Rows }
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
        let (rows, volume) = (x.nrows() * self.positions, self.window.volume());
        if pass.is_float() {
            reshape(&mut self.reals, rows, volume);
            self.window.im2col(slice(x), slice_mut(&mut self.reals));
        } else {
            self.x.quantize(x, pass.mode);
            reshape(&mut self.integers, rows, volume);
            let integers = self.x.integers();
            let integers = integers.as_slice().expect("row-major array");
            self.window.im2col(integers, slice_mut(&mut self.integers));
        }
        let rows = Self::rows(&self.x, &self.integers, &self.reals, pass.is_float());
        self.affine.forward(rows, output, pass)
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let rows = Self::rows(&self.x, &self.integers, &self.reals, pass.is_float());
        let wanted = if dx[0].is_some() { self.wanted(tape.dy.nrows(), pass) } else { Wanted::Nothing };
        let gradient = self.affine.backward(rows, tape.dy, wanted, pass)?;
        if let (Some(gradient), Some(dx)) = (gradient, &mut dx[0]) {
            let dx = slice_mut(dx);
            match gradient {
                InputGradient::Real(rows) => self.window.col2im(slice(&rows), dx, |sum| sum),
                InputGradient::Integer(rows, scale) => {
                    self.window.col2im(slice(&rows), dx, |sum| sum as f32 * scale);
                    self.x.straight_through(slice(tape.inputs[0]), dx);
                }
                InputGradient::Pixels(pixels, scale) => {
                    scale_into(slice(&pixels), scale, dx);
                    self.x.straight_through(slice(tape.inputs[0]), dx);
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

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(self.affine.unquantized(self.window))
    }
}
