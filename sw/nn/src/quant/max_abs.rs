//! The grid that just holds the largest magnitude.
//!
//! ```text
//! s = max|v| / Q          Q = 2^(b−1) − 1 signed, 2^b − 1 unsigned
//! ```
//!
//! Weights take the maximum of the moment. Activations take the batch's in training, and in
//! evaluation its running mean, so that a result does not depend on the batch it was computed in:
//! m ← m + (max|v| − m)/10, from the first batch's maximum.

use super::{Clip, Quantizer, Role, Scales, Target, Values, grid, uniform};
use crate::backend::{Mode, Moment};
use crate::tensor::blocks::{column_maxima, max_abs};
use crate::tensor::{Buffer, Slot};
use ndarray::Array2;
use tandem_driver::Format;

/// This quantizer under its name.
pub const CLIP: Clip = Clip::uniform("max-abs", |role| Box::new(MaxAbs::new(role)));

/// Share of a new batch's maximum in the running mean.
const MOMENTUM: f32 = 0.1;

/// A quantizer whose scale follows the largest magnitude.
#[derive(Clone, Debug)]
pub struct MaxAbs {
    format: Format,
    channels: Option<usize>,
    running: Option<Buffer>,
}

impl MaxAbs {
    /// For activations (role `input`) with a running maximum, for weights without.
    pub fn new(role: Role) -> Self {
        let activations = role.name == "input";
        let buffer = || Buffer::new(format!("{}_max", role.name), Array2::zeros((1, 1)));
        MaxAbs { format: role.format, channels: role.channels, running: activations.then(buffer) }
    }

    fn maximum(&mut self, v: &[f32], mode: Mode) -> f32 {
        let Some(running) = &mut self.running else {
            return max_abs(v);
        };
        let running = &mut running.value[[0, 0]];
        match mode {
            Mode::Evaluate if *running > 0.0 => *running,
            Mode::Evaluate => max_abs(v),
            Mode::Train => {
                let now = max_abs(v);
                *running = if *running > 0.0 { *running + MOMENTUM * (now - *running) } else { now };
                now
            }
        }
    }
}

impl Quantizer for MaxAbs {
    fn format(&self) -> Format {
        self.format
    }

    fn quantize(&mut self, values: Values<'_>, q: Target<'_>, now: Moment) -> Scales {
        let range = grid(self.format);
        let scale = |maximum: f32| maximum / range.1 as f32;
        let scales = match self.channels {
            None => Scales::One(scale(self.maximum(values.v, now.mode))),
            Some(n) => Scales::Columns(column_maxima(values.v, n).into_iter().map(scale).collect()),
        };
        uniform::round_nearest_by(values.v, &scales, range, q);
        scales
    }

    /// The identity: nothing is clipped.
    fn straight_through(&mut self, _: Values<'_>, _: &mut [f32]) {}

    fn slots(&mut self) -> Vec<Slot<'_>> {
        self.running.iter_mut().map(Slot::Buffer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn build(name: &'static str, format: Format) -> MaxAbs {
        MaxAbs::new(Role::new(name, format, 1))
    }

    fn all(v: &[f32]) -> Values<'_> {
        Values { v, columns: 1, kept: None }
    }

    proptest! {
        #[test]
        fn the_extreme_gets_the_largest_integer(
            mut v in prop::collection::vec(-10f32..10.0, 2..200), bits in 2u8..=16
        ) {
            v[0] = 10.5;
            let mut q = vec![0; v.len()];
            let s = build("weight", Format::signed(bits)).quantize(all(&v), Target::Words(&mut q), Moment::TRAIN);
            let (lo, hi) = grid(Format::signed(bits));
            prop_assert_eq!(q[0], hi);
            prop_assert!(q.iter().all(|q| (lo..=hi).contains(q)));
            prop_assert_eq!(s, Scales::One(10.5 / hi as f32));
        }
    }

    #[test]
    fn evaluation_uses_the_running_maximum() {
        let mut quantizer = build("input", Format::unsigned(4));
        let mut q = [0];
        quantizer.quantize(all(&[15.0]), Target::Words(&mut q), Moment::TRAIN);
        quantizer.quantize(all(&[25.0]), Target::Words(&mut q), Moment::TRAIN);
        assert_eq!(q, [15]);
        let s = quantizer.quantize(all(&[100.0]), Target::Words(&mut q), Moment::EVALUATE);
        assert_eq!(s, Scales::One(16.0 / 15.0));
        assert_eq!(q, [15]);
    }

    #[test]
    fn each_channel_has_its_own_maximum() {
        let role = Role { channels: Some(3), ..Role::new("weight", Format::signed(4), 6) };
        let v = [0.7, -14.0, 0.0, -0.35, 7.0, 0.0];
        let mut q = [9; 6];
        let scales = MaxAbs::new(role).quantize(
            Values { v: &v, columns: 3, kept: None },
            Target::Words(&mut q),
            Moment::TRAIN,
        );
        assert_eq!(scales, Scales::Columns(vec![0.7 / 7.0, 2.0, 0.0]));
        assert_eq!(q, [7, -7, 0, -4, 4, 0]);
    }
}
