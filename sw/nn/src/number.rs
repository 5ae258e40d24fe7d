//! Numbers that carry their bounds: a value outside is an error while the file is read.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// An integer from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Int<MIN, MAX> {
    /// The constant `value`.
    ///
    /// # Panics   if `value` is outside
    pub const fn new(value: u64) -> Self {
        assert!(MIN <= value && value <= MAX);
        Int(value)
    }

    /// Its value, for counts.
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// Whether it is 1.
    pub const fn is_one(&self) -> bool {
        self.0 == 1
    }

    /// Its value.
    pub const fn get_u64(self) -> u64 {
        self.0
    }
}

impl<const MAX: u64> Default for Int<0, MAX> {
    fn default() -> Self {
        Int(0)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounds<const MIN: u64, const MAX: u64>;
        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Bounds<MIN, MAX> {
            type Value = Int<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an integer from {MIN} to {MAX}")
            }

            fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
                if (MIN..=MAX).contains(&v) {
                    Ok(Int(v))
                } else {
                    Err(E::invalid_value(Unexpected::Unsigned(v), &self))
                }
            }

            fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
                match u64::try_from(v) {
                    Ok(v) => self.visit_u64(v),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(v), &self)),
                }
            }
        }
        deserializer.deserialize_u64(Bounds::<MIN, MAX>)
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Int<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// The bounds of a [`Real`].
pub trait Bounds {
    /// Them, in words.
    const ALLOWED: &'static str;

    /// Whether `v` is inside.
    fn contain(v: f64) -> bool;
}

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident: $allowed:literal, $inside:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name;
        impl Bounds for $name {
            const ALLOWED: &'static str = $allowed;
            fn contain(v: f64) -> bool {
                let inside: fn(f64) -> bool = $inside;
                inside(v)
            }
        }
    )*};
}

bounds! {
    /// Learning rates.
    Rate: "a number above 0, at most 100", |v| v > 0.0 && v <= 100.0;
    /// Momenta and other shares.
    Fraction: "a number from 0 to below 1", |v| (0.0..1.0).contains(&v);
    /// Densities and shares that are not nothing.
    Portion: "a number above 0, at most 1", |v| v > 0.0 && v <= 1.0;
    /// Weights of a mean and shares of a run.
    Unit: "a number from 0 to 1", |v| (0.0..=1.0).contains(&v);
    /// Percentiles.
    Percent: "a number from 50 to 100", |v| (50.0..=100.0).contains(&v);
    /// Small positive numbers that keep denominators from 0.
    Tiny: "a number from 1e-12 to 1", |v| (1e-12..=1.0).contains(&v);
}

/// A real number inside the bounds `B`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Real<B>(f64, PhantomData<B>);

impl<B: Bounds> Real<B> {
    /// The constant `value`.
    ///
    /// # Panics   if `value` is outside
    pub fn new(value: f64) -> Self {
        assert!(B::contain(value), "{value} is not {}", B::ALLOWED);
        Real(value, PhantomData)
    }

    /// Its value.
    pub const fn get(&self) -> f64 {
        self.0
    }
}

impl<'de, B: Bounds> Deserialize<'de> for Real<B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inside<B>(PhantomData<B>);
        impl<B: Bounds> Visitor<'_> for Inside<B> {
            type Value = Real<B>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(B::ALLOWED)
            }

            fn visit_f64<E: Error>(self, v: f64) -> Result<Self::Value, E> {
                if B::contain(v) {
                    Ok(Real(v, PhantomData))
                } else {
                    Err(E::invalid_value(Unexpected::Float(v), &self))
                }
            }

            fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
                self.visit_f64(v as f64)
            }
        }
        deserializer.deserialize_f64(Inside(PhantomData))
    }
}

impl<B> Serialize for Real<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

/// A number for height and width: written once for both, or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<const MIN: u64, const MAX: u64>([Int<MIN, MAX>; 2]);

impl<const MIN: u64, const MAX: u64> Pair<MIN, MAX> {
    /// Both values.
    pub const fn get(self) -> [usize; 2] {
        [self.0[0].get(), self.0[1].get()]
    }

    /// Whether both are 1.
    pub const fn is_one(&self) -> bool {
        self.0[0].is_one() && self.0[1].is_one()
    }
}

impl<const MAX: u64> Default for Pair<0, MAX> {
    fn default() -> Self {
        Pair([Int(0); 2])
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Pair<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounds<const MIN: u64, const MAX: u64>;
        impl<'de, const MIN: u64, const MAX: u64> Visitor<'de> for Bounds<MIN, MAX> {
            type Value = Pair<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an integer from {MIN} to {MAX}, or [height, width] of two")
            }

            fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
                let inside = u64::try_from(v).ok().filter(|v| (MIN..=MAX).contains(v));
                inside
                    .map(|v| Pair([Int(v); 2]))
                    .ok_or_else(|| E::invalid_value(Unexpected::Signed(v), &self))
            }

            fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
                self.visit_i64(i64::try_from(v).unwrap_or(i64::MAX))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
                let mut next = |i| all.next_element()?.ok_or_else(|| A::Error::invalid_length(i, &self));
                let pair = [next(0)?, next(1)?];
                match all.next_element::<IgnoredAny>()? {
                    None => Ok(Pair(pair)),
                    Some(_) => Err(A::Error::invalid_length(3, &self)),
                }
            }
        }
        deserializer.deserialize_any(Bounds::<MIN, MAX>)
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Pair<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [a, b] if a == b => a.serialize(serializer),
            pair => pair.serialize(serializer),
        }
    }
}

/// Height and width in words: one number if they are the same.
pub(crate) fn sizes([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { format!("[{height}, {width}]") }
}

/// The default of a pair of 1.
pub(crate) fn ones<const MAX: u64>() -> Pair<1, MAX> {
    Pair([Int(1); 2])
}

/// The default of a switch that is on.
pub(crate) fn yes() -> bool {
    true
}

/// The default of a count that is 1.
pub(crate) fn one<const MAX: u64>() -> Int<1, MAX> {
    Int(1)
}
