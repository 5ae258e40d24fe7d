//! The weights of a spectral layer: parameter, spectrum, mask.
//!
//! ```text
//! support = points of the kernel   w is the parameter, Ŵ = mask ⊙ FFT(pad w), ∂L/∂w = crop IFFT(mask ⊙ ∂L/∂Ŵ)
//! support = all points             the half-spectrum Ŵ/√N is the parameter, its gradient mask ⊙ ĝ/√N
//! ```
//!
//! The latter is gradient descent on the N points of w themselves, in other coordinates: FFT/√N is unitary. (Of a bin
//! that stands for itself and its mirror image ĝ/√N is half of the derivative by the real and the imaginary part.)

use super::coordinates::{Coordinates, real_planes};
use crate::backend::{Pass, Product, ProductError};
use crate::layers::Site;
use crate::layers::prunable::{Domain, Groups, MaskPattern, Prunable};
use crate::quant::uniform::round_nearest;
use crate::random::{Purpose, Stream};
use crate::spectral::bins::Bins;
use crate::spectral::frame::Frame;
use crate::spectral::quantize::{UNIT, forward_steps, inverse_steps, to_unit};
use crate::spectral::transform::Transform;
use crate::tensor::blocks::max_abs;
use crate::tensor::{Mask, Parameter, Slot, keep, slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;

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
    pattern: Option<MaskPattern>,
    dense: Option<Array2<f32>>,
    support: Support,
    transform: Transform,
    coordinates: Coordinates,
}

