//! Linear filters as sums over kernels, for whoever makes the sums elsewhere: on an accelerator.
//!
//! ```text
//! image ─► sums of kernel 1, 2, … ─► Correlation::finish ─► image        scale, offset, rounding: those of the filter
//! ```

use crate::image::{Image, Samples};
use crate::sample::Sample;
use crate::{Border, Cosines, box_mean};

/// A kernel; its centre is the middle, the right or lower one of two.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// Rows of so many columns, one after another.
    Plane {
        /// Row-major.
        weights: Vec<f64>,
        /// Weights of a row.
        columns: usize,
    },
    /// The kernel down·alongᵀ.
    Lines {
        /// Down a column.
        down: Vec<f64>,
        /// Along a row.
        along: Vec<f64>,
    },
}

impl Weights {
    /// All weights times a number.
    pub(crate) fn times(self, scale: f64) -> Self {
        let scaled = |w: Vec<f64>| w.iter().map(|w| w * scale).collect();
        match self {
            Weights::Plane { weights, columns } => Weights::Plane { weights: scaled(weights), columns },
            Weights::Lines { down, along } => Weights::Lines { down: scaled(down), along },
        }
    }

    /// Rows and columns.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Weights::Plane { weights, columns } => [weights.len() / columns, *columns],
            Weights::Lines { down, along } => [down.len(), along.len()],
        }
    }
}

/// A filter as sums Σ_q kernel(q)·f(p + q − centre), and what becomes of them.
#[derive(Clone, Debug)]
pub struct Correlation {
    kernels: Vec<Weights>,
    finish: Finish,
    cosines: Option<Cosines>,
}

/// What becomes of the sums.
#[derive(Clone, Copy, Debug)]
enum Finish {
    /// scale·sum + offset.
    Scaled { scale: f64, offset: f32 },
    /// The sum over so many pixels, divided by them.
    Mean { area: usize },
    /// √((scale·x)² + (scale·y)²) + offset.
    Length { scale: f64, offset: f32 },
}

impl Correlation {
    /// scale·(sum over the kernel) + offset.
    pub(crate) fn scaled(kernel: Weights, scale: f64, offset: f32) -> Self {
        Correlation { kernels: vec![kernel], finish: Finish::Scaled { scale, offset }, cosines: None }
    }

    /// The mean of a rectangle.
    pub(crate) fn mean(rows: usize, columns: usize) -> Self {
        let kernel = Weights::Lines { down: vec![1.0; rows], along: vec![1.0; columns] };
        Correlation { kernels: vec![kernel], finish: Finish::Mean { area: rows * columns }, cosines: None }
    }

    /// The length of the vector of two sums.
    pub(crate) fn length(kernels: [Weights; 2], scale: f64, offset: f32) -> Self {
        Correlation { kernels: kernels.into(), finish: Finish::Length { scale, offset }, cosines: None }
    }

    /// The same kernel, along columns and along rows a window of cosines.
    pub(crate) fn with_cosines(self, cosines: Cosines) -> Self {
        Correlation { cosines: Some(cosines), ..self }
    }

    /// What the kernel is along columns and along rows, if that is a window of cosines.
    pub fn cosines(&self) -> Option<&Cosines> {
        self.cosines.as_ref()
    }

    /// The kernels, all of one size.
    pub fn kernels(&self) -> &[Weights] {
        &self.kernels
    }

    /// The border's constant as this filter takes it.
    pub fn outside(&self, image: &Image, border: Border) -> f32 {
        match (self.finish, image.samples()) {
            (Finish::Mean { .. }, Samples::U8(_)) => u8::from_f32(border.outside()).to_f32(),
            (Finish::Mean { .. }, Samples::U16(_)) => u16::from_f32(border.outside()).to_f32(),
            _ => border.outside(),
        }
    }

    /// The result from the sums of each kernel, a sum a sample, in the type of the image's samples.
    ///
    /// # Numeric  f64, rounded half to even and saturated; lengths in f32; means as [`crate::FILTERS`]' box rounds them. Where the filter's own
    /// arithmetic in f32 is exact, these are its bits: for whole weights and a scale and an offset that have few digits in base 2.
    ///
    /// # Panics   another number of kernels or of samples
    pub fn finish(&self, image: &Image, sums: &[Vec<f64>]) -> Image {
        assert_eq!(sums.len(), self.kernels.len(), "sums of each kernel");
        assert!(sums.iter().all(|v| v.len() == image.shape().samples()), "a sum a sample");
        match self.finish {
            Finish::Scaled { scale, offset } => {
                let result: Vec<f64> = sums[0].iter().map(|sum| sum * scale + f64::from(offset)).collect();
                crate::exact::rounded(image, &result)
            }
            Finish::Mean { area } => box_mean::means(image, &sums[0], area),
            Finish::Length { scale, offset } => {
                let single = |v: f64| (v * scale) as f32;
                let both = sums[0].iter().zip(&sums[1]).map(|(x, y)| (single(*x), single(*y)));
                Image::of_f32(image, both.map(|(x, y)| (x * x + y * y).sqrt() + offset))
            }
        }
    }
}
