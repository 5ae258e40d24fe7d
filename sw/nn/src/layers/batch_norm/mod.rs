//! Batch normalization, per channel over batch and positions.
//!
//! ```text
//! y = γ·(x − μ)/√(σ² + ε) + β                    m = B·h·w values a channel
//! training     μ = Σx/m, σ² = Σ(x − μ)²/m        running ← running + momentum·(batch − running), σ² times m/(m−1)
//! evaluation   the running μ and σ²
//! dβ = Σdy, dγ = Σdy·x̂, dx = γ/√(σ² + ε)·(dy − dβ/m − x̂·dγ/m)        x̂ = (x − μ)/√(σ² + ε)
//! ```
//!
//! # Source   Ioffe & Szegedy 2015, algorithm 1

mod unquantized;

use super::relu::{passed, rectified};
use super::unquantized::Unquantized;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Mode, Pass, ProductError};
use crate::layers::{Range, Signal};
use crate::number::{Fraction, Real, Tiny};
use crate::tensor::blocks::{column_sums, for_blocks, tile};
use crate::tensor::{Buffer, Parameter, Slot, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::ops::Range as Rows;
use tandem_kernels::Level;
use tandem_kernels::columns::{self, Backward};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<BatchNorm>("batch_norm");

/// A batch normalization, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    #[serde(default = "default_momentum")]
    momentum: Real<Fraction>,
    #[serde(default = "default_epsilon")]
    epsilon: Real<Tiny>,
}

fn default_momentum() -> Real<Fraction> {
    Real::new(0.1)
}

fn default_epsilon() -> Real<Tiny> {
    Real::new(1e-5)
}

impl LayerSpec for BatchNorm {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        Ok(Signal { shape: inputs[0].shape, range: Range::Real })
    }

    fn trained(&self) -> bool {
        true
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let c = site.output.shape.c;
        Box::new(BatchNormLayer {
            momentum: self.momentum.get(),
            epsilon: self.epsilon.get(),
            gamma: Parameter::new("gamma", Array2::ones((1, c))),
            beta: Parameter::new("beta", Array2::zeros((1, c))),
            running_mean: Buffer::new("running_mean", Array2::zeros((1, c))),
            running_variance: Buffer::new("running_variance", Array2::ones((1, c))),
            mean: Vec::new(),
            inverse_deviation: Vec::new(),
            rectifies: false,
        })
    }
}

/// Some rows of `c` values.
fn part<'a>(all: &'a [f32], rows: &Rows<usize>, c: usize) -> &'a [f32] {
    &all[rows.start * c..rows.end * c]
}

struct BatchNormLayer {
    momentum: f64,
    epsilon: f64,
    gamma: Parameter,
    beta: Parameter,
    running_mean: Buffer,
    running_variance: Buffer,
    /// Of the last forward pass.
    mean: Vec<f32>,
    /// 1/√(σ² + ε) of the last forward pass.
    inverse_deviation: Vec<f32>,
    /// Whether max(·, 0) follows in the same passes.
    rectifies: bool,
}

impl BatchNormLayer {
    fn channels(&self) -> usize {
        self.gamma.value.len()
    }

    /// Mean and variance of the batch, per channel.
    fn statistics(&self, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let c = self.channels();
        let m = (x.len() / c) as f64;
        let level = Level::current();
        let sums = column_sums(x.len() / c, c, |rows, sums| columns::add(level, part(x, &rows, c), sums));
        let mean: Vec<f64> = sums.iter().map(|s| s / m).collect();
        let squares = column_sums(x.len() / c, c, |rows, sums| {
            columns::add_squares(level, part(x, &rows, c), &mean, sums);
        });
        (mean, squares.iter().map(|s| s / m).collect())
    }

    fn record(&mut self, mean: &[f64], variance: &[f64], m: f64) {
        let unbiased = m / (m - 1.0).max(1.0);
        let update = |running: &mut f32, now: f64| {
            let old = f64::from(*running);
            *running = (old + self.momentum * (now - old)) as f32;
        };
        let stored = self.running_mean.value.iter_mut().zip(mean);
        stored.for_each(|(running, &now)| update(running, now));
        let stored = self.running_variance.value.iter_mut().zip(variance);
        stored.for_each(|(running, &now)| update(running, now * unbiased));
    }
}

impl Layer for BatchNormLayer {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        pass: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let x = slice(inputs[0]);
        let wide = |buffer: &Buffer| buffer.value.iter().map(|&v| f64::from(v)).collect();
        let (mean, variance): (Vec<f64>, Vec<f64>) = match pass.mode {
            Mode::Evaluate => (wide(&self.running_mean), wide(&self.running_variance)),
            Mode::Train => {
                let (mean, variance) = self.statistics(x);
                self.record(&mean, &variance, (x.len() / self.channels()) as f64);
                (mean, variance)
            }
        };
        self.mean = mean.iter().map(|&m| m as f32).collect();
        let inverse = |v: &f64| (1.0 / (v + self.epsilon).sqrt()) as f32;
        self.inverse_deviation = variance.iter().map(inverse).collect();

