//! The weights of a spectral layer: parameter, spectrum, mask.
//!
//! ```text
//! support = points of the kernel   w is the parameter, Ŵ = mask ⊙ FFT(pad w), ∂L/∂w = crop IFFT(mask ⊙ ∂L/∂Ŵ)
//! support = all points             the half-spectrum Ŵ/√N is the parameter, its gradient mask ⊙ ĝ/√N
//! ```
//!
//! The latter is gradient descent on the N points of w themselves, in other coordinates: FFT/√N is unitary. (Of a bin
//! that stands for itself and its mirror image ĝ/√N is half of the derivative by the real and the imaginary part.)

use super::bins::Bins;
use super::frame::Frame;
use super::hermitian::{Layout, Spectra};
use super::quantize::{UNIT, power, to_unit};
use super::transform::Transform;
use crate::blocks::max_abs;
use crate::engine::{Pass, Product, ProductError};
use crate::layers::Site;
use crate::prunable::{Domain, Groups, Pattern, Prunable};
use crate::quant::uniform::round_nearest;
use crate::random::{Purpose, Stream};
use crate::tensor::{Mask, Parameter, Slot, slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;
use rustfft::num_traits::Float;

/// Where weights may differ from 0, in the space of the signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// At these points of a plane.
    Kernel(Vec<usize>),
    /// Everywhere.
    Points,
}

/// The weights of a spectral layer.
pub struct SpectralWeights {
    weight: Parameter,
    mask: Option<Mask>,
    pattern: Option<Pattern>,
    dense: Option<Array2<f32>>,
    support: Support,
    bins: Bins,
    transform: Transform,
    /// One row of channels · outputs planes.
    layout: Layout,
    groups: Groups,
}

impl SpectralWeights {
    /// Initial weights are normal with variance 2/`inputs` at the points of the kernel `places`, which are the
    /// support, or all points if `everywhere`.
    ///
    /// # Source   He et al. 2015, "Delving deep into rectifiers", equation 10
    pub fn new(frame: &Frame, places: Vec<usize>, everywhere: bool, inputs: usize, site: &Site<'_>) -> Self {
        let (channels, outputs) = (frame.channels(), frame.outputs());
        let (rows, bins) = (places.len() * channels, frame.bins());
        let deviation = (2.0 / inputs as f64).sqrt() as f32;
        let normals = Stream::new(site.seed, Purpose::Initial, site.index, 0).normals(rows * outputs);
        let value =
            Array2::from_shape_vec((rows, outputs), normals).expect("rows·outputs values") * deviation;
        let mut weights = SpectralWeights {
            weight: Parameter::new("weight", value),
            mask: None,
            pattern: None,
            dense: None,
            support: Support::Kernel(places),
            transform: Transform::new(frame.points()),
            layout: Layout { channels: channels * outputs, examples: 1, rows: 1, ..frame.input_layout(1) },
            groups: Groups { height: bins.len(), width: 1, channels, outputs },
            bins,
        };
        if everywhere {
            let spectrum = weights.spectrum();
            weights.support = Support::Points;
            let shape = (frame.points().count() * channels, outputs);
            weights.weight = Parameter::new("weight", Array2::zeros(shape));
            weights.weight.value =
                weights.real_rows(&spectrum.mapv(|v| Complex::new(v.re as f32, v.im as f32)));
        }
        weights.weight.decay = true;
        weights
    }

    /// Its bins.
    pub fn bins(&self) -> &Bins {
        &self.bins
    }

    /// The pattern of its mask.
    pub fn pattern(&self) -> Option<Pattern> {
        self.pattern
    }

    /// The mask of a bin's coefficients; `None` keeps all.
    ///
    /// # Shape    `[channels·outputs]`
    pub fn bin_mask(&self, bin: usize) -> Option<&[bool]> {
        let size = self.layout.channels;
        self.mask.as_ref().map(|mask| &slice(mask)[bin * size..][..size])
    }

    /// Whether a bin keeps any coefficient.
    pub fn is_active(&self, bin: usize) -> bool {
        self.bin_mask(bin).is_none_or(|mask| mask.contains(&true))
    }

    /// Ŵ without the mask, in f64.
    ///
    /// # Shape    `[bins·channels, outputs]`
    pub fn spectrum(&self) -> Array2<Complex<f64>> {
        match &self.support {
            Support::Points => self.scaled_rows().mapv(|v| Complex::new(f64::from(v.re), f64::from(v.im))),
            Support::Kernel(places) => {
                let w = self.weight.values();
                let mut z = self.layout.pack(|_, planes| self.pad(places, planes, |i| f64::from(w[i])));
                self.transform.forward(&mut z);
                self.coefficients_of(&self.layout.separate(&self.bins, &z, |_, v| v, |_| true))
            }
        }
    }

