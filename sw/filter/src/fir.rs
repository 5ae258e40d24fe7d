//! Any FIR kernel: y(p) = scale·Σ_q kernel(q)·f(p + q − centre) + offset, a correlation as in OpenCV's `filter2D`.
//!
//! # Numeric  f32, in the kernel's order by rows, one rounding a tap (fused multiply-add); separable kernels: along columns first, f32
//! between; spectra: [`crate::fft`]

use crate::bands::{Band, Reach, bands};
use crate::box_mean::MOST_SIDE;
use crate::exact::{self, Exact};
use crate::fft::Spectral;
use crate::image::{Image, Samples};
use crate::lanes::separable;
use crate::parameter::{Parameter, Values, number, refused};
use crate::sample::Sample;
use crate::taps::Taps;
use crate::{Border, Correlation, Filter, FilterError, Kind, Weights};
use multiversion::multiversion;

pub(crate) const KIND: Kind = Kind {
    name: "fir",
    about: "correlates with a kernel",
    parameters: &[
        Parameter {
            name: "kernel",
            value: "ROWS",
            default: None,
            help: "rows of weights, such as \"1 2 1; 2 4 2; 1 2 1\"; a weight may be a fraction such as 1/16",
        },
        Parameter {
            name: "row",
            value: "WEIGHTS",
            default: None,
            help: "weights along a row, of a separable kernel",
        },
        Parameter {
            name: "column",
            value: "WEIGHTS",
            default: None,
            help: "weights down a column, of a separable kernel",
        },
        SCALE,
        OFFSET,
        Parameter {
            name: "method",
            value: "METHOD",
            default: Some("auto"),
            help: "direct, fft, or auto: fft from 1024 weights on (kernel) or 1024 along a side (row, column)",
        },
    ],
    build,
    correlation: Some(correlation),
};

pub(crate) const SCALE: Parameter =
    Parameter { name: "scale", value: "S", default: Some("1"), help: "what results are multiplied by" };
pub(crate) const OFFSET: Parameter =
    Parameter { name: "offset", value: "O", default: Some("0"), help: "what is added to results" };

/// Weights from which on `auto` takes spectra.
const MANY: usize = 1024;

/// Weights separated by spaces or commas.
fn weights(name: &'static str, all: &str, text: &str) -> Result<Vec<f64>, FilterError> {
    let words = text.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty());
    let expected = || refused(name, all, &format!("1 to {MOST_SIDE} numbers or fractions in a row"));
    let weight = |word: &str| number(word).filter(|w| w.is_finite());
    let found: Option<Vec<f64>> = words.map(weight).collect();
    found.filter(|w| (1..=MOST_SIDE).contains(&w.len())).ok_or_else(expected)
}

/// A kernel's weights and columns.
fn kernel(text: &str) -> Result<(Vec<f64>, usize), FilterError> {
    let rows: Vec<Vec<f64>> = text
        .trim_end_matches([';', ' '])
        .split(';')
        .map(|row| weights("kernel", text, row))
        .collect::<Result<_, _>>()?;
    let columns = rows[0].len();
    if rows.len() > MOST_SIDE || rows.iter().any(|row| row.len() != columns) {
        return Err(refused("kernel", text, &format!("at most {MOST_SIDE} rows of equal length")));
    }
    Ok((rows.concat(), columns))
}

/// A number that any finite value will do for.
pub(crate) fn any(values: &Values<'_>, parameter: &Parameter) -> Result<f64, FilterError> {
    values.number(parameter, f64::is_finite, "a number")
}

/// Kernel, scale and offset.
fn parts(values: &Values<'_>) -> Result<(Weights, f64, f32), FilterError> {
    let (scale, offset) = (any(values, &SCALE)?, any(values, &OFFSET)? as f32);
    let line = |name: &'static str| values.text(name).map(|text| weights(name, text, text)).transpose();
    let (two, down, along) = (values.text("kernel"), line("column")?, line("row")?);
    if two.is_some() && (down.is_some() || along.is_some()) {
        return Err(refused("kernel", two.unwrap_or_default(), "either kernel, or row and column"));
    }
    let weights = match (two, down, along) {
        (Some(text), ..) => {
            let (weights, columns) = kernel(text)?;
            Weights::Plane { weights, columns }
        }
        (None, None, None) => return values.missing("kernel, or row and column"),
        (None, down, along) => {
            let one = || vec![1.0];
            Weights::Lines { down: down.unwrap_or_else(one), along: along.unwrap_or_else(one) }
        }
    };
    Ok((weights, scale, offset))
}

