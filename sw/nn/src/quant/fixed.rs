//! A grid that is known beforehand: the pixels of the network's input.
//!
//! ```text
//! s = 1 / Q,  Q = 2^b − 1          v in [0, 1]
//! ```

use super::{Quantizer, Scales, Target, Values, grid, uniform};
use crate::backend::Moment;
use crate::tensor::Slot;
use tandem_driver::Format;

/// Unsigned integers of values in [0, 1].
#[derive(Clone, Copy, Debug)]
pub struct UnitInterval {
    bits: u8,
}

impl UnitInterval {
    /// The grid of `bits` bits.
    pub const fn new(bits: u8) -> Self {
        UnitInterval { bits }
    }
}

impl Quantizer for UnitInterval {
    fn format(&self) -> Format {
        Format::unsigned(self.bits)
    }

    fn quantize(&mut self, values: Values<'_>, q: Target<'_>, _: Moment) -> Scales {
        let (lo, hi) = grid(self.format());
        let s = 1.0 / hi as f32;
        uniform::round_nearest_by(values.v, &Scales::One(s), (lo, hi), q);
        Scales::One(s)
    }

    /// The identity: no value of [0, 1] is clipped.
    fn straight_through(&mut self, _: Values<'_>, _: &mut [f32]) {}

    fn slots(&mut self) -> Vec<Slot<'_>> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_16_levels_are_exact() {
        let v: Vec<f32> = (0..16).map(|i| i as f32 / 15.0).collect();
        let mut q = vec![0; 16];
        let values = Values { v: &v, columns: 4, kept: None };
        let s = UnitInterval::new(4).quantize(values, Target::Words(&mut q), Moment::TRAIN);
        assert_eq!(q, (0..16).collect::<Vec<_>>());
        assert_eq!(s, Scales::One(1.0 / 15.0));
    }
}
