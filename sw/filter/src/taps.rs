//! A finite impulse response along one dimension.

use crate::lanes::{LANES, Lane, Pass, Source, Target};
use multiversion::multiversion;

/// y(x) = Σ_i taps(i)·f(x + i − centre).
///
/// # Numeric  f32, in the order of the taps, one rounding a tap (fused multiply-add, the same bits with and without such an instruction)
pub(crate) struct Taps {
    taps: Vec<f32>,
    centre: usize,
}

impl Taps {
    /// Taps around the middle one, the right one of two.
    pub fn centred(taps: Vec<f32>) -> Self {
        let centre = taps.len() / 2;
        Taps { taps, centre }
    }
}

impl Pass for Taps {
    fn reach(&self) -> (usize, usize) {
        (self.centre, self.taps.len() - 1 - self.centre)
    }

    fn gain(&self) -> f32 {
        self.taps.iter().sum()
    }

    fn run(&self, source: Source<'_>, target: Target<'_>) {
        correlate(&self.taps, source, target);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq+fma", "x86_64+avx2+fma"))]
fn correlate(taps: &[f32], source: Source<'_>, mut target: Target<'_>) {
    for x in 0..target.len() {
        let mut sum = Lane::splat(0.0);
        for (i, tap) in taps.iter().enumerate() {
            let f = source.get(x + i);
            for l in 0..LANES {
                sum.0[l] = f.0[l].mul_add(*tap, sum.0[l]);
            }
        }
        *target.get(x) = sum;
    }
}
