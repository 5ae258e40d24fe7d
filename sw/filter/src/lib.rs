//! Image filters whose cost does not grow with their size, with the same bits on every machine and for every number of threads.
//!
//! ```text
//! Image ─► Kind (a row of FILTERS) + parameters ─► Filter ─► Image          docs/filters.md
//!
//! separable   lanes: down blocks of columns, along bands of rows   gaussian (taps, sliding_dct), fir
//! windows     bands: rows with what lies around them               box_mean, fir, sobel, laplacian, median, bilateral::direct
//! tiles       spectra, series of cosines                           fft, bilateral::tile
//! pyramids                                                         local_laplacian
//! exact       every filter's definition, in f64
//! correlation linear filters as sums over kernels, which an accelerator may make
//! picture     files of pictures
//! ```
//! A filter is one file, its `mod` line and one line in [`FILTERS`].
//!
//! ```
//! use std::collections::BTreeMap;
//! use tandem_filter::{Border, Image, Samples, Shape, kind, psnr_db};
//!
//! let (height, width) = (40, 60);
//! let pixels = (0..height * width).map(|i| (i % width * 3 + i / width) as f32).collect();
//! let image = Image::new(Shape { height, width, channels: 1 }, Samples::F32(pixels))?;
//!
//! let parameters = BTreeMap::from([("sigma".to_owned(), "8".to_owned())]);
//! let filter = kind("gaussian")?.build(&parameters)?;
//! let smooth = filter.apply(&image, Border::Reflect)?;
//! let exact = filter.exact().apply(&image, Border::Reflect)?;
//! assert!(psnr_db(&smooth, &exact, 255.0) > 70.0);
//! # Ok::<(), tandem_filter::FilterError>(())
//! ```

mod bands;
mod bilateral;
mod border;
mod box_mean;
mod correlation;
mod derivative;
mod error;
mod exact;
mod fft;
mod fir;
mod gaussian;
mod image;
mod lanes;
mod laplacian;
mod local_laplacian;
mod median;
mod parameter;
pub mod picture;
mod sample;
mod series;
mod sliding_dct;
mod sobel;
mod taps;

pub use border::Border;
pub use correlation::{Correlation, Weights};
pub use error::FilterError;
pub use image::{Image, MOST_SAMPLES, Samples, Shape, psnr_db};
pub use parameter::{Parameter, Values};
pub use sliding_dct::Cosines;

use std::collections::BTreeMap;

/// Makes an image of an image.
pub trait Filter: Send + Sync {
    /// The filtered image: same shape, same type of samples.
    ///
    /// # Errors   what the filter cannot do with this image
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError>;

    /// What it approximates, or computes in fewer steps: its definition in double precision, slow.
    fn exact(&self) -> Box<dyn Filter>;
}

/// Makes something of parameters.
type Make<T> = fn(&Values<'_>) -> Result<T, FilterError>;

/// A named filter.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    /// Makes one.
    build: Make<Box<dyn Filter>>,
    /// What it is as sums over kernels, if it is linear.
    correlation: Option<Make<Correlation>>,
}

impl Kind {
    /// A filter with these parameters.
    ///
    /// # Errors   [`FilterError`]: an unknown, missing or impossible parameter
    pub fn build(&self, parameters: &BTreeMap<String, String>) -> Result<Box<dyn Filter>, FilterError> {
        (self.build)(&Values::new(self.name, self.parameters, parameters)?)
    }

    /// Whether its filters are sums over kernels.
    pub fn is_linear(&self) -> bool {
        self.correlation.is_some()
    }

    /// A filter with these parameters as sums over kernels, whatever its method is; none if it is not linear.
    ///
    /// # Errors   as [`Kind::build`]
    pub fn correlation(
        &self,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Option<Correlation>, FilterError> {
        let values = Values::new(self.name, self.parameters, parameters)?;
        self.correlation.map(|correlation| correlation(&values)).transpose()
    }
}

/// All filters.
pub const FILTERS: &[Kind] = &[
    gaussian::KIND,
    box_mean::KIND,
    sobel::KIND,
    laplacian::KIND,
    fir::KIND,
    median::KIND,
    bilateral::KIND,
    local_laplacian::KIND,
];

/// The filter of a name.
///
/// # Errors   [`FilterError::UnknownKind`]
pub fn kind(name: &str) -> Result<&'static Kind, FilterError> {
    FILTERS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let known: Vec<_> = FILTERS.iter().map(|kind| kind.name).collect();
        FilterError::UnknownKind { kind: name.to_owned(), known: known.join(", ") }
    })
}
