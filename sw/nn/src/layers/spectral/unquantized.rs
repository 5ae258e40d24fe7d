//! A spectral layer in f64 as a function of the magnitudes of its coefficients, whose angles are fixed.

use super::weights::SpectralWeights;
use crate::layers::bias::{self, WideBias};
use crate::layers::unquantized::{Form, Gradients, Pullback, Unquantized};
use crate::spectral::reference::Reference;
use crate::tensor::{Parameter, slice};
use ndarray::Array2;
use num_complex::Complex;

/// See above.
#[derive(Debug)]
pub struct UnquantizedSpectral {
    reference: Reference,
    /// Ŵ/|Ŵ|, 0 where Ŵ = 0.
    directions: Array2<Complex<f64>>,
    bias: WideBias,
}

impl UnquantizedSpectral {
    /// With the angles of these weights.
    pub fn new(reference: Reference, weights: &SpectralWeights, bias: Option<&Parameter>) -> Self {
        let mut directions = weights.spectrum();
        directions.mapv_inplace(|w| {
            let size = w.norm_sqr().sqrt();
            if size > 0.0 { w / size } else { w }
        });
        UnquantizedSpectral { reference, directions, bias: bias::wide(bias) }
    }

    /// Coefficients of these magnitudes.
    fn turned(&self, magnitudes: &Array2<f64>) -> Array2<Complex<f64>> {
        let mut spectrum = self.directions.clone();
        spectrum.zip_mut_with(magnitudes, |w, magnitude| *w *= *magnitude);
        spectrum
    }

    /// The derivative by the magnitude of each coefficient, and of its mirror image with it:
    /// 2/N·Re(conj(ĝ)·Ŵ/|Ŵ|), 1/N for real bins.
    fn radial(&self, gradient: &Array2<Complex<f64>>) -> Array2<f64> {
        let frame = self.reference.frame();
        let bins = frame.bins();
        let size = frame.channels() * frame.outputs();
        let points = frame.points().count() as f64;
        let weights = bins.iter().flat_map(|bin| std::iter::repeat_n(bin.parts() as f64 / points, size));
        let along = |(g, d): (&Complex<f64>, &Complex<f64>)| g.re * d.re + g.im * d.im;
        let all = slice(gradient).iter().zip(slice(&self.directions)).map(along).zip(weights);
        let radial = all.map(|(along, weight)| along * weight).collect();
        Array2::from_shape_vec(gradient.dim(), radial).expect("one derivative a coefficient")
    }
}

impl Unquantized for UnquantizedSpectral {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        weight: Option<&Array2<f64>>,
        form: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let spectrum = self.turned(weight.expect("a spectral layer has weights"));
        let (mut y, x) = self.reference.forward(inputs[0], &spectrum);
        self.bias.add(&mut y, form);
        let pullback = move |dy: &Array2<f64>, want_dx: bool| {
            let (dx, gradient) = self.reference.backward(&x, dy, &spectrum, want_dx);
            Gradients { inputs: dx.into_iter().collect(), weight: Some(self.radial(&gradient)) }
        };
        (y, Box::new(pullback))
    }

    /// The operator has no form with positive coefficients.
    fn has_positive_form(&self) -> bool {
        false
    }
}
