//! A Gaussian as a few cosines, each of which slides along in a constant number of steps.
//!
//! With φ = 2π/(2R+1), the window h(n) = Σ_k G_k·cos(φkn) for |n| ≤ R, else 0, is filtered term by term:
//! ```text
//! Z_k(x) = G_k Σ_{|n| ≤ R} cos(φkn)·f(x+n)
//! Δ(x)   = f(x+R+1) − f(x+R) − f(x−R) + f(x−R−1)
//! D_k(x+1) = D_k(x) − 4·sin²(φk/2)·Z_k(x) + G_k·cos(φkR)·Δ(x)        Z_k(x+1) = Z_k(x) + D_k(x+1)
//! S(x+1)   = S(x) + f(x+R+1) − f(x−R)                                output G_0·S + Σ Z_k
//! ```
//! # Numeric  f32. The recurrence Z(x+1) = 2cos(φk)·Z(x) − Z(x−1) + … in differences D: a rounding error stays as large as it was made,
//! where the plain form multiplies it by 1/φ (34 at σ = 32); `rows_do_not_drift` in tests/accuracy.rs holds it to 8192 pixels.
//! Coefficients: G_0 = 1/(2R+1), so that a constant image stays as it is; G_k = 2/(2R+1)·(Σ_{|n| ≤ R} g(n)·cos(φkn) + (−1)^k·t) with t the part
//! of the Gaussian g that lies beyond R. They minimise Σ_m (Σ_{n ≤ m} h(n) − g(n))², the error weighted by 1/(4·sin²(ω/2)), which is the
//! power spectrum of natural images: the running sums of the cosines, sin(φk(m+½))/(2·sin(φk/2)), are orthogonal, and t is what the
//! sum by parts leaves at R+½. R minimises the same sum.
//! # Source   Sugimoto, Kamata 2013 and 2015 (sliding DCT-5); deviations: recurrence in differences, coefficients, R.

use crate::lanes::{LANES, Lane, Pass, Source, Target};
use multiversion::multiversion;
use std::f64::consts::TAU;

/// Most terms beside the mean.
pub(crate) const MOST_TERMS: usize = 4;

/// A window of cosines.
pub(crate) struct SlidingDct {
    radius: usize,
    /// Terms beside the mean.
    terms: usize,
    mean: f32,
    waves: [Wave; MOST_TERMS],
    /// G_k·cos(φkn) for k = 1 … terms, n = −R … R.
    window: Vec<[f32; MOST_TERMS]>,
}

/// A term's constants.
#[derive(Clone, Copy, Default)]
struct Wave {
    /// 4·sin²(φk/2).
    turn: f32,
    /// G_k·cos(φkR).
    edge: f32,
}

/// The cosines that a Gaussian is made of: h(n) = `mean` + Σ_k `weights`\[k − 1\]·cos(2πkn/(2·`radius` + 1)) for |n| ≤ `radius`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cosines {
    /// Pixels on either side of the centre.
    pub radius: usize,
    /// G_0.
    pub mean: f64,
    /// G_1, G_2, …
    pub weights: Vec<f64>,
}

