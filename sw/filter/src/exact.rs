//! Filters as their definitions say, in double precision and without haste: what `--check` compares with.

use crate::image::{Image, Samples, Shape, each};
use crate::sample::Sample;
use crate::{Border, Filter, FilterError};
use rayon::prelude::*;

/// A function as a filter that is its own reference.
pub(crate) struct Exact<F>(pub F);

impl<F> Filter for Exact<F>
where
    F: Fn(&Image, Border) -> Result<Image, FilterError> + Clone + Send + Sync + 'static,
{
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        (self.0)(image, border)
    }

    fn exact(&self) -> Box<dyn Filter> {
        Box::new(Exact(self.0.clone()))
    }
}

/// The samples as doubles.
pub(crate) fn doubles(image: &Image) -> Vec<f64> {
    each!(image.samples(), v => v.iter().map(|s| f64::from(s.to_f32())).collect())
}

/// Doubles in the image's type of samples.
pub(crate) fn rounded(image: &Image, v: &[f64]) -> Image {
    let samples = match image.samples() {
        Samples::U8(_) => Samples::U8(v.iter().map(|v| u8::from_f64(*v)).collect()),
        Samples::U16(_) => Samples::U16(v.iter().map(|v| u16::from_f64(*v)).collect()),
        Samples::F32(_) => Samples::F32(v.iter().map(|v| f32::from_f64(*v)).collect()),
    };
    Image::made(image.shape(), samples)
}

/// Weighted sums along one dimension: of samples `step` apart, `n` positions, in lines of `inner` samples.
fn line(v: &[f64], shape: Shape, down: bool, weights: &[f64], border: Border, outside: f64) -> Vec<f64> {
    let centre = weights.len() / 2;
    let n = if down { shape.height } else { shape.width };
    let at = border.indices(n, centre, weights.len() - 1 - centre);
    let mut out = vec![0.0; v.len()];
    out.par_chunks_mut(shape.pitch()).enumerate().for_each(|(y, row)| {
        let position = |x: usize| if down { y } else { x / shape.channels };
        for (x, out) in row.iter_mut().enumerate() {
            let indices = &at[position(x)..][..weights.len()];
            let value = |i: u32| match i as usize {
                i if i == n => outside,
                i if down => v[i * shape.pitch() + x],
                i => v[y * shape.pitch() + i * shape.channels + x % shape.channels],
            };
            *out = indices.iter().zip(weights).map(|(i, w)| w * value(*i)).sum();
        }
    });
    out
}

/// `down` along columns, then `along` rows.
pub(crate) fn separable(
    image: &Image,
    down: &[f64],
    along: &[f64],
    border: Border,
    offset: f64,
) -> Result<Image, FilterError> {
    let outside = f64::from(border.outside());
    let middle = line(&doubles(image), image.shape(), true, down, border, outside);
    let gain: f64 = down.iter().sum();
    let sums = line(&middle, image.shape(), false, along, border, outside * gain);
    Ok(rounded(image, &sums.iter().map(|v| v + offset).collect::<Vec<_>>()))
}

/// A function of every pixel's place, channel by channel, in double precision.
pub(crate) fn each_sample(
    image: &Image,
    border: Border,
    result: impl Fn(&Surround<'_>) -> f64 + Sync,
) -> Image {
    let (shape, v) = (image.shape(), doubles(image));
    let mut out = vec![0.0; v.len()];
    out.par_chunks_mut(shape.pitch()).enumerate().for_each(|(y, row)| {
        for (i, out) in row.iter_mut().enumerate() {
            let (x, channel) = (i / shape.channels, i % shape.channels);
            *out = result(&Surround { v: &v, shape, border, y, x, channel });
        }
    });
    rounded(image, &out)
}

/// What lies around a pixel.
pub(crate) struct Surround<'a> {
    v: &'a [f64],
    shape: Shape,
    border: Border,
    y: usize,
    x: usize,
    channel: usize,
}

impl Surround<'_> {
    /// The sample so many rows below and columns to the right.
    pub fn at(&self, dy: isize, dx: isize) -> f64 {
        let Shape { height, width, channels } = self.shape;
        let row = self.border.index(self.y.cast_signed() + dy, height);
        let column = self.border.index(self.x.cast_signed() + dx, width);
        match (row, column) {
            (Some(y), Some(x)) => self.v[(y * width + x) * channels + self.channel],
            _ => f64::from(self.border.outside()),
        }
    }
}
