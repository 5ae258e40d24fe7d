//! `NumberFormat`: how many bits an exact integer needs, and whether one of them is a sign.
//!
//! The simulator (`Word`) and the Verilog printer derive the format of every sub-expression by the
//! rules below. They are shared on purpose: reductions, complements and casts look at "all bits of
//! the expression", and both sides have to mean the same bits.
//!
//! | expression | format |
//! |---|---|
//! | literal `v` | the fewest bits that hold `v`, signed only if `v < 0` |
//! | `a + b` | one bit more than the wider one, signed if either is |
//! | `a - b`, `-a` | one bit more, signed |
//! | `a * b` | sum of the bits, signed if either is |
//! | `a & b` | the narrower, if both are unsigned; the unsigned one, if one is |
//! | `a \| b`, `a ^ b` | the wider, signed if either is |
//! | `!a` | that of `a` |
//! | `a << n`, `a >> n` | `n` bits more, `n` bits fewer (at least one) |
//! | comparisons, `any`, `all`, `xor`, `get_bit` | one unsigned bit |

/// Widest value a single signal may carry; wider buses are vectors of lanes.
pub const MAX_BITS: usize = 127;

/// Bits of an index into `n` things: `max(1, ⌈log2 n⌉)`.
pub fn index_bits(n: usize) -> usize {
    bits_for(n.saturating_sub(1))
}

/// Bits of an unsigned signal that can reach `max`: `max(1, ⌈log2(max + 1)⌉)`.
pub fn bits_for(max: usize) -> usize {
    (usize::BITS - max.leading_zeros()).max(1) as usize
}

/// Number of bits and signedness of an exact integer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NumberFormat {
    /// Bits, including the sign.
    pub bits: u32,
    /// Two's complement if set.
    pub signed: bool,
}

impl NumberFormat {
    /// A single unsigned bit, the format of every truth value.
    pub const BIT: NumberFormat = NumberFormat { bits: 1, signed: false };

    /// `bits` bits without a sign.
    pub fn unsigned(bits: usize) -> Self {
        NumberFormat::new(bits, false)
    }

    /// `bits` bits in two's complement.
    pub fn signed(bits: usize) -> Self {
        NumberFormat::new(bits, true)
    }

    /// `bits` bits, in two's complement if `signed`.
    pub fn new(bits: usize, signed: bool) -> Self {
        NumberFormat { bits: bits as u32, signed }
    }

    /// The smallest format that holds `v`.
    pub fn of(v: i128) -> Self {
        let magnitude = if v < 0 { !v } else { v };
        let bits = 128 - magnitude.leading_zeros();
        if v < 0 {
            NumberFormat { bits: bits + 1, signed: true }
        } else {
            NumberFormat { bits: bits.max(1), signed: false }
        }
    }

    /// The value that remains of `v` in a signal of this format: `v mod 2^bits`, read with this sign.
    pub fn wrap(self, v: i128) -> i128 {
        if self.bits >= 128 {
            return v;
        }
        let unused = 128 - self.bits;
        if self.signed { (v << unused) >> unused } else { ((v as u128) << unused >> unused) as i128 }
    }

    /// Whether `v` survives [`NumberFormat::wrap`] unchanged.
    pub fn holds(self, v: i128) -> bool {
        self.wrap(v) == v
    }

    /// Bits needed once the value shares a signed expression.
    pub fn signed_bits(self) -> u32 {
        self.bits + u32::from(!self.signed)
    }

    /// Bits of both operands on common ground, and whether that ground is signed.
    pub fn common(self, o: NumberFormat) -> NumberFormat {
        if self.signed || o.signed {
            NumberFormat { bits: self.signed_bits().max(o.signed_bits()), signed: true }
        } else {
            NumberFormat { bits: self.bits.max(o.bits), signed: false }
        }
    }

    pub(crate) fn add(self, o: NumberFormat) -> NumberFormat {
        let c = self.common(o);
        NumberFormat { bits: c.bits + 1, ..c }
    }

    pub(crate) fn sub(self, o: NumberFormat) -> NumberFormat {
        let c = self.common(o);
        NumberFormat { bits: c.bits + 1, signed: true }
    }

    pub(crate) fn neg(self) -> NumberFormat {
        NumberFormat { bits: self.bits + 1, signed: true }
    }

    pub(crate) fn mul(self, o: NumberFormat) -> NumberFormat {
        NumberFormat { bits: self.bits + o.bits, signed: self.signed || o.signed }
    }

    pub(crate) fn and(self, o: NumberFormat) -> NumberFormat {
        match (self.signed, o.signed) {
            (false, false) => NumberFormat { bits: self.bits.min(o.bits), signed: false },
            (false, true) => self,
            (true, false) => o,
            (true, true) => self.common(o),
        }
    }

    pub(crate) fn or(self, o: NumberFormat) -> NumberFormat {
        self.common(o)
    }

    pub(crate) fn shl(self, n: usize) -> NumberFormat {
        NumberFormat { bits: self.bits + n as u32, ..self }
    }

    pub(crate) fn shr(self, n: usize) -> NumberFormat {
        NumberFormat { bits: self.bits.saturating_sub(n as u32).max(1), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_formats() {
        for (v, bits, signed) in [
            (0, 1, false),
            (1, 1, false),
            (2, 2, false),
            (255, 8, false),
            (-1, 1, true),
            (-2, 2, true),
            (-129, 9, true),
        ] {
            assert_eq!(NumberFormat::of(v), NumberFormat { bits, signed }, "{v}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!([1, 2, 3, 4, 5, 8, 9].map(index_bits), [1, 1, 2, 2, 3, 3, 4]);
        assert_eq!([0, 1, 2, 3, 4, 255, 256].map(bits_for), [1, 1, 2, 2, 3, 8, 9]);
    }

    #[test]
    fn wrapping_is_reduction_modulo_a_power_of_two() {
        assert_eq!(NumberFormat::unsigned(4).wrap(-1), 15);
        assert_eq!(NumberFormat::signed(4).wrap(8), -8);
        assert_eq!(NumberFormat::signed(4).wrap(-9), 7);
        assert_eq!(NumberFormat::unsigned(127).wrap(-1), i128::MAX);
        assert!(NumberFormat::signed(4).holds(-8) && !NumberFormat::signed(4).holds(8));
    }

    /// Every operator's format holds the extreme results of its operands' formats.
    #[test]
    fn formats_hold_every_result() {
        let all: Vec<NumberFormat> =
            (1..=4).flat_map(|b| [NumberFormat::unsigned(b), NumberFormat::signed(b)]).collect();
        let values = |f: NumberFormat| (-16i128..16).filter(move |v| f.holds(*v));
        for &a in &all {
            for &b in &all {
                for x in values(a) {
                    assert!(a.neg().holds(-x) && a.shl(3).holds(x << 3) && a.shr(2).holds(x >> 2));
                    for y in values(b) {
                        assert!(a.add(b).holds(x + y), "{a:?} + {b:?}");
                        assert!(a.sub(b).holds(x - y), "{a:?} - {b:?}");
                        assert!(a.mul(b).holds(x * y), "{a:?} * {b:?}");
                        assert!(a.and(b).holds(x & y), "{a:?} & {b:?}");
                        assert!(a.or(b).holds(x | y) && a.or(b).holds(x ^ y), "{a:?} | {b:?}");
                    }
                }
            }
        }
    }
}
