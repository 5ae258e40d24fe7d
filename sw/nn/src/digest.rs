//! The digest of a set of named tensors: what "the same weights" means.
//!
//! SHA-256 over the entries in order of their names. Every variable-length part is preceded by its length, so that no two
//! different sets of entries give the same bytes:
//!
//! ```text
//! entry = len(name) name  len(dtype) dtype  rank dim…  len(bytes) bytes        lengths, rank, dims: u64, little-endian
//! ```

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Collects named tensors and hashes them; the order of [`add`](Digest::add) does not matter.
///
/// ```
/// use tandem_nn::digest::Digest;
/// let (mut a, mut b) = (Digest::new(), Digest::new());
/// a.add("w", "F32", &[1], &1f32.to_le_bytes());
/// a.add("step", "I64", &[], &5i64.to_le_bytes());
/// b.add("step", "I64", &[], &5i64.to_le_bytes());
/// b.add("w", "F32", &[1], &1f32.to_le_bytes());
/// assert_eq!(a.finish(), b.finish());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Digest {
    entries: BTreeMap<String, Vec<u8>>,
}

impl Digest {
    /// A digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one tensor: its name, element type, shape and elements as little-endian bytes, row-major.
    ///
    /// # Panics   if `name` was added before
    pub fn add(&mut self, name: &str, dtype: &str, shape: &[usize], bytes_le: &[u8]) {
        let mut entry = Vec::with_capacity(bytes_le.len() + name.len() + dtype.len() + 8 * (shape.len() + 4));
        put_bytes(&mut entry, name.as_bytes());
        put_bytes(&mut entry, dtype.as_bytes());
        put_length(&mut entry, shape.len());
        for &dimension in shape {
            put_length(&mut entry, dimension);
        }
        put_bytes(&mut entry, bytes_le);
        let previous = self.entries.insert(name.to_owned(), entry);
        assert!(previous.is_none(), "digest entry `{name}` added twice");
    }

    /// The digest, as 64 lower-case hexadecimal digits.
    pub fn finish(self) -> String {
        let mut hash = Sha256::new();
        for entry in self.entries.values() {
            hash.update(entry);
        }
        hex(&hash.finalize())
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend((length as u64).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout at the top of this file, written out a second time.
    #[test]
    fn layout_is_the_documented_one() {
        let mut expected = Sha256::new();
        for (name, dtype, shape, bytes) in
            [("a", "U8", &[2usize][..], &[7u8, 9][..]), ("b", "F32", &[], &[0, 0, 128, 63])]
        {
            expected.update((name.len() as u64).to_le_bytes());
            expected.update(name);
            expected.update((dtype.len() as u64).to_le_bytes());
            expected.update(dtype);
            expected.update((shape.len() as u64).to_le_bytes());
            for &n in shape {
                expected.update((n as u64).to_le_bytes());
            }
            expected.update((bytes.len() as u64).to_le_bytes());
            expected.update(bytes);
        }
        let mut digest = Digest::new();
        digest.add("b", "F32", &[], &1f32.to_le_bytes());
        digest.add("a", "U8", &[2], &[7, 9]);
        assert_eq!(digest.finish(), hex(&expected.finalize()));
    }

    #[test]
    fn every_part_of_an_entry_counts() {
        let digest = |name: &str, dtype: &str, shape: &[usize], bytes: &[u8]| {
            let mut digest = Digest::new();
            digest.add(name, dtype, shape, bytes);
            digest.finish()
        };
        let all = [
            digest("w", "U8", &[2, 1], &[1, 2]),
            digest("v", "U8", &[2, 1], &[1, 2]),
            digest("w", "I8", &[2, 1], &[1, 2]),
            digest("w", "U8", &[1, 2], &[1, 2]),
            digest("w", "U8", &[2], &[1, 2]),
            digest("w", "U8", &[2, 1], &[2, 1]),
            digest("wU", "8", &[2, 1], &[1, 2]),
            Digest::new().finish(),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    #[should_panic(expected = "`w` added twice")]
    fn a_name_twice_is_a_bug() {
        let mut digest = Digest::new();
        digest.add("w", "U8", &[0], &[]);
        digest.add("w", "U8", &[0], &[]);
    }
}
