//! A Gaussian as a few cosines, each of which slides along in a constant number of steps.
//!
//! The window h(n) = Σ_k G_k·cos(φ_k·n) for |n| ≤ R, else 0, is filtered term by term:
//! ```text
//! Z_k(x) = G_k Σ_{|n| ≤ R} cos(φ_k·n)·f(x+n)
//! I(x)   = f(x+R) + f(x−R),   Δ(x) = f(x+R+1) + f(x−R−1) − I(x)
//! D_k(x+1) = D_k(x) − 4·sin²(φ_k/2)·Z_k(x) + E_k(R)·Δ(x) + (E_k(R) − E_k(R+1))·I(x),   E_k(n) = G_k·cos(φ_k·n)
//! Z_k(x+1) = Z_k(x) + D_k(x+1)
//! S(x+1)   = S(x) + f(x+R+1) − f(x−R)                                output G_0·S + Σ Z_k
//! ```
//! In the DCT-5 φ_k = 2πk/(2R+1), and the term with I(x) is 0: what the Gaussian unit slides ([`Cosines::gaussian`]). Free angles take it, a product more a
//! term, and are 18 to 30 dB better ([`Cosines::best`]).
//! # Numeric  f32. The recurrence Z(x+1) = 2cos(φ_k)·Z(x) − Z(x−1) + … in differences D: a rounding error stays as large as it was made,
//! where the plain form multiplies it by 1/φ_1 (34 at σ = 32); `rows_do_not_drift` in tests/accuracy.rs holds it to 8192 pixels.
//! Coefficients minimise Σ_m (Σ_{n ≤ m} h(n) − g(n))², g the Gaussian: the error weighted by 1/(4·sin²(ω/2)), which is the
//! power spectrum of natural images, with Σ h = 1, so that a constant image stays as it is; R and the angles minimise the same sum. Of the DCT-5, G_0 = 1/(2R+1)
//! and G_k = 2/(2R+1)·(Σ_{|n| ≤ R} g(n)·cos(φ_k·n) + (−1)^k·t) with t the part of the Gaussian that lies beyond R: the running sums of its cosines,
//! sin(φ_k(m+½))/(2·sin(φ_k/2)), are orthogonal, and t is what the sum by parts leaves at R+½.
//! # Source   Sugimoto, Kamata 2013 and 2015 (sliding DCT-5); deviations: recurrence in differences, coefficients, R, angles.

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
    /// Whether the angles are others than those of a DCT-5.
    is_free: bool,
    /// G_k·cos(φ_k·n) for k = 1 … terms, n = −R … R.
    window: Vec<[f32; MOST_TERMS]>,
}

/// A term's constants.
#[derive(Clone, Copy, Default)]
struct Wave {
    /// 4·sin²(φ_k/2).
    turn: f32,
    /// E_k(R).
    edge: f32,
    /// E_k(R) − E_k(R+1).
    fall: f32,
}

/// The cosines that a Gaussian is made of: h(n) = `mean` + Σ_k `weights`\[k − 1\]·cos(`angles`\[k − 1\]·n) for |n| ≤ `radius`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cosines {
    /// Pixels on either side of the centre.
    pub radius: usize,
    /// φ_1, φ_2, … in radians a pixel: 2πk/(2·`radius` + 1) in a DCT-5.
    pub angles: Vec<f64>,
    /// G_0.
    pub mean: f64,
    /// G_1, G_2, …
    pub weights: Vec<f64>,
}

impl Cosines {
    /// The Gaussian of standard deviation `sigma` in 2 to 4 `terms` of a DCT-5.
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
        let angles = (1..=terms).map(|k| harmonic(radius, k)).collect();
        Cosines { radius, angles, mean: 1.0 / (2 * radius + 1) as f64, weights }
    }

    /// The same in terms of whatever angles are best.
    ///
    /// # Panics
    /// If there are fewer or more terms.
    pub fn best(sigma: f64, terms: usize) -> Self {
        let (ratio, shape) = SHAPES[terms - 2];
        let near = (ratio * sigma).round() as usize;
        let g = gaussian(sigma, near + 3);
        let radii = near.saturating_sub(2).max(terms)..=(near + 2).max(terms);
        radii
            .map(|radius| best_stretch(&g, radius, shape))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("some radius")
            .1
    }
}

/// Of 2, 3 and 4 terms, R/σ and the angles as multiples of 2π/(2R+1) that have the least error where σ is large.
const SHAPES: [(f64, &[f64]); 3] =
    [(3.33, &[1.160, 2.416]), (3.94, &[1.168, 2.383, 3.732]), (4.5, &[1.1785, 2.385, 3.660, 5.092])];

/// The angle of a DCT-5's k-th cosine.
fn harmonic(radius: usize, k: usize) -> f64 {
    TAU / (2 * radius + 1) as f64 * k as f64
}

