//! The rounding kernels: values to integers of a uniform grid.
//!
//! ```text
//! nearest      q = clamp(round_ties_even(v / s), lo, hi)
//! stochastic   q = clamp(⌊v / s + u⌋, −Q, Q)          u uniform in [0, 1)
//! ```
//!
//! One f32 division per value; s = 0 gives 0. Loops vectorise on plain SSE2: rounding is the addition
//! of 1.5·2²³, whose sum has a unit in the last place of 1, so that the hardware rounds half to even.

use super::storage::with_target;
use super::{Scales, Target};
use crate::random::{GROUP, Stream};
use crate::tensor::blocks::{BLOCK, for_blocks};
use tandem_driver::Entry;

/// 1.5·2²³: f32 has a spacing of 1 for |t| ≤ 2²² around it.
const MAGIC: f32 = 12_582_912.0;

/// `lo` for NaN.
#[inline(always)]
fn clamp(v: f32, lo: f32, hi: f32) -> f32 {
    let v = if v > lo { v } else { lo };
    if v < hi { v } else { hi }
}

/// Round half to even, for |t| ≤ 2²², as a float.
#[inline(always)]
pub(super) fn round_even(t: f32) -> f32 {
    (t + MAGIC) - MAGIC
}

/// Round half to even, for |t| ≤ 2²².
#[inline(always)]
fn nearest(t: f32) -> i32 {
    (t + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32
}

/// ⌊t⌋, for |t| ≤ 2²².
#[inline(always)]
fn floor(t: f32) -> i32 {
    let up = round_even(t) > t;
    nearest(t) - i32::from(up)
}

/// Quantizes to the nearest integer, ties to even.
///
/// # Numeric  q = clamp(round_ties_even(v/s), lo, hi), |lo| and |hi| at most 2²²; s = 0 gives 0
/// # Panics   if the lengths differ
pub fn round_nearest<T: Entry>(v: &[f32], s: f32, (lo, hi): (i32, i32), q: &mut [T]) {
    assert_eq!(v.len(), q.len());
    if s == 0.0 {
        q.fill(T::of(0));
        return;
    }
    let (lo, hi) = (lo as f32, hi as f32);
    for_blocks(
        q,
        BLOCK,
        #[inline(always)]
        move |start, q| {
            for (q, &v) in q.iter_mut().zip(&v[start..]) {
                *q = T::of(nearest(clamp(v / s, lo, hi)));
            }
        },
    );
}

/// The same with a scale for each value.
pub fn round_nearest_by(v: &[f32], scales: &Scales, range: (i32, i32), q: Target<'_>) {
    with_target!(q, q => nearest_by(v, scales, range, q));
}

fn nearest_by<T: Entry>(v: &[f32], scales: &Scales, (lo, hi): (i32, i32), q: &mut [T]) {
    assert_eq!(v.len(), q.len());
    if let Scales::One(s) = scales {
        return round_nearest(v, *s, (lo, hi), q);
    }
    let (lo, hi) = (lo as f32, hi as f32);
    for_blocks(
        q,
        BLOCK,
        #[inline(always)]
        move |start, q| {
            for (i, q) in q.iter_mut().enumerate() {
                let s = scales.at(start + i, v.len());
                *q = T::of(if s == 0.0 { 0 } else { nearest(clamp(v[start + i] / s, lo, hi)) });
            }
        },
    );
}

/// Quantizes stochastically; value i takes number i of `stream`.
///
/// # Numeric  q = clamp(⌊v/s + u⌋, −max, max), max at most 2²¹; s = 0 gives 0
/// # Panics   if the lengths differ
pub fn round_stochastic<T: Entry>(v: &[f32], s: f32, max: i32, stream: &Stream, q: &mut [T]) {
    if s == 0.0 {
        q.fill(T::of(0));
        return;
    }
    let (lo, hi) = (-max as f32, max as f32 + 0.5);
    randomly(v, stream, q, move |_, v, u| floor(clamp(v / s + u, lo, hi)));
}

/// The same with a scale for each value.
pub fn round_stochastic_by(v: &[f32], scales: &Scales, max: i32, stream: &Stream, q: Target<'_>) {
    with_target!(q, q => stochastic_by(v, scales, max, stream, q));
}

fn stochastic_by<T: Entry>(v: &[f32], scales: &Scales, max: i32, stream: &Stream, q: &mut [T]) {
    if let Scales::One(s) = scales {
        return round_stochastic(v, *s, max, stream, q);
    }
    let (lo, hi) = (-max as f32, max as f32 + 0.5);
    randomly(v, stream, q, |i, x, u| {
        let s = scales.at(i, v.len());
        if s == 0.0 { 0 } else { floor(clamp(x / s + u, lo, hi)) }
    });
}

/// q_i = f(i, v_i, number i of `stream`).
///
/// # Panics   if the lengths differ
pub fn randomly<T: Entry>(
    v: &[f32],
    stream: &Stream,
    q: &mut [T],
    f: impl Fn(usize, f32, f32) -> i32 + Sync,
) {
    assert_eq!(v.len(), q.len());
    const { assert!(BLOCK.is_multiple_of(GROUP)) };
    for_blocks(
        q,
        BLOCK,
        #[inline(always)]
        move |start, q| {
            let mut u = [0.0; GROUP];
            let groups = q.chunks_mut(GROUP).zip(v[start..].chunks(GROUP));
            for (group, (q, v)) in groups.enumerate() {
                stream.uniforms((start / GROUP + group) as u32, &mut u);
                let first = start + group * GROUP;
                for (i, ((q, &v), &u)) in q.iter_mut().zip(v).zip(&u).enumerate() {
                    *q = T::of(f(first + i, v, u));
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use proptest::prelude::*;

    fn one(v: f32, s: f32, range: (i32, i32)) -> i32 {
        let mut q = [i32::MAX];
        round_nearest(&[v], s, range, &mut q);
        q[0]
    }

    proptest! {
        #[test]
        fn nearest_is_the_definition(v in any::<f32>(), s in 1e-6f32..10.0, bits in 2u32..=16, signed: bool) {
            let hi = if signed { (1 << (bits - 1)) - 1 } else { (1 << bits) - 1 };
            let lo = if signed { -hi } else { 0 };
            let t = (v / s).round_ties_even();
            let expected = if t.is_nan() { lo } else { t.clamp(lo as f32, hi as f32) as i32 };
            prop_assert_eq!(one(v, s, (lo, hi)), expected);
        }

        #[test]
        fn ties_go_to_even(n in -32_000i32..32_000) {
            let even = if n % 2 == 0 { n } else { n + 1 };
            prop_assert_eq!(one(n as f32 + 0.5, 1.0, (-40_000, 40_000)), even);
        }

        #[test]
        fn floor_is_the_definition(t in -70_000f32..70_000.0) {
            prop_assert_eq!(floor(t), t.floor() as i32);
            prop_assert_eq!(floor(t.floor()), t.floor() as i32);
        }

        #[test]
        fn the_error_is_at_most_half_a_step(v in -1f32..1.0, bits in 2u32..=12) {
            let q = (1 << (bits - 1)) - 1;
            let s = 1.0 / q as f32;
            let error = (f64::from(v) - f64::from(s) * f64::from(one(v, s, (-q, q)))).abs();
            // v/s carries half an ulp of at most Q, in units of s.
            let slack = f64::from(q) * f64::from(f32::EPSILON);
            prop_assert!(error <= f64::from(s) * (0.5 + slack));
        }

        #[test]
        fn stochastic_rounding_goes_to_a_neighbour(
            v in prop::collection::vec(-1f32..1.0, 1..300), step: u64, bits in 2u32..=8
        ) {
            let max = (1 << (bits - 1)) - 1;
            let s = crate::tensor::blocks::max_abs(&v) / max as f32;
            let mut q = vec![0i32; v.len()];
            round_stochastic(&v, s, max, &Stream::new(1, Purpose::Gradient, 0, step), &mut q);
            for (&v, &q) in v.iter().zip(&q) {
                let t = if s == 0.0 { 0.0 } else { v / s };
                prop_assert!(q.abs() <= max);
                // v/s + u is rounded to f32 too: one ulp of 2^bits.
                let slack = max as f32 * f32::EPSILON * 2.0;
                prop_assert!(q as f32 >= t.floor() - slack && q as f32 <= t.floor() + 1.0 + slack, "{t} → {q}");
            }
        }
    }

    #[test]
    fn a_scale_of_zero_gives_zero() {
        assert_eq!(one(1.0, 0.0, (-7, 7)), 0);
        let mut q = [1; 3];
        let stream = Stream::new(1, Purpose::Gradient, 0, 0);
        round_stochastic(&[1.0, -1.0, 0.0], 0.0, 127, &stream, &mut q);
        assert_eq!(q, [0; 3]);
    }

    /// The mean of n draws of ⌊t+u⌋ has deviation (f(1−f)/n)^1/2 ≤ 1/2·n^-1/2, f = t − ⌊t⌋: six of it.
    #[test]
    fn stochastic_rounding_is_unbiased() {
        let n = 40_000;
        for t in [0.25f32, -0.75, 3.5, -100.125, 126.9] {
            let v = vec![t; n];
            let mut q = vec![0; n];
            let stream = Stream::new(3, Purpose::Gradient, 1, 9);
            round_stochastic(&v, 1.0, 127, &stream, &mut q);
            let mean = q.iter().map(|&q| f64::from(q)).sum::<f64>() / n as f64;
            assert!((mean - f64::from(t)).abs() < 3.0 / (n as f64).sqrt(), "{t}: {mean}");
        }
    }
}
