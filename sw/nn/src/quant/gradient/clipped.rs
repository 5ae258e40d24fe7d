//! A grid whose clip costs least, variance of rounding and error of clipping together.
//!
//! ```text
//! J(c) = Σ_{|v|≤c} Δ²·f·(1 − f) + Σ_{|v|>c} (|v| − c)²,  Δ = c/(2^(b−1) − 1),  f = |v|/Δ − ⌊|v|/Δ⌋
//! c = the one with least J of max|dY|·2^(−i/4), i = 0 … 24          on at most 4096 values, every n-th
//! ```
//!
//! Values beyond the clip end at it: the mean of v̂ is no longer v. What that bias is on the gradients of a run: `tandem quantize`.

use super::super::sorted::Sorted;
use super::super::{Scales, Target, Values, grid, uniform};
use super::{Gradient, GradientKind, Purpose};
use crate::random::Stream;
use crate::tensor::blocks::max_abs;
use tandem_driver::Format;

/// This quantizer under its name.
pub const KIND: GradientKind = GradientKind {
    name: "clipped",
    widths: (2, 16),
    levels: |bits| bits,
    by_axis: false,
    is_biased: true,
    quantize,
};

/// Values that the clip is chosen by.
const SAMPLE: usize = 1 << 12;

fn quantize(dy: Gradient<'_>, bits: u8, _: Purpose, stream: &Stream, q: Target<'_>) -> Scales {
    let (_, max) = grid(Format::signed(bits));
    let largest = max_abs(dy.v);
    let sample = Sorted::sample(Values { v: dy.v, columns: dy.columns, kept: None }, SAMPLE);
    let clips = (0..=24).map(|i| f64::from(largest) * libm::exp2(-f64::from(i) / 4.0));
    let costs = clips.map(|clip| (clip, cost(&sample, clip, f64::from(max))));
    let (clip, _) = costs.min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("25 clips");
    let s = (clip / f64::from(max)) as f32;
    let scales = Scales::One(s);
    uniform::round_stochastic_by(dy.v, &scales, max, stream, q);
    scales
}

fn cost(sample: &[f32], clip: f64, max: f64) -> f64 {
    if clip == 0.0 {
        return 0.0;
    }
    let step = clip / max;
    let each = |v: &f32| {
        let v = f64::from(v.abs());
        let f = v / step - (v / step).floor();
        if v > clip { (v - clip) * (v - clip) } else { step * step * f * (1.0 - f) }
    };
    sample.iter().map(each).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{moments, sample};
    use super::*;

    /// Less squared error than without a clip, and a bias towards 0 instead.
    #[test]
    fn a_clip_trades_variance_for_bias() {
        let v = sample(600);
        let of = |kind: &GradientKind| {
            let all = moments(kind, &v, 4, Purpose::Both, 500);
            let squares: f64 = all.iter().map(|(e, s)| e * e + s).sum();
            let bias: f64 = all.iter().zip(&v).map(|((e, _), v)| e * f64::from(v.signum())).sum();
            (squares, bias)
        };
        let (plain, clipped) = (of(&super::super::max_abs::KIND), of(&KIND));
        assert!(clipped.0 < 0.8 * plain.0, "{clipped:?} {plain:?}");
        assert!(clipped.1 < -10.0 * plain.1.abs(), "{clipped:?} {plain:?}");
    }
}
