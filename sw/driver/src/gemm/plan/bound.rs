//! How long a sum may be, and how operands are cut when even one product is too large.
//!
//! ```text
//! lo ≤ x·w ≤ hi   ⇒   K·lo ≤ Σ ≤ K·hi ;   fits b bits if −2^(b−1) ≤ K·lo and K·hi ≤ 2^(b−1) − 1
//! ```
//! Accumulators wrap, so only the whole sum has to fit, not its way there.

use crate::device::Format;
use crate::layout::Slice;

/// Most products of an `x` and a `w` whose sum fits a two's complement number of `bits` bits
/// (`usize::MAX` if all products are zero).
pub fn longest_sum(x: Format, w: Format, bits: usize) -> usize {
    let (x, w) = (x.range(), w.range());
    let corners = [x.0, x.1].map(|a| [w.0, w.1].map(|b| i64::from(a) * i64::from(b)));
    let all = corners.iter().flatten();
    let (lo, hi) = (all.clone().min().expect("four"), all.max().expect("four"));
    let largest = 1i64 << (bits - 1);
    let below = if *lo < 0 { largest / -lo } else { i64::MAX };
    let above = if *hi > 0 { (largest - 1) / hi } else { i64::MAX };
    usize::try_from(below.min(above)).expect("not negative")
}

/// Cuts an operand into `groups` slices, at digit borders if it has that many digits.
///
/// # Panics
/// If `groups` is zero or exceeds the operand's bits.
pub fn slices(format: Format, groups: usize, digit: usize) -> Vec<Slice> {
    let bits = usize::from(format.bits);
    assert!((1..=bits).contains(&groups), "{groups} slices of {bits} bits");
    let planes = bits.div_ceil(digit);
    let border = |i: usize| {
        if groups <= planes { (planes * i / groups * digit).min(bits) } else { bits * i / groups }
    };
    let slice = |i: usize| Slice {
        shift: border(i) as u8,
        format: Format { bits: (border(i + 1) - border(i)) as u8, signed: format.signed && i + 1 == groups },
    };
    (0..groups).map(slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_sums_are_the_longest() {
        let (s, u) = (Format::signed, Format::unsigned);
        assert_eq!(longest_sum(s(4), u(4), 32), (1 << 31) / 120);
        assert_eq!(longest_sum(s(8), s(8), 16), 1);
        assert_eq!(longest_sum(s(16), s(16), 32), 1);
        assert_eq!(longest_sum(u(16), u(16), 32), 0);
        assert_eq!(longest_sum(s(1), s(1), 32), (1 << 31) - 1);
        assert_eq!(longest_sum(s(1), u(1), 32), 1 << 31);
    }

    proptest! {
        #[test]
        fn slices_add_up(bits in 1u8..=16, signed: bool, groups in 1usize..=16, digit in 0u32..4, v: i32) {
            let format = Format { bits, signed };
            let groups = groups.min(bits.into());
            let (lo, hi) = format.range();
            let v = v.rem_euclid(hi - lo + 1) + lo;
            let list = slices(format, groups, 1 << digit);
            prop_assert_eq!(list.len(), groups);
            let sum: i32 = list.iter().map(|s| {
                let part = v >> s.shift;
                let part = if s.format.signed { part } else { part & s.format.range().1 };
                assert!(s.format.range().0 <= part && part <= s.format.range().1);
                part << s.shift
            }).sum();
            prop_assert_eq!(sum, v);
        }
    }
}
