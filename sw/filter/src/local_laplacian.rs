//! Local Laplacian: enhances or smooths details, and leaves edges as they are, channel by channel.
//!
//! ```text
//! output's Laplacian coefficient at level l, place p = the coefficient there of r(f; g),  g = (Gaussian pyramid of f)(l, p)
//! r(f; g) = f + amount·(f − g)·exp(−(f − g)²/2σ²)
//! ```
//! With the series of d·exp(−d²/2σ²) ([`crate::series`]) a pyramid of each cos(ω_k f) and sin(ω_k f) is enough, since pyramids are linear:
//! ```text
//! L_l[r(f; g)] = L_l[f] + amount·σ² Σ_k a_k·ω_k·(cos(ω_k g)·L_l[sin ω_k f] − sin(ω_k g)·L_l[cos ω_k f])
//! ```
//! Pyramids: Burt and Adelson's, five taps 1 4 6 4 1; a level has half as many rows and columns as the one below, rounded up.
//! # Numeric  f32; the exact one in f64
//! # Source   Paris, Hasinoff, Kautz 2011; Sumiya, Otsuka, Maeda, Fukushima 2022 (the series)

mod pyramid;

use crate::bilateral::{RANGE, TOLERANCE, range, tolerance};
use crate::exact::{Exact, doubles, rounded};
use crate::image::{Image, each};
use crate::parameter::{Parameter, Values};
use crate::sample::Sample;
use crate::series::Series;
use crate::{Border, Filter, FilterError, Kind};
use pyramid::{Level, down, up};
use rayon::prelude::*;

pub(crate) const KIND: Kind = Kind {
    name: "local-laplacian",
    about: "enhances or smooths details and keeps edges",
    parameters: &[
        Parameter {
            help: "what counts as a detail: a standard deviation in value, in the image's own units",
            ..RANGE
        },
        AMOUNT,
        LEVELS,
        TOLERANCE,
    ],
    build,
    correlation: None,
};

const AMOUNT: Parameter = Parameter {
    name: "amount",
    value: "A",
    default: Some("1"),
    help: "details are multiplied by 1 + A: above 0 enhances, -1 to 0 smooths",
};

const LEVELS: Parameter = Parameter {
    name: "levels",
    value: "N",
    default: Some("5"),
    help: "levels of the pyramid, 1 to 12; as many as the image has room for, if they are fewer",
};

/// Most pixels of an image whose exact result can be waited for.
const MOST_EXACT: usize = 1 << 14;

#[derive(Clone, Copy)]
struct LocalLaplacian {
    range: f64,
    amount: f64,
    levels: usize,
    tolerance: f64,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let amount = values.number(&AMOUNT, |a| (-1.0..=100.0).contains(&a), "-1 to 100")?;
    let (range, tolerance) = (range(values)?, tolerance(values)?);
    Ok(Box::new(LocalLaplacian { range, amount, levels: values.whole(&LEVELS, 1..=12)?, tolerance }))
}

impl Filter for LocalLaplacian {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let (low, high) = image.extremes(border);
        let span = f64::from(high) - f64::from(low);
        let Some(series) = Series::new(self.range, span, self.tolerance) else {
            let (value, least) = (self.range.to_string(), span / 100.0);
            return Err(FilterError::Value {
                name: "range",
                value,
                expected: format!("at least {least} with this image"),
            });
        };
        let shape = image.shape();
        let mut out = vec![0.0; shape.samples()];
        for channel in 0..shape.channels {
            let values = each!(image.samples(), v => {
                v[channel..].iter().step_by(shape.channels).map(|v| v.to_f32()).collect()
            });
            let plane = Level { height: shape.height, width: shape.width, values, outside: border.outside() };
            let result = self.by_series(plane, &series, f32::midpoint(low, high), border);
            let to = out[channel..].iter_mut().step_by(shape.channels);
            to.zip(result.values).for_each(|(to, v)| *to = v);
        }
        Ok(Image::of_f32(image, out.into_iter()))
    }

    fn exact(&self) -> Box<dyn Filter> {
        let filter = *self;
        Box::new(Exact(move |image: &Image, border| filter.exactly(image, border)))
    }
}

/// Gaussian levels, finest first: at most `levels` above the first, until one has a single row or column.
fn gaussians<T: pyramid::Real>(first: Level<T>, levels: usize, border: Border) -> Vec<Level<T>> {
    let mut all = vec![first];
    while all.len() <= levels {
        let last = all.last().expect("the first");
        if last.height.min(last.width) < 2 {
            break;
        }
        all.push(down(last, border));
    }
    all
}

/// The sum of a pyramid, whose last level is Gaussian.
fn collapsed<T: pyramid::Real>(mut levels: Vec<Level<T>>, border: Border) -> Level<T> {
    let mut sum = levels.pop().expect("a level");
    while let Some(mut level) = levels.pop() {
        let coarse = up(&sum, level.height, level.width, border);
        level.values.par_iter_mut().zip(coarse.values).for_each(|(v, c)| *v = *v + c);
        level.outside = level.outside + coarse.outside;
        sum = level;
    }
    sum
}

