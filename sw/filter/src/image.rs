//! Images.

use crate::sample::Sample;
use crate::{Border, FilterError};

/// Most samples of an image; indices have 32 bits.
pub const MOST_SAMPLES: usize = 1 << 28;

/// Rows, columns and channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers a pixel, 1 to 4.
    pub channels: usize,
}

impl Shape {
    /// Samples of a row.
    pub fn pitch(self) -> usize {
        self.width * self.channels
    }

    /// All samples.
    pub fn samples(self) -> usize {
        self.height * self.pitch()
    }
}

/// Numbers in row-major order, channels fastest.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65535.
    U16(Vec<u16>),
    /// Any range; finite.
    F32(Vec<f32>),
}

/// Computes with the samples, whatever they are.
macro_rules! each {
    ($samples:expr, $v:ident => $body:expr) => {
        match $samples {
            $crate::Samples::U8($v) => $body,
            $crate::Samples::U16($v) => $body,
            $crate::Samples::F32($v) => $body,
        }
    };
}
pub(crate) use each;

/// An image that can be filtered: it has pixels, and all of them are numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    shape: Shape,
    samples: Samples,
}

impl Image {
    /// # Errors   [`FilterError::Shape`]: no pixel, 0 or more than 4 channels, another number of samples than
    /// height·width·channels or more than [`MOST_SAMPLES`]; [`FilterError::NotFinite`]
    pub fn new(shape: Shape, samples: Samples) -> Result<Self, FilterError> {
        let Shape { height, width, channels } = shape;
        let refuse = |expected: String| Err(FilterError::Shape { height, width, channels, expected });
        if height == 0 || width == 0 {
            return refuse("at least one pixel".to_owned());
        }
        if !(1..=4).contains(&channels) {
            return refuse("1 to 4 channels".to_owned());
        }
        let wanted = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        let Some(wanted) = wanted.filter(|n| *n <= MOST_SAMPLES) else {
            return refuse(format!("at most {MOST_SAMPLES} samples"));
        };
        let got = each!(&samples, v => v.len());
        if got != wanted {
            return refuse(format!("{wanted} samples, got {got}"));
        }
        if let Samples::F32(v) = &samples
            && let Some(i) = v.iter().position(|v| !v.is_finite())
        {
            let (row, column) = (i / shape.pitch(), i % shape.pitch() / channels);
            return Err(FilterError::NotFinite { row, column, value: v[i] });
        }
        Ok(Image { shape, samples })
    }

    /// An image of a filter.
    pub(crate) fn made(shape: Shape, samples: Samples) -> Self {
        Image { shape, samples }
    }

    /// Rows, columns, channels.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its numbers.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Its numbers.
    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// The same numbers as f32.
    pub fn to_f32(&self) -> Image {
        let samples = each!(&self.samples, v => v.iter().map(|s| s.to_f32()).collect());
        Image { shape: self.shape, samples: Samples::F32(samples) }
    }

    /// The same numbers in the type of another image's samples, rounded half to even and saturated.
    pub fn in_type_of(&self, like: &Image) -> Image {
        each!(&self.samples, v => {
            let image = Image::of_f32(like, v.iter().map(|v| v.to_f32()));
            Image { shape: self.shape, ..image }
        })
    }

    /// The largest difference of a number from that of another image.
    ///
    /// # Panics   shapes differ
    pub fn largest_difference(&self, other: &Image) -> f64 {
        assert_eq!(self.shape, other.shape, "two images of one shape");
        let pairs = crate::exact::doubles(self).into_iter().zip(crate::exact::doubles(other));
        pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    /// Numbers in the type of another image's, with its shape.
    pub(crate) fn of_f32(like: &Image, v: impl Iterator<Item = f32>) -> Image {
        let samples = match &like.samples {
            Samples::U8(_) => Samples::U8(v.map(u8::from_f32).collect()),
            Samples::U16(_) => Samples::U16(v.map(u16::from_f32).collect()),
            Samples::F32(_) => Samples::F32(v.collect()),
        };
        Image { shape: like.shape, samples }
    }

    /// The smallest and the largest of its numbers, and of what lies around it.
    pub(crate) fn extremes(&self, border: Border) -> (f32, f32) {
        fn of<T: Sample>(v: &[T], first: T) -> (f32, f32) {
            let order =
                |(lo, hi): (T, T), v: &T| (if *v < lo { *v } else { lo }, if *v > hi { *v } else { hi });
            let (lo, hi) = v.iter().fold((first, first), order);
            (lo.to_f32(), hi.to_f32())
        }
        let (lo, hi) = each!(&self.samples, v => of(v, v[0]));
        match border {
            Border::Constant(v) => (lo.min(v), hi.max(v)),
            _ => (lo, hi),
        }
    }

    /// The largest of its numbers less the smallest, or what its type has room for if that is whole numbers.
    pub fn range(&self) -> f64 {
        match &self.samples {
            Samples::U8(_) => 255.0,
            Samples::U16(_) => 65535.0,
            Samples::F32(_) => {
                let (lo, hi) = self.extremes(Border::Replicate);
                f64::from(hi) - f64::from(lo)
            }
        }
    }
}

/// 10·log10(peak² / mean squared difference) in dB, infinite if nothing differs.
///
/// # Panics   shapes differ
pub fn psnr_db(a: &Image, b: &Image, peak: f64) -> f64 {
    assert_eq!(a.shape, b.shape, "two images of one shape");
    let pairs = crate::exact::doubles(a).into_iter().zip(crate::exact::doubles(b));
    let error: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
    10.0 * (peak * peak * a.shape.samples() as f64 / error).log10()
}
