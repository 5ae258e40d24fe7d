//! The grid that just holds the largest magnitude.
//!
//! ```text
//! s = max|v| / Q          Q = 2^(b−1) − 1 signed, 2^b − 1 unsigned
//! ```
//!
//! Weights take the maximum of the moment. Activations take the batch's in training, and in
//! evaluation its running mean, so that a result does not depend on the batch it was computed in:
//! m ← m + (max|v| − m)/10, from the first batch's maximum.

use super::{Clip, Quantizer, Role, UNIFORM, grid, uniform};
use crate::backend::Mode;
use crate::tensor::blocks::max_abs;
use crate::tensor::{Buffer, Slot};
use ndarray::Array2;
use tandem_driver::Format;

/// This quantizer under its name.
pub const CLIP: Clip = Clip { name: "max-abs", levels: UNIFORM, build: |role| Box::new(MaxAbs::new(role)) };

/// Share of a new batch's maximum in the running mean.
const MOMENTUM: f32 = 0.1;

/// A quantizer whose scale follows the largest magnitude.
#[derive(Clone, Debug)]
pub struct MaxAbs {
    format: Format,
    running: Option<Buffer>,
}

impl MaxAbs {
    /// For activations (role `input`) with a running maximum, for weights without.
    pub fn new(role: Role) -> Self {
        let activations = role.name == "input";
        let buffer = || Buffer::new(format!("{}_max", role.name), Array2::zeros((1, 1)));
        MaxAbs { format: role.format, running: activations.then(buffer) }
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

    fn quantize(&mut self, v: &[f32], q: &mut [i32], mode: Mode) -> f32 {
        let range = grid(self.format);
        let s = self.maximum(v, mode) / range.1 as f32;
        uniform::round_nearest(v, s, range, q);
        s
    }

    /// The identity: nothing is clipped.
    fn straight_through(&mut self, _: &[f32], _: &mut [f32]) {}

    fn slots(&mut self) -> Vec<Slot<'_>> {
        self.running.iter_mut().map(Slot::Buffer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn build(name: &'static str, format: Format) -> MaxAbs {
        MaxAbs::new(Role { name, format, features: 1 })
    }

    proptest! {
        #[test]
        fn the_extreme_gets_the_largest_integer(
            mut v in prop::collection::vec(-10f32..10.0, 2..200), bits in 2u8..=16
        ) {
            v[0] = 10.5;
            let mut q = vec![0; v.len()];
            let s = build("weight", Format::signed(bits)).quantize(&v, &mut q, Mode::Train);
            let (lo, hi) = grid(Format::signed(bits));
            prop_assert_eq!(q[0], hi);
            prop_assert!(q.iter().all(|q| (lo..=hi).contains(q)));
            prop_assert_eq!(s, 10.5 / hi as f32);
        }
    }

    #[test]
    fn evaluation_uses_the_running_maximum() {
        let mut quantizer = build("input", Format::unsigned(4));
        let mut q = [0];
        quantizer.quantize(&[15.0], &mut q, Mode::Train);
        quantizer.quantize(&[25.0], &mut q, Mode::Train);
        assert_eq!(q, [15]);
        let s = quantizer.quantize(&[100.0], &mut q, Mode::Evaluate);
        assert_eq!(s, 16.0 / 15.0);
        assert_eq!(q, [15]);
    }
}
