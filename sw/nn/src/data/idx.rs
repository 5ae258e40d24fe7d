//! IDX: the format of MNIST's files.
//!
//! ```text
//! magic: u32 = 0x0000_08rr (08: unsigned bytes, rr: rank)   rank × dimension: u32   ∏ dimension bytes      big-endian
//! ```

use super::{DataError, MOST_BYTES, check_size, open};
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An array of bytes, row-major.
pub(super) struct Idx<const RANK: usize> {
    pub dimensions: [usize; RANK],
    pub bytes: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes with `RANK` dimensions, plain or compressed with gzip (told by its contents).
///
/// `check` sees the dimensions before the rest is read; no more is read or inflated than they announce.
///
/// # Errors   unreadable; a gzip file cut short; magic ≠ 0x0800 + RANK; length ≠ 4 + 4·RANK + ∏ dimensions; more than 2 GiB;
/// what `check` says
pub(super) fn read<const RANK: usize>(
    path: &Path,
    check: impl FnOnce([usize; RANK]) -> Result<(), DataError>,
) -> Result<Idx<RANK>, DataError> {
    let plain_error = |source| DataError::Read { file: path.to_owned(), source };
    let (mut file, size) = open(path)?;
    let start = take(&mut file, GZIP_MAGIC.len() as u64).map_err(plain_error)?;
    file.rewind().map_err(plain_error)?;
    let zipped = start == GZIP_MAGIC;
    let file = BufReader::new(file);
    let mut reader: Box<dyn Read> = if zipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let error = |source| match zipped {
        true => DataError::Gzip { file: path.to_owned(), source },
        false => plain_error(source),
    };

    let header = 4 + 4 * RANK as u64;
    let length_error = |expected, got| DataError::Length { file: path.to_owned(), expected, got };
    let bytes = take(&mut reader, header).map_err(error)?;
    let words: Vec<u32> =
        bytes.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]])).collect();
    let expected = 0x0800 + RANK as u32;
    if let Some(&got) = words.first().filter(|got| **got != expected) {
        return Err(DataError::Magic { file: path.to_owned(), expected, got });
    }
    if (bytes.len() as u64) < header {
        return Err(length_error(header, bytes.len() as u64));
    }
    let dimensions: [usize; RANK] = std::array::from_fn(|i| words[i + 1] as usize);
    let elements = dimensions.iter().fold(1u64, |product, &n| product.saturating_mul(n as u64));
    let length = elements.saturating_add(header);
    if !zipped && size != length {
        return Err(length_error(length, size));
    }
    check_size(path, length, MOST_BYTES)?;
    check(dimensions)?;
    let bytes = take(&mut reader, elements + 1).map_err(error)?;
    if bytes.len() as u64 != elements {
        return Err(length_error(length, header + bytes.len() as u64));
    }
    Ok(Idx { dimensions, bytes })
}

/// The next `most` bytes, or as many as there are.
fn take(reader: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
