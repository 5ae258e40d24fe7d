//! Which images a step trains on, and how they become the network's input.
//!
//! ```text
//! order of an epoch: images sorted by Philox(seed; shuffle, epoch)[image], ties by image
//! pixel = byte / max_value, after a random shift if asked for
//! ```

use crate::config::{Augment, Experiment};
use crate::data::{Dataset, Split};
use crate::random::{Purpose, Stream};
use crate::tensor::blocks::for_blocks;
use crate::tensor::{Shape, slice, slice_mut};
use ndarray::Array2;
use std::ops::Range;

/// Makes batches of a data set.
pub(super) struct Batches {
    seed: u64,
    images: usize,
    shape: Shape,
    augment: Augment,
    pixels: [f32; 256],
    /// The order of one epoch.
    order: Option<(u64, Vec<u32>)>,
}

impl Batches {
    /// Batches of the first `images` training images.
    pub fn new(experiment: &Experiment, images: usize, data: &Dataset) -> Self {
        let (h, w, c) = data.shape;
        let max = f32::from(data.max_value);
        Batches {
            seed: experiment.train.seed,
            images,
            shape: Shape { h, w, c },
            augment: experiment.data.augment,
            pixels: std::array::from_fn(|byte| byte as f32 / max),
            order: None,
        }
    }

    /// Shuffles and augments by another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.order = None;
    }

    /// Number of training images.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Fills `input` with the images at these positions of an epoch, and returns their labels.
    pub fn training(
        &mut self,
        data: &Dataset,
        epoch: u64,
        positions: Range<usize>,
        input: &mut Array2<f32>,
    ) -> Vec<u8> {
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.order = Some((epoch, order(self.seed, epoch, self.images)));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        let chosen = &order[positions];
        let random = Stream::new(self.seed, Purpose::Augment, 0, epoch);
        self.fill(&data.train, input, |row| {
            let image = chosen[row];
            let shift = match self.augment {
                Augment::None => (0, 0),
                Augment::Shift(most) => shift(random.key(image), most),
            };
            (image as usize, shift)
        });
        chosen.iter().map(|&image| data.train.labels[image as usize]).collect()
    }

    /// Fills `input` with these images as they are.
    pub fn plain(&self, split: &Split, images: Range<usize>, input: &mut Array2<f32>) {
        self.fill(split, input, |row| (images.start + row, (0, 0)));
    }

    /// `choose`: row of `input` → image and its shift along y and x.
    fn fill(
        &self,
        split: &Split,
        input: &mut Array2<f32>,
        choose: impl Fn(usize) -> (usize, (isize, isize)) + Sync,
    ) {
        let features = self.shape.features();
        let bytes = slice(&split.images);
        for_blocks(slice_mut(input), features, |start, pixels| {
            let (image, shift) = choose(start / features);
            let bytes = &bytes[image * features..][..features];
            if shift == (0, 0) {
                for (pixel, &byte) in pixels.iter_mut().zip(bytes) {
                    *pixel = self.pixels[usize::from(byte)];
                }
            } else {
                self.shifted(bytes, shift, pixels);
            }
        });
    }

    fn shifted(&self, bytes: &[u8], (dy, dx): (isize, isize), pixels: &mut [f32]) {
        let Shape { h, w, c } = self.shape;
        for y in 0..h {
            for x in 0..w {
                let from_y = y.checked_add_signed(-dy).filter(|&y| y < h);
                let from_x = x.checked_add_signed(-dx).filter(|&x| x < w);
                let to = &mut pixels[(y * w + x) * c..][..c];
                match (from_y, from_x) {
                    (Some(y), Some(x)) => {
                        let from = &bytes[(y * w + x) * c..][..c];
                        to.iter_mut().zip(from).for_each(|(p, &b)| *p = self.pixels[usize::from(b)]);
                    }
                    _ => to.fill(0.0),
                }
            }
        }
    }
}

/// The order of an epoch.
fn order(seed: u64, epoch: u64, images: usize) -> Vec<u32> {
    let stream = Stream::new(seed, Purpose::Shuffle, 0, epoch);
    let count = u32::try_from(images).expect("fewer than 2³² images");
    let mut keys: Vec<(u64, u32)> = (0..count).map(|image| (stream.key(image), image)).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, image)| image).collect()
}

/// A shift of −most … most along y and x.
fn shift(key: u64, most: usize) -> (isize, isize) {
    let choose = |word: u32| {
        let choices = 2 * most as u64 + 1;
        ((u64::from(word) * choices) >> 32) as isize - most as isize
    };
    (choose(key as u32), choose((key >> 32) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_of_its_own() {
        let first = order(1, 0, 1000);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_ne!(first, sorted);
        assert_ne!(first, order(1, 1, 1000));
        assert_ne!(first, order(2, 0, 1000));
    }

    #[test]
    fn shifts_stay_in_range_and_reach_its_ends() {
        let (mut low, mut high) = (0, 0);
        for i in 0..1000u64 {
            let (y, x) = shift(i.wrapping_mul(0x9E37_79B9_7F4A_7C15), 2);
            low = low.min(y.min(x));
            high = high.max(y.max(x));
        }
        assert_eq!((low, high), (-2, 2));
    }

    #[test]
    fn a_shift_moves_pixels_and_lets_black_in() {
        let experiment_free = Batches {
            seed: 0,
            images: 1,
            shape: Shape { h: 2, w: 3, c: 1 },
            augment: Augment::None,
            pixels: std::array::from_fn(|byte| byte as f32),
            order: None,
        };
        let mut pixels = [9.0; 6];
        experiment_free.shifted(&[1, 2, 3, 4, 5, 6], (1, -1), &mut pixels);
        assert_eq!(pixels, [0.0, 0.0, 0.0, 2.0, 3.0, 0.0]);
    }
}
