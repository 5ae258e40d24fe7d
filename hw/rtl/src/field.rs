//! Fields of the instruction table as wires.

use crate::hdl::prelude::*;
use tandem_spec::isa::Field;

/// A slice for `f` out of the instruction's 16-bit half number `half`.
///
/// # Panics
/// If the table puts the field elsewhere: kernels name halves by number, this keeps them honest.
pub fn field(f: Field, half: usize) -> Slice {
    let at = f.offset / 16;
    assert!(at == half && f.offset % 16 + f.width <= 16, "{} lies in half {at}, not in half {half}", f.name);
    Slice::new(16, f.offset % 16, f.width, false)
}
