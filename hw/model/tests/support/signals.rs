//! Signals, their transform in double precision, and how far integers may be from it.

use num_complex::Complex;
use rustfft::FftPlanner;
use std::f64::consts::{PI, SQRT_2};
use tandem_spec::engine::{TransformKind, Transformed};
use tandem_stimuli::Random;

pub type Signal = Vec<Complex<i32>>;

/// Samples of which both parts are from −`amplitude` to `amplitude` − 1.
pub fn samples(random: &mut Random, n: usize, amplitude: i32) -> Signal {
    let range = -i64::from(amplitude)..i64::from(amplitude);
    let mut part = || random.within(range.clone()) as i32;
    (0..n).map(|_| Complex::new(part(), part())).collect()
}

/// What a signal is made of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Uniform noise, `2^-k` of full scale.
    Noise(u32),
    /// One sample.
    Impulse,
    /// The same sample everywhere.
    Constant,
    /// A rotation of so many turns over the signal.
    Tone(f64),
    /// The corner of the square of all samples that is nearest to such a rotation.
    Square(f64),
    /// Corners at random.
    Corners,
}

/// `n` samples of `bits` bits; `seed` chooses places, phases and noise.
pub fn signal(shape: Shape, n: usize, bits: u32, seed: u64) -> Signal {
    let mut random = Random(seed);
    let half = 1i32 << (bits - 1);
    let part = |v: f64| (v.round() as i32).clamp(-half, half - 1);
    let corner = |positive: bool| if positive { half - 1 } else { -half };
    let phase = (random.any() % 360) as f64 * PI / 180.0;
    let turned = |turns: f64, i: usize| Complex::cis(2.0 * PI * turns * i as f64 / n as f64 + phase);
    match shape {
        Shape::Noise(k) => samples(&mut random, n, (half >> k).max(1)),
        Shape::Impulse => {
            let mut x = vec![Complex::new(0, 0); n];
            x[random.any() as usize % n] = samples(&mut random, 1, half)[0];
            x
        }
        Shape::Constant => vec![samples(&mut random, 1, half)[0]; n],
        Shape::Tone(turns) => (0..n)
            .map(|i| turned(turns, i) * f64::from(half))
            .map(|z| Complex::new(part(z.re), part(z.im)))
            .collect(),
        Shape::Square(turns) => (0..n)
            .map(|i| turned(turns, i))
            .map(|z| Complex::new(corner(z.re > 0.0), corner(z.im > 0.0)))
            .collect(),
        Shape::Corners => {
            (0..n).map(|_| Complex::new(corner(random.below(2) == 1), corner(random.below(2) == 1))).collect()
        }
    }
}

/// X in double precision.
pub fn exact(kind: &TransformKind, x: &[Complex<i32>]) -> Vec<Complex<f64>> {
    let mut planner = FftPlanner::new();
    let mut plan = |n| if kind.inverse { planner.plan_fft_inverse(n) } else { planner.plan_fft_forward(n) };
    let mut y: Vec<_> = x.iter().map(|z| Complex::new(f64::from(z.re), f64::from(z.im))).collect();
    if !kind.tile {
        plan(x.len()).process(&mut y);
        return y;
    }
    let side = 1 << (kind.log_points / 2);
    let plan = plan(side);
    for _ in 0..2 {
        plan.process(&mut y);
        y = (0..x.len()).map(|i| y[i % side * side + i / side]).collect();
    }
    y
}

/// How far a part of y may be from X / 2^E, clamped as y is.
///
/// ```text
/// a pass on values of magnitude ≤ m with errors ≤ e, of t stages, g = 2^t:
///   |zŵ − Zw| ≤ |z − Z|·|ŵ| + |Z|·|ŵ − w|,   |ŵ − w| ≤ δ = √½·2^−16    (0 in the last pass)
///   e ← g·(e·(1 + δ) + m·δ) / 2^s + √½,      m ← g·m·(1 + δ) / 2^s + √½
/// result: e / 2^q + √½ in steps of y
/// ```
pub fn bound(kind: &TransformKind, x: &[Complex<i32>], done: &Transformed) -> f64 {
    let largest = x.iter().map(|z| f64::from(z.re).hypot(f64::from(z.im))).fold(0.0, f64::max);
    let half = SQRT_2 / 2.0;
    let log = u32::from(kind.log_points);
    let dropped = |stages: u32| stages.saturating_sub(6);
    let (mut m, mut e, mut at) = (if kind.block { largest } else { 4.0 * largest }, 0.0, 0);
    while at < log {
        let stages = if at == 0 && log % 2 == 1 { 1 } else { 2 };
        let s = if kind.block { dropped(at + stages) - dropped(at) } else { stages };
        at += stages;
        let delta = if at == log { 0.0 } else { half / 65536.0 };
        let gain = 2f64.powi(stages as i32 - s as i32);
        e = gain * (e * (1.0 + delta) + m * delta) + half;
        m = gain * m * (1.0 + delta) + half;
    }
    let q = if kind.block { u32::from(done.exponent) - dropped(log) } else { 2 };
    // what double precision itself may miss: log2 N roundings of at most N·|x|
    let double = f64::from(log) * 4.0 * f64::EPSILON * x.len() as f64 * largest;
    e / 2f64.powi(q as i32) + half + double / 2f64.powi(done.exponent.into())
}
