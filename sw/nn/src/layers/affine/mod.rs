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
//!
//! ```text
//! W has a scale s_o an output channel     Y[·, o] = s_o·(X·Q)[·, o];   dY[·, o]·s_o is quantized: dX = (dY∘s)·Qᵀ, dW[·, o] / s_o
//! gradients by axis                       integers of their own for dX, a scale an image, and for dW, a scale an output channel
//! ```
//! A channel of s_o = 0 has integers 0, which add nothing to dX: it takes the largest scale instead, so that its dW is not lost.
//!
//! Of a convolution in blocks ([`blocks`]) K is that of one block, N counts the outputs of all, and images of the float reference are those of
//! the first block, then those of the second, and so on.

pub mod blocks;
mod narrowed;
mod unquantized;

use crate::backend::{Mode, Pass, Product, ProductError};
use crate::layers::bias::{add_bias, bias_gradient};
use crate::layers::cosine::Cosine;
use crate::layers::prunable::{Domain, Groups, MaskPattern, Prunable};
use crate::layers::{Site, moves_as_codes};
use crate::quant::gradient::{Gradient, GradientKind, Purpose as Use};
use crate::quant::{Quantized, Scales, Storage};
use crate::random::{Purpose, Stream};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{Mask, Parameter, Slot, keep, slice, slice_mut};
use crate::tensor::{conv, gemm};
use blocks::Convolution;
use narrowed::Narrowed;
use ndarray::{Array2, ArrayView2, s};
use std::borrow::Cow;
use tandem_driver::{Integer, Integers, Operand, ResultFormat, Sparsity, Window, with_integers};

