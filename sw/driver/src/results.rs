//! Result packets as integers.
//!
//! ```text
//! value i  =  bits b·i … b·i + b − 1 of the packet's data, two's complement        b = 4, 8, …, 32
//! ```

/// The results of a STORE, packed without gaps.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    data: &'a [u8],
    bits: usize,
}

impl<'a> Results<'a> {
    /// The data of a packet, as results of `bits` bits.
    ///
    /// # Panics
    /// If `bits` is not 1 to 32.
    pub fn new(data: &'a [u8], bits: usize) -> Self {
        assert!((1..=32).contains(&bits), "results of {bits} bits");
        Results { data, bits }
    }

    /// Results that there is room for, the zeros that fill the last link word included.
    pub fn len(&self) -> usize {
        self.data.len() * 8 / self.bits
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Result `i`.
    ///
    /// # Panics
    /// If `i ≥ len`.
    pub fn at(&self, i: usize) -> i64 {
        let first = i * self.bits;
        let bytes = &self.data[first / 8..];
        let bits = match bytes.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            // the last few: byte by byte
            None => {
                assert!(first % 8 + self.bits <= bytes.len() * 8, "result {i} of {}", self.len());
                bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
            }
        };
        let unused = 64 - self.bits as u32;
        (bits >> (first % 8) << unused) as i64 >> unused
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + use<'a> {
        let results = *self;
        (0..results.len()).map(move |i| results.at(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nibbles_and_bytes_by_hand() {
        let of = |data: &[u8], bits| Results::new(data, bits).iter().collect::<Vec<_>>();
        assert_eq!(of(&[0x7f, 0x80], 4), [-1, 7, 0, -8]);
        assert_eq!(of(&[0x7f, 0x80], 8), [127, -128]);
        // 0x801 and 0x7fe
        assert_eq!(of(&[0x01, 0xe8, 0x7f], 12), [-0x7ff, 0x7fe]);
        assert_eq!(of(&[0, 0, 0, 0x80], 32), [i64::from(i32::MIN)]);
        assert!(Results::new(&[], 12).is_empty());
    }

    #[test]
    #[should_panic(expected = "result 2 of 2")]
    fn what_is_not_there_is_not_read() {
        Results::new(&[1, 2, 3], 12).at(2);
    }

    proptest! {
        #[test]
        fn what_is_packed_bit_by_bit_comes_back(
            quarter in 1usize..=8, values in prop::collection::vec(any::<i32>(), 0..40), link in 0u32..5,
        ) {
            let bits = 4 * quarter;
            let values: Vec<i64> = values.iter().map(|v| i64::from(v >> (32 - bits))).collect();
            let mut packed: Vec<bool> =
                values.iter().flat_map(|v| (0..bits).map(move |b| v >> b & 1 == 1)).collect();
            packed.resize(packed.len().next_multiple_of(8 << link), false);
            let byte = |bits: &[bool]| bits.iter().rev().fold(0u8, |v, b| v << 1 | u8::from(*b));
            let data: Vec<u8> = packed.chunks(8).map(byte).collect();
            let results = Results::new(&data, bits);
            prop_assert!(results.len() >= values.len());
            prop_assert_eq!(results.iter().take(values.len()).collect::<Vec<_>>(), values);
        }
    }
}
