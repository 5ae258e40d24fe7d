//! A grid whose step is trained.
//!
//! ```text
//! v̂ = s·clamp(round(v/s), −Qn, Qp)
//! ∂v̂/∂s = round(v/s) − v/s   if −Qn < v/s < Qp,   else −Qn or Qp
//! ∂v̂/∂v = 1                  if −Qn < v/s < Qp,   else 0
//! ∂L/∂s  = (N·Qp)^−1/2 · Σ ∂L/∂v̂ · ∂v̂/∂s          s starts at 2·mean|v|/√Qp of the first batch
//! ```
//!
//! Signed: Qn = Qp = 2^(b−1) − 1. Unsigned: Qn = 0, Qp = 2^b − 1; Qp·s is then PACT's clip, with a better gradient. With a scale a
//! channel N counts the values of one, and so do the sums. Values that a mask drops are in neither sum nor mean.
//! A network that was never trained with quantization has s = 0: evaluation then takes the starting
//! value of the batch at hand. A step that grew until all values round to 0 would stay there, for nothing then depends on it: in training it
//! starts again, at rest.
//!
//! # Source   Esser et al. 2020, "Learned step size quantization", equations 1 to 3 and section 2.2;
//! deviations: the signed grid is symmetric, dead steps start again.

use super::storage::with_target;
use super::{Clip, Quantizer, Role, Scales, Target, Values, grid, uniform};
use crate::backend::Moment;
use crate::tensor::blocks::{BLOCK, column_sums, for_blocks, sum, update_and_sum};
use crate::tensor::{Parameter, Slot, slice, slice_mut};
use ndarray::Array2;
use tandem_driver::Format;

/// This quantizer under its name.
pub const CLIP: Clip =
    Clip { is_trained: true, ..Clip::uniform("learned", |role| Box::new(Learned::new(role))) };

/// The smallest step that the optimiser leaves behind: a step is a positive number.
const SMALLEST: f32 = 1e-6;

/// LSQ: a quantizer with a trained step.
#[derive(Clone, Debug)]
pub struct Learned {
    role: Role,
    step: Parameter,
    /// Steps of the last call.
    used: Scales,
}

impl Learned {
    /// With the step still to be chosen by the first batch.
    pub fn new(role: Role) -> Self {
        let mut step = Parameter::new(format!("{}_scale", role.name), Array2::zeros((1, role.scales())));
        step.floor = Some(SMALLEST);
        Learned { role, step, used: Scales::One(0.0) }
    }

    /// Twice the mean magnitude of kept values over √Qp, of each channel.
    fn start(&self, values: Values<'_>) -> Vec<f32> {
        let (_, qp) = grid(self.role.format);
        let from = |total: f64, count: f64| (2.0 * total / count.max(1.0) / f64::from(qp).sqrt()) as f32;
        let Values { v, columns, kept } = values;
        if self.role.channels.is_some() {
            let rows = v.len() / columns;
            let of = |value: &(dyn Fn(usize) -> f64 + Sync)| {
                column_sums(rows, columns, |range, sums| {
                    for i in range.start * columns..range.end * columns {
                        sums[i % columns] += value(i);
                    }
                })
            };
            let totals = of(&|i| f64::from(v[i].abs()));
            let counts = of(&|i| f64::from(u8::from(values.keeps(i))));
            return totals.into_iter().zip(counts).map(|(total, count)| from(total, count)).collect();
        }
        let total = sum(v.len(), |r| v[r].iter().map(|x| f64::from(x.abs())).sum());
        let count = kept.map_or(v.len(), |kept| kept.iter().filter(|kept| **kept).count());
        vec![from(total, count as f64)]
    }

    /// Starts steps anew that turned values into nothing but 0; whether there were any.
    fn restart_dead(&mut self, values: Values<'_>, q: &Target<'_>) -> bool {
        let n = self.role.scales();
        let is_dead = |i: &usize| with_target!(q, q => q.iter().skip(*i).step_by(n).all(|q| *q == 0));
        let mut dead: Vec<usize> = (0..n).filter(is_dead).collect();
        if dead.is_empty() {
            return false;
        }
        let start = self.start(values);
        dead.retain(|&i| start[i] > 0.0);
        for &i in &dead {
            self.step.value[[0, i]] = start[i].max(SMALLEST);
            self.step.moments.iter_mut().for_each(|moment| moment[[0, i]] = 0.0);
        }
        !dead.is_empty()
    }

