//! What each quantizer makes of a tensor.
//!
//! ```text
//! noise = Σ (v̂ − v)² / Σ v²          SQNR = −10·log10(noise) dB
//! bias  = Σ E[v̂ − v]·sign(v) / Σ |v|          of gradients, over draws: how much they shrink on average
//! ```

use crate::backend::Moment;
use crate::layers::{LayerBits, Range, Signal};
use crate::quant::fixed::UnitInterval;
use crate::quant::gradient::{GRADIENTS, Gradient, GradientKind, Purpose};
use crate::quant::{CLIPS, Clip, Quantizer, Role, Scales, Values};
use crate::random::{Purpose as Draw, Stream};
use crate::tensor::blocks::sum;
use crate::tensor::slice;
use crate::train::LayerTensors;
use ndarray::Array2;
use serde::Serialize;
use tandem_driver::Format;

/// Widths of codes that are tried, as far as a quantizer has them.
pub const WIDTHS: std::ops::RangeInclusive<u8> = 1..=8;

/// How often gradients are rounded.
const DRAWS: u64 = 16;

/// A quantizer, and what it made of a tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name in experiments.
    pub quantizer: &'static str,
    /// Whether each output channel has a scale of its own.
    pub by_channel: bool,
    /// Bits of a code.
    pub bits: u8,
    /// Bits of the integers that are multiplied.
    pub level_bits: u8,
    /// Noise-to-signal.
    pub noise: f64,
    /// Of gradients: the mean error towards larger magnitudes, as a share of the mean magnitude; negative where they shrink.
    pub bias: Option<Bias>,
    /// What its levels are worth, rising; with a scale a channel, by their mean.
    #[serde(skip)]
    pub levels: Vec<f32>,
}

/// A bias with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bias {
    /// The bias.
    pub mean: f64,
    /// The standard error of that mean.
    pub standard_error: f64,
}

impl Candidate {
    /// Signal to noise in dB; infinite where nothing is lost.
    pub fn sqnr(&self) -> f64 {
        decibels(self.noise)
    }

    /// Its name, with the axis of its scales.
    pub fn name(&self) -> String {
        format!("{}{}", self.quantizer, if self.by_channel { " by channel" } else { "" })
    }
}

/// Signal to noise in dB.
pub fn decibels(noise: f64) -> f64 {
    -10.0 * libm::log10(noise)
}

/// Σ v².
fn power(v: &[f32]) -> f64 {
    sum(v.len(), |range| v[range].iter().map(|&x| f64::from(x).powi(2)).sum())
}

/// Noise-to-signal of integers and scales; 0 where there is no signal.
pub fn noise(v: &[f32], q: &[i32], scales: &Scales) -> f64 {
    let error = sum(v.len(), |range| {
        range.map(|i| (f64::from(v[i]) - f64::from(scales.at(i, v.len())) * f64::from(q[i])).powi(2)).sum()
    });
    let power = power(v);
    if power > 0.0 { error / power } else { 0.0 }
}

/// What the levels among these integers are worth.
pub fn levels(q: &[i32], scales: &Scales) -> Vec<f32> {
    let mean = match scales {
        Scales::One(s) => *s,
        Scales::Columns(all) | Scales::Rows(all) => {
            (all.iter().map(|s| f64::from(*s)).sum::<f64>() / all.len().max(1) as f64) as f32
        }
    };
    let mut integers = q.to_vec();
    integers.sort_unstable();
    integers.dedup();
    integers.into_iter().map(|q| q as f32 * mean).collect()
}

fn tried(quantizer: &mut dyn Quantizer, values: Values<'_>) -> (u8, f64, Vec<f32>) {
    let mut q = vec![0; values.v.len()];
    let scales = quantizer.quantize(values, (&mut q).into(), Moment::TRAIN);
    (quantizer.format().bits, noise(values.v, &q, &scales), levels(&q, &scales))
}

fn of_clip(clip: &Clip, role: Role, values: Values<'_>) -> Candidate {
    let (level_bits, noise, levels) = tried(&mut *(clip.build)(role), values);
    Candidate {
        quantizer: clip.name,
        by_channel: role.channels.is_some(),
        bits: role.format.bits,
        level_bits,
        noise,
        bias: None,
        levels,
    }
}

/// Quantizers whose error says how well they do.
fn measurable() -> impl Iterator<Item = &'static Clip> {
    CLIPS.iter().filter(|clip| !clip.is_trained)
}

