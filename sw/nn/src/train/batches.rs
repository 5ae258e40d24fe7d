//! Which images a step trains on, and how they become the network's input.
//!
//! ```text
//! order of an epoch: images sorted by Philox(seed; shuffle, epoch)[image], ties by image
//! image ─► preprocess ─► augment: Philox(seed; augment, place in the list, epoch)[image] ─► byte / max_value
//! ```
//! Batches that are work (preprocessing, augmentation, images in files) are made ahead of the trainer, by [`Pipeline`]; others when they are
//! asked for. Either way they are the same ones.

use super::pipeline::Pipeline;
use crate::config::Experiment;
use crate::data::augment::Augmentations;
use crate::data::preprocess::Which;
use crate::data::{DataError, Dataset, Prepared};
use crate::random::{Purpose, Stream};
use crate::tensor::{Shape, slice_mut};
use ndarray::Array2;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Makes batches of a data set.
pub(super) struct Batches {
    maker: Arc<Maker>,
    /// Epochs of the run.
    epochs: u64,
    order: Order,
    ahead: Option<Pipeline>,
}

/// What batches are made by: all but which images.
pub(super) struct Maker {
    seed: u64,
    /// Number of training images.
    pub images: usize,
    /// Images in a batch.
    pub batch: usize,
    prepared: Arc<Prepared>,
    augment: Arc<Augmentations>,
    shape: Shape,
    pixels: [f32; 256],
}

/// The order of one epoch.
#[derive(Default)]
pub(super) struct Order(Option<(u64, Vec<u32>)>);

impl Order {
    /// That of `epoch`.
    fn of(&mut self, maker: &Maker, epoch: u64) -> &[u32] {
        if self.0.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.0 = Some((epoch, order(maker.seed, epoch, maker.images)));
        }
        self.0.as_ref().map_or(&[], |(_, order)| order)
    }
}

/// Bytes of an image on its way.
#[derive(Default)]
struct Scratch {
    read: Vec<u8>,
    now: Vec<u8>,
    next: Vec<u8>,
}

impl Batches {
    /// Batches of the first `images` training images.
    pub fn new(experiment: &Experiment, images: usize, data: &Arc<Dataset>) -> Self {
        let (h, w, c) = data.shape;
        let config = &experiment.data;
        let prepared = Prepared::new(Arc::clone(data), &config.preprocess);
        let max = f32::from(prepared.max_value());
        let augment = Arc::new(Augmentations::new(&config.augment));
        let maker = Maker {
            seed: experiment.train.seed,
            images,
            batch: config.batch,
            prepared: Arc::new(prepared),
            augment,
            shape: Shape { h, w, c },
            pixels: std::array::from_fn(|byte| byte as f32 / max),
        };
        let epochs = experiment.train.epochs;
        Batches { maker: Arc::new(maker), epochs, order: Order::default(), ahead: None }
    }

    /// Shuffles and augments by another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.ahead = None;
        let Maker { images, batch, ref prepared, ref augment, shape, pixels, .. } = *self.maker;
        let (prepared, augment) = (Arc::clone(prepared), Arc::clone(augment));
        self.maker = Arc::new(Maker { seed, images, batch, prepared, augment, shape, pixels });
        self.order = Order::default();
    }

    /// Number of training images.
    pub fn images(&self) -> usize {
        self.maker.images
    }

    /// Fills `input` with the batch of a step, which begins at this position of the epoch; its labels, and how long they took to come.
    ///
    /// # Errors   an image cannot be read or prepared
    pub fn next(
        &mut self,
        epoch: u64,
        position: usize,
        input: &mut Array2<f32>,
    ) -> Result<(Vec<u8>, Duration), DataError> {
        let begun = Instant::now();
        let labels = if self.maker.prepared.is_work() || !self.maker.augment.is_empty() {
            let running = self.ahead.take().filter(|ahead| ahead.next() == (epoch, position));
            let mut ahead = match running {
                Some(ahead) => ahead,
                None => Pipeline::start(Arc::clone(&self.maker), (epoch, position), self.epochs)?,
            };
            let labels = ahead.take(input)?;
            self.ahead = Some(ahead);
            labels
        } else {
            self.training(epoch, position..position + self.maker.batch, input)?
        };
        Ok((labels, begun.elapsed()))
    }

    /// Fills `input` with the images at these positions of an epoch, and returns their labels.
    ///
    /// # Errors   as [`next`](Self::next)
    pub fn training(
        &mut self,
        epoch: u64,
        positions: Range<usize>,
        input: &mut Array2<f32>,
    ) -> Result<Vec<u8>, DataError> {
        self.maker.training(&mut self.order, epoch, positions, input)
    }

    /// Fills `input` with these images, not augmented.
    ///
    /// # Errors   as [`next`](Self::next)
    pub fn plain(&self, test: bool, images: Range<usize>, input: &mut Array2<f32>) -> Result<(), DataError> {
        self.maker.fill(input, |row| Which { test, image: images.start + row }, None)
    }
}

impl Maker {
    /// See [`Batches::training`].
    pub fn training(
        &self,
        order: &mut Order,
        epoch: u64,
        positions: Range<usize>,
        input: &mut Array2<f32>,
    ) -> Result<Vec<u8>, DataError> {
        let chosen = &order.of(self, epoch)[positions];
        self.fill(input, |row| Which { test: false, image: chosen[row] as usize }, Some(epoch))?;
        let labels = &self.prepared.data().train.labels;
        Ok(chosen.iter().map(|&image| labels[image as usize]).collect())
    }

    /// Features of an image.
    pub fn features(&self) -> usize {
        self.shape.features()
    }

    /// `choose`: row of `input` → image. Augmented as in an epoch, if there is one.
    fn fill(
        &self,
        input: &mut Array2<f32>,
        choose: impl Fn(usize) -> Which + Sync,
        epoch: Option<u64>,
    ) -> Result<(), DataError> {
        let fill = |scratch: &mut Scratch, (row, pixels): (usize, &mut [f32])| {
            let bytes = self.image(choose(row), epoch, scratch)?;
            for (pixel, &byte) in pixels.iter_mut().zip(bytes) {
                *pixel = self.pixels[usize::from(byte)];
            }
            Ok(())
        };
        let rows = slice_mut(input).par_chunks_mut(self.shape.features()).enumerate();
        // of several errors the first, whatever the threads
        let all: Vec<Result<(), DataError>> = rows.map_init(Scratch::default, fill).collect();
        all.into_iter().collect()
    }

    /// The bytes of an image that the network sees.
    fn image<'a>(
        &'a self,
        which: Which,
        epoch: Option<u64>,
        scratch: &'a mut Scratch,
    ) -> Result<&'a [u8], DataError> {
        let Scratch { read, now, next } = scratch;
        let bytes = self.prepared.image(which, read)?;
        let Some(epoch) = epoch.filter(|_| !self.augment.is_empty()) else { return Ok(bytes) };
        now.clear();
        now.extend_from_slice(bytes);
        self.augment.apply((self.seed, epoch), which.image, self.shape, now, next);
        Ok(now)
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
}
