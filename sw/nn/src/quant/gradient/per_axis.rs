//! A scale along the axis that a product does not sum over.
//!
//! ```text
//! dX = dY·Wᵀ     sums over outputs:               s_b = max|dY of image b| / Q
//! dW = Xᵀ·dY     sums over images and positions:  s_o = max|dY of output channel o| / Q
//! ```
//!
//! Unbiased, with less noise than one scale: an image that is learned already and a channel that matters little are not drowned by the
//! largest gradient of the batch. dY is quantized once for each product; both send it anyway, so that cycles are the same.

use super::super::{Scales, Target, grid, uniform};
use super::{Gradient, GradientKind, Purpose};
use crate::random::Stream;
use crate::tensor::blocks::{column_maxima, map_blocks, max_abs};
use tandem_driver::Format;

/// This quantizer under its name.
pub const KIND: GradientKind = GradientKind {
    name: "per-axis",
    widths: (2, 16),
    levels: |bits| bits,
    by_axis: true,
    is_biased: false,
    quantize,
};

fn quantize(dy: Gradient<'_>, bits: u8, purpose: Purpose, stream: &Stream, q: Target<'_>) -> Scales {
    let (_, max) = grid(Format::signed(bits));
    let scales = match purpose {
        Purpose::Both => Scales::One(max_abs(dy.v)),
        Purpose::WeightGradient => Scales::Columns(column_maxima(dy.v, dy.columns)),
        Purpose::InputGradient => {
            let length = dy.v.len() / dy.images;
            let image = |i: usize| max_abs(&dy.v[i * length..][..length]);
            let blocks = map_blocks(dy.images, 64, |images| images.map(image).collect::<Vec<_>>());
            Scales::Rows(blocks.concat())
        }
    };
    let scales = match scales {
        Scales::One(m) => Scales::One(m / max as f32),
        Scales::Columns(all) => Scales::Columns(all.into_iter().map(|m| m / max as f32).collect()),
        Scales::Rows(all) => Scales::Rows(all.into_iter().map(|m| m / max as f32).collect()),
    };
    uniform::round_stochastic_by(dy.v, &scales, max, stream, q);
    scales
}