        let slope: Vec<f32> =
            self.inverse_deviation.iter().zip(self.gamma.values()).map(|(i, g)| i * g).collect();
        let (mean, slope, beta) = (tile(&self.mean), tile(&slope), tile(self.beta.values()));
        let (width, rectifies) = (mean.len(), self.rectifies);
        for_blocks(
            slice_mut(output),
            width * 16,
            #[inline(always)]
            move |start, y| {
                for (y, x) in y.chunks_mut(width).zip(x[start..].chunks(width)) {
                    let channels = mean.iter().zip(&slope).zip(&beta);
                    for ((y, &x), ((mean, slope), beta)) in y.iter_mut().zip(x).zip(channels) {
                        let normal = (x - mean) * slope + beta;
                        *y = if rectifies { rectified(normal) } else { normal };
                    }
                }
            },
        );
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let (x, dy) = (slice(tape.inputs[0]), slice(tape.dy));
        let c = self.channels();
        let m = (x.len() / c) as f64;
        // y is read where it says which gradients pass
        let y = if self.rectifies { slice(tape.output) } else { x };
        let (level, gate) = (Level::current(), self.rectifies.then_some(y));
        let sums = column_sums(x.len() / c, 2 * c, |rows, sums| {
            let (dbeta, dgamma) = sums.split_at_mut(c);
            let of = |all| part(all, &rows, c);
            let (mean, inverse) = (&self.mean[..], &self.inverse_deviation[..]);
            let backward = Backward { x: of(x), dy: of(dy), gate: gate.map(of), mean, inverse };
            columns::add_backward(level, backward, dbeta, dgamma);
        });
        let (dbeta, dgamma) = sums.split_at(c);
        let narrow = |to: &mut Parameter, from: &[f64]| {
            let to = to.gradients_mut().iter_mut();
            to.zip(from).for_each(|(to, &from)| *to = from as f32);
        };
        narrow(&mut self.beta, dbeta);
        narrow(&mut self.gamma, dgamma);
        let Some(dx) = &mut dx[0] else { return Ok(()) };

        // dx = a·(dy − b − (x − μ)·d)
        let of = |f: &dyn Fn(usize) -> f64| tile(&(0..c).map(|i| f(i) as f32).collect::<Vec<_>>());
        let inverse = |i: usize| f64::from(self.inverse_deviation[i]);
        let a = of(&|i| inverse(i) * f64::from(self.gamma.values()[i]));
        let b = of(&|i| dbeta[i] / m);
        let d = of(&|i| inverse(i) * dgamma[i] / m);
        let mean = tile(&self.mean);
        let (width, rectifies) = (mean.len(), self.rectifies);
        for_blocks(
            slice_mut(dx),
            width * 16,
            #[inline(always)]
            move |start, dx| {
                let rows =
                    x[start..].chunks(width).zip(dy[start..].chunks(width)).zip(y[start..].chunks(width));
                for (dx, ((x, dy), y)) in dx.chunks_mut(width).zip(rows) {
                    let n = dx.len();
                    let (x, dy, y) = (&x[..n], &dy[..n], &y[..n]);
                    let (a, b, d, mean) = (&a[..n], &b[..n], &d[..n], &mean[..n]);
                    for i in 0..n {
                        let dy = if rectifies { passed(y[i], dy[i]) } else { dy[i] };
                        dx[i] = a[i] * (dy - b[i] - (x[i] - mean[i]) * d[i]);
                    }
                }
            },
        );
        Ok(())
    }

    fn rectify(&mut self) -> bool {
        self.rectifies = true;
        true
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        vec![
            Slot::Parameter(&mut self.gamma),
            Slot::Parameter(&mut self.beta),
            Slot::Statistic(&mut self.running_mean),
            Slot::Statistic(&mut self.running_variance),
        ]
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(unquantized::UnquantizedBatchNorm::new(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::backend::ledger::Ledger;
    use ndarray::array;

    /// Two channels; every number is a sum of powers of two, so that all but the root are exact.
    #[test]
    fn statistics_are_recorded_in_training_and_used_in_evaluation() {
        let parameter = |name, value: f32| Parameter::new(name, Array2::from_elem((1, 2), value));
        let mut layer = BatchNormLayer {
            momentum: 0.5,
            epsilon: 1.0,
            gamma: parameter("gamma", 2.0),
            beta: parameter("beta", 1.0),
            running_mean: Buffer::new("running_mean", Array2::zeros((1, 2))),
            running_variance: Buffer::new("running_variance", Array2::ones((1, 2))),
            mean: Vec::new(),
            inverse_deviation: Vec::new(),
            rectifies: false,
        };
        let (mut backend, mut ledger) = (Backend::Float, Ledger::default());
        let mut y = Array2::zeros((2, 2));
        // Means 2 and 0, variances 3² and 0, unbiased 18 and 0.
        let x = array![[5.0, 0.0], [-1.0, 0.0]];
        let mut pass = Pass::new(Mode::Train, 1, 0, &mut backend, &mut ledger);
        layer.forward(&[&x], &mut y, &mut pass).expect("no product");
        assert_eq!(layer.running_mean.value, array![[1.0, 0.0]]);
        assert_eq!(layer.running_variance.value, array![[9.5, 0.5]]);

        layer.running_variance.value = array![[3.0, 0.0]];
        let mut pass = Pass::new(Mode::Evaluate, 1, 0, &mut backend, &mut ledger);
        layer.forward(&[&x], &mut y, &mut pass).expect("no product");
        assert_eq!(y, array![[5.0, 1.0], [-1.0, 1.0]], "(x − 1)/√(3 + 1)·2 + 1");
        assert_eq!(layer.running_mean.value, array![[1.0, 0.0]], "evaluation records nothing");
    }
}
