//! Quantizers of output gradients: dY ≈ s·q, rounded stochastically.
//!
//! ```text
//! E[q] = dY/s          without a clip: training follows the true gradient on average
//! dY ──► q, s ──► dX = dY·Wᵀ and dW = Xᵀ·dY          the same integers in both, unless `by_axis`
//! ```
//!
//! A quantizer is one file here, its `mod` line and one line in [`GRADIENTS`], which is what `gradient_quantizer` of an experiment
//! chooses from. As with [`Clip`](super::Clip), integers may have more bits than codes.

pub mod clipped;
pub mod luq;
pub mod max_abs;
pub mod per_axis;

use super::{Scales, Target};
use crate::random::Stream;
use tandem_driver::Format;

/// All quantizers of output gradients.
pub const GRADIENTS: &[GradientKind] = &[max_abs::KIND, clipped::KIND, per_axis::KIND, luq::KIND];

/// An output gradient.
#[derive(Clone, Copy, Debug)]
pub struct Gradient<'a> {
    /// The values, row-major: rows are images, or positions of images.
    pub v: &'a [f32],
    /// Output channels.
    pub columns: usize,
    /// Images.
    pub images: usize,
}

/// Which products integers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Both.
    Both,
    /// dX, which sums over output channels: a scale may follow the images.
    InputGradient,
    /// dW, which sums over images and positions: a scale may follow the output channels.
    WeightGradient,
}

/// A named quantizer of output gradients. It has no state.
#[derive(Clone, Copy)]
pub struct GradientKind {
    /// Its name in experiments.
    pub name: &'static str,
    /// Narrowest and widest codes.
    pub widths: (u8, u8),
    /// The bits of the signed integers that stand for codes of so many bits.
    pub levels: fn(u8) -> u8,
    /// Whether dX and dW have integers of their own, each quantized once. If not, there is one scale.
    pub by_axis: bool,
    /// Whether the mean of v̂ is not v.
    pub is_biased: bool,
    /// Writes integers for codes of so many bits and returns the scales; value i takes number i of the stream.
    pub quantize: fn(Gradient<'_>, u8, Purpose, &Stream, Target<'_>) -> Scales,
}

impl GradientKind {
    /// The integers that stand for codes of so many bits.
    pub fn format(&self, bits: u8) -> Format {
        Format::signed((self.levels)(bits))
    }
}

impl std::fmt::Debug for GradientKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose as Draw;

    /// Heavy tails, as gradients have: cubes of normal values, 6 channels of different size.
    pub(super) fn sample(n: usize) -> Vec<f32> {
        let normal = Stream::new(4, Draw::Initial, 0, 0).normals(n);
        normal.iter().enumerate().map(|(i, x)| x.powi(3) * 1e-3 * libm::exp2f((i % 6) as f32)).collect()
    }

    pub(super) fn gradient(v: &[f32]) -> Gradient<'_> {
        Gradient { v, columns: 6, images: 10 }
    }

    /// Mean and variance of v̂ − v over draws, for each value.
    pub(super) fn moments(
        kind: &GradientKind,
        v: &[f32],
        bits: u8,
        purpose: Purpose,
        draws: u64,
    ) -> Vec<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0); v.len()];
        let mut q = vec![0; v.len()];
        for step in 0..draws {
            let stream = Stream::new(11, Draw::Gradient, 3, step);
            let scales = (kind.quantize)(gradient(v), bits, purpose, &stream, (&mut q).into());
            for (i, sum) in sums.iter_mut().enumerate() {
                let error = f64::from(scales.at(i, v.len())) * f64::from(q[i]) - f64::from(v[i]);
                *sum = (sum.0 + error, sum.1 + error * error);
            }
        }
        let n = draws as f64;
        sums.into_iter().map(|(e, s)| (e / n, (s / n - (e / n).powi(2)).max(0.0))).collect()
    }

    #[test]
    fn integers_keep_to_their_format() {
        let v = sample(600);
        for kind in GRADIENTS {
            for bits in kind.widths.0..=kind.widths.1 {
                let format = kind.format(bits);
                assert!(format.bits <= 16, "{} {bits}", kind.name);
                for purpose in [Purpose::Both, Purpose::InputGradient, Purpose::WeightGradient] {
                    let mut q = vec![0; 600];
                    let stream = Stream::new(1, Draw::Gradient, 0, 0);
                    (kind.quantize)(gradient(&v), bits, purpose, &stream, (&mut q).into());
                    let (_, hi) = format.range();
                    assert!(q.iter().all(|q| q.abs() <= hi), "{} {bits}", kind.name);
                    let codes: std::collections::BTreeSet<_> = q.iter().collect();
                    assert!(codes.len() > 1 && codes.len() < 1 << bits, "{} {bits}: {codes:?}", kind.name);
                }
            }
        }
    }

    /// The sum of all errors over draws is a sum of independent terms: at most 4 of its standard errors from 0. The f32 product s·q
    /// and quotient v/s are half an ulp off each.
    #[test]
    fn those_that_say_so_are_unbiased() {
        let v = sample(600);
        let draws = 4000;
        for kind in GRADIENTS.iter().filter(|kind| !kind.is_biased) {
            for bits in kind.widths.0..=kind.widths.1.min(8) {
                for purpose in [Purpose::Both, Purpose::InputGradient, Purpose::WeightGradient] {
                    let all = moments(kind, &v, bits, purpose, draws);
                    let signed = all.iter().zip(&v).map(|((e, _), v)| e * f64::from(v.signum()));
                    let total: f64 = signed.sum();
                    let error = (all.iter().map(|(_, s)| s).sum::<f64>() / draws as f64).sqrt();
                    let ulps = v.iter().map(|v| f64::from(v.abs())).sum::<f64>() * f64::from(f32::EPSILON);
                    assert!(
                        total.abs() <= 4.0 * error + ulps,
                        "{} {bits} {purpose:?}: {total} ± {error}",
                        kind.name
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_and_equal_values_are_exact() {
        for v in [vec![0.0f32; 60], vec![0.25; 60], vec![-0.25; 60]] {
            for kind in GRADIENTS {
                for bits in kind.widths.0..=4 {
                    for purpose in [Purpose::Both, Purpose::InputGradient, Purpose::WeightGradient] {
                        let mut q = vec![5; 60];
                        let stream = Stream::new(1, Draw::Gradient, 0, 0);
                        let scales = (kind.quantize)(gradient(&v), bits, purpose, &stream, (&mut q).into());
                        for (i, (q, v)) in q.iter().zip(&v).enumerate() {
                            let got = scales.at(i, 60) * *q as f32;
                            assert!(
                                (got - v).abs() <= 1e-6,
                                "{} {bits} {purpose:?}: {got} for {v}",
                                kind.name
                            );
                        }
                    }
                }
            }
        }
    }
}
