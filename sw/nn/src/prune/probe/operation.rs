//! What a layer does, in f64, forwards and backwards.

use super::product::{product, transposed_product};
use crate::blocks::column_sums;
use crate::layers::window::Window;
use crate::spectral::frame::Frame;
use crate::spectral::hermitian::Spectra;
use crate::spectral::reference::Reference;
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;

/// What a layer does without quantization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Y = im2col(X)·W + b; a linear layer is a window of one pixel.
    Affine(Window),
    /// A product of spectra; its weights are the magnitudes of its coefficients, whose angles are fixed.
    Spectral(Frame),
    /// Batch normalization per channel.
    BatchNorm {
        /// Keeps the variance from 0.
        epsilon: f64,
    },
    /// max(x, 0)
    Relu,
    /// The maximum of each window.
    MaxPool(Window),
    /// Only the shape changes.
    Identity,
    /// The sum of two inputs.
    Add,
}

/// Which mean and variance a batch normalization uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// Those of the batch, as in training.
    Batch,
    /// The recorded ones, as in evaluation.
    Running,
}

/// The values of a layer's parameters other than its weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub bias: Option<Vec<f64>>,
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
    /// Ŵ/|Ŵ| of a spectral layer, 0 where Ŵ = 0.
    pub directions: Array2<Complex<f64>>,
}

/// What the backward pass needs of the forward pass.
pub(super) enum Memory {
    Nothing,
    /// Rows of im2col.
    Rows(Array2<f64>),
    /// X̂.
    Spectra(Spectra<f64>),
    /// x̂ and 1/√(σ² + ε), and whose statistics they were.
    Normal(Vec<f64>, Vec<f64>, Statistics),
    /// Position of each maximum in its image.
    Places(Vec<usize>),
}

impl Operation {
    /// # Shape   `[B, features]` each → `[B, outputs]`
    pub(super) fn forward(
        self,
        inputs: &[&Array2<f64>],
        outputs: usize,
        weight: Option<&Array2<f64>>,
        values: &Values,
        statistics: Statistics,
    ) -> (Array2<f64>, Memory) {
        let x = inputs[0];
        let shape = (x.nrows(), outputs);
        match self {
            Operation::Affine(window) => {
                let weight = weight.expect("an affine layer has weights");
                let (height, width) = window.positions().expect("a window that fits");
                let mut rows = Array2::zeros((x.nrows() * height * width, window.volume()));
                window.im2col(slice(x), slice_mut(&mut rows));
                let mut y = product(&rows, weight);
                add_bias(&mut y, values);
                (y.into_shape_with_order(shape).expect("positions·channels outputs"), Memory::Rows(rows))
            }
            Operation::Spectral(frame) => {
                let weight = weight.expect("a spectral layer has weights");
                let (mut y, spectra) = Reference::new(frame).forward(x, &turned(weight, values));
                add_bias(&mut y, values);
                (y, Memory::Spectra(spectra))
            }
            Operation::BatchNorm { epsilon } => normalize(x, epsilon, values, statistics),
            Operation::Relu => (x.mapv(|x| if x > 0.0 { x } else { 0.0 }), Memory::Nothing),
            Operation::MaxPool(window) => {
                let places = maxima(window, x, outputs);
                let image = |i: usize| i / outputs * window.input.features();
                let flat = slice(x);
                let y = places.iter().enumerate().map(|(i, place)| flat[image(i) + place]).collect();
                (Array2::from_shape_vec(shape, y).expect("one maximum a window"), Memory::Places(places))
            }
            Operation::Identity => (x.clone(), Memory::Nothing),
            Operation::Add => (x + inputs[1], Memory::Nothing),
        }
    }

    /// ∂L/∂input for each input, and ∂L/∂weight of an affine layer.
    pub(super) fn backward(
        self,
        inputs: &[&Array2<f64>],
        dy: &Array2<f64>,
        weight: Option<&Array2<f64>>,
        values: &Values,
        memory: &Memory,
        want_dx: bool,
    ) -> (Vec<Array2<f64>>, Option<Array2<f64>>) {
        let x = inputs[0];
        match (self, memory) {
            (Operation::Affine(window), Memory::Rows(rows)) => {
                let weight = weight.expect("an affine layer has weights");
                let shape = (rows.nrows(), weight.ncols());
                let dy = dy.to_shape(shape).expect("positions·channels outputs").into_owned();
                let dw = transposed_product(rows, &dy);
                let dx = want_dx.then(|| {
                    let transposed = weight.t().as_standard_layout().into_owned();
                    let mut dx = Array2::zeros(x.dim());
                    window.col2im(slice(&product(&dy, &transposed)), slice_mut(&mut dx), |sum| sum);
                    dx
                });
                (dx.into_iter().collect(), Some(dw))
            }
            (Operation::Spectral(frame), Memory::Spectra(spectra)) => {
                let weight = weight.expect("a spectral layer has weights");
                let reference = Reference::new(frame);
                let (dx, gradient) = reference.backward(spectra, dy, &turned(weight, values), want_dx);
                (dx.into_iter().collect(), Some(radial(&frame, &gradient, values)))
            }
            (Operation::BatchNorm { .. }, Memory::Normal(normal, inverse, statistics)) => {
                (vec![normalize_back(dy, normal, inverse, &values.gamma, *statistics)], None)
            }
            (Operation::Relu, _) => {
                let mut dx = dy.clone();
                dx.zip_mut_with(x, |d, &x| *d = if x > 0.0 { *d } else { 0.0 });
                (vec![dx], None)
            }
            (Operation::MaxPool(window), Memory::Places(places)) => {
                let (features, outputs) = (window.input.features(), dy.ncols());
                let mut dx = Array2::zeros(x.dim());
                let flat = slice_mut(&mut dx);
                for (i, (place, d)) in places.iter().zip(slice(dy)).enumerate() {
                    flat[i / outputs * features + place] += d;
                }
                (vec![dx], None)
            }
            (Operation::Add, _) => (vec![dy.clone(), dy.clone()], None),
            _ => (vec![dy.clone()], None),
        }
    }
}

