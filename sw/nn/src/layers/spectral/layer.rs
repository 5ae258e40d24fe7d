//! A layer whose products run in the frequency domain, on the float engine or on a device.
//!
//! ```text
//! x ─ quantize in space ─ FFT ─ quantize by rings ─► X̂    Ŵ: see super::weights, quantized by rings
//! Ŷ = X̂·A, a product a bin ─ 16 bits ─ inverse FFT ─► y
//! dY ─ quantize in space, stochastically ─ FFT ─ quantize by rings, stochastically ─► dŶ: in dX̂ = dŶ·Aᴴ and dŴ alike
//! ```

use super::unquantized::UnquantizedSpectral;
use super::weights::SpectralWeights;
use crate::backend::{Mode, Pass, Product, ProductError};
use crate::layers::bias::{add_bias, bias_gradient};
use crate::layers::prunable::{Groups, Prunable};
use crate::layers::unquantized::Unquantized;
use crate::layers::{Layer, Site, Tape};
use crate::quant::gradient::{Gradient, GradientKind, Purpose};
use crate::quant::{Quantized, Target};
use crate::spectral::bins::Bin;
use crate::spectral::frame::Frame;
use crate::spectral::hermitian::{Layout, Spectra};
use crate::spectral::power::Power;
use crate::spectral::quantize::{
    forward_steps, inverse_steps, quantize, ring_maxima, ring_scales, to_unit, unit_shift,
};
use crate::spectral::reference::Reference;
use crate::tensor::{Buffer, Parameter, Slot, reshape, slice, slice_mut};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex;
use tandem_driver::{Format, Integer, Integers, Operand, ResultFormat, Sparsity, with_integers};

/// Share of a new batch's maximum in a ring's running mean.
const MOMENTUM: f32 = 0.1;

/// A layer that runs.
pub struct SpectralLayer {
    frame: Frame,
    reference: Reference,
    weights: SpectralWeights,
    bias: Option<Parameter>,
    x: Quantized,
    /// Running maxima of X̂ by rings, for evaluation.
    maxima: Buffer,
    spectra_bits: u8,
    gradient: &'static GradientKind,
    gradient_bits: u8,
    activation_shift: i32,
    /// X̂ of the float engine.
    reals: Spectra<f64>,
    /// X̂ and its scales, by rings.
    inputs: (Vec<Array2<i32>>, Vec<f32>),
    /// A and its scales, by rings.
    matrices: (Vec<Array2<i32>>, Vec<f32>),
    dy: Array2<i32>,
}

impl SpectralLayer {
    /// A layer with these weights, and a bias of so many values.
    pub fn new(frame: Frame, weights: SpectralWeights, bias: Option<usize>, site: &Site<'_>) -> Self {
        let format = site.bits.input_format(site.inputs[0]);
        let rings = weights.bins().rings();
        SpectralLayer {
            reference: Reference::new(frame),
            frame,
            weights,
            bias: bias.map(|n| Parameter::new("bias", Array2::zeros((1, n)))),
            x: Quantized::new(site.bits.input_quantizer(site.inputs[0])),
            maxima: Buffer::new("spectrum_max", Array2::zeros((1, rings))),
            spectra_bits: site.bits.spectra,
            gradient: site.bits.gradient_quantizer,
            gradient_bits: site.bits.gradients,
            activation_shift: unit_shift(format),
            reals: vec![],
            inputs: (vec![], vec![]),
            matrices: (vec![], vec![]),
            dy: Array2::default((0, 0)),
        }
    }

    /// The groups that a product of a bin sees: rows (part, channel), columns (part, output).
    fn groups(&self) -> Groups {
        Groups {
            height: 2,
            width: 1,
            channels: self.frame.channels(),
            outputs: self.frame.outputs(),
            blocks: 1,
        }
    }

