//! Pictures in files, read: PNG, JPEG, BMP, PNM and TIFF with 1 to 4 channels of 8 or 16 bits, TIFF with f32 too.
//!
//! What a file is, is told from its contents. Palettes and CMYK become RGB, pictures that are to be turned for the eye (EXIF) are turned.

use crate::{FilterError, Image, Samples, Shape};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Formats with the endings of their names.
pub const FORMATS: [(ImageFormat, &[&str]); 5] = [
    (ImageFormat::Png, &["png"]),
    (ImageFormat::Jpeg, &["jpg", "jpeg"]),
    (ImageFormat::Bmp, &["bmp"]),
    (ImageFormat::Pnm, &["pgm", "ppm", "pam", "pnm"]),
    (ImageFormat::Tiff, &["tif", "tiff"]),
];

/// Most bytes of a picture's pixels.
const MOST_BYTES: u64 = 1 << 30;
/// Marks of a JPEG file's start and end.
const JPEG_ENDS: [[u8; 2]; 2] = [[0xff, 0xd8], [0xff, 0xd9]];

/// A picture that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be opened or read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another kind of file.
    #[error("{}: not a PNG, JPEG, BMP, PNM or TIFF picture", file.display())]
    Format {
        /// The file.
        file: PathBuf,
    },
    /// It is damaged or cut.
    #[error("{}: {source}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The decoder's reason.
        source: ImageError,
    },
    /// A JPEG picture without its end, which its decoder makes up.
    #[error("{}: a JPEG picture that is cut: it has no end", file.display())]
    Cut {
        /// The file.
        file: PathBuf,
    },
    /// More pixels than are read.
    #[error("{}: {width}×{height} pixels take {bytes} bytes: expected at most {MOST_BYTES}", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes of its pixels.
        bytes: u64,
    },
    /// Pixels that no image has.
    #[error("{}: {what}", file.display())]
    Pixels {
        /// The file.
        file: PathBuf,
        /// What is wrong with them.
        what: String,
    },
}

/// The format that a name stands for.
pub fn format_of(path: &Path) -> Option<ImageFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    FORMATS.iter().find(|(_, endings)| endings.contains(&ending.as_str())).map(|(format, _)| *format)
}

/// Whether a name is that of a picture.
pub fn is_named(path: &Path) -> bool {
    format_of(path).is_some()
}

/// A picture whose header was read.
pub struct Opened {
    file: PathBuf,
    decoder: Box<dyn ImageDecoder>,
    format: ImageFormat,
    orientation: Orientation,
}

impl Opened {
    /// Opens a picture.
    ///
    /// # Errors   unreadable, too large, or of a kind that is not read
    pub fn new(path: &Path) -> Result<Self, PictureError> {
        let file = || path.to_owned();
        let unreadable = |source| PictureError::Read { file: file(), source };
        let damaged = |source| PictureError::Damaged { file: file(), source };
        let reader =
            ImageReader::open(path).map_err(unreadable)?.with_guessed_format().map_err(unreadable)?;
        // the name does not count
        let known = reader.format().filter(|format| FORMATS.iter().any(|(known, _)| known == format));
        let format = known.ok_or_else(|| PictureError::Format { file: file() })?;
        let mut decoder = reader.into_decoder().map_err(damaged)?;
        let (width, height) = decoder.dimensions();
        let bytes = decoder.total_bytes();
        if bytes > MOST_BYTES {
            return Err(PictureError::TooLarge { file: file(), width, height, bytes });
        }
        let orientation = decoder.orientation().map_err(damaged)?;
        Ok(Opened { file: file(), decoder: Box::new(decoder), format, orientation })
    }

    /// Rows and columns, as seen.
    pub fn size(&self) -> (usize, usize) {
        let (width, height) = self.decoder.dimensions();
        match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (width as usize, height as usize),
            _ => (height as usize, width as usize),
        }
    }

    /// What it was read as.
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// Its colour profile.
    pub fn profile(&mut self) -> Option<Vec<u8>> {
        self.decoder.icc_profile().ok().flatten()
    }

    /// Its pixels.
    ///
    /// # Errors   it is damaged or cut
    pub fn decode(self) -> Result<DynamicImage, PictureError> {
        let Opened { file, decoder, format, orientation } = self;
        let mut picture = match DynamicImage::from_decoder(decoder) {
            Ok(picture) => picture,
            Err(source) => return Err(PictureError::Damaged { file, source }),
        };
        // its decoder fills in what is missing
        if format == ImageFormat::Jpeg {
            match std::fs::read(&file) {
                Ok(bytes) if is_whole_jpeg(&bytes) => {}
                Ok(_) => return Err(PictureError::Cut { file }),
                Err(source) => return Err(PictureError::Read { file, source }),
            }
        }
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    /// Its pixels as an image to filter.
    ///
    /// # Errors   as [`decode`](Self::decode), or it has no pixels, or such that are not filtered
    pub fn image(self) -> Result<Image, PictureError> {
        let file = self.file.clone();
        image(self.decode()?).map_err(|what| PictureError::Pixels { file, what })
    }
}

/// Whether the bytes begin with a JPEG's start and its end follows (other pictures may be appended to it).
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    let [start, end] = JPEG_ENDS;
    bytes.starts_with(&start) && bytes.windows(2).rev().any(|pair| pair == end)
}

fn image(picture: DynamicImage) -> Result<Image, String> {
    let shape = Shape {
        height: picture.height() as usize,
        width: picture.width() as usize,
        channels: picture.color().channel_count().into(),
    };
    let samples = match picture {
        DynamicImage::ImageLuma8(p) => Samples::U8(p.into_raw()),
        DynamicImage::ImageLumaA8(p) => Samples::U8(p.into_raw()),
        DynamicImage::ImageRgb8(p) => Samples::U8(p.into_raw()),
        DynamicImage::ImageRgba8(p) => Samples::U8(p.into_raw()),
        DynamicImage::ImageLuma16(p) => Samples::U16(p.into_raw()),
        DynamicImage::ImageLumaA16(p) => Samples::U16(p.into_raw()),
        DynamicImage::ImageRgb16(p) => Samples::U16(p.into_raw()),
        DynamicImage::ImageRgba16(p) => Samples::U16(p.into_raw()),
        DynamicImage::ImageRgb32F(p) => Samples::F32(p.into_raw()),
        DynamicImage::ImageRgba32F(p) => Samples::F32(p.into_raw()),
        other => return Err(format!("pixels of {:?} are not read", other.color())),
    };
    Image::new(shape, samples).map_err(|e: FilterError| e.to_string())
}
