//! IDX: the format of MNIST's files.
//!
//! ```text
//! magic: u32 = 0x0000_08rr (08: unsigned bytes, rr: rank)   rank × dimension: u32   ∏ dimension bytes      big-endian
//! ```

use super::{DataError, read_bytes};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};
use std::path::Path;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An array of bytes, row-major.
pub(super) struct Idx<const RANK: usize> {
    pub dimensions: [usize; RANK],
    pub bytes: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes with `RANK` dimensions, plain or compressed with gzip (told by its contents).
///
/// # Errors   unreadable; a gzip file cut short; magic ≠ 0x0800 + RANK; length ≠ 4 + 4·RANK + ∏ dimensions
pub(super) fn read<const RANK: usize>(path: &Path) -> Result<Idx<RANK>, DataError> {
    let mut bytes = decompress(path)?;
    let header = 4 + 4 * RANK;
    let length_error =
        |expected: u64| DataError::Length { file: path.to_owned(), expected, got: bytes.len() as u64 };
    let word = |index: usize| {
        let word = bytes.get(4 * index..4 * index + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(word))
    };
    let magic = word(0).ok_or_else(|| length_error(header as u64))?;
    let expected = 0x0800 + RANK as u32;
    if magic != expected {
        return Err(DataError::Magic { file: path.to_owned(), expected, got: magic });
    }
    let mut dimensions = [0; RANK];
    let mut elements = 1u64;
    for (index, dimension) in dimensions.iter_mut().enumerate() {
        let value = word(index + 1).ok_or_else(|| length_error(header as u64))?;
        *dimension = value as usize;
        elements = elements.saturating_mul(u64::from(value));
    }
    let length = elements.saturating_add(header as u64);
    if bytes.len() as u64 != length {
        return Err(length_error(length));
    }
    bytes.drain(..header);
    Ok(Idx { dimensions, bytes })
}

fn decompress(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = read_bytes(path)?;
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    inflate(&bytes).map_err(|source| DataError::Gzip { file: path.to_owned(), source })
}

fn inflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut inflated)?;
    Ok(inflated)
}
