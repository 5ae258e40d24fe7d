//! Results that leave the device narrower than they are.
//!
//! ```text
//! y = saturate(round half to even(sum / 2^s))        Y = y · 2^s · scale
//! s = max(0, bits of the largest |sum| of the step before + 1 − width)        first step: of the largest that there can be
//! ```
//! The device divides as results leave, so a step costs a quarter of the link words of exact sums at 8 bits. The gradient
//! passes through rounding and saturation. The shift is state: it is in checkpoints, and evaluation uses the last one.

use crate::layers::bits::EXACT;
use crate::tensor::{Buffer, Slot, slice, slice_mut};
use ndarray::Array2;
use tandem_driver::{Format, ResultFormat};

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

    /// The results of a product that sums so many terms.
    pub fn format(&mut self, x: Format, w: Format, terms: usize) -> ResultFormat {
        if self.width == EXACT {
            return ResultFormat::Full;
        }
        let known = slice(&self.shift.value)[0];
        self.used = if known == UNKNOWN {
            let largest = |f: Format| u64::from(f.range().0.unsigned_abs().max(f.range().1.unsigned_abs()));
            self.for_magnitude(terms as u64 * largest(x) * largest(w))
        } else {
            known as u8
        };
        ResultFormat::Narrow { bits: self.width, shift: self.used }
    }

    fn for_magnitude(&self, magnitude: u64) -> u8 {
        let bits = u64::BITS - magnitude.leading_zeros() + 1;
        bits.saturating_sub(self.width.into()).min(MOST) as u8
    }

    /// What one unit of the last product's results stands for.
    pub fn unit(&self) -> f32 {
        if self.width == EXACT { 1.0 } else { (1u64 << self.used) as f32 }
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
        let (x, w) = (Format::unsigned(4), Format::signed(4));
        let mut narrowed = Narrowed::new("shift", 8);
        // 100 terms of at most 15 · 8: 12,000 has 14 bits, with its sign 15.
        assert_eq!(narrowed.format(x, w, 100), ResultFormat::Narrow { bits: 8, shift: 7 });
        assert_eq!(narrowed.unit(), 128.0);
        narrowed.follow(0x1ff);
        assert_eq!(narrowed.format(x, w, 100), ResultFormat::Narrow { bits: 8, shift: 2 });
        assert_eq!(narrowed.unit(), 4.0);
        narrowed.follow(3);
        assert_eq!(narrowed.format(x, w, 100), ResultFormat::Narrow { bits: 8, shift: 0 });
        assert!(narrowed.slot().is_some());
        let mut exact = Narrowed::new("shift", EXACT);
        assert_eq!((exact.format(x, w, 100), exact.unit()), (ResultFormat::Full, 1.0));
        assert!(exact.slot().is_none());
    }
}
