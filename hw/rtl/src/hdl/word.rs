//! `Word`: the value of a signal whose width is known only at run time.
//!
//! **A kernel expression is an exact integer.** `+ - * << >>` and comparisons never wrap, whatever
//! the widths and signs of their operands; truncation happens in one place only, the assignment to
//! a signal (and in [`bits_of`]). The printer emits Verilog with the same meaning, with every
//! extension and truncation spelled out, so `a.val() + 1 == b.val()` is true in both or in neither.
//!
//! The bitwise operators work on two's complement of unlimited length, with one exception that
//! hardware authors expect: `!` of an unsigned word complements the bits it has.
use super::number_format::{MAX_BITS, NumberFormat};
use std::cmp::Ordering;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Neg, Not, Shl, Shr, Sub};

/// An exact integer with the format (bits and sign) that its expression has.
///
/// # Numeric
/// Exact; see the module page. Formats follow the table of [`NumberFormat`](super::number_format).
///
/// # Panics
/// An operator panics if its exact result leaves the range of `i128`.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    value: i128,
    format: NumberFormat,
}

impl Word {
    /// The word of format `bits`/`signed` that holds `v mod 2^bits`.
    ///
    /// # Panics
    /// Unless `1 ≤ bits ≤ 127`.
    pub fn new(v: i128, bits: usize, signed: bool) -> Self {
        assert!((1..=MAX_BITS).contains(&bits), "a word of {bits} bits: 1 to {MAX_BITS} are possible");
        Word::in_format(v, NumberFormat::new(bits, signed))
    }

    pub(crate) fn in_format(v: i128, format: NumberFormat) -> Self {
        Word { value: format.wrap(v), format }
    }

    /// The value as an integer.
    pub fn get(self) -> i128 {
        self.value
    }

    /// Bits of the format (the name is fixed: `#[hdl_gen]` calls it).
    pub fn bits(self) -> usize {
        self.format.bits as usize
    }

    /// Bits and sign.
    pub fn format(self) -> NumberFormat {
        self.format
    }

    /// The bits as an unsigned number: `value mod 2^bits`.
    pub fn pattern(self) -> u128 {
        NumberFormat { signed: false, ..self.format }.wrap(self.value) as u128
    }

    /// OR of all bits: is the value different from zero?
    pub fn any(self) -> bool {
        self.value != 0
    }

    /// AND of all bits.
    pub fn all(self) -> bool {
        NumberFormat { signed: true, ..self.format }.wrap(self.value) == -1
    }

    /// XOR of all bits: is the number of ones odd?
    pub fn xor(self) -> bool {
        self.pattern().count_ones() % 2 == 1
    }

    /// Bit `i`, counted from the least significant one; the sign's copies go on for ever.
    pub fn get_bit(self, i: usize) -> bool {
        (self.value >> i.min(127)) & 1 == 1
    }
}

/// `x` reduced to `bits` unsigned bits: zero extension, or truncation.
///
/// In a kernel, `bits` may be any expression over `self` (a field, `self.port.bits()`, a
/// [`Dim`](super::Dim)), but not a loop variable.
pub fn bits_of(x: Word, bits: usize) -> Word {
    Word::new(x.value, bits, false)
}

/// The same bits, read as two's complement.
pub fn signed_cast_of(x: Word) -> Word {
    Word::in_format(x.value, NumberFormat { signed: true, ..x.format })
}

/// The same bits, read as an unsigned number.
pub fn unsigned_cast_of(x: Word) -> Word {
    Word::in_format(x.value, NumberFormat { signed: false, ..x.format })
}

fn exact(v: Option<i128>, what: &str) -> i128 {
    v.unwrap_or_else(|| panic!("an exact {what} beyond 127 bits: reduce an operand with bits_of"))
}

macro_rules! operators {
    ($($trait:ident $method:ident $rule:ident $compute:expr;)*) => { $(
        impl $trait for Word {
            type Output = Word;
            fn $method(self, o: Word) -> Word {
                let compute: fn(i128, i128) -> Option<i128> = $compute;
                let value = exact(compute(self.value, o.value), stringify!($rule));
                Word { value, format: self.format.$rule(o.format) }
            }
        }
        impl $trait<usize> for Word {
            type Output = Word;
            fn $method(self, o: usize) -> Word {
                self.$method(Word::from(o))
            }
        }
        impl $trait<bool> for Word {
            type Output = Word;
            fn $method(self, o: bool) -> Word {
                self.$method(Word::from(o))
            }
        }
    )* };
}
operators! {
    Add add add i128::checked_add;
    Sub sub sub i128::checked_sub;
    Mul mul mul i128::checked_mul;
    BitAnd bitand and |a, b| Some(a & b);
    BitOr bitor or |a, b| Some(a | b);
    BitXor bitxor or |a, b| Some(a ^ b);
}

