//! Pictures as the images of a set: bytes, grey or RGB, of one size.

use super::{DataError, Options};
use image::imageops::{self, FilterType};
use image::{ColorType, DynamicImage};
use std::path::Path;
use tandem_filter::picture::Opened;

/// A picture's pixels.
pub(super) struct Pixels {
    /// Height, width, channels (1: grey, 3: RGB).
    pub shape: (usize, usize, usize),
    /// Row-major, channels fastest.
    pub bytes: Vec<u8>,
}

/// Reads a picture of at most `most` pixels in height and width, unless it is resized: known before it is decoded.
///
/// With a number of channels in `options`, RGB becomes grey by its luma and grey is repeated to RGB, 16 bits are rounded to 8, alpha is
/// dropped. With a size it is then resized, bilinearly, averaging where it becomes smaller.
///
/// # Errors   unreadable, damaged, too large; without a number of channels: alpha, or not 8 bits a channel
pub(super) fn read(
    path: &Path,
    options: Option<&Options>,
    most: (usize, usize),
) -> Result<Pixels, DataError> {
    let (size, channels) = options.map_or((None, None), |o| (o.size, o.channels));
    let opened = Opened::new(path)?;
    let got @ (height, width) = opened.size();
    let shape_error =
        |expected: String, got: String| DataError::Shape { file: path.to_owned(), expected, got };
    if height == 0 || width == 0 {
        return Err(shape_error("at least one pixel".to_owned(), format!("{height}×{width}")));
    }
    if size.is_none() && (height > most.0 || width > most.1) {
        let way_out = if options.is_some() { "; `data.size` resizes" } else { "" };
        let expected = format!("at most {}×{} pixels", most.0, most.1);
        return Err(shape_error(expected, format!("{height}×{width}{way_out}")));
    }
    let picture = opened.decode()?;
    let channels = match (channels, picture.color()) {
        (Some(channels), _) => channels,
        (None, ColorType::L8) => 1,
        (None, ColorType::Rgb8) => 3,
        (None, other) => {
            let way_out = if options.is_some() { "; `data.channels` converts" } else { "" };
            let got = format!("{other:?}{way_out}");
            return Err(shape_error("grey or RGB pixels of 8 bits a channel".to_owned(), got));
        }
    };
    let size = size.unwrap_or(got);
    let (width, height) = (size.1 as u32, size.0 as u32);
    let bytes = match channels {
        1 => grey(picture, got != size, (width, height)),
        _ => rgb(picture, got != size, (width, height)),
    };
    Ok(Pixels { shape: (size.0, size.1, channels), bytes })
}

fn grey(picture: DynamicImage, is_resized: bool, (width, height): (u32, u32)) -> Vec<u8> {
    let grey = picture.into_luma8();
    if is_resized { imageops::resize(&grey, width, height, FilterType::Triangle) } else { grey }.into_raw()
}

fn rgb(picture: DynamicImage, is_resized: bool, (width, height): (u32, u32)) -> Vec<u8> {
    let rgb = picture.into_rgb8();
    if is_resized { imageops::resize(&rgb, width, height, FilterType::Triangle) } else { rgb }.into_raw()
}