    /// The scales of X̂: of this batch in training, of the running maxima in evaluation.
    fn input_scales(&mut self, spectra: &Spectra<f32>, mode: Mode) -> Vec<f32> {
        let running = slice_mut(&mut self.maxima.value);
        let mut maxima = ring_maxima(self.weights.bins(), spectra);
        for (now, running) in maxima.iter_mut().zip(running) {
            match mode {
                Mode::Evaluate if *running > 0.0 => *now = *running,
                Mode::Evaluate => {}
                Mode::Train if *running > 0.0 => *running += MOMENTUM * (*now - *running),
                Mode::Train => *running = *now,
            }
        }
        ring_scales(&maxima, self.spectra_bits)
    }

    /// Spectra of integer planes on the FFT unit.
    fn spectra(
        &self,
        product: Product,
        layout: Layout,
        (scale, shift): (f32, i32),
        cut: impl Fn(usize, &mut [i32]) + Sync,
        pass: &mut Pass<'_>,
    ) -> Result<Spectra<f32>, ProductError> {
        let z = layout.pack(|example, planes| {
            cut(example, planes);
            planes.iter_mut().for_each(|v| *v <<= shift);
        });
        let result = pass.transform(product, z.view(), self.frame.points(), false)?;
        let steps = forward_steps(&result.exponents, scale, shift);
        let value = |transform: usize, v: i32| v as f32 * steps[transform];
        let weights = &self.weights;
        let wanted = |bin: usize| weights.wants_dense() || weights.is_active(bin);
        Ok(layout.separate(weights.bins(), &result.y, value, wanted))
    }

    /// Planes of spectra, by the FFT unit, put together by `join`.
    fn planes(
        &self,
        product: Product,
        layout: Layout,
        spectra: &Spectra<f32>,
        result: &mut Array2<f32>,
        join: impl Fn(&[f32], &mut [f32]) + Sync,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let (z, scales) = to_unit(&layout.combine(self.weights.bins(), spectra));
        let answer = pass.transform(product, z.view(), self.frame.points(), true)?;
        let steps = inverse_steps(&answer.exponents, &scales, layout.points);
        layout.unpack(&answer.y, |transform, v| v as f32 * steps[transform], result, join);
        Ok(())
    }

