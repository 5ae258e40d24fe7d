//! The grid that just holds the largest magnitude: unbiased, one scale.
//!
//! ```text
//! s = max|dY| / (2^(b−1) − 1),  q = ⌊dY/s + u⌋
//! ```

use super::super::{Scales, Target, grid, uniform};
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

fn quantize(dy: Gradient<'_>, bits: u8, _: Purpose, stream: &Stream, q: Target<'_>) -> Scales {
    let (_, max) = grid(Format::signed(bits));
    let s = max_abs(dy.v) / max as f32;
    let scales = Scales::One(s);
    uniform::round_stochastic_by(dy.v, &scales, max, stream, q);
    scales
}
