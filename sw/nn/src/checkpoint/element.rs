//! The element types a checkpoint can hold.

use std::fmt;

/// Element type of a tensor; named as in safetensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// Signed, two's complement.
    I64,
    /// Unsigned byte.
    U8,
}

impl Dtype {
    /// The name in files, digests and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U8 => "U8",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that tensors of a [`State`](super::State) consist of: `f32`, `f64`, `i64` or `u8`.
pub trait Element: Copy + sealed::Sealed {
    /// The type's name in a checkpoint.
    const DTYPE: Dtype;

    /// The elements as little-endian bytes.
    fn to_bytes(elements: &[Self]) -> Vec<u8>;

    /// The elements whose little-endian bytes these are.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! element {
    ($type:ty, $dtype:expr) => {
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const DTYPE: Dtype = $dtype;

            fn to_bytes(elements: &[Self]) -> Vec<u8> {
                elements.iter().flat_map(|element| element.to_le_bytes()).collect()
            }

            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                let (chunks, _) = bytes.as_chunks();
                chunks.iter().map(|&chunk| Self::from_le_bytes(chunk)).collect()
            }
        }
    };
}

element!(f32, Dtype::F32);
element!(f64, Dtype::F64);
element!(i64, Dtype::I64);
element!(u8, Dtype::U8);
