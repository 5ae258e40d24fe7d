//! PNG files as arrays of bytes.

use super::DataError;
use image::{ColorType, DynamicImage, ImageFormat, ImageReader};
use std::path::Path;

/// A decoded image.
pub(super) struct Png {
    /// Height, width, channels (1: grey, 3: RGB).
    pub shape: (usize, usize, usize),
    /// Row-major, channels fastest.
    pub pixels: Vec<u8>,
}

/// Decodes a PNG file with 8 bits a channel, grey or RGB (or a palette, which becomes RGB).
///
/// # Errors   unreadable; not PNG, cut or damaged; an alpha channel or 16 bits
pub(super) fn read(path: &Path) -> Result<Png, DataError> {
    let mut reader =
        ImageReader::open(path).map_err(|source| DataError::Read { file: path.to_owned(), source })?;
    reader.set_format(ImageFormat::Png);
    let image = reader.decode().map_err(|source| DataError::Image { file: path.to_owned(), source })?;
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