    /// ∂L/∂v in place of ∂L/∂v̂ = `g`; returns the value's part of ∂L/∂s.
    #[inline(always)]
    fn pull_back(v: f32, s: f32, (lo, hi): (f32, f32), g: &mut f32) -> f64 {
        let t = v / s;
        let inside = t > lo && t < hi;
        let slope = if inside {
            uniform::round_even(t) - t
        } else if t >= hi {
            hi
        } else {
            lo
        };
        let part = f64::from(*g) * f64::from(slope);
        *g = if inside { *g } else { 0.0 };
        part
    }

    fn scale(&self, values: usize, hi: f32) -> f64 {
        1.0 / (values as f64 * f64::from(hi)).sqrt()
    }

    fn pull_back_channels(
        &mut self,
        steps: &[f32],
        values: Values<'_>,
        range: (f32, f32),
        gradient: &mut [f32],
    ) {
        let (v, n) = (values.v, steps.len());
        let part = |i: usize, g: &mut f32| match steps[i % n] {
            0.0 => 0.0,
            s => Self::pull_back(v[i], s, range, g),
        };
        let sums = column_sums(v.len() / n, n, |rows, sums| {
            for i in rows.start * n..rows.end * n {
                sums[i % n] += part(i, &mut gradient[i].clone());
            }
        });
        for_blocks(gradient, BLOCK, |start, gradient| {
            gradient.iter_mut().enumerate().for_each(|(i, g)| {
                part(start + i, g);
            });
        });
        let scale = self.scale(self.role.features / n, range.1);
        self.step.gradients_mut().iter_mut().zip(sums).for_each(|(g, sum)| *g = (sum * scale) as f32);
    }
}

impl Quantizer for Learned {
    fn format(&self) -> Format {
        self.role.format
    }

    fn quantize(&mut self, values: Values<'_>, mut q: Target<'_>, now: Moment) -> Scales {
        let mut steps = slice(&self.step.value).to_vec();
        if steps.contains(&0.0) {
            let start = self.start(values);
            steps.iter_mut().zip(start).filter(|(s, _)| **s == 0.0).for_each(|(s, start)| *s = start);
            if now.is_training() {
                slice_mut(&mut self.step.value).copy_from_slice(&steps);
            }
        }
        self.used = self.role.as_scales(steps);
        let range = grid(self.role.format);
        uniform::round_nearest_by(values.v, &self.used, range, q.reborrow());
        if now.is_training() && self.restart_dead(values, &q) {
            self.used = self.role.as_scales(slice(&self.step.value).to_vec());
            uniform::round_nearest_by(values.v, &self.used, range, q);
        }
        self.used.clone()
    }

    fn straight_through(&mut self, values: Values<'_>, gradient: &mut [f32]) {
        let v = values.v;
        assert_eq!(v.len(), gradient.len());
        let (lo, hi) = grid(self.role.format);
        let range = (lo as f32, hi as f32);
        let s = match self.used.clone() {
            Scales::One(s) => s,
            Scales::Columns(steps) | Scales::Rows(steps) => {
                return self.pull_back_channels(&steps, values, range, gradient);
            }
        };
        if s == 0.0 {
            self.step.gradient.fill(0.0);
            return;
        }
        let total = update_and_sum(v, gradient, |v, g| Self::pull_back(v, s, range, g));
        let scale = self.scale(self.role.features, range.1);
        self.step.gradient[[0, 0]] = (total * scale) as f32;
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
        Learned::new(Role::new("input", format, features))
    }

