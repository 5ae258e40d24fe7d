//! Pixels of a split: in memory, or left in files and read image by image.

use super::DataError;
use crate::tensor::slice;
use ndarray::Array2;
use rayon::prelude::*;
use std::fmt::Debug;
use std::sync::Arc;

/// Images that are read together, in parallel.
const BLOCK: usize = 256;

/// Images in files.
pub trait Stored: Send + Sync + Debug {
    /// How many.
    fn count(&self) -> usize;
    /// Bytes of an image.
    fn features(&self) -> usize;
    /// Reads an image.
    ///
    /// # Errors   its file cannot be read, is damaged, or holds another kind of image
    fn read(&self, image: usize, to: &mut [u8]) -> Result<(), DataError>;
}

/// The images of a split.
#[derive(Clone, Debug)]
pub enum Images {
    /// One image a row.
    /// # Shape    `[n, h·w·c]`, NHWC flattened: channels are the fastest
    Memory(Array2<u8>),
    /// Each is read whenever it is needed: memory does not grow with their number.
    Files(Arc<dyn Stored>),
}

impl Images {
    /// Reads images into memory if they take at most `most` bytes.
    ///
    /// # Errors   of the first image that cannot be read
    pub(super) fn load(stored: Arc<dyn Stored>, most: u64) -> Result<Self, DataError> {
        let (n, features) = (stored.count(), stored.features());
        let files = Images::Files(stored);
        if (n as u64).saturating_mul(features as u64) > most {
            return Ok(files);
        }
        let mut pixels = Vec::with_capacity(n * features);
        files.blocks(&mut |bytes| pixels.extend_from_slice(bytes))?;
        Ok(Images::Memory(Array2::from_shape_vec((n, features), pixels).expect("so many bytes were read")))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Images::Memory(array) => array.nrows(),
            Images::Files(stored) => stored.count(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images that are in memory.
    pub fn array(&self) -> Option<&Array2<u8>> {
        if let Images::Memory(array) = self { Some(array) } else { None }
    }

    /// The images that are in memory, to change.
    pub fn array_mut(&mut self) -> Option<&mut Array2<u8>> {
        if let Images::Memory(array) = self { Some(array) } else { None }
    }

    /// The bytes of an image: where they lie, or read into `buffer`.
    ///
    /// # Errors   as [`Stored::read`]
    /// # Panics   there is no such image
    pub fn image<'a>(&'a self, image: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], DataError> {
        match self {
            Images::Memory(array) => {
                let features = array.ncols();
                Ok(&slice(array)[image * features..][..features])
            }
            Images::Files(stored) => {
                buffer.resize(stored.features(), 0);
                stored.read(image, buffer)?;
                Ok(buffer)
            }
        }
    }

    /// All bytes in order, some images at a time.
    ///
    /// # Errors   of the first image that cannot be read
    pub fn blocks(&self, f: &mut dyn FnMut(&[u8])) -> Result<(), DataError> {
        match self {
            Images::Memory(array) => f(slice(array)),
            Images::Files(stored) => {
                let (n, features) = (stored.count(), stored.features());
                let mut bytes = vec![0; BLOCK.min(n) * features];
                for first in (0..n).step_by(BLOCK) {
                    let bytes = &mut bytes[..BLOCK.min(n - first) * features];
                    let read = |(i, to): (usize, &mut [u8])| stored.read(first + i, to);
                    let all: Vec<_> = bytes.par_chunks_exact_mut(features).enumerate().map(read).collect();
                    all.into_iter().collect::<Result<(), _>>()?;
                    f(bytes);
                }
            }
        }
        Ok(())
    }
}

impl From<Array2<u8>> for Images {
    fn from(array: Array2<u8>) -> Self {
        Images::Memory(array)
    }
}

/// In memory: the same pixels; in files: the same ones.
impl PartialEq for Images {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Images::Memory(a), Images::Memory(b)) => a == b,
            (Images::Files(a), Images::Files(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Images {}
