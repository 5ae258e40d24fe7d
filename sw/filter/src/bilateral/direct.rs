//! The weighted mean as it is defined, over |n| ≤ ⌈4σ⌉ in both directions.

use super::REACH;
use crate::Border;
use crate::bands::{Band, Reach, bands};
use crate::gaussian::weights;
use crate::image::{Image, Samples};
use crate::sample::Sample;
use multiversion::multiversion;

/// Results whose sums are made together.
const CHUNK: usize = 64;

pub(super) fn filter(image: &Image, sigma: f64, range: f64, border: Border) -> Image {
    let line: Vec<f32> = weights(sigma, REACH).iter().map(|w| *w as f32).collect();
    let samples = match image.samples() {
        Samples::U8(v) => Samples::U8(typed(image, v, &line, range, border)),
        Samples::U16(v) => Samples::U16(typed(image, v, &line, range, border)),
        Samples::F32(v) => Samples::F32(typed(image, v, &line, range, border)),
    };
    Image::made(image.shape(), samples)
}

fn typed<T: Sample>(image: &Image, v: &[T], line: &[f32], range: f64, border: Border) -> Vec<T> {
    let shape = image.shape();
    let reach = Reach::of(line.len(), line.len());
    // exp(−d²/2σ²) = 2^(d²·factor)
    let factor = (-0.5 / (range * range) * std::f64::consts::LOG2_E) as f32;
    bands((shape, v), reach, (border, border.outside()), T::summand, |band, out| {
        for (y, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
            for (i, out) in out.chunks_mut(CHUNK).enumerate() {
                means(band, (y, i * CHUNK), line, shape.channels, factor, out);
            }
        }
    })
}

/// Exponents below count as this one: 10⁻¹⁸, far below a pixel's own weight, and no denormal number comes of it.
const LEAST: f32 = -60.0;

/// 2^max(x, −60) for x ≤ 0, to 4·10⁻⁷ of it.
#[inline(always)]
fn power(x: f32) -> f32 {
    // 1.5·2^23 rounds to a whole number, which lies in the lowest bits of the sum
    let sum = x.max(LEAST) + 12_582_912.0;
    let f = x.max(LEAST) - (sum - 12_582_912.0);
    // Taylor's series of 2^f, |f| ≤ 1/2: the next term is 1.2·10⁻⁷
    let mut p = 1.540_353e-4_f32;
    for c in [1.333_355_8e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265e-1, std::f32::consts::LN_2, 1.0] {
        p = p * f + c;
    }
    p * f32::from_bits((sum.to_bits() << 23).wrapping_add(127 << 23))
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn means<T: Sample>(
    band: &Band<f32>,
    (y, x): (usize, usize),
    line: &[f32],
    step: usize,
    factor: f32,
    out: &mut [T],
) {
    let count = out.len();
    let half = line.len() / 2;
    let (mut own, mut sum, mut total) = ([0.0f32; CHUNK], [0.0f32; CHUNK], [0.0f32; CHUNK]);
    own[..count].copy_from_slice(&band.row(y + half)[x + half * step..][..count]);
    for (i, down) in line.iter().enumerate() {
        let row = &band.row(y + i)[x..];
        for (j, along) in line.iter().enumerate() {
            let g = down * along;
            let mut others = own;
            others[..count].copy_from_slice(&row[j * step..][..count]);
            for l in 0..CHUNK {
                let d = others[l] - own[l];
                let w = g * power(d * d * factor);
                sum[l] += w * d;
                total[l] += w;
            }
        }
    }
    for (l, out) in out.iter_mut().enumerate() {
        *out = T::from_f32(own[l] + sum[l] / total[l]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_close() {
        for i in 0..60_000 {
            let x = -f64::from(i) / 1000.0;
            let got = f64::from(power(x as f32));
            let exact = f64::from(x as f32).exp2();
            assert!((got - exact).abs() <= 4e-7 * exact, "2^{x}: {got} instead of {exact}");
        }
        assert_eq!(power(f32::MIN), power(LEAST));
    }
}
