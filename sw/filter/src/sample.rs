//! Numbers that images are made of.

/// A number of an image.
pub(crate) trait Sample: Copy + Default + PartialOrd + Send + Sync + 'static {
    /// The number as it is: 255 of u8 is 255.0.
    fn to_f32(self) -> f32;
    /// What it counts as in sums: numbers so small that their products are denormal, which slows processors down, are 0.
    #[inline(always)]
    fn counted(self) -> Self {
        self
    }
    /// The same as f32.
    #[inline(always)]
    fn summand(self) -> f32 {
        self.counted().to_f32()
    }
    /// Rounded half to even, saturated at the type's ends.
    fn from_f32(v: f32) -> Self;
    /// The same of a double.
    fn from_f64(v: f64) -> Self;
}

/// 1.5·2^23: whatever is added to it is rounded half to even and lies in the lowest bits of the sum.
const ROUND: f32 = 12_582_912.0;

impl Sample for u8 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_f32(v: f32) -> Self {
        (v.clamp(0.0, 255.0) + ROUND).to_bits() as u8
    }

    #[inline(always)]
    fn from_f64(v: f64) -> Self {
        v.round_ties_even() as u8
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_f32(v: f32) -> Self {
        (v.clamp(0.0, 65535.0) + ROUND).to_bits() as u16
    }

    #[inline(always)]
    fn from_f64(v: f64) -> Self {
        v.round_ties_even() as u16
    }
}

/// Numbers below count as 0 in sums.
const LEAST: f32 = 1e-25;

impl Sample for f32 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn counted(self) -> f32 {
        if self.abs() < LEAST { 0.0 } else { self }
    }

    #[inline(always)]
    fn from_f32(v: f32) -> Self {
        v
    }

    #[inline(always)]
    fn from_f64(v: f64) -> Self {
        v as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_half_to_even_and_saturates() {
        let wanted = |v: f32, max: f32| v.round_ties_even().clamp(0.0, max);
        for i in -2000..4_200_000 {
            let v = i as f32 / 16.0;
            assert_eq!(f32::from(u8::from_f32(v)), wanted(v, 255.0), "{v}");
            assert_eq!(f32::from(u16::from_f32(v)), wanted(v, 65535.0), "{v}");
            assert_eq!(u8::from_f64(v.into()), u8::from_f32(v));
            assert_eq!(u16::from_f64(v.into()), u16::from_f32(v));
        }
        assert_eq!((u8::from_f32(f32::MAX), u16::from_f32(f32::MIN)), (255, 0));
    }
}