/// cos(kθ), sin(kθ) of a level's values, for k = 1, 2, …
struct Wave {
    first: Vec<(f32, f32)>,
    now: Vec<(f32, f32)>,
    outside: [(f64, f64); 2],
}

impl Wave {
    fn new(level: &Level<f32>, middle: f32, omega: f64) -> Self {
        let angle = |v: f32| (f64::from(v) - f64::from(middle)) * omega;
        let pair = |v: &f32| (angle(*v).cos() as f32, angle(*v).sin() as f32);
        let first: Vec<_> = level.values.par_iter().map(pair).collect();
        let outside = angle(level.outside);
        Wave { now: first.clone(), first, outside: [(outside.cos(), outside.sin()); 2] }
    }

    fn turn(&mut self) {
        let turned = |(c, s): (f32, f32), (c1, s1): (f32, f32)| (c * c1 - s * s1, s * c1 + c * s1);
        self.now.par_iter_mut().zip(&self.first).for_each(|(now, first)| *now = turned(*now, *first));
        let [first, (c, s)] = self.outside;
        self.outside[1] = (c * first.0 - s * first.1, s * first.0 + c * first.1);
    }
}

impl LocalLaplacian {
    fn by_series(&self, plane: Level<f32>, series: &Series, middle: f32, border: Border) -> Level<f32> {
        let guide = gaussians(plane, self.levels, border);
        let top = guide.len() - 1;
        let mut waves: Vec<Wave> = guide.iter().map(|level| Wave::new(level, middle, series.omega)).collect();
        let mut result = guide.clone();
        let laplacian =
            |levels: &[Level<f32>], l: usize| up(&levels[l + 1], levels[l].height, levels[l].width, border);
        for (l, level) in result[..top].iter_mut().enumerate() {
            let coarse = laplacian(&guide, l);
            level.values.par_iter_mut().zip(&coarse.values).for_each(|(v, c)| *v -= c);
            level.outside = 0.0;
        }
        for k in 1..=series.waves.len() {
            let weight = (self.amount * series.derivative(k)) as f32;
            let part = |sine: bool| {
                let pick = |(c, s): &(f32, f32)| if sine { *s } else { *c };
                let (c, s) = waves[0].outside[1];
                let outside = if sine { s } else { c } as f32;
                let values = waves[0].now.par_iter().map(pick).collect();
                gaussians(Level { values, outside, ..guide[0].shape() }, top, border)
            };
            let (cosines, sines) = (part(false), part(true));
            for (l, level) in result[..top].iter_mut().enumerate() {
                let (c, s) = (laplacian(&cosines, l), laplacian(&sines, l));
                let of = level.values.par_iter_mut().zip(&waves[l].now).enumerate();
                of.for_each(|(i, (v, (cos, sin)))| {
                    let (c, s) = (cosines[l].values[i] - c.values[i], sines[l].values[i] - s.values[i]);
                    *v += weight * (cos * s - sin * c);
                });
            }
            waves.iter_mut().for_each(Wave::turn);
        }
        collapsed(result, border)
    }

    /// Each coefficient from a remapped image of its own.
    fn exactly(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let shape = image.shape();
        if shape.height * shape.width > MOST_EXACT {
            let (height, width) = (shape.height, shape.width);
            return Err(FilterError::TooLarge { kind: KIND.name, height, width, most: MOST_EXACT });
        }
        let all = doubles(image);
        let mut out = vec![0.0; all.len()];
        for channel in 0..shape.channels {
            let values: Vec<f64> = all[channel..].iter().step_by(shape.channels).copied().collect();
            let plane = Level {
                height: shape.height,
                width: shape.width,
                values,
                outside: f64::from(border.outside()),
            };
            let guide = gaussians(plane.clone(), self.levels, border);
            let mut result = guide.clone();
            for (l, level) in result[..guide.len() - 1].iter_mut().enumerate() {
                level.values.par_iter_mut().enumerate().for_each(|(i, coefficient)| {
                    let g = guide[l].values[i];
                    let remap = |v: f64| {
                        let d = v - g;
                        v + self.amount * d * (-0.5 * (d / self.range).powi(2)).exp()
                    };
                    let values = plane.values.iter().map(|v| remap(*v)).collect();
                    let first = Level { values, outside: remap(plane.outside), ..plane.shape() };
                    let levels = gaussians(first, l + 1, border);
                    let coarse = up(&levels[l + 1], levels[l].height, levels[l].width, border);
                    *coefficient = levels[l].values[i] - coarse.values[i];
                });
                level.outside = 0.0;
            }
            let result = collapsed(result, border);
            let to = out[channel..].iter_mut().step_by(shape.channels);
            to.zip(result.values).for_each(|(to, v)| *to = v);
        }
        Ok(rounded(image, &out))
    }
}