    /// Ŵ with the mask, as the FFT unit computes it from weights of 16 bits.
    ///
    /// # Shape    `[bins·channels, outputs]`
    /// # Errors   a transform that failed
    pub fn device_spectrum(&self, pass: &mut Pass<'_>) -> Result<Array2<Complex<f32>>, ProductError> {
        let mut spectrum = match &self.support {
            Support::Points => self.scaled_rows(),
            Support::Kernel(places) => {
                let w = self.weight.values();
                let scale = max_abs(w) / UNIT as f32;
                let mut q = vec![0; w.len()];
                round_nearest(w, scale, (-UNIT, UNIT), &mut q);
                let z = self.layout.pack(|_, planes| self.pad(places, planes, |i| q[i]));
                let result = pass.transform(Product::Forward, z.view(), self.bins.points(), false)?;
                let factors: Vec<f32> =
                    result.exponents.iter().map(|e| scale * power(i32::from(*e))).collect();
                let value = |transform: usize, v: i32| v as f32 * factors[transform];
                self.coefficients_of(&self.layout.separate(&self.bins, &result.y, value, |_| true))
            }
        };
        self.apply_mask(&mut spectrum);
        Ok(spectrum)
    }

    /// Zeroes what the mask does not keep.
    pub fn apply_mask<T: Float>(&self, spectrum: &mut Array2<Complex<T>>) {
        if let Some(mask) = &self.mask {
            let zero = Complex::new(T::zero(), T::zero());
            spectrum.zip_mut_with(mask, |w, &kept| *w = if kept { *w } else { zero });
        }
    }

    /// Sets the gradient from ∂L/∂Ŵ, on the host.
    pub fn set_gradient(&mut self, mut gradient: Array2<Complex<f64>>) {
        let narrow = |v: Complex<f64>| Complex::new(v.re as f32, v.im as f32);
        self.keep_dense(|| gradient.mapv(|v| v.norm_sqr().sqrt() as f32));
        self.apply_mask(&mut gradient);
        match &self.support {
            Support::Points => self.weight.gradient = self.gradient_rows(&gradient.mapv(narrow)),
            Support::Kernel(places) => {
                let mut z = self.layout.combine(&self.bins, &self.spectra_of(&gradient));
                self.transform.inverse(&mut z);
                let planes = real_planes(&z);
                let places = places.clone();
                self.crop(&places, |at| planes[at] as f32);
            }
        }
    }

    /// Sets the gradient from ∂L/∂Ŵ, with the inverse transform on the FFT unit.
    ///
    /// # Errors   a transform that failed
    pub fn set_device_gradient(
        &mut self,
        mut gradient: Array2<Complex<f32>>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        self.keep_dense(|| gradient.mapv(|v| v.norm_sqr().sqrt()));
        self.apply_mask(&mut gradient);
        match &self.support {
            Support::Points => self.weight.gradient = self.gradient_rows(&gradient),
            Support::Kernel(places) => {
                let (z, scales) = to_unit(&self.layout.combine(&self.bins, &self.spectra_of(&gradient)));
                let result = pass.transform(Product::WeightGradient, z.view(), self.bins.points(), true)?;
                let points = self.layout.points;
                let factor = |(e, s): (&u8, &f32)| s * power(i32::from(*e)) / points as f32;
                let factors: Vec<f32> = result.exponents.iter().zip(&scales).map(factor).collect();
                let planes = real_planes(&result.y);
                let places = places.clone();
                self.crop(&places, |at| planes[at] as f32 * factors[at / (2 * points)]);
            }
        }
        Ok(())
    }

    fn keep_dense(&mut self, magnitudes: impl FnOnce() -> Array2<f32>) {
        if self.dense.is_some() {
            self.dense = Some(magnitudes());
        }
    }

    /// Whether the next gradient is wanted of all coefficients.
    pub fn wants_dense(&self) -> bool {
        self.dense.is_some()
    }

    /// Puts the kernel's weights into their planes.
    fn pad<T: Copy>(&self, places: &[usize], planes: &mut [T], weight: impl Fn(usize) -> T) {
        let (width, points) = (self.layout.channels, self.layout.points);
        for i in 0..places.len() * width {
            planes[i % width * points + places[i / width]] = weight(i);
        }
    }

    /// The transpose of [`pad`](Self::pad), into the gradient.
    fn crop(&mut self, places: &[usize], value: impl Fn(usize) -> f32) {
        let (width, points) = (self.layout.channels, self.layout.points);
        for (i, g) in self.weight.gradients_mut().iter_mut().enumerate() {
            *g = value(i % width * points + places[i / width]);
        }
    }

