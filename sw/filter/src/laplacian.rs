//! Laplacian: the sum of the second derivatives.
//!
//! `size` 1: the kernel `0 1 0; 1 −4 1; 0 1 0`. Else: for each direction the second derivative of a binomial of `size` taps in it, and the
//! binomial in the other.
//! # Numeric  as [`crate::fir`]

use crate::derivative::{line, outer};
use crate::fir::{OFFSET, SCALE, any, direct};
use crate::parameter::{Parameter, Values};
use crate::{Correlation, Filter, FilterError, Kind, Weights};

pub(crate) const KIND: Kind = Kind {
    name: "laplacian",
    about: "the sum of the second derivatives",
    parameters: &[
        Parameter {
            name: "size",
            value: "N",
            default: Some("1"),
            help: "1 (four neighbours), or taps: 3, 5 or 7",
        },
        SCALE,
        OFFSET,
    ],
    build,
    correlation: Some(correlation),
};

/// Kernel, scale and offset.
fn parts(values: &Values<'_>) -> Result<(Weights, f64, f32), FilterError> {
    let size: usize = values.choice("size", &["1", "3", "5", "7"])?.parse().expect("a digit");
    let (scale, offset) = (any(values, &SCALE)?, any(values, &OFFSET)? as f32);
    let weights = if size == 1 {
        vec![0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0]
    } else {
        let (smooth, derived) = (line(size, 0), line(size, 2));
        outer(&smooth, &derived).iter().zip(outer(&derived, &smooth)).map(|(x, y)| x + y).collect()
    };
    Ok((Weights::Plane { weights, columns: size.max(3) }, scale, offset))
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let (kernel, scale, offset) = parts(values)?;
    Ok(Box::new(direct(kernel, scale, offset)))
}

fn correlation(values: &Values<'_>) -> Result<Correlation, FilterError> {
    let (kernel, scale, offset) = parts(values)?;
    Ok(Correlation::scaled(kernel, scale, offset))
}
