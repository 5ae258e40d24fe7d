//! Random numbers, addressed by what they are for.
//!
//! ```text
//! Philox4x32(key = seed)[ index / 4, purpose · 2²⁴ + layer, step low, step high ]      word index % 4
//! ```
//!
//! `step` is the training step for gradients and dropout, the epoch for shuffling and augmentation, and 0 for
//! initial weights. `index` is the logical flat index of the value that the number is for. For augmentation `layer` is the place in
//! the list; noise of images has a seed of its own, `step` is the image, `layer` 0 for training and 1 for test images.

pub mod philox;

use crate::random::philox::{Philox4x32, uniform};

/// What a random number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights.
    Initial = 0,
    /// The order of the training images.
    Shuffle = 1,
    /// Augmentation of an image.
    Augment = 2,
    /// Stochastic rounding of a layer's output gradient.
    Gradient = 3,
    /// Random scores of weights.
    Prune = 4,
    /// Stochastic rounding of the spectrum of a layer's output gradient.
    Spectrum = 5,
    /// Stochastic rounding of a layer's output gradient for the input gradient alone.
    InputGradient = 6,
    /// Gaussian noise of an image.
    Noise = 7,
    /// Pixels of an image that become black or white.
    Impulses = 8,
    /// Which values a dropout layer keeps.
    Dropout = 9,
}

/// The random numbers of one purpose, layer and step.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    philox: Philox4x32,
    key: u32,
    step: u64,
    /// Block that counts as block 0.
    first: u32,
}

/// Numbers that [`Stream::uniforms`] generates at a time.
pub const GROUP: usize = 64;

impl Stream {
    /// The stream of a seed, purpose, layer and step.
    ///
    /// # Panics   if `layer ≥ 2²⁴`
    pub fn new(seed: u64, purpose: Purpose, layer: usize, step: u64) -> Self {
        assert!(layer < 1 << 24, "layer {layer}");
        Stream { philox: Philox4x32::new(seed), key: (purpose as u32) << 24 | layer as u32, step, first: 0 }
    }

    /// The same stream from index `4·block` on.
    pub fn starting_at(self, block: u32) -> Self {
        Stream { first: self.first.wrapping_add(block), ..self }
    }

    /// The four words of index `4·block …`.
    #[inline(always)]
    pub fn block(&self, block: u32) -> [u32; 4] {
        self.philox.block([
            self.first.wrapping_add(block),
            self.key,
            self.step as u32,
            (self.step >> 32) as u32,
        ])
    }

    /// The uniform numbers in [0, 1) of the indices `GROUP·group …`.
    #[inline(always)]
    pub fn uniforms(&self, group: u32, out: &mut [f32; GROUP]) {
        const BLOCKS: usize = GROUP / 4;
        let mut words = [[0u32; BLOCKS]; 4];
        for i in 0..BLOCKS {
            let block = self.block(group * BLOCKS as u32 + i as u32);
            for (row, word) in words.iter_mut().zip(block) {
                row[i] = word;
            }
        }
        for i in 0..BLOCKS {
            for (j, row) in words.iter().enumerate() {
                out[4 * i + j] = uniform(row[i]);
            }
        }
    }

    /// The 64-bit key of index `i`, for orders and choices: words 0 and 1 of block `i`.
    pub fn key(&self, i: u32) -> u64 {
        let [low, high, ..] = self.block(i);
        u64::from(high) << 32 | u64::from(low)
    }

    /// `n` standard normal numbers, by Box and Muller's transform in f64.
    ///
    /// # Panics   if `n ≥ 2³³`
    pub fn normals(&self, n: usize) -> Vec<f32> {
        let pair = |[a, b]: [u32; 2]| {
            // In (0, 1], so that the logarithm is finite.
            let u = (f64::from(a) + 1.0) / 4_294_967_296.0;
            let angle = f64::from(b) / 4_294_967_296.0 * std::f64::consts::TAU;
            let radius = (-2.0 * libm::log(u)).sqrt();
            [radius * libm::cos(angle), radius * libm::sin(angle)]
        };
        let blocks = u32::try_from(n.div_ceil(4)).expect("at most 2³³ numbers");
        (0..blocks)
            .map(|i| self.block(i))
            .flat_map(|[a, b, c, d]| [pair([a, b]), pair([c, d])].concat())
            .take(n)
            .map(|x| x as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_flat_sequence() {
        let stream = Stream::new(5, Purpose::Gradient, 3, 1 << 33);
        let mut out = [0.0; GROUP];
        stream.uniforms(2, &mut out);
        for (i, &u) in out.iter().enumerate() {
            let index = 2 * GROUP + i;
            let word = stream.block((index / 4) as u32)[index % 4];
            assert_eq!(u, uniform(word));
        }
    }

    #[test]
    fn every_part_of_the_address_counts() {
        let first = |seed, purpose, layer, step| Stream::new(seed, purpose, layer, step).block(0);
        let base = first(1, Purpose::Gradient, 0, 0);
        assert_ne!(base, first(2, Purpose::Gradient, 0, 0));
        assert_ne!(base, first(1, Purpose::Augment, 0, 0));
        assert_ne!(base, first(1, Purpose::Gradient, 1, 0));
        assert_ne!(base, first(1, Purpose::Gradient, 0, 1));
        assert_ne!(base, first(1, Purpose::Gradient, 0, 1 << 32));
    }

    /// The mean of n standard normals has deviation n^-1/2, their mean square (2/n)^1/2: six of each.
    #[test]
    fn normals_have_mean_0_and_variance_1() {
        let n = 100_000;
        let v = Stream::new(9, Purpose::Initial, 0, 0).normals(n);
        let mean = v.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        let square = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 6.0 / (n as f64).sqrt(), "mean {mean}");
        assert!((square - 1.0).abs() < 6.0 * (2.0 / n as f64).sqrt(), "mean square {square}");
        assert_eq!(v.len(), n);
    }
}