impl SpectralWeights {
    /// Initial weights are normal with variance 2/`inputs` at the points of the kernel `places`, which are the
    /// support, or all points if `everywhere`.
    ///
    /// # Source   He et al. 2015, "Delving deep into rectifiers", equation 10
    pub fn new(frame: &Frame, places: Vec<usize>, everywhere: bool, inputs: usize, site: &Site<'_>) -> Self {
        let (channels, outputs) = (frame.channels(), frame.outputs());
        let rows = places.len() * channels;
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
            coordinates: Coordinates::new(frame),
        };
        if everywhere {
            let spectrum = weights.spectrum();
            weights.support = Support::Points;
            let narrow = spectrum.mapv(|v| Complex::new(v.re as f32, v.im as f32));
            weights.weight = Parameter::new("weight", weights.coordinates.rows_of(&narrow));
        }
        weights.weight.decay = true;
        weights
    }

    /// Its bins.
    pub fn bins(&self) -> &Bins {
        &self.coordinates.bins
    }

    /// The pattern of its mask.
    pub fn pattern(&self) -> Option<MaskPattern> {
        self.pattern
    }

    /// The mask of a bin's coefficients; `None` keeps all.
    ///
    /// # Shape    `[channels·outputs]`
    pub fn bin_mask(&self, bin: usize) -> Option<&[bool]> {
        let size = self.coordinates.layout.channels;
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
            Support::Points => self
                .coordinates
                .coefficients_of_rows(self.weight.values())
                .mapv(|v| Complex::new(f64::from(v.re), f64::from(v.im))),
            Support::Kernel(places) => {
                let (w, at) = (self.weight.values(), &self.coordinates);
                let mut z = at.layout.pack(|_, planes| at.pad(places, planes, |i| f64::from(w[i])));
                self.transform.forward(&mut z);
                at.coefficients_of_spectra(&at.layout.separate(&at.bins, &z, |_, v| v, |_| true))
            }
        }
    }

    /// Ŵ with the mask, as the FFT unit computes it from weights of 16 bits.
    ///
    /// # Shape    `[bins·channels, outputs]`
    /// # Errors   a transform that failed
    pub fn device_spectrum(&self, pass: &mut Pass<'_>) -> Result<Array2<Complex<f32>>, ProductError> {
        let mut spectrum = match &self.support {
            Support::Points => self.coordinates.coefficients_of_rows(self.weight.values()),
            Support::Kernel(places) => {
                let (w, at) = (self.weight.values(), &self.coordinates);
                let scale = max_abs(w) / UNIT as f32;
                let mut q = vec![0; w.len()];
                round_nearest(w, scale, (-UNIT, UNIT), &mut q);
                let z = at.layout.pack(|_, planes| at.pad(places, planes, |i| q[i]));
                let result = pass.transform(Product::Forward, z.view(), at.bins.points(), false)?;
                let steps = forward_steps(&result.exponents, scale, 0);
                let value = |transform: usize, v: i32| v as f32 * steps[transform];
                at.coefficients_of_spectra(&at.layout.separate(&at.bins, &result.y, value, |_| true))
            }
        };
        self.apply_mask(&mut spectrum);
        Ok(spectrum)
    }

    /// Zeroes what the mask does not keep.
    pub fn apply_mask<T: Clone + Default>(&self, spectrum: &mut Array2<Complex<T>>) {
        if let Some(mask) = &self.mask {
            keep(spectrum, mask);
        }
    }

    /// Sets the gradient from ∂L/∂Ŵ, on the host.
    pub fn set_gradient(&mut self, mut gradient: Array2<Complex<f64>>) {
        let narrow = |v: Complex<f64>| Complex::new(v.re as f32, v.im as f32);
        self.keep_dense(|| gradient.mapv(|v| v.norm_sqr().sqrt() as f32));
        self.apply_mask(&mut gradient);
        let at = &self.coordinates;
        match &self.support {
            Support::Points => self.weight.gradient = at.rows_of(&gradient.mapv(narrow)),
            Support::Kernel(places) => {
                let mut z = at.layout.combine(&at.bins, &at.spectra_of(&gradient));
                self.transform.inverse(&mut z);
                let planes = real_planes(&z);
                let out = slice_mut(&mut self.weight.gradient);
                out.iter_mut().enumerate().for_each(|(i, g)| *g = planes[at.place(places, i)] as f32);
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
        let at = &self.coordinates;
        match &self.support {
            Support::Points => self.weight.gradient = at.rows_of(&gradient),
            Support::Kernel(places) => {
                let (z, scales) = to_unit(&at.layout.combine(&at.bins, &at.spectra_of(&gradient)));
                let result = pass.transform(Product::WeightGradient, z.view(), at.bins.points(), true)?;
                let points = at.layout.points;
                let steps = inverse_steps(&result.exponents, &scales, points);
                let planes = real_planes(&result.y);
                let out = slice_mut(&mut self.weight.gradient);
                out.iter_mut().enumerate().for_each(|(i, g)| {
                    let place = at.place(places, i);
                    *g = planes[place] as f32 * steps[place / (2 * points)];
                });
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

    /// Its state.
    pub fn slots(&mut self) -> Vec<Slot<'_>> {
        let shape = self.coordinates.shape();
        let mask = Slot::Mask { name: "weight_mask", shape, mask: &mut self.mask };
        vec![Slot::Parameter(&mut self.weight), mask]
    }
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
        self.coordinates.groups
    }

    fn coefficients(&self) -> Array2<f64> {
        SpectralWeights::spectrum(self).mapv(|v| v.norm_sqr().sqrt())
    }

    fn spectrum(&self) -> Option<Array2<Complex<f64>>> {
        Some(SpectralWeights::spectrum(self))
    }

    fn rings(&self) -> Vec<usize> {
        self.bins().iter().map(|bin| bin.ring).collect()
    }

    fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    fn set_mask(&mut self, mask: Option<Mask>, pattern: Option<MaskPattern>) {
        if let Some(mask) = &mask {
            assert_eq!(mask.dim(), self.coordinates.shape(), "shape of a mask");
        }
        (self.mask, self.pattern) = (mask, pattern);
    }

    fn want_dense_gradient(&mut self, wanted: bool) {
        let shape = self.coordinates.shape();
        self.dense = wanted.then(|| self.dense.take().unwrap_or_else(|| Array2::zeros(shape)));
    }

    fn dense_gradient(&self) -> Option<&Array2<f32>> {
        self.dense.as_ref()
    }
}