fn correlation(values: &Values<'_>) -> Result<Correlation, FilterError> {
    let (weights, scale, offset) = parts(values)?;
    Ok(Correlation::scaled(weights, scale, offset))
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let method = values.choice("method", &["auto", "direct", "fft"])?;
    let (weights, scale, offset) = parts(values)?;
    let many = match &weights {
        Weights::Plane { weights, .. } => weights.len() >= MANY,
        Weights::Lines { down, along } => down.len().max(along.len()) >= MANY,
    };
    let spectral = method == "fft" || method == "auto" && many;
    Ok(Box::new(Fir { weights: weights.times(scale), offset, spectral }))
}

/// A kernel and how it is used.
struct Fir {
    /// With its scale.
    weights: Weights,
    offset: f32,
    spectral: bool,
}

/// A kernel, its scale and an offset as a filter.
pub(crate) fn direct(kernel: Weights, scale: f64, offset: f32) -> impl Filter {
    Fir { weights: kernel.times(scale), offset, spectral: false }
}

impl Filter for Fir {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let samples = match image.samples() {
            Samples::U8(v) => Samples::U8(self.filter(image, v, border)),
            Samples::U16(v) => Samples::U16(self.filter(image, v, border)),
            Samples::F32(v) => Samples::F32(self.filter(image, v, border)),
        };
        Ok(Image::made(image.shape(), samples))
    }

    fn exact(&self) -> Box<dyn Filter> {
        let (weights, offset) = (self.weights.clone(), f64::from(self.offset));
        Box::new(Exact(move |image: &Image, border| match &weights {
            Weights::Plane { weights, columns } => {
                let reach = Reach::of(weights.len() / columns, *columns);
                let first = |n: usize| -(n.cast_signed());
                Ok(exact::each_sample(image, border, |around| {
                    let rows = (first(reach.rows.0)..).zip(weights.chunks_exact(*columns));
                    let row = |(dy, row): (isize, &[f64])| -> f64 {
                        (first(reach.columns.0)..).zip(row).map(|(dx, w)| w * around.at(dy, dx)).sum()
                    };
                    rows.map(row).sum::<f64>() + offset
                }))
            }
            Weights::Lines { down, along } => exact::separable(image, down, along, border, offset),
        }))
    }
}

impl Fir {
    fn filter<T: Sample>(&self, image: &Image, samples: &[T], border: Border) -> Vec<T> {
        let shape = image.shape();
        let single = |w: &[f64]| Taps::centred(w.iter().map(|w| *w as f32).collect());
        match &self.weights {
            Weights::Plane { weights, columns } if self.spectral => {
                Spectral::new(weights.clone(), *columns).filter(shape, samples, border, self.offset)
            }
            Weights::Lines { down, along } if self.spectral => {
                Spectral::separable(down, along).filter(shape, samples, border, self.offset)
            }
            Weights::Plane { weights, columns } => {
                let taps = taps(weights, *columns, shape.channels);
                let reach = Reach::of(weights.len() / columns, *columns);
                bands((shape, samples), reach, (border, border.outside()), T::summand, |band, out| {
                    for (y, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
                        correlate(band, y, &taps, self.offset, out);
                    }
                })
            }
            Weights::Lines { down, along } => {
                let finish = |v: f32| T::from_f32(v + self.offset);
                separable(shape, samples, &single(down), &single(along), border, finish)
            }
        }
    }
}

/// A weight and where it looks: rows below and samples right of the first.
struct Tap {
    row: usize,
    column: usize,
    weight: f32,
}

/// The weights that are not zero.
fn taps(weights: &[f64], columns: usize, channels: usize) -> Vec<Tap> {
    let tap =
        |(i, w): (usize, &f64)| Tap { row: i / columns, column: i % columns * channels, weight: *w as f32 };
    weights.iter().enumerate().map(tap).filter(|tap| tap.weight != 0.0).collect()
}

/// Results whose sums are made together, in registers.
const CHUNK: usize = 64;

/// A row of results.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq+fma", "x86_64+avx2+fma"))]
fn correlate<T: Sample>(band: &Band<f32>, y: usize, taps: &[Tap], offset: f32, out: &mut [T]) {
    let whole = out.len() / CHUNK * CHUNK;
    let (chunks, rest) = out.split_at_mut(whole);
    for (i, out) in chunks.chunks_exact_mut(CHUNK).enumerate() {
        let mut sums = [offset; CHUNK];
        for tap in taps {
            let row = &band.row(y + tap.row)[tap.column + i * CHUNK..][..CHUNK];
            for (sum, v) in sums.iter_mut().zip(row) {
                *sum = v.mul_add(tap.weight, *sum);
            }
        }
        out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = T::from_f32(*sum));
    }
    for (x, out) in (whole..).zip(rest) {
        let add = |sum: f32, tap: &Tap| band.row(y + tap.row)[tap.column + x].mul_add(tap.weight, sum);
        *out = T::from_f32(taps.iter().fold(offset, add));
    }
}
