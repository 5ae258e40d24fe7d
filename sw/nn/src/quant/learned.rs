//! A grid whose step is trained.
//!
//! ```text
//! v̂ = s·clamp(round(v/s), −Qn, Qp)
//! ∂v̂/∂s = round(v/s) − v/s   if −Qn < v/s < Qp,   else −Qn or Qp
//! ∂v̂/∂v = 1                  if −Qn < v/s < Qp,   else 0
//! ∂L/∂s  = (N·Qp)^−1/2 · Σ ∂L/∂v̂ · ∂v̂/∂s          s starts at 2·mean|v|/√Qp of the first batch
//! ```
//!
//! Signed: Qn = Qp = 2^(b−1) − 1. Unsigned: Qn = 0, Qp = 2^b − 1; Qp·s is then PACT's clip.
//! A network that was never trained with quantization has s = 0: evaluation then takes the starting
//! value of the batch at hand.
//!
//! # Source   Esser et al. 2020, "Learned step size quantization", equations 1 to 3 and section 2.2;
//! deviation: the signed grid is symmetric.

use super::{Clip, Quantizer, Role, UNIFORM, grid, uniform};
use crate::backend::Mode;
use crate::tensor::blocks::{BLOCK, for_block_pairs, sum};
use crate::tensor::{Parameter, Slot};
use ndarray::Array2;
use tandem_driver::Format;

/// This quantizer under its name.
pub const CLIP: Clip = Clip { name: "learned", levels: UNIFORM, build: |role| Box::new(Learned::new(role)) };

/// The smallest step that the optimiser leaves behind: a step is a positive number.
const SMALLEST: f32 = 1e-6;

/// LSQ: a quantizer with a trained step.
#[derive(Clone, Debug)]
pub struct Learned {
    format: Format,
    features: usize,
    step: Parameter,
    /// Step of the last call.
    used: f32,
}

impl Learned {
    /// With the step still to be chosen by the first batch.
    pub fn new(role: Role) -> Self {
        let mut step = Parameter::new(format!("{}_scale", role.name), Array2::zeros((1, 1)));
        step.floor = Some(SMALLEST);
        Learned { format: role.format, features: role.features, step, used: 0.0 }
    }

    fn start(&self, v: &[f32]) -> f32 {
        let (_, qp) = grid(self.format);
        let total = sum(v.len(), |r| v[r].iter().map(|x| f64::from(x.abs())).sum());
        (2.0 * total / v.len().max(1) as f64 / f64::from(qp).sqrt()) as f32
    }
}

impl Quantizer for Learned {
    fn format(&self) -> Format {
        self.format
    }

    fn quantize(&mut self, v: &[f32], q: &mut [i32], mode: Mode) -> f32 {
        self.used = self.step.value[[0, 0]];
        if self.used == 0.0 {
            self.used = self.start(v);
            if mode == Mode::Train {
                self.step.value[[0, 0]] = self.used;
            }
        }
        uniform::round_nearest(v, self.used, grid(self.format), q);
        self.used
    }

    fn straight_through(&mut self, v: &[f32], gradient: &mut [f32]) {
        assert_eq!(v.len(), gradient.len());
        let s = self.used;
        let (lo, hi) = grid(self.format);
        let (lo, hi) = (lo as f32, hi as f32);
        if s == 0.0 {
            self.step.gradient.fill(0.0);
            return;
        }
        let mut partial = vec![0.0f64; v.len().div_ceil(BLOCK)];
        for_block_pairs((gradient, BLOCK), (&mut partial, 1), |i, g, total| {
            for (g, &v) in g.iter_mut().zip(&v[i * BLOCK..]) {
                let t = v / s;
                let inside = t > lo && t < hi;
                let slope = if inside {
                    uniform::round_even(t) - t
                } else if t >= hi {
                    hi
                } else {
                    lo
                };
                total[0] += f64::from(*g) * f64::from(slope);
                *g = if inside { *g } else { 0.0 };
            }
        });
        let scale = 1.0 / (self.features as f64 * f64::from(hi)).sqrt();
        self.step.gradient[[0, 0]] = (partial.iter().sum::<f64>() * scale) as f32;
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        vec![Slot::Parameter(&mut self.step)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn build(format: Format, features: usize) -> Learned {
        Learned::new(Role { name: "input", format, features })
    }

    /// The surrogate of LSQ: round(v/s) − v/s frozen at (v0, s0), so v + s·r inside, ±Q·s outside.
    fn surrogate(v: f64, s: f64, v0: f32, s0: f32, (lo, hi): (i32, i32)) -> f64 {
        let t = v0 / s0;
        if t <= lo as f32 {
            f64::from(lo) * s
        } else if t >= hi as f32 {
            f64::from(hi) * s
        } else {
            v + s * f64::from(t.round_ties_even() - t)
        }
    }

    proptest! {
        /// The surrogate is linear in v and in s: central differences are exact up to rounding in f64,
        /// and the f32 results carry half an ulp. Σ|terms| bounds both.
        #[test]
        fn gradients_are_those_of_the_surrogate(
            pairs in prop::collection::vec((-3f32..3.0, -1f32..1.0), 1..100),
            s in 0.05f32..1.0, bits in 2u8..=8, signed: bool
        ) {
            let format = Format { bits, signed };
            let (v, g): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let mut quantizer = build(format, v.len());
            quantizer.step.value[[0, 0]] = s;
            let mut q = vec![0; v.len()];
            quantizer.quantize(&v, &mut q, Mode::Train);
            let mut dv = g.clone();
            quantizer.straight_through(&v, &mut dv);

            let range = grid(format);
            let h = 0.125;
            let mut ds = 0.0;
            let mut size = 0.0;
            for ((&v, &g), &dv) in v.iter().zip(&g).zip(&dv) {
                let at = |dv: f64, ds: f64| {
                    f64::from(g) * surrogate(f64::from(v) + dv, f64::from(s) + ds, v, s, range)
                };
                let numeric = (at(h, 0.0) - at(-h, 0.0)) / (2.0 * h);
                prop_assert!((numeric - f64::from(dv)).abs() <= 1e-12 * f64::from(range.1));
                ds += (at(0.0, h) - at(0.0, -h)) / (2.0 * h);
                size += f64::from(g.abs()) * f64::from(range.1.max(1));
            }
            let scale = 1.0 / (v.len() as f64 * f64::from(range.1)).sqrt();
            let got = f64::from(quantizer.step.gradient[[0, 0]]);
            prop_assert!((ds * scale - got).abs() <= f64::from(f32::EPSILON) * size * scale, "{ds} {got}");
        }
    }

    #[test]
    fn the_first_batch_chooses_the_step_and_training_keeps_it() {
        let mut quantizer = build(Format::unsigned(4), 2);
        let mut q = [0; 2];
        assert_eq!(quantizer.quantize(&[0.0; 2], &mut q, Mode::Train), 0.0);
        let s = quantizer.quantize(&[1.0, 3.0], &mut q, Mode::Train);
        assert_eq!(s, (4.0 / 15f64.sqrt()) as f32);
        assert_eq!(quantizer.quantize(&[100.0; 2], &mut q, Mode::Train), s);
        assert_eq!(q, [15, 15]);
    }

    #[test]
    fn evaluation_leaves_an_untrained_step_alone() {
        let mut quantizer = build(Format::unsigned(4), 2);
        let mut q = [0; 2];
        assert!(quantizer.quantize(&[1.0, 3.0], &mut q, Mode::Evaluate) > 0.0);
        assert_eq!(quantizer.step.value[[0, 0]], 0.0);
    }
}