/// The least error that windows of a radius have with the angles of a shape, by golden sections of one factor to them all, and that window.
fn best_stretch(g: &[f64], radius: usize, shape: &[f64]) -> (f64, Cosines) {
    let at = |stretch: f64| {
        let angles: Vec<f64> =
            shape.iter().map(|multiple| stretch * multiple * harmonic(radius, 1)).collect();
        (stretch, fit(g, radius, angles))
    };
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.8, 1.15);
    let (mut left, mut right) = (at(high - golden * (high - low)), at(low + golden * (high - low)));
    while high - low > 1e-5 {
        if left.1.0 < right.1.0 {
            high = right.0;
            right = left;
            left = at(high - golden * (high - low));
        } else {
            low = left.0;
            left = right;
            right = at(low + golden * (high - low));
        }
    }
    if left.1.0 < right.1.0 { left.1 } else { right.1 }
}

/// The window of least error with this radius and these angles, and its error.
fn fit(g: &[f64], radius: usize, angles: Vec<f64>) -> (f64, Cosines) {
    let (points, terms) = ((2 * radius + 1) as f64, angles.len());
    let cosines: Vec<Vec<f64>> =
        angles.iter().map(|angle| (0..=radius).map(|n| (angle * n as f64).cos()).collect()).collect();
    let means: Vec<f64> = cosines.iter().map(|c| (1.0 + 2.0 * c[1..].iter().sum::<f64>()) / points).collect();
    // normal equations of the running sums, from the far end to the centre, around which they are odd; last column: the right side
    let mut a = [[0.0; MOST_TERMS + 1]; MOST_TERMS];
    let mut squares = 0.0;
    let mut sums = [0.0; MOST_TERMS + 1];
    for n in (1..g.len()).rev() {
        sums[terms] += g[n] - if n > radius { 0.0 } else { 1.0 / points };
        squares += sums[terms] * sums[terms];
        if n <= radius {
            (0..terms).for_each(|k| sums[k] += cosines[k][n] - means[k]);
            for i in 0..terms {
                (0..=terms).for_each(|j| a[i][j] += sums[i] * sums[j]);
            }
        }
    }
    let right: [f64; MOST_TERMS] = std::array::from_fn(|i| a[i][terms]);
    // Gauss: the matrix is positive definite
    for i in 0..terms {
        for below in i + 1..terms {
            let factor = a[below][i] / a[i][i];
            (i..=terms).for_each(|j| a[below][j] -= factor * a[i][j]);
        }
    }
    let mut weights = vec![0.0; terms];
    for i in (0..terms).rev() {
        let known: f64 = (i + 1..terms).map(|j| a[i][j] * weights[j]).sum();
        weights[i] = (a[i][terms] - known) / a[i][i];
    }
    let error = squares - weights.iter().zip(right).map(|(w, right)| w * right).sum::<f64>();
    let mean = 1.0 / points - weights.iter().zip(&means).map(|(w, mean)| w * mean).sum::<f64>();
    (error, Cosines { radius, angles, mean, weights })
}

impl SlidingDct {
    /// A window of 2 to 4 cosines.
    pub fn new(cosines: &Cosines) -> Self {
        let Cosines { radius, mean, ref angles, weights: ref coefficients } = *cosines;
        let cosine = |k: usize, n: f64| coefficients[k] * (angles[k] * n).cos();
        let mut waves = [Wave::default(); MOST_TERMS];
        for (k, wave) in waves.iter_mut().enumerate().take(angles.len()) {
            wave.turn = (4.0 * (angles[k] / 2.0).sin().powi(2)) as f32;
            wave.edge = cosine(k, radius as f64) as f32;
            wave.fall = (cosine(k, radius as f64) - cosine(k, (radius + 1) as f64)) as f32;
        }
        let row = |i: usize| {
            let n = i as f64 - radius as f64;
            std::array::from_fn(|k| if k < angles.len() { cosine(k, n) as f32 } else { 0.0 })
        };
        let window = (0..=2 * radius).map(row).collect();
        let is_free = (1..).zip(angles).any(|(k, angle)| *angle != harmonic(radius, k));
        SlidingDct { radius, terms: angles.len(), mean: mean as f32, waves, is_free, window }
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
        match (self.terms, self.is_free) {
            (2, false) => slide::<2, false>(self, source, target),
            (2, true) => slide::<2, true>(self, source, target),
            (3, false) => slide::<3, false>(self, source, target),
            (3, true) => slide::<3, true>(self, source, target),
            (_, false) => slide::<4, false>(self, source, target),
            (_, true) => slide::<4, true>(self, source, target),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn slide<const K: usize, const FREE: bool>(dct: &SlidingDct, source: Source<'_>, mut target: Target<'_>) {
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
            let inner = right.0[l] + left.0[l];
            sum.0[l] += far.0[l] - left.0[l];
            for k in 0..K {
                let Wave { turn, edge, fall } = waves[k];
                let step = if FREE { edge * delta + fall * inner } else { edge * delta };
                d[k].0[l] = (d[k].0[l] - turn * z[k].0[l]) + step;
                z[k].0[l] += d[k].0[l];
            }
        }
    }
}
