//! PNG files as arrays of bytes.

use super::{DataError, open};
use image::codecs::png::PngDecoder;
use image::{ColorType, DynamicImage, ImageDecoder, Limits};
use std::io::BufReader;
use std::path::Path;

/// A decoded image.
pub(super) struct Png {
    /// Height, width, channels (1: grey, 3: RGB).
    pub shape: (usize, usize, usize),
    /// Row-major, channels fastest.
    pub pixels: Vec<u8>,
}

/// Decodes a PNG file with 8 bits a channel, grey or RGB (or a palette, which becomes RGB), of at most `most` pixels in height
/// and width: known before it is decoded.
///
/// # Errors   unreadable; not PNG, cut or damaged; too large; an alpha channel or 16 bits
pub(super) fn read(path: &Path, most: (usize, usize)) -> Result<Png, DataError> {
    let (file, _) = open(path)?;
    let damaged = |source| DataError::Image { file: path.to_owned(), source };
    let decoder = PngDecoder::with_limits(BufReader::new(file), Limits::default()).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if height as usize > most.0 || width as usize > most.1 {
        return Err(DataError::Shape {
            file: path.to_owned(),
            expected: format!("at most {}×{} pixels", most.0, most.1),
            got: format!("{height}×{width}"),
        });
    }
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let channels = channels(path, &image)?;
    Ok(Png { shape: (image.height() as usize, image.width() as usize, channels), pixels: image.into_bytes() })
}

fn channels(path: &Path, image: &DynamicImage) -> Result<usize, DataError> {
    match image.color() {
        ColorType::L8 => Ok(1),
        ColorType::Rgb8 => Ok(3),
        other => Err(DataError::Shape {
            file: path.to_owned(),
            expected: "grey or RGB pixels of 8 bits a channel".to_owned(),
            got: format!("{other:?}"),
        }),
    }
}
