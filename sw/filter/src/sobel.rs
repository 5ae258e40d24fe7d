//! Sobel: first derivatives of a smoothed image, or the length of the gradient.
//!
//! Kernels: the binomial of `size` − 2 taps convolved with (−1, 0, 1) in one direction, the binomial of `size` taps in the other.
//! # Numeric  as [`crate::fir`]; the length √(x² + y²) in f32

use crate::derivative::{line, outer};
use crate::exact::{self, Exact};
use crate::fir::{OFFSET, SCALE, any, direct};
use crate::image::{Image, Samples};
use crate::parameter::{Parameter, Values};
use crate::{Border, Correlation, Filter, FilterError, Kind, Weights};

pub(crate) const KIND: Kind = Kind {
    name: "sobel",
    about: "first derivatives, or the length of the gradient",
    parameters: &[
        Parameter {
            name: "derivative",
            value: "D",
            default: Some("magnitude"),
            help: "x (along rows), y (down columns) or magnitude (the length of the gradient)",
        },
        SIZE,
        SCALE,
        OFFSET,
    ],
    build,
    correlation: Some(correlation),
};

pub(crate) const SIZE: Parameter =
    Parameter { name: "size", value: "N", default: Some("3"), help: "taps of the derivative: 3, 5 or 7" };

struct Magnitude {
    size: usize,
    scale: f64,
    offset: f32,
}

const DERIVATIVES: [&str; 3] = ["x", "y", "magnitude"];

/// Size, scale and offset.
fn parts(values: &Values<'_>) -> Result<(usize, f64, f32), FilterError> {
    let size = values.choice("size", &["3", "5", "7"])?.parse().expect("a digit");
    Ok((size, any(values, &SCALE)?, any(values, &OFFSET)? as f32))
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let (size, scale, offset) = parts(values)?;
    Ok(match values.choice("derivative", &DERIVATIVES)? {
        "magnitude" => Box::new(Magnitude { size, scale, offset }),
        axis => Box::new(direct(kernel(size, axis == "x"), scale, offset)),
    })
}

fn correlation(values: &Values<'_>) -> Result<Correlation, FilterError> {
    let (size, scale, offset) = parts(values)?;
    Ok(match values.choice("derivative", &DERIVATIVES)? {
        "magnitude" => Correlation::length([true, false].map(|along| kernel(size, along)), scale, offset),
        axis => Correlation::scaled(kernel(size, axis == "x"), scale, offset),
    })
}

fn kernel(size: usize, along: bool) -> Weights {
    let (smooth, derived) = (line(size, 0), line(size, 1));
    let weights = if along { outer(&smooth, &derived) } else { outer(&derived, &smooth) };
    Weights::Plane { weights, columns: size }
}

impl Magnitude {
    /// The two derivatives, without rounding.
    fn gradient(&self, image: &Image, border: Border) -> Result<[Vec<f32>; 2], FilterError> {
        let single = image.to_f32();
        let derivative = |along| {
            let filtered = direct(kernel(self.size, along), self.scale, 0.0).apply(&single, border)?;
            let Samples::F32(v) = filtered.into_samples() else { unreachable!("a filter keeps the type") };
            Ok(v)
        };
        Ok([derivative(true)?, derivative(false)?])
    }
}

impl Filter for Magnitude {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let [x, y] = self.gradient(image, border)?;
        let length = x.iter().zip(&y).map(|(x, y)| (x * x + y * y).sqrt() + self.offset);
        Ok(Image::of_f32(image, length))
    }

    fn exact(&self) -> Box<dyn Filter> {
        let (size, offset) = (self.size, f64::from(self.offset));
        let kernels = [true, false].map(|along| match kernel(size, along).times(self.scale) {
            Weights::Plane { weights, .. } => weights,
            Weights::Lines { .. } => unreachable!("a derivative's kernel is a plane"),
        });
        let first = -((size / 2).cast_signed());
        Box::new(Exact(move |image: &Image, border| {
            Ok(exact::each_sample(image, border, |around| {
                let derivative = |kernel: &Vec<f64>| -> f64 {
                    let tap = |(i, w): (usize, &f64)| {
                        w * around.at(first + (i / size).cast_signed(), first + (i % size).cast_signed())
                    };
                    kernel.iter().enumerate().map(tap).sum()
                };
                derivative(&kernels[0]).hypot(derivative(&kernels[1])) + offset
            }))
        }))
    }
}
