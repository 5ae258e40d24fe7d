//! What flows between layers.

use crate::tensor::Shape;

/// What values a signal can take, which decides how it is quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// Pixels of the input, in [0, 1]: unsigned with the fixed scale 1/(2^b − 1).
    Pixel,
    /// Not negative: unsigned.
    NonNegative,
    /// Anything: signed.
    Real,
}

/// What flows between layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    /// The shape of one example.
    pub shape: Shape,
    /// The values.
    pub range: Range,
}