    fn all(v: &[f32]) -> Values<'_> {
        Values { v, columns: 1, kept: None }
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
        /// and the f32 results carry half an ulp. Σ|terms| bounds both. A step may have started again, where all values round to 0.
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
            let s = quantizer.quantize(all(&v), Target::Words(&mut q), Moment::TRAIN).one();
            let mut dv = g.clone();
            quantizer.straight_through(all(&v), &mut dv);

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
        assert_eq!(
            quantizer.quantize(all(&[0.0; 2]), Target::Words(&mut q), Moment::TRAIN),
            Scales::One(0.0)
        );
        let s = quantizer.quantize(all(&[1.0, 3.0]), Target::Words(&mut q), Moment::TRAIN);
        assert_eq!(s, Scales::One((4.0 / 15f64.sqrt()) as f32));
        assert_eq!(quantizer.quantize(all(&[100.0; 2]), Target::Words(&mut q), Moment::TRAIN), s);
        assert_eq!(q, [15, 15]);
    }

    #[test]
    fn a_step_that_loses_all_values_starts_again_in_training() {
        let mut quantizer = build(Format::signed(4), 2);
        quantizer.step.value[[0, 0]] = 60.0;
        quantizer.step.moments = vec![ndarray::array![[3.0]]];
        let mut q = [9; 2];
        let evaluated = quantizer.quantize(all(&[1.0, -3.0]), Target::Words(&mut q), Moment::EVALUATE);
        assert_eq!((evaluated, q), (Scales::One(60.0), [0, 0]));
        let s = quantizer.quantize(all(&[1.0, -3.0]), Target::Words(&mut q), Moment::TRAIN);
        assert_eq!(s, Scales::One((4.0 / 7f64.sqrt()) as f32));
        assert_eq!((q, quantizer.step.value[[0, 0]]), ([1, -2], s.one()));
        assert_eq!(quantizer.step.moments[0][[0, 0]], 0.0);
        // zeros lose nothing
        quantizer.step.value[[0, 0]] = 60.0;
        assert_eq!(
            quantizer.quantize(all(&[0.0; 2]), Target::Words(&mut q), Moment::TRAIN),
            Scales::One(60.0)
        );

        let role = Role { channels: Some(2), ..Role::new("weight", Format::signed(4), 4) };
        let mut channels = Learned::new(role);
        channels.step.value = ndarray::array![[60.0, 1.0]];
        let values = Values { v: &[1.0, 2.0, -3.0, 4.0], columns: 2, kept: None };
        let s = channels.quantize(values, Target::Words(&mut [0; 4]), Moment::TRAIN);
        assert_eq!(s, Scales::Columns(vec![(4.0 / 7f64.sqrt()) as f32, 1.0]));
    }

    #[test]
    fn evaluation_leaves_an_untrained_step_alone() {
        let mut quantizer = build(Format::unsigned(4), 2);
        let mut q = [0; 2];
        assert!(quantizer.quantize(all(&[1.0, 3.0]), Target::Words(&mut q), Moment::EVALUATE).one() > 0.0);
        assert_eq!(quantizer.step.value[[0, 0]], 0.0);
    }

    /// A channel's step and gradients are those of a quantizer that has the channel alone.
    #[test]
    fn channels_are_quantizers_of_their_own() {
        let n = 3;
        let v: Vec<f32> = (0..60).map(|i| ((i * 37) % 61) as f32 / 20.0 - 1.5 * (i % n) as f32).collect();
        let g: Vec<f32> = (0..60).map(|i| ((i * 17) % 23) as f32 - 11.0).collect();
        let format = Format::signed(3);
        let mut together = Learned::new(Role { channels: Some(n), ..Role::new("weight", format, 60) });
        let values = Values { v: &v, columns: n, kept: None };
        let (mut q, mut dv) = (vec![0; 60], g.clone());
        let scales = together.quantize(values, Target::Words(&mut q), Moment::TRAIN);
        together.straight_through(values, &mut dv);
        for column in 0..n {
            let of = |all: &[f32]| all.iter().copied().skip(column).step_by(n).collect::<Vec<_>>();
            let mut alone = Learned::new(Role::new("weight", format, 20));
            let (own, mut own_q, mut own_dv) = (of(&v), vec![0; 20], of(&g));
            let scale = alone.quantize(all(&own), Target::Words(&mut own_q), Moment::TRAIN).one();
            alone.straight_through(all(&own), &mut own_dv);
            assert_eq!(scales.at(column, 60), scale);
            assert_eq!(of(&dv), own_dv);
            assert_eq!(q.iter().copied().skip(column).step_by(n).collect::<Vec<_>>(), own_q);
            assert_eq!(together.step.gradient[[0, column]], alone.step.gradient[[0, 0]]);
        }
    }
}
