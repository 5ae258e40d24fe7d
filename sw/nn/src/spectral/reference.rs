//! A spectral layer in f64, without quantization: the float engine's, and that of pruning scores.

use super::bins::Bins;
use super::contraction::Contraction;
use super::frame::Frame;
use super::hermitian::{Layout, Spectra};
use super::transform::Transform;
use crate::tensor::gemm64::{product, transposed_product};
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;

/// A layer without its weights.
#[derive(Clone, Debug)]
pub struct Reference {
    frame: Frame,
    bins: Bins,
    transform: Transform,
}

impl Reference {
    /// The layer with this frame.
    pub fn new(frame: Frame) -> Self {
        Reference { frame, bins: frame.bins(), transform: Transform::new(frame.points()) }
    }

    /// How it cuts signals.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Its contraction.
    fn contraction(&self) -> Contraction {
        self.frame.contraction()
    }

    fn matrix(&self, bin: usize, spectrum: &Array2<Complex<f64>>) -> Array2<f64> {
        let contraction = self.contraction();
        let size = contraction.channels * contraction.outputs;
        let bins = self.bins.iter().nth(bin).expect("a bin");
        contraction.real(bins, &slice(spectrum)[bin * size..][..size])
    }

    /// y, and X̂ for the backward pass.
    ///
    /// # Shape    `[B, inputs]`, Ŵ `[bins·channels, outputs]` → `[B, outputs]`
    pub fn forward(&self, x: &Array2<f64>, spectrum: &Array2<Complex<f64>>) -> (Array2<f64>, Spectra<f64>) {
        let x = self.spectra(self.frame.input_layout(x.nrows()), |e, planes| {
            self.frame.cut_input(row(x, e), planes);
        });
        let y = x.iter().enumerate().map(|(bin, x)| product(x, &self.matrix(bin, spectrum))).collect();
        let examples = x[0].nrows() / self.frame.rows();
        let layout = self.frame.output_layout(examples);
        let mut output = Array2::zeros((examples, self.frame.features()[1]));
        let z = self.planes(layout, &y);
        layout.unpack(&z, |_, v| v, &mut output, |planes, out| self.frame.join_output(planes, out));
        (output, x)
    }

    /// ∂L/∂x if it is wanted, and ∂L/∂Ŵ, of all coefficients.
    ///
    /// # Shape    as [`forward`](Self::forward)
    pub fn backward(
        &self,
        x: &Spectra<f64>,
        dy: &Array2<f64>,
        spectrum: &Array2<Complex<f64>>,
        want_dx: bool,
    ) -> (Option<Array2<f64>>, Array2<Complex<f64>>) {
        let contraction = self.contraction();
        let dy = self.spectra(self.frame.output_layout(dy.nrows()), |e, planes| {
            self.frame.cut_gradient(row(dy, e), planes);
        });
        let mut gradient = Array2::from_elem(spectrum.dim(), Complex::new(0.0, 0.0));
        let size = contraction.channels * contraction.outputs;
        let rows = slice_mut(&mut gradient).chunks_exact_mut(size);
        for (((bin, x), dy), out) in self.bins.iter().zip(x).zip(&dy).zip(rows) {
            contraction.gradient(bin, &transposed_product(x, dy), out);
        }
        let dx = want_dx.then(|| {
            let transposed = |bin| self.matrix(bin, spectrum).t().as_standard_layout().into_owned();
            let dx = dy.iter().enumerate().map(|(bin, dy)| product(dy, &transposed(bin))).collect();
            let examples = dy[0].nrows() / self.frame.rows();
            let layout = self.frame.input_layout(examples);
            let mut result = Array2::zeros((examples, self.frame.features()[0]));
            let join = |planes: &[f64], dx: &mut [f64]| self.frame.join_input_gradient(planes, dx);
            layout.unpack(&self.planes(layout, &dx), |_, v| v, &mut result, join);
            result
        });
        (dx, gradient)
    }

    fn spectra(&self, layout: Layout, cut: impl Fn(usize, &mut [f64]) + Sync) -> Spectra<f64> {
        let mut z = layout.pack(cut);
        self.transform.forward(&mut z);
        layout.separate(&self.bins, &z, |_, v| v, |_| true)
    }

    fn planes(&self, layout: Layout, spectra: &Spectra<f64>) -> Array2<Complex<f64>> {
        let mut z = layout.combine(&self.bins, spectra);
        self.transform.inverse(&mut z);
        z
    }
}

fn row<T>(array: &Array2<T>, row: usize) -> &[T] {
    &slice(array)[row * array.ncols()..][..array.ncols()]
}
