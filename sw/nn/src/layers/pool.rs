//! What pooling layers have in common: windows over each channel, without padding.

use super::{Signal, SpecError};
use crate::number::{Pair, sizes};
use crate::tensor::Shape;
use tandem_driver::Window;

/// Windows of `size`, `stride` apart, or beside each other.
pub fn window<const MOST: u64>(input: Shape, size: Pair<1, MOST>, stride: Option<Pair<1, MOST>>) -> Window {
    input.window(size.get(), stride.unwrap_or(size).get(), [0, 0])
}

/// A value a window and channel, in the range of the input's.
///
/// # Errors   a window larger than the input
pub fn pooled(window: Window, input: Signal) -> Result<Signal, SpecError> {
    let Signal { shape, range } = input;
    let Some((h, w)) = window.positions() else {
        let problem = format!("must be at most {}: the input is {shape}", sizes([shape.h, shape.w]));
        return Err(SpecError { key: "size", problem });
    };
    Ok(Signal { shape: Shape { h, w, c: shape.c }, range })
}
