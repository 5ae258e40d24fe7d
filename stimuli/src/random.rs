//! Seeded random numbers: splitmix64.
//!
//! # Source   Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014

use ndarray::Array2;
use std::ops::Range;

/// A sequence of random numbers; the field is its state, at first the seed.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    ///
    /// # Panics   if `n` is 0
    pub fn below(&mut self, n: usize) -> usize {
        (self.any() % n as u64) as usize
    }

    /// A number in `range`.
    ///
    /// # Panics   if it is empty
    pub fn within(&mut self, range: Range<i64>) -> i64 {
        range.start + (self.any() % (range.end - range.start) as u64) as i64
    }

    /// A number from 1 to `most`.
    ///
    /// # Panics   if `most` is 0
    pub fn up_to(&mut self, most: usize) -> usize {
        self.within(1..most as i64 + 1) as usize
    }

    /// Yes, in so many of a hundred cases.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.any() % 100 < chance
    }

    /// One of a list.
    ///
    /// # Panics   if it is empty
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Any number of 16 bits.
    pub fn i16(&mut self) -> i16 {
        self.any() as i16
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.any() as u8).collect()
    }

    /// Integers from `lowest` to `highest`; about a quarter are one of these two.
    pub fn matrix(&mut self, shape: (usize, usize), (lowest, highest): (i32, i32)) -> Array2<i32> {
        Array2::from_shape_simple_fn(shape, || match self.below(8) {
            0 => lowest,
            1 => highest,
            _ => lowest + self.below((highest - lowest + 1) as usize) as i32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of seed 1234567, as published with the reference implementation in C.
    #[test]
    fn it_is_splitmix64() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.any()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
