//! y = round-half-to-even(v / 2^shift), and clamped to −2^(bits−1) … 2^(bits−1) − 1.

/// v / 2^shift, rounded half to even.
#[inline(always)]
pub(crate) fn rounded(v: i64, shift: u8) -> i64 {
    let half = (1i64 << shift) >> 1;
    let floor = v >> shift;
    let rest = v - (floor << shift);
    let up = rest > half || (rest == half && half > 0 && floor & 1 == 1);
    floor + i64::from(up)
}

/// The narrowed value, and whether clamping changed it.
#[inline(always)]
pub(crate) fn narrow(v: i64, bits: u8, shift: u8) -> (i64, bool) {
    let rounded = rounded(v, shift);
    let limit = 1i64 << (bits - 1);
    let y = rounded.clamp(-limit, limit - 1);
    (y, y != rounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_to_even_and_ends_hold() {
        let y = |v, s| narrow(v, 8, s).0;
        assert_eq!([y(1, 1), y(3, 1), y(-1, 1), y(-3, 1), y(5, 1)], [0, 2, 0, -2, 2]);
        assert_eq!([y(6, 2), y(7, 2), y(-6, 2), y(-7, 2)], [2, 2, -2, -2]);
        assert_eq!(narrow(255, 8, 1), (127, true));
        assert_eq!(narrow(254, 8, 1), (127, false));
        assert_eq!(narrow(-256, 8, 1), (-128, false));
        assert_eq!(narrow(-258, 8, 1), (-128, true));
        assert_eq!(narrow(200, 16, 0), (200, false));
        let quarters = [-6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7].map(|v| rounded(v, 2));
        assert_eq!(quarters, [-2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(rounded(-7, 0), -7);
    }

    proptest! {
        #[test]
        fn rounding_is_the_floating_point_one(v in -(1i64 << 40)..1i64 << 40, shift in 0u8..=31) {
            let exact = (v as f64 / (1u64 << shift) as f64).round_ties_even();
            let (y, saturated) = narrow(v, 16, shift);
            prop_assert_eq!(y as f64, exact.clamp(-32768.0, 32767.0));
            prop_assert_eq!(saturated, y as f64 != exact);
        }
    }
}
