//! Batch normalization in f64.

use super::BatchNormLayer;
use crate::layers::unquantized::{Form, Gradients, Pullback, Unquantized};
use crate::tensor::blocks::column_sums;
use crate::tensor::slice;
use ndarray::Array2;

#[derive(Debug)]
pub struct UnquantizedBatchNorm {
    epsilon: f64,
    gamma: Vec<f64>,
    beta: Vec<f64>,
    running_mean: Vec<f64>,
    running_variance: Vec<f64>,
}

impl UnquantizedBatchNorm {
    /// With the values of a layer now.
    pub fn new(layer: &BatchNormLayer) -> Self {
        let wide = |array: &Array2<f32>| array.iter().map(|&v| f64::from(v)).collect();
        UnquantizedBatchNorm {
            epsilon: layer.epsilon,
            gamma: wide(&layer.gamma.value),
            beta: wide(&layer.beta.value),
            running_mean: wide(&layer.running_mean.value),
            running_variance: wide(&layer.running_variance.value),
        }
    }

    /// Mean and variance of the batch, per channel.
    fn statistics(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let c = self.gamma.len();
        let rows = x.len() / c;
        let means = |f: &(dyn Fn(usize, f64) -> f64 + Sync)| -> Vec<f64> {
            let sums = column_sums(rows, c, |range, sums| {
                for row in x[range.start * c..range.end * c].chunks_exact(c) {
                    sums.iter_mut().zip(row).enumerate().for_each(|(i, (s, &x))| *s += f(i, x));
                }
            });
            sums.into_iter().map(|s| s / rows as f64).collect()
        };
        let mean = means(&|_, x| x);
        let variance = means(&|i, x| (x - mean[i]) * (x - mean[i]));
        (mean, variance)
    }
}

impl Unquantized for UnquantizedBatchNorm {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        form: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let x = inputs[0];
        let (c, flat) = (self.gamma.len(), slice(x));
        let (mean, variance, gamma, beta) = match form {
            Form::Training => {
                let (mean, variance) = self.statistics(flat);
                (mean, variance, self.gamma.clone(), self.beta.clone())
            }
            Form::Positive => {
                let magnitudes = |values: &[f64]| values.iter().map(|v| v.abs()).collect();
                let (mean, variance) = (self.running_mean.clone(), self.running_variance.clone());
                (mean, variance, magnitudes(&self.gamma), magnitudes(&self.beta))
            }
        };
        let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / (v + self.epsilon).sqrt()).collect();
        let normal: Vec<f64> =
            flat.iter().enumerate().map(|(i, x)| (x - mean[i % c]) * inverse[i % c]).collect();
        let y = normal.iter().enumerate().map(|(i, n)| n * gamma[i % c] + beta[i % c]).collect();
        let y = Array2::from_shape_vec(x.dim(), y).expect("as many values as inputs");
        let slope: Vec<f64> = inverse.iter().zip(&gamma).map(|(inverse, gamma)| inverse * gamma).collect();
        let pullback = move |dy: &Array2<f64>, _: bool| {
            Gradients::of_input(match form {
                Form::Training => input_gradient(dy, &normal, &slope),
                Form::Positive => {
                    let dx = slice(dy).iter().enumerate().map(|(i, dy)| slope[i % c] * dy).collect();
                    Array2::from_shape_vec(dy.dim(), dx).expect("as many values as outputs")
                }
            })
        };
        (y, Box::new(pullback))
    }
}

/// dx = γ/√(σ² + ε)·(dy − dβ/m − x̂·dγ/m), with `slope` = γ/√(σ² + ε).
fn input_gradient(dy: &Array2<f64>, normal: &[f64], slope: &[f64]) -> Array2<f64> {
    let c = slope.len();
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
        let channel = i % c;
        slope[channel] * (dy - sums[channel] / m - normal[i] * sums[c + channel] / m)
    });
    Array2::from_shape_vec(dy.dim(), dx.collect()).expect("as many values as outputs")
}
