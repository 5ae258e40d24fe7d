//! Results that leave the device narrower than they are.
//!
//! ```text
//! y = saturate(round half to even(sum / 2^s))        Y = y · 2^s · scale
//! s = max(0, bits of the largest |sum| of the step before + 1 − width)        first step: results leave exactly
//! ```
//! The device divides as results leave, so a step costs a quarter of the link words of exact sums at 8 bits. The gradient
//! passes through rounding and saturation. The shift is state: it is in checkpoints, and evaluation uses the last one.
//!
//! The first step is exact because learned clips start from what it finds: the shift of the largest sum that there can be
//! would leave them nearly nothing (LeNet-5, 5 epochs: 84 % instead of 99).

use crate::layers::bits::EXACT;
use crate::tensor::{Buffer, Slot, slice, slice_mut};
use ndarray::Array2;
use tandem_driver::ResultFormat;

/// Largest shift of a device.
const MOST: u32 = 31;
/// The value of a shift that is not known yet.
const UNKNOWN: f32 = -1.0;

/// The width of a product's results, and their shift.
pub struct Narrowed {
    width: u8,
    /// The shift that the next step will use.
    shift: Buffer,
    /// The shift of the product that ran last.
    used: u8,
}

impl Narrowed {
    /// Results of `width` bits, whose shift is kept under a name.
    pub fn new(name: &str, width: u8) -> Self {
        Narrowed { width, shift: Buffer::new(name, Array2::from_elem((1, 1), UNKNOWN)), used: 0 }
    }

    /// How the next product's results leave.
    pub fn format(&mut self) -> ResultFormat {
        let known = slice(&self.shift.value)[0];
        if self.width == EXACT || known == UNKNOWN {
            self.used = 0;
            return ResultFormat::Full;
        }
        self.used = known as u8;
        ResultFormat::Narrow { bits: self.width, shift: self.used }
    }

    fn for_magnitude(&self, magnitude: u64) -> u8 {
        let bits = u64::BITS - magnitude.leading_zeros() + 1;
        bits.saturating_sub(self.width.into()).min(MOST) as u8
    }

    /// What one unit of the last product's results stands for.
    pub fn unit(&self) -> f32 {
        (1u64 << self.used) as f32
    }

    /// Takes the next shift from the sums of a step.
    pub fn follow(&mut self, magnitude_or: u64) {
        if self.width != EXACT {
            slice_mut(&mut self.shift.value)[0] = self.for_magnitude(magnitude_or).into();
        }
    }

    /// Its state, if it has any.
    pub fn slot(&mut self) -> Option<Slot<'_>> {
        (self.width != EXACT).then_some(Slot::Buffer(&mut self.shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_follow_the_step_before() {
        let mut narrowed = Narrowed::new("shift", 8);
        assert_eq!((narrowed.format(), narrowed.unit()), (ResultFormat::Full, 1.0));
        narrowed.follow(0x1ff);
        assert_eq!(narrowed.format(), ResultFormat::Narrow { bits: 8, shift: 2 });
        assert_eq!(narrowed.unit(), 4.0);
        narrowed.follow(3);
        assert_eq!(narrowed.format(), ResultFormat::Narrow { bits: 8, shift: 0 });
        assert!(narrowed.slot().is_some());
        let mut exact = Narrowed::new("shift", EXACT);
        assert_eq!((exact.format(), exact.unit()), (ResultFormat::Full, 1.0));
        assert!(exact.slot().is_none());
    }
}