impl Cosines {
    /// The Gaussian of standard deviation `sigma` in 2 to 4 `terms`.
    ///
    /// # Panics
    /// If there are fewer or more terms.
    pub fn gaussian(sigma: f64, terms: usize) -> Self {
        let ratio = [2.9, 3.4, 3.8][terms - 2];
        let near = (ratio * sigma).round() as usize;
        let g = gaussian(sigma, near + 3);
        let radii = near.saturating_sub(2).max(terms)..=(near + 2).max(terms);
        let (_, radius, weights) = radii
            .map(|radius| {
                let c = coefficients(&g, radius, terms);
                (error(&g, radius, &c), radius, c)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("some radius");
        Cosines { radius, mean: 1.0 / (2 * radius + 1) as f64, weights }
    }
}

impl SlidingDct {
    /// The Gaussian of this standard deviation in 2 to 4 terms.
    pub fn new(sigma: f64, terms: usize) -> Self {
        let Cosines { radius, mean, weights: coefficients } = Cosines::gaussian(sigma, terms);
        let phi = TAU / (2 * radius + 1) as f64;
        let mut waves = [Wave::default(); MOST_TERMS];
        for (k, (wave, c)) in (1..).zip(waves.iter_mut().zip(&coefficients)) {
            let angle = phi * f64::from(k);
            wave.turn = (4.0 * (angle / 2.0).sin().powi(2)) as f32;
            wave.edge = (c * (angle * radius as f64).cos()) as f32;
        }
        let at = |i: usize| i as f64 - radius as f64;
        let window = (0..=2 * radius)
            .map(|i| {
                let mut row = [0.0; MOST_TERMS];
                for (k, (w, c)) in (1..).zip(row.iter_mut().zip(&coefficients)) {
                    *w = (c * (phi * f64::from(k) * at(i)).cos()) as f32;
                }
                row
            })
            .collect();
        SlidingDct { radius, terms, mean: mean as f32, waves, window }
    }
}

/// A normalised Gaussian from its centre on, at least `reach` long.
fn gaussian(sigma: f64, reach: usize) -> Vec<f64> {
    let far = ((8.0 * sigma).ceil() as usize).max(reach + 1);
    let g: Vec<f64> = (0..=far).map(|n| (-0.5 * (n as f64 / sigma).powi(2)).exp()).collect();
    let sum = 2.0 * g.iter().sum::<f64>() - g[0];
    g.iter().map(|v| v / sum).collect()
}

/// G_1, G_2, …
fn coefficients(g: &[f64], radius: usize, terms: usize) -> Vec<f64> {
    let points = (2 * radius + 1) as f64;
    let tail = 2.0 * g[radius + 1..].iter().sum::<f64>();
    let coefficient = |k: usize| {
        let angle = TAU / points * k as f64;
        let inside: f64 = (1..=radius).map(|n| 2.0 * g[n] * (angle * n as f64).cos()).sum();
        2.0 / points * (g[0] + inside + if k.is_multiple_of(2) { tail } else { -tail })
    };
    (1..=terms).map(coefficient).collect()
}

/// Σ_m (Σ_{n ≤ m} h(n) − g(n))².
fn error(g: &[f64], radius: usize, coefficients: &[f64]) -> f64 {
    let points = (2 * radius + 1) as f64;
    let h = |n: usize| {
        let wave = |(k, c): (i32, &f64)| c * (TAU / points * f64::from(k) * n as f64).cos();
        if n > radius { 0.0 } else { 1.0 / points + (1..).zip(coefficients).map(wave).sum::<f64>() }
    };
    // from the far end inwards; the sum is odd around the centre
    let (mut sum, mut squares) = (0.0, 0.0);
    for n in (1..g.len()).rev() {
        sum += h(n) - g[n];
        squares += sum * sum;
    }
    squares
}

impl Pass for SlidingDct {
    fn reach(&self) -> (usize, usize) {
        (self.radius + 1, self.radius + 1)
    }

    fn gain(&self) -> f32 {
        1.0
    }

    fn run(&self, source: Source<'_>, target: Target<'_>) {
        match self.terms {
            2 => slide::<2>(self, source, target),
            3 => slide::<3>(self, source, target),
            _ => slide::<4>(self, source, target),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn slide<const K: usize>(dct: &SlidingDct, source: Source<'_>, mut target: Target<'_>) {
    let (r, zero) = (dct.radius, Lane::splat(0.0));
    let (mut sum, mut z, mut d) = (zero, [zero; K], [zero; K]);
    // what the sum has lost to rounding (Kahan)
    let mut lost = zero;
    let waves: [Wave; K] = std::array::from_fn(|k| dct.waves[k]);
    // Z and D at position 0: index i is position i − R − 1
    for (i, w) in dct.window.iter().enumerate() {
        let (f, before) = (source.get(i + 1), source.get(i));
        for l in 0..LANES {
            let more = f.0[l] - lost.0[l];
            let total = sum.0[l] + more;
            lost.0[l] = (total - sum.0[l]) - more;
            sum.0[l] = total;
            let step = f.0[l] - before.0[l];
            for k in 0..K {
                z[k].0[l] += w[k] * f.0[l];
                d[k].0[l] += w[k] * step;
            }
        }
    }
    for x in 0..target.len() {
        let out = target.get(x);
        for l in 0..LANES {
            let mut v = dct.mean * sum.0[l];
            for z in &z {
                v += z.0[l];
            }
            out.0[l] = v;
        }
        let (far, right) = (source.get(x + 2 * r + 2), source.get(x + 2 * r + 1));
        let (left, gone) = (source.get(x + 1), source.get(x));
        for l in 0..LANES {
            let delta = (far.0[l] - right.0[l]) - (left.0[l] - gone.0[l]);
            sum.0[l] += far.0[l] - left.0[l];
            for k in 0..K {
                d[k].0[l] = (d[k].0[l] - waves[k].turn * z[k].0[l]) + waves[k].edge * delta;
                z[k].0[l] += d[k].0[l];
            }
        }
    }
}