impl Shl<usize> for Word {
    type Output = Word;
    fn shl(self, n: usize) -> Word {
        let power = 1i128.checked_shl(n as u32).filter(|p| *p > 0);
        let value =
            if self.value == 0 { 0 } else { exact(power.and_then(|p| self.value.checked_mul(p)), "shift") };
        Word { value, format: self.format.shl(n) }
    }
}

/// `⌊x / 2^n⌋`: arithmetic for signed words, logical for unsigned ones.
impl Shr<usize> for Word {
    type Output = Word;
    fn shr(self, n: usize) -> Word {
        Word { value: self.value >> n.min(127), format: self.format.shr(n) }
    }
}

/// `⌊x / 2^n⌋` by a run-time amount; the format stays.
///
/// # Panics
/// If the amount is of a signed format.
impl Shr<Word> for Word {
    type Output = Word;
    fn shr(self, n: Word) -> Word {
        assert!(!n.format.signed, "a shift by a signed amount");
        Word { value: self.value >> n.value.min(127), format: self.format }
    }
}

impl Not for Word {
    type Output = Word;
    fn not(self) -> Word {
        Word::in_format(!self.value, self.format)
    }
}

impl Neg for Word {
    type Output = Word;
    fn neg(self) -> Word {
        Word { value: exact(self.value.checked_neg(), "negation"), format: self.format.neg() }
    }
}

macro_rules! from_integer {
    ($($t:ty),*) => { $(
        impl From<$t> for Word {
            fn from(v: $t) -> Word {
                let value = i128::from(v);
                Word { value, format: NumberFormat::of(value) }
            }
        }
    )* };
}
from_integer!(bool, i32, u32, i64, u64);

impl From<usize> for Word {
    fn from(v: usize) -> Word {
        Word::from(v as u64)
    }
}

impl PartialEq for Word {
    fn eq(&self, o: &Word) -> bool {
        self.value == o.value
    }
}

impl PartialEq<usize> for Word {
    fn eq(&self, o: &usize) -> bool {
        self.value == *o as i128
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, o: &Word) -> Option<Ordering> {
        self.value.partial_cmp(&o.value)
    }
}

impl PartialOrd<usize> for Word {
    fn partial_cmp(&self, o: &usize) -> Option<Ordering> {
        self.value.partial_cmp(&(*o as i128))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u(v: i128, bits: usize) -> Word {
        Word::new(v, bits, false)
    }
    fn s(v: i128, bits: usize) -> Word {
        Word::new(v, bits, true)
    }

    #[test]
    fn arithmetic_is_exact_across_widths_and_signs() {
        assert_eq!((u(15, 4) + u(1, 1)).get(), 16);
        assert_eq!((u(0, 4) - u(1, 4)).get(), -1);
        assert_eq!((s(-8, 4) * u(15, 4)).get(), -120);
        assert!(u(15, 4) + 1 == 16 && s(-1, 4) < 0 && s(-1, 4) < u(0, 1) && u(3, 2) >= 3);
    }

    #[test]
    fn bit_views() {
        assert_eq!((!u(5, 4)).get(), 10);
        assert_eq!((!s(5, 4)).get(), -6);
        assert_eq!(bits_of(s(-1, 4), 6).get(), 63);
        assert_eq!(signed_cast_of(u(12, 4)).get(), -4);
        assert_eq!(unsigned_cast_of(s(-4, 4)).get(), 12);
        assert!(u(15, 4).all() && !u(7, 4).all() && s(-1, 3).all());
        assert!(u(7, 4).xor() && !s(-1, 4).xor());
        assert!(s(-8, 4).get_bit(3) && s(-8, 4).get_bit(90) && !u(8, 4).get_bit(4));
    }

    #[test]
    fn shifts_floor() {
        assert_eq!((s(-5, 4) >> 1).get(), -3);
        assert_eq!((s(-5, 4) >> u(9, 4)).get(), -1);
        assert_eq!((u(13, 4) >> 2).get(), 3);
        assert_eq!((s(-5, 4) << 3).get(), -40);
        assert_eq!((u(0, 4) << 300).get(), 0);
    }

    #[test]
    #[should_panic(expected = "beyond 127 bits")]
    fn results_beyond_i128_panic() {
        let _ = u(-1, 100) * u(-1, 100);
    }

    #[test]
    #[should_panic(expected = "128 bits")]
    fn words_have_at_most_127_bits() {
        u(0, 128);
    }
}
