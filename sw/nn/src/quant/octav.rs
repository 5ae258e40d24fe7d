//! A grid whose clip costs least: rounding inside against clipping outside.
//!
//! ```text
//! J(c) = Σ_{|v|≤c, v≠0} Δ²/12 + Σ_{|v|>c} (|v| − c)²,  Δ = c/Q
//! c ← Σ |v|·1[|v|>c] / (Σ 1[0<|v|≤c] / (12·Q²) + Σ 1[|v|>c])          Newton's step, until it is fixed
//! ```
//!
//! The paper has a grid of 2^b steps, 4^−b/3 in place of 1/(12·Q²); ours are symmetric, 2^b − 1 levels (Q = 2^(b−1) − 1), and their own
//! constant gains 1.3 dB at 2 bits (Gaussian values) and nothing from 4 on.
//!
//! # Source   Sakr et al. 2022, "Optimal clipping and magnitude-aware differentiation for improved quantization-aware training",
//! equation 6

use super::clipped::Clipped;
use super::sorted::Sorted;
use super::{Clip, Role, grid};

/// This quantizer under its name.
pub const CLIP: Clip = Clip::fitted("octav", |role| Box::new(Clipped::new(role, clip)));

/// Newton takes about ten.
const MOST_STEPS: usize = 100;

fn clip(magnitudes: &Sorted, role: &Role) -> f64 {
    let (_, q) = grid(role.format);
    fixed_point(magnitudes, 1.0 / (12.0 * f64::from(q).powi(2)))
}

/// The fixed point for magnitudes above 0; `noise` is that of rounding inside a clip of 1.
pub fn fixed_point(magnitudes: &Sorted, noise: f64) -> f64 {
    let all = magnitudes.len();
    let mut clip = magnitudes.sum(0..all) / all.max(1) as f64;
    for _ in 0..MOST_STEPS {
        let inside = magnitudes.rank(clip);
        if inside == all {
            return clip.min(magnitudes.largest());
        }
        let next = magnitudes.sum(inside..all) / (noise * inside as f64 + (all - inside) as f64);
        if (next - clip).abs() <= 1e-9 * clip {
            return next;
        }
        clip = next;
    }
    clip
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::fitting_tests::{Shape, samples, uniform_error};
    use tandem_driver::Format;

    /// Against the best of 2,000 clips.
    #[test]
    fn the_fixed_point_is_within_2_percent_of_the_best_clip_from_4_bits_on() {
        for shape in [Shape::Gauss, Shape::Laplace] {
            let v = samples(shape, 60_000);
            let magnitudes = Sorted::new(v.iter().copied()).magnitudes();
            for bits in 4..=8 {
                let q = grid(Format::signed(bits)).1;
                let found = clip(&magnitudes, &Role::new("weight", Format::signed(bits), v.len()));
                let largest = magnitudes.largest();
                let errors = (1..=2000).map(|i| uniform_error(&v, largest * f64::from(i) / 2000.0, q));
                let best = errors.fold(f64::MAX, f64::min);
                let error = uniform_error(&v, found, q);
                assert!(error <= 1.02 * best, "{shape:?} {bits}: {error} {best}");
            }
        }
    }

    #[test]
    fn equal_magnitudes_are_not_clipped() {
        for v in [vec![0.3f32; 7], vec![1e-30; 3], vec![2.5]] {
            let found = fixed_point(&Sorted::new(v.iter().copied()), 1.0 / 588.0);
            assert!((found / f64::from(v[0]) - 1.0).abs() < 0.01, "{v:?}: {found}");
        }
    }
}
