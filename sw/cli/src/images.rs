//! Pictures in files: PNG, JPEG, BMP, PNM and TIFF with 1 to 4 channels of 8 or 16 bits, TIFF with f32 too.
//!
//! What is read is told from the contents, what is written from the name. Palettes and CMYK become RGB, pictures that are to be turned for the
//! eye (EXIF) are turned; a colour profile is handed on where the format has one.

use crate::failure::usage;
use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::{bmp, png, pnm, tiff};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader};
use std::fmt::Display;
use std::path::Path;
use tandem_filter::{Image, Samples, Shape};

/// Quality of JPEG files, of 100.
const JPEG_QUALITY: u8 = 95;
/// Marks of a JPEG file's start and end.
const JPEG_ENDS: [[u8; 2]; 2] = [[0xff, 0xd8], [0xff, 0xd9]];

/// Formats with the endings of their names.
const FORMATS: [(ImageFormat, &[&str]); 5] = [
    (ImageFormat::Png, &["png"]),
    (ImageFormat::Jpeg, &["jpg", "jpeg"]),
    (ImageFormat::Bmp, &["bmp"]),
    (ImageFormat::Pnm, &["pgm", "ppm", "pam", "pnm"]),
    (ImageFormat::Tiff, &["tif", "tiff"]),
];

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

/// The format that a name stands for.
fn format_of(path: &Path) -> Option<ImageFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    FORMATS.iter().find(|(_, endings)| endings.contains(&ending.as_str())).map(|(format, _)| *format)
}

/// Whether a name is that of a picture.
pub fn is_named(path: &Path) -> bool {
    format_of(path).is_some()
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
    let io = |e: std::io::Error| refused(path, e);
    let reader = ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
    // the name does not count
    let known = reader.format().filter(|format| FORMATS.iter().any(|(known, _)| known == format));
    let format = known.ok_or_else(|| refused(path, "not a PNG, JPEG, BMP, PNM or TIFF picture"))?;
    let damaged = |e: image::ImageError| refused(path, e);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let bytes = decoder.total_bytes();
    if bytes > MOST_BYTES {
        return Err(refused(
            path,
            format!("{width}×{height} pixels take {bytes} bytes: expected at most {MOST_BYTES}"),
        ));
    }
    let profile = decoder.icc_profile().ok().flatten();
    let turned = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    // its decoder fills in what is missing
    if format == ImageFormat::Jpeg && !is_whole_jpeg(&std::fs::read(path).map_err(io)?) {
        return Err(refused(path, "a JPEG picture that is cut: it has no end"));
    }
    picture.apply_orientation(turned);
    let image = image(picture).map_err(|what| refused(path, what))?;
    Ok(Picture { image, profile, format })
}

/// Most bytes of a picture's pixels.
const MOST_BYTES: u64 = 1 << 30;

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
    Image::new(shape, samples).map_err(|e| e.to_string())
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