fn add_bias(y: &mut Array2<f64>, values: &Values) {
    if let Some(bias) = &values.bias {
        for row in slice_mut(y).chunks_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
    }
}

/// Coefficients of these magnitudes.
fn turned(magnitudes: &Array2<f64>, values: &Values) -> Array2<Complex<f64>> {
    let mut spectrum = values.directions.clone();
    spectrum.zip_mut_with(magnitudes, |w, magnitude| *w *= *magnitude);
    spectrum
}

/// The derivative by the magnitude of each coefficient, and of its mirror image with it:
/// 2/N·Re(conj(ĝ)·Ŵ/|Ŵ|), 1/N for real bins.
fn radial(frame: &Frame, gradient: &Array2<Complex<f64>>, values: &Values) -> Array2<f64> {
    let bins = frame.bins();
    let size = frame.channels() * frame.outputs();
    let points = frame.points().count() as f64;
    let weights = bins.iter().flat_map(|bin| std::iter::repeat_n(bin.parts() as f64 / points, size));
    let along = |(g, d): (&Complex<f64>, &Complex<f64>)| g.re * d.re + g.im * d.im;
    let all = slice(gradient).iter().zip(slice(&values.directions)).map(along).zip(weights);
    let radial = all.map(|(along, weight)| along * weight).collect();
    Array2::from_shape_vec(gradient.dim(), radial).expect("one derivative a coefficient")
}

fn normalize(
    x: &Array2<f64>,
    epsilon: f64,
    values: &Values,
    statistics: Statistics,
) -> (Array2<f64>, Memory) {
    let c = values.gamma.len();
    let flat = slice(x);
    let rows = flat.len() / c;
    let means = |f: &(dyn Fn(usize, f64) -> f64 + Sync)| -> Vec<f64> {
        let sums = column_sums(rows, c, |range, sums| {
            for row in flat[range.start * c..range.end * c].chunks_exact(c) {
                sums.iter_mut().zip(row).enumerate().for_each(|(i, (s, &x))| *s += f(i, x));
            }
        });
        sums.into_iter().map(|s| s / rows as f64).collect()
    };
    let (mean, variance) = match statistics {
        Statistics::Running => (values.running_mean.clone(), values.running_variance.clone()),
        Statistics::Batch => {
            let mean = means(&|_, x| x);
            let variance = means(&|i, x| (x - mean[i]) * (x - mean[i]));
            (mean, variance)
        }
    };
    let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / (v + epsilon).sqrt()).collect();
    let normal: Vec<f64> = flat.iter().enumerate().map(|(i, x)| (x - mean[i % c]) * inverse[i % c]).collect();
    let y = normal.iter().enumerate().map(|(i, n)| n * values.gamma[i % c] + values.beta[i % c]).collect();
    let y = Array2::from_shape_vec(x.dim(), y).expect("as many values as inputs");
    (y, Memory::Normal(normal, inverse, statistics))
}

/// dx = γ/√(σ² + ε)·(dy − dβ/m − x̂·dγ/m); with recorded statistics only the first term.
fn normalize_back(
    dy: &Array2<f64>,
    normal: &[f64],
    inverse: &[f64],
    gamma: &[f64],
    statistics: Statistics,
) -> Array2<f64> {
    let c = gamma.len();
    let flat = slice(dy);
    let rows = flat.len() / c;
    let sums = column_sums(rows, 2 * c, |range, sums| {
        for i in range.start * c..range.end * c {
            sums[i % c] += flat[i];
            sums[c + i % c] += flat[i] * normal[i];
        }
    });
    let m = rows as f64;
    let dx = flat.iter().enumerate().map(|(i, dy)| {
        let (channel, scale) = (i % c, inverse[i % c] * gamma[i % c]);
        match statistics {
            Statistics::Running => scale * dy,
            Statistics::Batch => scale * (dy - sums[channel] / m - normal[i] * sums[c + channel] / m),
        }
    });
    Array2::from_shape_vec(dy.dim(), dx.collect()).expect("as many values as outputs")
}

/// Of equal values the one in the first column counts, and there the one in the first row.
fn maxima(window: Window, x: &Array2<f64>, outputs: usize) -> Vec<usize> {
    let (_, width) = window.positions().expect("a window that fits");
    let Window { input, kernel, stride, .. } = window;
    let flat = slice(x);
    let place = |i: usize| {
        let (image, at) = (i / outputs, i % outputs);
        let (oy, ox, channel) = (at / input.c / width, at / input.c % width, at % input.c);
        let pixels = (0..kernel).flat_map(|kx| (0..kernel).map(move |ky| (ky, kx)));
        let pixels =
            pixels.map(|(ky, kx)| ((oy * stride + ky) * input.w + ox * stride + kx) * input.c + channel);
        let value = |place: usize| flat[image * input.features() + place];
        pixels.reduce(|best, place| if value(place) > value(best) { place } else { best })
    };
    (0..x.nrows() * outputs).map(|i| place(i).expect("a window has a pixel")).collect()
}
