//! Logarithmic levels, unbiased.
//!
//! ```text
//! levels 0, ±α·2^k,  k = 0 … K,  K = 2^(b−1) − 2,  α = max|dY|/2^K
//! |v| < α             α with probability |v|/α, else 0
//! α·2^k ≤ |v|         α·2^(k+1) with probability |v|/(α·2^k) − 1, else α·2^k
//! ```
//!
//! Gradients span orders of magnitude; so do these levels. 3 bits: 0, ±1, ±2, ±4, integers of 4 bits, one digit. 4 bits: to ±2^6, integers
//! of 8 bits, two digits: less traffic, not fewer passes.
//!
//! # Source   Chmiel et al. 2021, "Accurate neural training with 4-bit matrix multiplications at standard formats" (LUQ)

use super::super::storage::with_target;
use super::super::{Scales, Target, uniform};
use super::{Gradient, GradientKind, Purpose};
use crate::random::Stream;
use crate::tensor::blocks::max_abs;
use tandem_driver::Entry;

/// This quantizer under its name.
pub const KIND: GradientKind =
    GradientKind { name: "luq", widths: (2, 5), levels, by_axis: false, is_biased: false, quantize };

/// K: the exponent of the largest level.
const fn top(bits: u8) -> u32 {
    (1 << (bits - 1)) - 2
}

/// Bits of two's complement that hold ±2^K.
fn levels(bits: u8) -> u8 {
    top(bits) as u8 + 2
}

fn quantize(dy: Gradient<'_>, bits: u8, _: Purpose, stream: &Stream, q: Target<'_>) -> Scales {
    let most = 1i32 << top(bits);
    let alpha = max_abs(dy.v) / most as f32;
    with_target!(q, q => round(dy.v, alpha, most, stream, q));
    Scales::One(alpha)
}

fn round<T: Entry>(v: &[f32], alpha: f32, most: i32, stream: &Stream, q: &mut [T]) {
    if alpha == 0.0 {
        q.fill(T::of(0));
        return;
    }
    uniform::randomly(v, stream, q, |_, v, u| {
        let t = v.abs() / alpha;
        // The exponent of a normal number is ⌊log2⌋.
        let exponent = (t.to_bits() >> 23) as i32 - 127;
        let magnitude = if t < 1.0 {
            i32::from(u < t)
        } else {
            let below = 1 << exponent.min(most.ilog2() as i32);
            if u < t / below as f32 - 1.0 { 2 * below } else { below }
        };
        let magnitude = magnitude.min(most);
        if v < 0.0 { -magnitude } else { magnitude }
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{gradient, sample};
    use super::*;
    use crate::random::Purpose as Draw;

    #[test]
    fn levels_are_powers_of_two() {
        assert_eq!([2, 3, 4, 5].map(levels), [2, 4, 8, 16]);
        let mut v = sample(6000);
        v.iter_mut().step_by(2).for_each(|v| *v = -*v);
        let largest = max_abs(&v);
        (v[0], v[1]) = (largest, -largest);
        for (bits, expected) in [(3, vec![-4, -2, -1, 0, 1, 2, 4]), (2, vec![-1, 0, 1])] {
            let mut q = vec![0; 6000];
            quantize(
                gradient(&v),
                bits,
                Purpose::Both,
                &Stream::new(1, Draw::Gradient, 0, 0),
                (&mut q).into(),
            );
            q.sort_unstable();
            q.dedup();
            assert_eq!(q, expected);
        }
    }

    /// Each value alone: 20,000 draws, 4 standard errors, a value that is a level never leaves it.
    #[test]
    fn every_value_is_met_on_average() {
        let n = 20_000;
        for t in [0.01f32, 0.5, 1.0, 1.3, 2.0, 3.7, 17.5, 63.9, 64.0] {
            let mut v = vec![-t; n];
            v[0] = 64.0;
            let mut q = vec![0; n];
            let dy = Gradient { v: &v, columns: 1, images: n };
            let s =
                quantize(dy, 4, Purpose::Both, &Stream::new(2, Draw::Gradient, 0, 0), (&mut q).into()).one();
            assert_eq!(s, 1.0);
            let mean = q[1..].iter().map(|&q| f64::from(q)).sum::<f64>() / (n - 1) as f64;
            let below = if t < 1.0 { 0.0 } else { libm::exp2(libm::log2(f64::from(t)).floor()) };
            let width = if t < 1.0 { 1.0 } else { below };
            let f = (f64::from(t) - below) / width;
            let error = width * (f * (1.0 - f) / (n - 1) as f64).sqrt();
            assert!((mean + f64::from(t)).abs() <= 4.0 * error + 1e-9, "{t}: {mean} ± {error}");
        }
    }
}
