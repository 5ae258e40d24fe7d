//! The images of a set after `data.preprocess`.
//!
//! Where pixels are in memory, each image is prepared once, when it is first needed, and kept; where they are left in files, each time.

use super::preprocess::{self, Preprocess, Which};
use super::step::Step;
use super::{DataError, Dataset, Images, Split};
use std::sync::{Arc, OnceLock};
use tandem_filter::{Image, Samples, Shape};

/// A set with what is done to its images.
pub struct Prepared {
    data: Arc<Dataset>,
    steps: Vec<Box<dyn Preprocess>>,
    /// Results, of training and of test images.
    kept: [Vec<OnceLock<Box<[u8]>>>; 2],
}

impl Prepared {
    /// A set with steps that [`List::check`](super::step::List::check) has found right.
    ///
    /// # Panics   if it has not
    pub fn new(data: Arc<Dataset>, steps: &[Step]) -> Self {
        let build = |step| preprocess::build(step).unwrap_or_else(|e| panic!("{step:?}: {e:?}"));
        let steps: Vec<_> = steps.iter().map(build).collect();
        let room = |split: &Split| match &split.images {
            Images::Memory(array) if !steps.is_empty() => vec![OnceLock::new(); array.nrows()],
            _ => Vec::new(),
        };
        let kept = [room(&data.train), room(&data.test)];
        Prepared { data, steps, kept }
    }

    /// The set as it was read.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Largest value that a pixel can take.
    pub fn max_value(&self) -> u8 {
        if self.steps.is_empty() { self.data.max_value } else { u8::MAX }
    }

    /// Whether training images are more than bytes that lie in memory.
    pub fn is_work(&self) -> bool {
        !self.steps.is_empty() || self.data.train.images.array().is_none()
    }

    /// The bytes of an image: where they lie, or in `buffer`.
    ///
    /// # Errors   it cannot be read, or a step cannot take it
    pub fn image<'a>(&'a self, which: Which, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], DataError> {
        let split = if which.test { &self.data.test } else { &self.data.train };
        if self.steps.is_empty() {
            return split.images.image(which.image, buffer);
        }
        let place = self.kept[usize::from(which.test)].get(which.image);
        if let Some(kept) = place.and_then(OnceLock::get) {
            return Ok(kept);
        }
        let made = self.prepare(which, split.images.image(which.image, buffer)?)?;
        match place {
            Some(place) => Ok(place.get_or_init(|| made.into_boxed_slice())),
            None => {
                *buffer = made;
                Ok(buffer)
            }
        }
    }

    fn prepare(&self, which: Which, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
        let refused = |source| DataError::Preprocess { test: which.test, image: which.image, source };
        let (height, width, channels) = self.data.shape;
        let bytes = stretched(bytes, self.data.max_value);
        let mut image = Image::new(Shape { height, width, channels }, Samples::U8(bytes)).map_err(refused)?;
        for step in &self.steps {
            image = step.apply(which, image).map_err(refused)?;
        }
        match image.into_samples() {
            Samples::U8(bytes) => Ok(bytes),
            _ => unreachable!("what is made of bytes is bytes"),
        }
    }
}

/// Values of 0 … `most` as 0 … 255, rounded to the nearest.
fn stretched(bytes: &[u8], most: u8) -> Vec<u8> {
    if most == u8::MAX {
        return bytes.to_vec();
    }
    let most = u32::from(most);
    bytes.iter().map(|&v| ((u32::from(v) * 255 + most / 2) / most).min(255) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_levels_are_stretched_to_bytes() {
        assert_eq!(stretched(&[0, 1, 8, 16], 16), [0, 16, 128, 255]);
        assert_eq!(stretched(&[0, 1, 255], 255), [0, 1, 255]);
        assert_eq!(stretched(&[0, 1], 1), [0, 255]);
    }
}