    fn operand<'a>(&self, values: ArrayView2<'a, i32>) -> Operand<'a> {
        Operand::new(values, Format::signed(self.spectra_bits))
    }

    fn forward_on_device(
        &mut self,
        x: &Array2<f32>,
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        self.x.quantize(x, None, pass.moment());
        let (frame, features) = (self.frame, x.ncols());
        let spectra = {
            let integers = self.x.integers();
            let integers = slice(&integers);
            let cut =
                |e: usize, planes: &mut [i32]| frame.cut_input(&integers[e * features..][..features], planes);
            let scale = (self.x.scales().one(), self.activation_shift);
            self.spectra(Product::Forward, frame.input_layout(x.nrows()), scale, cut, pass)?
        };
        let scales = self.input_scales(&spectra, pass.mode);
        self.inputs = (quantize(self.weights.bins(), &spectra, &scales, self.spectra_bits, None), scales);
        self.quantize_weights(pass)?;
        let mut products = Vec::with_capacity(spectra.len());
        let sparsity = Sparsity::new(self.groups().selection(Product::Forward, self.weights.pattern()), None);
        for (i, bin) in self.weights.bins().iter().enumerate() {
            if !self.weights.is_active(i) {
                products.push(Array2::default((0, 0)));
                continue;
            }
            let (x, a) = (self.operand(self.inputs.0[i].view()), self.operand(self.matrices.0[i].view()));
            let scale = self.inputs.1[bin.ring] * self.matrices.1[bin.ring];
            products
                .push(scaled(pass.product(Product::Forward, x, a, sparsity, ResultFormat::Full)?.y, scale));
        }
        let layout = frame.output_layout(x.nrows());
        let join = |planes: &[f32], y: &mut [f32]| frame.join_output(planes, y);
        self.planes(Product::Forward, layout, &products, output, join, pass)?;
        if let Some(bias) = &self.bias {
            for row in slice_mut(output).chunks_exact_mut(bias.values().len()) {
                row.iter_mut().zip(bias.values()).for_each(|(y, b)| *y += b);
            }
        }
        Ok(())
    }

    fn quantize_weights(&mut self, pass: &mut Pass<'_>) -> Result<(), ProductError> {
        let spectrum = self.weights.device_spectrum(pass)?;
        let (bins, contraction) = (self.weights.bins(), self.frame.contraction());
        let size = contraction.channels * contraction.outputs;
        let real = |(bin, w): (&crate::spectral::bins::Bin, &[Complex<f32>])| contraction.real(bin, w);
        let matrices: Spectra<f32> = bins.iter().zip(slice(&spectrum).chunks_exact(size)).map(real).collect();
        let scales = ring_scales(&ring_maxima(bins, &matrices), self.spectra_bits);
        self.matrices = (quantize(bins, &matrices, &scales, self.spectra_bits, None), scales);
        Ok(())
    }

    fn backward_on_device(
        &mut self,
        tape: Tape<'_>,
        dx: Option<&mut Array2<f32>>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let frame = self.frame;
        let (examples, features) = tape.dy.dim();
        reshape(&mut self.dy, examples, features);
        let dy = Gradient { v: slice(tape.dy), columns: features, images: examples };
        let (bits, q) = (self.gradient_bits, Target::Words(slice_mut(&mut self.dy)));
        let scale = (self.gradient.quantize)(dy, bits, Purpose::Both, &pass.rounding(), q).one();
        let shift = unit_shift(self.gradient.format(bits));
        let spectra = {
            let integers = slice(&self.dy);
            let cut = |e: usize, planes: &mut [i32]| {
                frame.cut_gradient(&integers[e * features..][..features], planes)
            };
            self.spectra(Product::WeightGradient, frame.output_layout(examples), (scale, shift), cut, pass)?
        };
        let scales = ring_scales(&ring_maxima(self.weights.bins(), &spectra), self.spectra_bits);
        let rounding = pass.spectrum_rounding();
        let dy = quantize(self.weights.bins(), &spectra, &scales, self.spectra_bits, Some(&rounding));
        if let Some(dx) = dx {
            self.input_gradient(&dy, &scales, tape.inputs[0], dx, pass)?;
        }
        self.weight_gradient(&dy, &scales, pass)
    }

    fn input_gradient(
        &mut self,
        dy: &[Array2<i32>],
        scales: &[f32],
        x: &Array2<f32>,
        dx: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let frame = self.frame;
        let pattern = self.groups().selection(Product::InputGradient, self.weights.pattern());
        let mut products = Vec::with_capacity(dy.len());
        for (i, bin) in self.weights.bins().iter().enumerate() {
            if !self.weights.is_active(i) {
                products.push(Array2::default((0, 0)));
                continue;
            }
            let transposed = self.operand(self.matrices.0[i].t());
            let scale = scales[bin.ring] * self.matrices.1[bin.ring];
            let dy = self.operand(dy[i].view());
            let product = pass
                .product(
                    Product::InputGradient,
                    dy,
                    transposed,
                    Sparsity::new(pattern, None),
                    ResultFormat::Full,
                )?
                .y;
            products.push(scaled(product, scale));
        }
        let layout = frame.input_layout(x.nrows());
        let join = |planes: &[f32], dx: &mut [f32]| frame.join_input_gradient(planes, dx);
        self.planes(Product::InputGradient, layout, &products, dx, join, pass)?;
        self.x.straight_through(x, None, slice_mut(dx));
        Ok(())
    }

    fn weight_gradient(
        &mut self,
        dy: &[Array2<i32>],
        scales: &[f32],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let contraction = self.frame.contraction();
        let size = contraction.channels * contraction.outputs;
        let pattern = self.groups().selection(Product::WeightGradient, self.weights.pattern());
        let dense = self.weights.wants_dense();
        let groups = Prunable::groups(&self.weights);
        let shape = (groups.contraction(), groups.outputs);
        let mut gradient = Array2::from_elem(shape, Complex::new(0.0, 0.0));
        let rows = slice_mut(&mut gradient).chunks_exact_mut(size);
        for ((i, bin), out) in self.weights.bins().iter().enumerate().zip(rows) {
            if !dense && !self.weights.is_active(i) {
                continue;
            }
            let kept = self.weights.bin_mask(i).map(|mask| contraction.real_mask(bin, mask));
            let sparsity = match (pattern, &kept) {
                (Some(pattern), Some(kept)) if !dense => Sparsity::Results(pattern, kept.view()),
                _ => Sparsity::Dense,
            };
            let (x, dy) = (self.operand(self.inputs.0[i].t()), self.operand(dy[i].view()));
            let product = pass.product(Product::WeightGradient, x, dy, sparsity, ResultFormat::Full)?.y;
            let scale = self.inputs.1[bin.ring] * scales[bin.ring];
            contraction.gradient(bin, &scaled(product, scale), out);
        }
        self.weights.set_device_gradient(gradient, pass)
    }
}