/// All quantizers of a layer's weights, at all widths.
pub fn weights(tensors: &LayerTensors, bits: &LayerBits) -> Vec<Candidate> {
    let values = tensors.weight_values();
    let clips = measurable().filter(|clip| clip.has_zero || !values.drops_some());
    let all = clips.flat_map(|clip| {
        [None, Some(values.columns)].into_iter().flat_map(move |channels| {
            WIDTHS.filter(|b| (clip.widths.0..=clip.widths.1).contains(b)).map(move |b| {
                let role = Role::new("weight", Format::signed(b), values.v.len());
                of_clip(clip, Role { channels, fitting: fitting(bits, b), ..role }, values)
            })
        })
    });
    all.collect()
}

/// All quantizers of a layer's input, at all widths.
pub fn activations(tensors: &LayerTensors, bits: &LayerBits, input: Signal) -> Vec<Candidate> {
    let values = Values::new(&tensors.input, None);
    if input.range == Range::Pixel {
        let pixels = WIDTHS.map(|b| {
            let (level_bits, noise, levels) = tried(&mut UnitInterval::new(b), values);
            Candidate {
                quantizer: "pixels",
                by_channel: false,
                bits: b,
                level_bits,
                noise,
                bias: None,
                levels,
            }
        });
        return pixels.collect();
    }
    let signed = input.range == Range::Real;
    let all = measurable().filter(|clip| clip.has_zero).flat_map(|clip| {
        WIDTHS.filter(move |b| (clip.narrowest(signed)..=clip.widths.1).contains(b)).map(move |b| {
            let role = Role::new("input", Format { bits: b, signed }, values.columns);
            of_clip(clip, Role { fitting: fitting(bits, b), ..role }, values)
        })
    });
    all.collect()
}

/// Fits as the experiment has them, with room for the codes.
fn fitting(bits: &LayerBits, width: u8) -> crate::quant::Fitting {
    let level_bits = bits.fitting.level_bits.filter(|levels| *levels >= width);
    crate::quant::Fitting { level_bits, ..bits.fitting }
}

/// All quantizers of a layer's output gradient, at all widths.
pub fn gradients(tensors: &LayerTensors) -> Vec<Candidate> {
    let all = GRADIENTS.iter().flat_map(|kind| {
        let widths = WIDTHS.filter(move |b| (kind.widths.0..=kind.widths.1).contains(b));
        widths.map(move |b| of_gradient(kind, tensors, b))
    });
    all.collect()
}

/// Noise, mean of the products that have integers of their own, and bias over draws.
fn of_gradient(kind: &GradientKind, tensors: &LayerTensors, bits: u8) -> Candidate {
    let v = slice(&tensors.gradient);
    let dy = Gradient { v, columns: tensors.gradient.ncols(), images: tensors.images() };
    let purposes: &[Purpose] =
        if kind.by_axis { &[Purpose::InputGradient, Purpose::WeightGradient] } else { &[Purpose::Both] };
    let magnitude = sum(v.len(), |range| v[range].iter().map(|&x| f64::from(x.abs())).sum());
    let (mut total, mut shifts, mut found) = (0.0, vec![], vec![]);
    let mut q = vec![0; v.len()];
    for &purpose in purposes {
        for step in 0..DRAWS {
            let stream = Stream::new(1, Draw::Gradient, tensors.layer, step);
            let scales = (kind.quantize)(dy, bits, purpose, &stream, (&mut q).into());
            total += noise(v, &q, &scales);
            let shift = sum(v.len(), |range| {
                let error = |i: usize| f64::from(scales.at(i, v.len())) * f64::from(q[i]) - f64::from(v[i]);
                range.map(|i| if v[i] < 0.0 { -error(i) } else { error(i) }).sum()
            });
            shifts.push(if magnitude > 0.0 { shift / magnitude } else { 0.0 });
            found = levels(&q, &scales);
        }
    }
    let n = shifts.len() as f64;
    let mean = shifts.iter().sum::<f64>() / n;
    let variance = shifts.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Candidate {
        quantizer: kind.name,
        by_channel: false,
        bits,
        level_bits: (kind.levels)(bits),
        noise: total / n,
        bias: Some(Bias { mean, standard_error: (variance / n).sqrt() }),
        levels: found,
    }
}

/// Noise-to-signal of weights or input as the run quantizes them.
pub fn used(v: &Array2<f32>, used: &crate::train::Used) -> f64 {
    noise(slice(v), slice(&used.integers), &used.scales)
}