/// X.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Rows for the float reference.
    Real(ArrayView2<'a, f32>),
    /// Images for the float reference, all of the first block, then all of the second, and the window of a block.
    Pixels(&'a [f32], Window),
    /// Rows for a device: integers and their scale.
    Rows(Operand<'a>, f32),
    /// Images for a device and the window that slides over them: integers and their scale.
    Images(Operand<'a>, f32, Window),
}

/// dX.
#[derive(Clone, Debug)]
pub enum InputGradient {
    /// What X is, rows or images, from the float reference.
    Real(Array2<f32>),
    /// What X is, rows or images, from a device: integers and their scales.
    Integer(Integers, Scales),
}

/// Weights, bias and mask of one contraction.
pub struct Affine {
    weight: Parameter,
    bias: Option<Parameter>,
    mask: Option<Mask>,
    pattern: Option<MaskPattern>,
    dense: Option<Array2<f32>>,
    groups: Groups,
    gradient: &'static GradientKind,
    gradient_bits: u8,
    /// The domain of the mask, if it is not that of W.
    cosine: Option<Cosine>,
    /// W ⊙ mask, as the last forward product used it.
    effective: Array2<f32>,
    quantized: Quantized,
    dy: Storage,
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
            gradient: site.bits.gradient_quantizer,
            gradient_bits: site.bits.gradients,
            cosine: None,
            quantized: Quantized::new(site.bits.weight_quantizer(k, n)),
            dy: Storage::new(site.bits.gradient_format()),
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
        match (&self.mask, &self.cosine) {
            (Some(mask), Some(cosine)) => {
                let mut c = cosine.forward(&self.weight.value.mapv(f64::from));
                keep(&mut c, mask);
                self.effective = cosine.inverse(&c).mapv(|w| w as f32);
            }
            (mask, _) => copy_kept(&self.weight.value, mask.as_ref(), &mut self.effective),
        }
        match x {
            Input::Real(_) | Input::Pixels(..) => {
                let product = self.real_forward(x);
                let product = slice(&product);
                add_bias(self.bias.as_ref(), slice_mut(y), (product, &[1.0]), |value, _| value);
            }
            Input::Rows(_, scale) | Input::Images(_, scale, _) => {
                self.quantized.quantize(&self.effective, kept(&self.mask, &self.cosine), pass.moment());
                let sparsity = Sparsity::new(self.groups.selection(Product::Forward, self.pattern), None);
                let w = coded(self.quantized.operand(), &x, self.pattern);
                let narrowed = &mut self.widths[0];
                let result = narrowed.format();
                let sums = match x {
                    Input::Images(x, _, window) => {
                        let blocks = self.groups.blocks;
                        let product = Convolution { product: Product::Forward, window, blocks, result };
                        product.run(pass, x, w, sparsity)?
                    }
                    Input::Rows(x, _) => pass.product(Product::Forward, x, w, sparsity, result)?,
                    Input::Real(_) | Input::Pixels(..) => unreachable!("matched above"),
                };
                let of = |weights: f32| scale * weights * narrowed.unit();
                let (bias, y) = (self.bias.as_ref(), slice_mut(y));
                let scales: Vec<f32> = match self.quantized.scales() {
                    Scales::One(s) => vec![of(*s)],
                    Scales::Columns(all) | Scales::Rows(all) => all.iter().map(|s| of(*s)).collect(),
                };
                with_integers!(&sums.y, product => {
                    add_bias(bias, y, (slice(product), &scales), |sum, scale| sum.to_f32() * scale);
                });
                if pass.mode == Mode::Train {
                    narrowed.follow(sums.magnitude_or);
                }
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
        let (rows, blocks) = (dy.len() / n, self.groups.blocks);
        bias_gradient(self.bias.as_mut(), dy);
        let dx = match x {
            Input::Real(_) | Input::Pixels(..) => {
                let dy = ArrayView2::from_shape((rows, n), dy).expect("rows·n values");
                self.real_backward(x, dy, wanted).map(InputGradient::Real)
            }
            Input::Rows(_, x_scale) | Input::Images(_, x_scale, _) => {
                let images = match x {
                    Input::Images(x, ..) => x.values.nrows(),
                    _ => rows,
                };
                let unfolded = Gradient { v: dy, columns: n, images };
                // the scales of channels, in dY, and what is left for dX
                let (folding, weight_scale) = match self.quantized.scales() {
                    Scales::One(s) => (None, *s),
                    Scales::Columns(all) | Scales::Rows(all) => (Some(nonzero(all)), 1.0),
                };
                let folded = match &folding {
                    Some(factors) => Cow::Owned(fold(dy, factors)),
                    None => Cow::Borrowed(dy),
                };
                let folded = Gradient { v: &folded, ..unfolded };
                let (kind, bits) = (self.gradient, self.gradient_bits);
                let q = self.dy.resized(rows, n);
                let (dw_scales, shared) = if kind.by_axis {
                    let scales = (kind.quantize)(unfolded, bits, Use::WeightGradient, &pass.rounding(), q);
                    (scales.times(x_scale), None)
                } else {
                    let scale = (kind.quantize)(folded, bits, Use::Both, &pass.rounding(), q).one();
                    let scales = match &folding {
                        None => Scales::One(x_scale * scale),
                        Some(all) => Scales::Columns(all.iter().map(|s| x_scale * scale / s).collect()),
                    };
                    (scales, Some(scale))
                };
                let format = kind.format(bits);
                let dy = Operand::new(self.dy.entries(), format);
                let pattern = self.groups.selection(Product::WeightGradient, self.pattern);
                let sparsity = match (pattern, &self.mask, &self.dense) {
                    (Some(pattern), Some(mask), None) => Sparsity::Results(pattern, mask.view()),
                    _ => Sparsity::Dense,
                };
                let dw = match x {
                    Input::Images(x, _, window) => {
                        let (product, result) = (Product::WeightGradient, ResultFormat::Full);
                        Convolution { product, window, blocks, result }.run(pass, x, dy, sparsity)?
                    }
                    Input::Rows(x, _) => {
                        let xt = Operand::new(x.values.reversed_axes(), x.format);
                        pass.product(Product::WeightGradient, xt, dy, sparsity, ResultFormat::Full)?
                    }
                    Input::Real(_) | Input::Pixels(..) => unreachable!("matched above"),
                };
                dw_scales.apply(&dw.y, self.weight.gradients_mut());
                let gradient = slice_mut(&mut self.weight.gradient);
                let mask = kept(&self.mask, &self.cosine);
                self.quantized.straight_through(&self.effective, mask, gradient);
                let dy_scales = match shared {
                    Some(scale) => Scales::One(scale * weight_scale),
                    None if !wanted => Scales::One(0.0),
                    None => {
                        let (rounding, q) = (pass.input_rounding(), self.dy.resized(rows, n));
                        (kind.quantize)(folded, bits, Use::InputGradient, &rounding, q).times(weight_scale)
                    }
                };
                let dy = Operand::new(self.dy.entries(), format);
                let pattern = self.groups.selection(Product::InputGradient, self.pattern);
                let sparsity = Sparsity::new(pattern, None);
                let w = coded(self.quantized.operand(), &x, self.pattern);
                let narrowed = &mut self.widths[1];
                let result = narrowed.format();
                let sums = match x {
                    _ if !wanted => None,
                    Input::Images(x, _, window) => {
                        let product = Product::InputGradient;
                        let shape = (x.values.nrows(), window.places() * n);
                        let dy = Operand::new(dy.values.reshaped(shape), dy.format);
                        Some(Convolution { product, window, blocks, result }.run(pass, dy, w, sparsity)?)
                    }
                    Input::Rows(..) => {
                        let wt = Operand { values: w.values.reversed_axes(), ..w };
                        Some(pass.product(Product::InputGradient, dy, wt, sparsity, result)?)
                    }
                    Input::Real(_) | Input::Pixels(..) => unreachable!("matched above"),
                };
                sums.map(|sums| {
                    let scales = dy_scales.times(narrowed.unit());
                    narrowed.follow(sums.magnitude_or);
                    InputGradient::Integer(sums.y, scales)
                })
            }
        };
        debug_assert_eq!(self.weight.gradient.dim(), (k, n));
        if let Some(dense) = &mut self.dense {
            dense.assign(&self.weight.gradient);
        }
        if let (Some(mask), None) = (&self.mask, &self.cosine) {
            keep(&mut self.weight.gradient, mask);
        }
        Ok(dx)
    }

    /// X·W of the float reference.
    fn real_forward(&self, x: Input<'_>) -> Array2<f32> {
        let (blocks, n) = (self.groups.blocks, self.groups.outputs);
        let (images, window) = match x {
            Input::Real(rows) => return gemm::product(rows, self.effective.view()),
            Input::Pixels(images, window) => (images, window),
            Input::Rows(..) | Input::Images(..) => unreachable!("integers are for a device"),
        };
        if blocks == 1 {
            return conv::forward(&window, images, self.effective.view());
        }
        let part = |(block, images): (usize, &[f32])| {
            let w = self.effective.slice(s![.., blocks::columns(n, blocks, block)]);
            conv::forward(&window, images, w)
        };
        let parts = images.chunks_exact(images.len() / blocks).enumerate().map(part);
        let stacked: Vec<f32> = parts.flat_map(Array2::into_iter).collect();
        let mut y = Array2::zeros((stacked.len() / n, n));
        blocks::merge(&stacked, blocks, n / blocks, slice_mut(&mut y));
        y
    }

    /// Xᵀ·dY, and dY·Wᵀ if it is wanted, of the float reference; images as they came in.
    fn real_backward(&mut self, x: Input<'_>, dy: ArrayView2<'_, f32>, wanted: bool) -> Option<Array2<f32>> {
        let Groups { blocks, outputs: n, .. } = self.groups;
        let (images, window) = match x {
            Input::Real(rows) => {
                self.weight.gradient = gemm::product(rows.t(), dy);
                return wanted.then(|| gemm::product(dy, self.effective.t()));
            }
            Input::Pixels(images, window) => (images, window),
            Input::Rows(..) | Input::Images(..) => unreachable!("integers are for a device"),
        };
        let mut dx = wanted.then(|| Array2::zeros((images.len() / window.features(), window.features())));
        for (block, own) in images.chunks_exact(images.len() / blocks).enumerate() {
            let columns = blocks::columns(n, blocks, block);
            let (dy, w) = (dy.slice(s![.., columns.clone()]), self.effective.slice(s![.., columns.clone()]));
            let dw = conv::weight_gradient(&window, own, dy);
            self.weight.gradient.slice_mut(s![.., columns]).assign(&dw);
            if let Some(dx) = &mut dx {
                let dx = &mut slice_mut(dx)[block * own.len()..][..own.len()];
                conv::input_gradient(&window, dy, w, dx);
            }
        }
        dx
    }

    /// The weights as they were quantized last.
    pub fn quantized(&self) -> &Quantized {
        &self.quantized
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

/// Weights with their table, if they may move as codes of it.
fn coded<'a>(w: Operand<'a>, x: &Input<'_>, pattern: Option<MaskPattern>) -> Operand<'a> {
    let rows = matches!(x, Input::Rows(..));
    Operand { codebook: w.codebook.filter(|_| moves_as_codes(rows, pattern)), ..w }
}

/// What is quantized of the weights: those that a mask keeps, or all, if it is of coefficients.
fn kept<'a>(mask: &'a Option<Mask>, cosine: &Option<Cosine>) -> Option<&'a Mask> {
    mask.as_ref().filter(|_| cosine.is_none())
}

/// `to` = `from`, 0 where a mask drops it.
fn copy_kept(from: &Array2<f32>, mask: Option<&Mask>, to: &mut Array2<f32>) {
    let (from, kept) = (slice(from), mask.map(slice));
    for_blocks(
        slice_mut(to),
        BLOCK,
        #[inline(always)]
        |start, to| {
            let from = &from[start..][..to.len()];
            match kept {
                None => to.copy_from_slice(from),
                Some(kept) => {
                    for ((to, &from), &kept) in to.iter_mut().zip(from).zip(&kept[start..]) {
                        *to = if kept { from } else { 0.0 };
                    }
                }
            }
        },
    );
}

/// The scales, with the largest one, or 1, in place of 0.
fn nonzero(scales: &[f32]) -> Vec<f32> {
    let largest = scales.iter().fold(0.0, |m: f32, s| m.max(*s));
    let other = if largest > 0.0 { largest } else { 1.0 };
    scales.iter().map(|&s| if s > 0.0 { s } else { other }).collect()
}

/// dY with column o times factor o.
fn fold(dy: &[f32], factors: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; dy.len()];
    for_blocks(&mut out, BLOCK, |start, out| {
        for (i, o) in out.iter_mut().enumerate() {
            *o = dy[start + i] * factors[(start + i) % factors.len()];
        }
    });
    out
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