/// Integers times a scale, in f32.
fn scaled(integers: Integers, scale: f32) -> Array2<f32> {
    with_integers!(integers, all => all.mapv(|v| v.to_f32() * scale))
}

impl Layer for SpectralLayer {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        if !pass.is_float() {
            return self.forward_on_device(inputs[0], output, pass);
        }
        let mut spectrum = self.weights.spectrum();
        self.weights.apply_mask(&mut spectrum);
        let (y, spectra) = self.reference.forward(&inputs[0].mapv(f64::from), &spectrum);
        self.reals = spectra;
        add_bias(self.bias.as_ref(), slice_mut(output), (slice(&y), &[1.0]), |value, _| value as f32);
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        bias_gradient(self.bias.as_mut(), slice(tape.dy));
        if !pass.is_float() {
            return self.backward_on_device(tape, dx[0].as_deref_mut(), pass);
        }
        let mut spectrum = self.weights.spectrum();
        self.weights.apply_mask(&mut spectrum);
        let dy = tape.dy.mapv(f64::from);
        let (input, gradient) = self.reference.backward(&self.reals, &dy, &spectrum, dx[0].is_some());
        self.weights.set_gradient(gradient);
        if let (Some(dx), Some(input)) = (&mut dx[0], input) {
            dx.zip_mut_with(&input, |dx, v| *dx = *v as f32);
        }
        Ok(())
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        let mut slots = self.weights.slots();
        slots.extend(self.bias.iter_mut().map(Slot::Parameter));
        slots.extend(self.x.slots());
        slots.push(Slot::Buffer(&mut self.maxima));
        slots
    }

    fn prunables(&mut self) -> Vec<&mut dyn Prunable> {
        vec![&mut self.weights]
    }

    /// Of X̂ as it was multiplied. Without dense gradients bins that keep nothing have none.
    fn input_power(
        &self,
        inputs: &[&Array2<f32>],
        pass: &mut Pass<'_>,
    ) -> Result<Option<Power>, ProductError> {
        let (bins, channels, images) = (self.weights.bins(), self.frame.channels(), inputs[0].nrows());
        let wide = |(bin, x): (&Bin, &Array2<i32>)| {
            let scale = f64::from(self.inputs.1[bin.ring]);
            x.mapv(|v| f64::from(v) * scale)
        };
        let power = |spectra: &Spectra<f64>| Power::of_spectra(bins.clone(), spectra, channels, images);
        Ok(Some(match pass.is_float() {
            true => power(&self.reals),
            false => power(&bins.iter().zip(&self.inputs.0).map(wide).collect()),
        }))
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(UnquantizedSpectral::new(self.reference.clone(), &self.weights, self.bias.as_ref())))
    }
}
