//! The grid that just holds the largest magnitude: unbiased, one scale.
//!
//! ```text
//! s = max|dY| / (2^(b−1) − 1),  q = ⌊dY/s + u⌋
//! ```

use super::super::{Scales, grid, uniform};
use super::{Gradient, GradientKind, Purpose};
use crate::random::Stream;
use crate::tensor::blocks::max_abs;
use tandem_driver::Format;

/// This quantizer under its name.
pub const KIND: GradientKind = GradientKind {
    name: "max-abs",
    widths: (2, 16),
    levels: |bits| bits,
    by_axis: false,
    is_biased: false,
    quantize,
};

fn quantize(dy: Gradient<'_>, bits: u8, _: Purpose, stream: &Stream, q: &mut [i32]) -> Scales {
    let (_, max) = grid(Format::signed(bits));
    let s = max_abs(dy.v) / max as f32;
    uniform::round_stochastic(dy.v, s, max, stream, q);
    Scales::One(s)
}
