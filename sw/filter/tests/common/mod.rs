//! Images, and what lies around them, written apart from the library.

#![allow(dead_code, reason = "each suite uses a part")]

use std::collections::BTreeMap;
use tandem_filter::{Border, Filter, FilterError, Image, Samples, Shape, kind};
use tandem_stimuli::Random;

pub const BORDERS: [&str; 6] = ["reflect", "reflect-101", "replicate", "wrap", "constant", "constant:37"];

/// Names and values of parameters.
pub type Options<'a> = &'a [(&'a str, &'a str)];

/// A filter with these parameters.
pub fn filter(name: &str, parameters: Options<'_>) -> Box<dyn Filter> {
    build(name, parameters).unwrap_or_else(|e| panic!("{name} {parameters:?}: {e}"))
}

pub fn build(name: &str, parameters: Options<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let parameters: BTreeMap<_, _> =
        parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    kind(name)?.build(&parameters)
}

pub fn apply(filter: &dyn Filter, image: &Image, border: &str) -> Image {
    filter.apply(image, border.parse().expect("a border")).unwrap_or_else(|e| panic!("{border}: {e}"))
}

/// A channel with its surroundings, made by walking step by step.
pub struct Plane {
    pub v: Vec<f64>,
    pub shape: Shape,
    pub channel: usize,
    pub border: String,
}

impl Plane {
    pub fn new(image: &Image, channel: usize, border: &str) -> Self {
        Plane { v: doubles(image), shape: image.shape(), channel, border: border.to_owned() }
    }

    /// Walks from the first place to `i`, turning back at the ends as the mode says; nothing for the constant.
    fn walk(&self, i: i64, n: usize) -> Option<usize> {
        let n = n as i64;
        let (mut at, mut step) = (0i64, 1i64);
        if self.border.starts_with("constant") {
            return (0..n).contains(&i).then_some(i as usize);
        }
        // to the left of 0 is what a mirror, a copy or the other end shows
        let (count, mut forward) = (i.abs(), i >= 0);
        if n == 1 {
            return Some(0);
        }
        for _ in 0..count {
            let next = if forward { at + step } else { at - step };
            at = match (self.border.as_str(), (0..n).contains(&next)) {
                (_, true) => next,
                ("replicate", _) => at,
                ("wrap", _) => next.rem_euclid(n),
                ("reflect", _) => {
                    forward = !forward;
                    at
                }
                _ => {
                    forward = !forward;
                    if forward { at + step } else { at - step }
                }
            };
            step = 1;
        }
        Some(at as usize)
    }

    pub fn at(&self, y: i64, x: i64) -> f64 {
        match (self.walk(y, self.shape.height), self.walk(x, self.shape.width)) {
            (Some(y), Some(x)) => self.v[(y * self.shape.width + x) * self.shape.channels + self.channel],
            _ => self.border.split_once(':').map_or(0.0, |(_, v)| v.parse().expect("a number")),
        }
    }
}

pub fn doubles(image: &Image) -> Vec<f64> {
    match image.samples() {
        Samples::U8(v) => v.iter().map(|v| f64::from(*v)).collect(),
        Samples::U16(v) => v.iter().map(|v| f64::from(*v)).collect(),
        Samples::F32(v) => v.iter().map(|v| f64::from(*v)).collect(),
    }
}

/// The function of every place's surroundings.
pub fn map(image: &Image, border: &str, result: impl Fn(&Plane, i64, i64) -> f64) -> Vec<f64> {
    let Shape { height, width, channels } = image.shape();
    let planes: Vec<_> = (0..channels).map(|c| Plane::new(image, c, border)).collect();
    let mut out = vec![];
    for y in 0..height {
        for x in 0..width {
            out.extend(planes.iter().map(|plane| result(plane, y as i64, x as i64)));
        }
    }
    out
}

/// As the image's type holds it.
pub fn held(image: &Image, v: f64) -> f64 {
    match image.samples() {
        Samples::U8(_) => v.round_ties_even().clamp(0.0, 255.0),
        Samples::U16(_) => v.round_ties_even().clamp(0.0, 65535.0),
        Samples::F32(_) => v,
    }
}

pub fn random_image(random: &mut Random, of: &str, shape: Shape) -> Image {
    let count = shape.samples();
    let samples = match of {
        "u8" => Samples::U8((0..count).map(|_| random.below(256) as u8).collect()),
        "u16" => Samples::U16((0..count).map(|_| random.below(65536) as u16).collect()),
        _ => Samples::F32((0..count).map(|_| random.below(1 << 20) as f32 / 4096.0 - 60.0).collect()),
    };
    Image::new(shape, samples).expect("valid")
}

/// Sides from 1 on, of which some are smaller than windows and some longer than vectors.
pub fn random_shape(random: &mut Random) -> Shape {
    let sides = [1, 2, 3, 5, 17, 31, 64, 70, 131];
    let mut side = || sides[random.below(sides.len())];
    let (height, width) = (side(), side());
    Shape { height, width, channels: 1 + random.below(4) }
}

/// Smooth shapes, an edge and a little noise, 0 to 255.
pub fn scene(height: usize, width: usize) -> Vec<f32> {
    let mut random = Random(5);
    let mut value = |y: usize, x: usize| {
        let (v, u) = (y as f32 / height as f32, x as f32 / width as f32);
        let waves = 40.0 * (9.0 * u + 4.0 * v).sin() + 25.0 * (23.0 * v * u).cos();
        let edge = if (u - 0.5).hypot(v - 0.4) < 0.25 { 70.0 } else { 0.0 };
        (95.0 + waves + edge + random.below(1000) as f32 / 200.0).round()
    };
    (0..height * width).map(|i| value(i / width, i % width)).collect()
}

pub fn grey(height: usize, width: usize, v: Vec<f32>) -> Image {
    Image::new(Shape { height, width, channels: 1 }, Samples::F32(v)).expect("valid")
}

pub fn border(name: &str) -> Border {
    name.parse().expect("a border")
}
