//! Pictures in files, as [`tandem_filter::picture`] reads them.
//!
//! What is written is told from the name; a colour profile is handed on where the format has one.

use crate::failure::usage;
use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::{bmp, png, pnm, tiff};
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use std::fmt::Display;
use std::path::Path;
use tandem_filter::picture::{FORMATS, Opened, format_of};
use tandem_filter::{Image, Samples, Shape};

pub use tandem_filter::picture::is_named;

/// Quality of JPEG files, of 100.
const JPEG_QUALITY: u8 = 95;
/// A picture.
pub struct Picture {
    /// Its pixels.
    pub image: Image,
    /// Its colour profile.
    pub profile: Option<Vec<u8>>,
    /// What it is written as under a name that has no ending.
    pub format: ImageFormat,
}

fn refused(path: &Path, what: impl Display) -> anyhow::Error {
    usage(format!("{}: {what}", path.display()))
}

/// Looks whether a picture can be written under a name: without an ending, it is written as what it was read as.
///
/// # Errors   the name's ending is none of a format
pub fn check_name(path: &Path) -> Result<()> {
    if path.extension().is_none() || is_named(path) {
        return Ok(());
    }
    let all: Vec<_> = FORMATS.iter().flat_map(|(_, endings)| *endings).copied().collect();
    Err(refused(path, format!("expected a name that ends in .{}", all.join(", ."))))
}

/// Reads a picture.
///
/// # Errors   the file, with what is wrong: unreadable, damaged, cut, without pixels, too large, or of a kind that is not read
pub fn read(path: &Path) -> Result<Picture> {
    let mut opened = Opened::new(path).map_err(usage)?;
    let (profile, format) = (opened.profile(), opened.format());
    Ok(Picture { image: opened.image().map_err(usage)?, profile, format })
}

/// The file of a picture, in the format that the name stands for.
///
/// # Errors   the format has no place for such pixels
pub fn encode(path: &Path, picture: Picture) -> Result<Vec<u8>> {
    let Picture { image, profile, format } = picture;
    let Shape { height, width, channels } = image.shape();
    let format = format_of(path).unwrap_or(format);
    let unfit = |e: &dyn Display| {
        refused(path, format!("{e}; PNG takes pixels of 8 and 16 bits with any channels, TIFF f32"))
    };
    if format == ImageFormat::Bmp && channels == 2 {
        // its encoder would drop the alpha channel
        return Err(unfit(&"BMP has no grey with alpha"));
    }
    let (bytes, color) = match image.into_samples() {
        Samples::U8(v) => {
            let colors = [
                ExtendedColorType::L8,
                ExtendedColorType::La8,
                ExtendedColorType::Rgb8,
                ExtendedColorType::Rgba8,
            ];
            (v, colors[channels - 1])
        }
        Samples::U16(v) => {
            let colors = [
                ExtendedColorType::L16,
                ExtendedColorType::La16,
                ExtendedColorType::Rgb16,
                ExtendedColorType::Rgba16,
            ];
            (v.iter().flat_map(|v| v.to_ne_bytes()).collect(), colors[channels - 1])
        }
        Samples::F32(v) => {
            let color = if channels == 3 { ExtendedColorType::Rgb32F } else { ExtendedColorType::Rgba32F };
            (v.iter().flat_map(|v| v.to_ne_bytes()).collect(), color)
        }
    };
    let mut file = std::io::Cursor::new(vec![]);
    let written = match format {
        ImageFormat::Png => {
            with_profile(png::PngEncoder::new(&mut file), profile, &bytes, (width, height), color)
        }
        ImageFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
            with_profile(encoder, profile, &bytes, (width, height), color)
        }
        ImageFormat::Bmp => {
            with_profile(bmp::BmpEncoder::new(&mut file), profile, &bytes, (width, height), color)
        }
        ImageFormat::Pnm => {
            with_profile(pnm::PnmEncoder::new(&mut file), profile, &bytes, (width, height), color)
        }
        _ => with_profile(tiff::TiffEncoder::new(&mut file), profile, &bytes, (width, height), color),
    };
    written.map_err(|e| unfit(&e))?;
    Ok(file.into_inner())
}

fn with_profile(
    mut encoder: impl ImageEncoder,
    profile: Option<Vec<u8>>,
    bytes: &[u8],
    (width, height): (usize, usize),
    color: ExtendedColorType,
) -> image::ImageResult<()> {
    if let Some(profile) = profile {
        // formats without a place for it go without
        let _ = encoder.set_icc_profile(profile);
    }
    encoder.write_image(bytes, width as u32, height as u32, color)
}
