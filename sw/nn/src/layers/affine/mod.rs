//! What layers with weights share: one contraction in three products.
//!
//! ```text
//! forward          Y  = X·W + b         X [B, K], W [K, N], Y [B, N]
//! weight gradient  dW = Xᵀ·dY
//! input gradient   dX = dY·Wᵀ           not for the network's first layer
//! ```
//!
//! On a device X, W and dY are integers with one scale each, and dY is quantized once: the same
//! integers enter dX and dW. The bias and its gradient Σ_rows dY stay in f32 on the host.

mod narrowed;
mod unquantized;

use crate::backend::{Mode, Pass, Product, ProductError};
use crate::layers::Site;
use crate::layers::bias::{add_bias, bias_gradient};
use crate::layers::cosine::Cosine;
use crate::layers::prunable::{Domain, Groups, MaskPattern, Prunable};
use crate::quant::{Quantized, quantize_gradient};
use crate::random::{Purpose, Stream};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::gemm;
use crate::tensor::{Mask, Parameter, Slot, reshape, slice, slice_mut};
use narrowed::Narrowed;
use ndarray::{Array2, ArrayView2};
use tandem_driver::{Format, Operand, ResultFormat, Sparsity, Window};

/// X.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Rows for the float reference.
    Real(ArrayView2<'a, f32>),
    /// Rows for a device: integers and their scale.
    Rows(Operand<'a>, f32),
    /// Images for a device and the window that slides over them: integers and their scale.
    Images(Operand<'a>, f32, Window),
}

/// dX.
#[derive(Clone, Debug)]
pub enum InputGradient {
    /// Rows from the float reference.
    Real(Array2<f32>),
    /// What X is, rows or images, from a device: integers and their scale.
    Integer(Array2<i64>, f32),
}

/// Weights, bias and mask of one contraction.
pub struct Affine {
    weight: Parameter,
    bias: Option<Parameter>,
    mask: Option<Mask>,
    pattern: Option<MaskPattern>,
    dense: Option<Array2<f32>>,
    groups: Groups,
    gradient_bits: u8,
    /// The domain of the mask, if it is not that of W.
    cosine: Option<Cosine>,
    /// W ⊙ mask, as the last forward product used it.
    effective: Array2<f32>,
    quantized: Quantized,
    dy: Array2<i32>,
    /// Widths of Y and of dX on the link.
    widths: [Narrowed; 2],
}

impl Affine {
    /// Initial weights are normal with variance 2/K, the bias is zero.
    ///
    /// # Source   He et al. 2015, "Delving deep into rectifiers", equation 10
    pub fn new(groups: Groups, bias: bool, site: &Site<'_>) -> Self {
        let (k, n) = (groups.contraction(), groups.outputs);
        let deviation = (2.0 / k as f64).sqrt() as f32;
        let normals = Stream::new(site.seed, Purpose::Initial, site.index, 0).normals(k * n);
        let value = Array2::from_shape_vec((k, n), normals).expect("k·n values") * deviation;
        let mut weight = Parameter::new("weight", value);
        weight.decay = true;
        Affine {
            effective: weight.value.clone(),
            weight,
            bias: bias.then(|| Parameter::new("bias", Array2::zeros((1, n)))),
            mask: None,
            pattern: None,
            dense: None,
            groups,
            gradient_bits: site.bits.gradients,
            cosine: None,
            quantized: Quantized::new(site.bits.weight_quantizer(k * n)),
            dy: Array2::default((0, 0)),
            widths: [
                Narrowed::new("output_shift", site.bits.results),
                Narrowed::new("input_gradient_shift", site.bits.input_gradients),
            ],
        }
    }

    /// The same with masks of the kernels' cosine transform.
    pub fn masked_in_cosine_domain(self) -> Self {
        Affine { cosine: Some(Cosine::new(self.groups.height)), ..self }
    }

    /// Y = X·W + b.
    ///
    /// # Errors   a product that failed
    pub fn forward(
        &mut self,
        x: Input<'_>,
        y: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        self.effective.assign(&self.weight.value);
        match (&self.mask, &self.cosine) {
            (None, _) => {}
            (Some(mask), None) => {
                self.effective.zip_mut_with(mask, |w, &kept| *w = if kept { *w } else { 0.0 });
            }
            (Some(mask), Some(cosine)) => {
                let mut c = cosine.forward(&self.weight.value.mapv(f64::from));
                c.zip_mut_with(mask, |c, &kept| *c = if kept { *c } else { 0.0 });
                self.effective = cosine.inverse(&c).mapv(|w| w as f32);
            }
        }
        match x {
            Input::Real(x) => {
                let product = gemm::product(x, self.effective.view());
                let product = slice(&product);
                add_bias(self.bias.as_ref(), slice_mut(y), |i| product[i]);
            }
            Input::Rows(_, scale) | Input::Images(_, scale, _) => {
                self.quantized.quantize(&self.effective, pass.mode);
                let sparsity = Sparsity::new(self.groups.selection(Product::Forward, self.pattern), None);
                let w = self.quantized.operand();
                let narrowed = &mut self.widths[0];
                let result = narrowed.format();
                let sums = match x {
                    Input::Images(x, _, window) => {
                        pass.convolve(Product::Forward, window, x, w, sparsity, result)?
                    }
                    Input::Rows(x, _) => pass.product(Product::Forward, x, w, sparsity, result)?,
                    Input::Real(_) => unreachable!("matched above"),
                };
                let scale = scale * self.quantized.scale() * narrowed.unit();
                if pass.mode == Mode::Train {
                    narrowed.follow(sums.magnitude_or);
                }
                let product = slice(&sums.y);
                add_bias(self.bias.as_ref(), slice_mut(y), |i| product[i] as f32 * scale);
            }
        }
        Ok(())
    }

    /// Sets the gradients of weights and bias, and returns dX if it is wanted. Of masked weights that have
    /// a pattern no gradient is computed, unless the dense one is wanted.
    ///
    /// `x` is what [`forward`](Self::forward) had.
    ///
    /// # Errors   a product that failed
    pub fn backward(
        &mut self,
        x: Input<'_>,
        dy: &Array2<f32>,
        wanted: bool,
        pass: &mut Pass<'_>,
    ) -> Result<Option<InputGradient>, ProductError> {
        let (k, n) = self.weight.value.dim();
        let dy = slice(dy);
        let rows = dy.len() / n;
        bias_gradient(self.bias.as_mut(), dy);
        let dx = match x {
            Input::Real(x) => {
                let dy = ArrayView2::from_shape((rows, n), dy).expect("rows·n values");
                self.weight.gradient = gemm::product(x.t(), dy);
                let rows = || InputGradient::Real(gemm::product(dy, self.effective.t()));
                wanted.then(rows)
            }
            Input::Rows(_, x_scale) | Input::Images(_, x_scale, _) => {
                reshape(&mut self.dy, rows, n);
                let rounding = pass.rounding();
                let scale = quantize_gradient(dy, self.gradient_bits, &rounding, slice_mut(&mut self.dy));
                let dy = Operand::new(self.dy.view(), Format::signed(self.gradient_bits));
                let pattern = self.groups.selection(Product::WeightGradient, self.pattern);
                let sparsity = match (pattern, &self.mask, &self.dense) {
                    (Some(pattern), Some(mask), None) => Sparsity::Results(pattern, mask.view()),
                    _ => Sparsity::Dense,
                };
                let dw = match x {
                    Input::Images(x, _, window) => {
                        pass.convolve(Product::WeightGradient, window, x, dy, sparsity, ResultFormat::Full)?
                    }
                    Input::Rows(x, _) => {
                        let xt = Operand::new(x.values.reversed_axes(), x.format);
                        pass.product(Product::WeightGradient, xt, dy, sparsity, ResultFormat::Full)?
                    }
                    Input::Real(_) => unreachable!("matched above"),
                };
                scale_into(slice(&dw.y), x_scale * scale, self.weight.gradients_mut());
                let gradient = slice_mut(&mut self.weight.gradient);
                self.quantized.straight_through(slice(&self.effective), gradient);
                let scale = scale * self.quantized.scale();
                let pattern = self.groups.selection(Product::InputGradient, self.pattern);
                let sparsity = Sparsity::new(pattern, None);
                let w = self.quantized.operand();
                let narrowed = &mut self.widths[1];
                let result = narrowed.format();
                let sums = match x {
                    _ if !wanted => None,
                    Input::Images(x, _, window) => {
                        let shape = (x.values.nrows(), window.places() * n);
                        let values =
                            dy.values.into_shape_with_order(shape).expect("positions·outputs values");
                        let dy = Operand::new(values, dy.format);
                        Some(pass.convolve(Product::InputGradient, window, dy, w, sparsity, result)?)
                    }
                    Input::Rows(..) => {
                        let wt = Operand { values: w.values.reversed_axes(), ..w };
                        Some(pass.product(Product::InputGradient, dy, wt, sparsity, result)?)
                    }
                    Input::Real(_) => unreachable!("matched above"),
                };
                sums.map(|sums| {
                    let scale = scale * narrowed.unit();
                    narrowed.follow(sums.magnitude_or);
                    InputGradient::Integer(sums.y, scale)
                })
            }
        };
        debug_assert_eq!(self.weight.gradient.dim(), (k, n));
        if let Some(dense) = &mut self.dense {
            dense.assign(&self.weight.gradient);
        }
        if let (Some(mask), None) = (&self.mask, &self.cosine) {
            self.weight.gradient.zip_mut_with(mask, |g, &kept| *g = if kept { *g } else { 0.0 });
        }
        Ok(dx)
    }

    /// The pattern of its mask.
    pub fn pattern(&self) -> Option<MaskPattern> {
        self.pattern
    }

    /// Its state.
    pub fn slots(&mut self) -> Vec<Slot<'_>> {
        let shape = self.weight.value.dim();
        let mut slots = vec![Slot::Parameter(&mut self.weight)];
        slots.extend(self.bias.iter_mut().map(Slot::Parameter));
        slots.extend(self.quantized.slots());
        slots.extend(self.widths.iter_mut().filter_map(Narrowed::slot));
        slots.push(Slot::Mask { name: "weight_mask", shape, mask: &mut self.mask });
        slots
    }
}

/// `out` = integers · scale, in f32.
pub(crate) fn scale_into(integers: &[i64], scale: f32, out: &mut [f32]) {
    for_blocks(out, BLOCK, |start, out| {
        for (o, &q) in out.iter_mut().zip(&integers[start..]) {
            *o = q as f32 * scale;
        }
    });
}

impl Prunable for Affine {
    fn weight(&self) -> &Parameter {
        &self.weight
    }

    fn weight_mut(&mut self) -> &mut Parameter {
        &mut self.weight
    }

    fn domain(&self) -> Domain {
        if self.cosine.is_some() { Domain::Cosine } else { Domain::Real }
    }

    fn cosine(&self) -> Option<&Cosine> {
        self.cosine.as_ref()
    }

    fn coefficients(&self) -> Array2<f64> {
        let weights = self.weight.value.mapv(f64::from);
        self.cosine.as_ref().map_or_else(|| weights.clone(), |cosine| cosine.forward(&weights))
    }

    fn rings(&self) -> Vec<usize> {
        self.cosine.as_ref().map(Cosine::rings).unwrap_or_default()
    }

    fn groups(&self) -> Groups {
        self.groups
    }

    fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    fn set_mask(&mut self, mask: Option<Mask>, pattern: Option<MaskPattern>) {
        if let Some(mask) = &mask {
            assert_eq!(mask.dim(), self.weight.value.dim(), "shape of a mask");
        }
        (self.mask, self.pattern) = (mask, pattern);
    }

    fn want_dense_gradient(&mut self, wanted: bool) {
        let shape = self.weight.value.dim();
        self.dense = wanted.then(|| self.dense.take().unwrap_or_else(|| Array2::zeros(shape)));
    }

    fn dense_gradient(&self) -> Option<&Array2<f32>> {
        self.dense.as_ref()
    }
}
