//! Integers for the FFT unit and for the products of bins.
//!
//! ```text
//! spectra     q = round(v/s), s = max|v| / Q over a ring of bins: operands of one contraction share one scale
//! transforms  16 bits, one scale each
//! ```

use super::bins::Bins;
use super::hermitian::Spectra;
use crate::quant::{grid, uniform};
use crate::random::Stream;
use crate::tensor::blocks::{for_block_pairs, max_abs};
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;
use rayon::prelude::*;
use tandem_driver::Format;

/// The largest integer that enters a transform.
pub const UNIT: i32 = i16::MAX as i32;

/// Transforms in a parallel block.
const BLOCK: usize = 64;

/// The largest magnitude of each ring.
pub fn ring_maxima(bins: &Bins, spectra: &Spectra<f32>) -> Vec<f32> {
    let mut maxima = vec![0.0f32; bins.rings()];
    for (bin, spectrum) in bins.iter().zip(spectra) {
        let largest = max_abs(slice(spectrum));
        let ring = &mut maxima[bin.ring];
        *ring = if largest > *ring { largest } else { *ring };
    }
    maxima
}

/// The scale of each ring.
pub fn ring_scales(maxima: &[f32], bits: u8) -> Vec<f32> {
    let (_, max) = grid(Format::signed(bits));
    maxima.iter().map(|m| m / max as f32).collect()
}

/// Rounds spectra to signed integers of `bits` bits, to the nearest or stochastically.
///
/// # Numeric  nearest: q = clamp(round_ties_even(v/s), ±Q); else q = ⌊v/s + u⌋, u number 2²⁶·bin + flat index of
/// the stream
pub fn quantize(
    bins: &Bins,
    spectra: &Spectra<f32>,
    scales: &[f32],
    bits: u8,
    rounding: Option<&Stream>,
) -> Vec<Array2<i32>> {
    let (lo, hi) = grid(Format::signed(bits));
    let pairs: Vec<_> = bins.iter().zip(spectra).enumerate().collect();
    let of = |(i, (bin, v)): &(usize, (&super::bins::Bin, &Array2<f32>))| {
        let mut q = Array2::zeros(v.dim());
        let (v, s) = (slice(v), scales[bin.ring]);
        match rounding {
            None => uniform::round_nearest(v, s, (lo, hi), slice_mut(&mut q)),
            Some(stream) => {
                uniform::round_stochastic(
                    v,
                    s,
                    hi,
                    &stream.starting_at((*i as u32) << 24),
                    slice_mut(&mut q),
                );
            }
        }
        q
    };
    pairs.par_iter().map(of).collect()
}

/// The shift that brings integers of a format to the 16 bits of the FFT unit.
pub fn unit_shift(format: Format) -> i32 {
    (if format.signed { 16 } else { 15 } - i32::from(format.bits)).max(0)
}

/// What a step of each transform is worth that the FFT unit returned for integers shifted up by `shift`.
pub fn forward_steps(exponents: &[u8], scale: f32, shift: i32) -> Vec<f32> {
    exponents.iter().map(|e| scale * power(i32::from(*e) - shift)).collect()
}

/// What a step of each inverse transform of `points` points is worth; `scales` are those of [`to_unit`].
pub fn inverse_steps(exponents: &[u8], scales: &[f32], points: usize) -> Vec<f32> {
    exponents.iter().zip(scales).map(|(e, s)| s * power(i32::from(*e)) / points as f32).collect()
}

/// Rounds transforms to 16 bits; the scale of each.
///
/// # Numeric  s = max(|re|, |im|) / 32767 of a transform; q = round_ties_even(v/s)
pub fn to_unit(z: &Array2<Complex<f32>>) -> (Array2<Complex<i32>>, Vec<f32>) {
    let points = z.ncols();
    let mut q = Array2::from_elem(z.dim(), Complex::new(0, 0));
    let mut scales = vec![0.0; z.nrows()];
    let v = slice(z);
    for_block_pairs((slice_mut(&mut q), BLOCK * points), (&mut scales, BLOCK), |block, q, scales| {
        let v = &v[block * BLOCK * points..];
        let transforms = q.chunks_exact_mut(points).zip(v.chunks_exact(points));
        for ((q, v), scale) in transforms.zip(scales) {
            let larger = |a: f32, b: f32| if b > a { b } else { a };
            let max = v.iter().fold(0.0, |m, v| larger(larger(m, v.re.abs()), v.im.abs()));
            *scale = max / UNIT as f32;
            if *scale == 0.0 {
                continue;
            }
            let round = |v: f32| ((v / *scale).round_ties_even() as i32).clamp(-UNIT, UNIT);
            q.iter_mut().zip(v).for_each(|(q, v)| *q = Complex::new(round(v.re), round(v.im)));
        }
    });
    (q, scales)
}

/// 2^exponent.
fn power(exponent: i32) -> f32 {
    libm::ldexpf(1.0, exponent)
}
