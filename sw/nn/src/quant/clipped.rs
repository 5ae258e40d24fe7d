//! What uniform quantizers with a fitted clip share.
//!
//! ```text
//! s = clip/Q          clip chosen by a fit, every n steps, frozen towards the end of a run: see `Fitting`
//! ∂L/∂v = ∂L/∂v̂ · min(1, clip/|v|)
//! ```
//!
//! A clipped value goes on to follow its gradient, ever weaker: with 0 in its place a clipped weight would never come back.
//!
//! # Source   of the gradient: Sakr et al. 2022, "Optimal clipping and magnitude-aware differentiation for improved
//! quantization-aware training", section 3

use super::sorted::Sorted;
use super::{Quantizer, Role, Scales, Target, Values, grid, uniform};
use crate::backend::Moment;
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{Buffer, Slot, slice, slice_mut};
use ndarray::Array2;
use tandem_driver::Format;

/// A uniform quantizer whose clip is fitted.
#[derive(Clone, Debug)]
pub struct Clipped {
    role: Role,
    /// The clip of these values on a grid.
    fit: fn(&Sorted, &Role) -> f64,
    /// The step, one or one a column; 0 where nothing was fitted yet.
    step: Buffer,
    used: Scales,
}

impl Clipped {
    /// A quantizer for a role with this fit: from magnitudes above 0 to a clip.
    pub fn new(role: Role, fit: fn(&Sorted, &Role) -> f64) -> Self {
        let step = Buffer::new(format!("{}_step", role.name), Array2::zeros((1, role.scales())));
        Clipped { role, fit, step, used: Scales::One(0.0) }
    }

    fn fitted(&self, values: Values<'_>) -> Vec<f32> {
        let (_, q) = grid(self.role.format);
        let step = |sorted: Sorted| {
            let magnitudes = sorted.magnitudes();
            if magnitudes.is_empty() {
                0.0
            } else {
                ((self.fit)(&magnitudes, &self.role) / f64::from(q)) as f32
            }
        };
        match self.role.channels {
            None => vec![step(Sorted::kept(values))],
            Some(n) => (0..n).map(|column| step(Sorted::column(values, column))).collect(),
        }
    }
}

impl Quantizer for Clipped {
    fn format(&self) -> Format {
        self.role.format
    }

    fn quantize(&mut self, values: Values<'_>, q: Target<'_>, now: Moment) -> Scales {
        let is_fitted = slice(&self.step.value).iter().any(|s| *s > 0.0);
        let steps = if self.role.fitting.is_due(now, is_fitted) {
            let steps = self.fitted(values);
            if now.is_training() {
                slice_mut(&mut self.step.value).copy_from_slice(&steps);
            }
            steps
        } else {
            slice(&self.step.value).to_vec()
        };
        self.used = self.role.as_scales(steps);
        uniform::round_nearest_by(values.v, &self.used, grid(self.role.format), q);
        self.used.clone()
    }

    fn straight_through(&mut self, values: Values<'_>, gradient: &mut [f32]) {
        let (lo, hi) = grid(self.role.format);
        let (lo, hi) = (lo as f32, hi as f32);
        let used = &self.used;
        for_blocks(gradient, BLOCK, |start, gradient| {
            for (i, (g, &v)) in gradient.iter_mut().zip(&values.v[start..]).enumerate() {
                let s = used.at(start + i, values.v.len());
                let clip = if v < 0.0 { -lo * s } else { hi * s };
                if v.abs() > clip && s > 0.0 {
                    *g *= clip / v.abs();
                }
            }
        });
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        vec![Slot::Buffer(&mut self.step)]
    }
}