    /// The parameter's rows as coefficients, times √N.
    fn scaled_rows(&self) -> Array2<Complex<f32>> {
        let root = (self.layout.points as f32).sqrt();
        let (width, w) = (self.layout.channels, self.weight.values());
        Array2::from_shape_fn(self.shape(), |(row, output)| {
            let (i, at) =
                (row / self.groups.channels, row % self.groups.channels * self.groups.outputs + output);
            let (start, real) = (self.bins.start(i) * width + at, self.is_real(i));
            Complex::new(w[start] * root, if real { 0.0 } else { w[start + width] * root })
        })
    }

    /// Coefficients over √N as rows of the parameter: the inverse of [`scaled_rows`](Self::scaled_rows).
    fn real_rows(&self, spectrum: &Array2<Complex<f32>>) -> Array2<f32> {
        let root = (self.layout.points as f32).sqrt();
        let (width, mut rows) = (self.layout.channels, Array2::zeros(self.weight.value.dim()));
        let out = slice_mut(&mut rows);
        for (i, coefficients) in slice(spectrum).chunks_exact(width).enumerate() {
            let start = self.bins.start(i) * width;
            for (at, v) in coefficients.iter().enumerate() {
                out[start + at] = v.re / root;
                if !self.is_real(i) {
                    out[start + width + at] = v.im / root;
                }
            }
        }
        rows
    }

    fn gradient_rows(&self, gradient: &Array2<Complex<f32>>) -> Array2<f32> {
        self.real_rows(gradient)
    }

    fn is_real(&self, bin: usize) -> bool {
        self.bins.iter().nth(bin).expect("a bin").is_real()
    }

    fn shape(&self) -> (usize, usize) {
        (self.groups.contraction(), self.groups.outputs)
    }

    fn coefficients_of<T: Float>(&self, spectra: &Spectra<T>) -> Array2<Complex<T>> {
        let width = self.layout.channels;
        let bins = self.bins.iter().zip(spectra);
        let all = bins.flat_map(|(bin, s)| {
            (0..width)
                .map(|i| Complex::new(s[[0, i]], if bin.is_real() { T::zero() } else { s[[0, width + i]] }))
        });
        Array2::from_shape_vec(self.shape(), all.collect()).expect("a coefficient a bin and weight")
    }

    fn spectra_of<T: Float>(&self, spectrum: &Array2<Complex<T>>) -> Spectra<T> {
        let width = self.layout.channels;
        let bins = self.bins.iter().zip(slice(spectrum).chunks_exact(width));
        let of = |(bin, w): (&super::bins::Bin, &[Complex<T>])| {
            let part = |i: usize| if i < width { w[i].re } else { w[i - width].im };
            Array2::from_shape_fn((1, bin.parts() * width), |(_, i)| part(i))
        };
        bins.map(of).collect()
    }

    /// Its state.
    pub fn slots(&mut self) -> Vec<Slot<'_>> {
        let shape = self.shape();
        let mask = Slot::Mask { name: "weight_mask", shape, mask: &mut self.mask };
        vec![Slot::Parameter(&mut self.weight), mask]
    }
}

/// The planes in transforms, one after the other.
fn real_planes<T: Copy>(z: &Array2<Complex<T>>) -> Vec<T> {
    let parts = |row: ndarray::ArrayView1<'_, Complex<T>>| {
        let (re, im): (Vec<T>, Vec<T>) = row.iter().map(|v| (v.re, v.im)).unzip();
        [re, im].concat()
    };
    z.rows().into_iter().flat_map(parts).collect()
}

impl Prunable for SpectralWeights {
    fn weight(&self) -> &Parameter {
        &self.weight
    }

    fn weight_mut(&mut self) -> &mut Parameter {
        &mut self.weight
    }

    fn domain(&self) -> Domain {
        Domain::Complex
    }

    fn groups(&self) -> Groups {
        self.groups
    }

    fn coefficients(&self) -> Array2<f64> {
        SpectralWeights::spectrum(self).mapv(|v| v.norm_sqr().sqrt())
    }

    fn spectrum(&self) -> Option<Array2<Complex<f64>>> {
        Some(SpectralWeights::spectrum(self))
    }

    fn rings(&self) -> Vec<usize> {
        self.bins.iter().map(|bin| bin.ring).collect()
    }

    fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    fn set_mask(&mut self, mask: Option<Mask>, pattern: Option<Pattern>) {
        if let Some(mask) = &mask {
            assert_eq!(mask.dim(), self.shape(), "shape of a mask");
        }
        (self.mask, self.pattern) = (mask, pattern);
    }

    fn want_dense_gradient(&mut self, wanted: bool) {
        let shape = self.shape();
        self.dense = wanted.then(|| self.dense.take().unwrap_or_else(|| Array2::zeros(shape)));
    }

    fn dense_gradient(&self) -> Option<&Array2<f32>> {
        self.dense.as_ref()
    }
}
