//! Checkpoints: the whole state of a training run as named tensors in one safetensors file.
//!
//! ```text
//! State { name → (dtype, shape, little-endian bytes), key → text }  ── save ──►  run/last.safetensors
//!                                                                   ◄── load ──
//! ```
//!
//! A checkpoint holds all that decides the next step (parameters, moments, running statistics, scales, masks, step,
//! generator and data position), so that a resumed run continues to the same bits. Each file carries its own checksum.
//!
//! ```
//! use tandem_nn::checkpoint::State;
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("last.safetensors");
//! let mut state = State::new();
//! state.insert("fc1.weight", &[2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
//! state.insert("step", &[], &[20i64]);
//! state.save(&path)?;
//!
//! let loaded = State::load(&path)?;
//! assert_eq!(loaded.get::<f32>("fc1.weight", &[2, 2])?, [1.0, 2.0, 3.0, 4.0]);
//! assert_eq!(loaded.scalar::<i64>("step")?, 20);
//! assert_eq!(loaded.digest(), state.digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod element;
mod error;
mod file;

pub use element::{Dtype, Element};
pub use error::CheckpointError;

use crate::digest::Digest;
use ndarray::{Array, ArrayBase, ArrayD, Data, DataMut, Dimension};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The metadata key that names the network a checkpoint belongs to.
const NETWORK: &str = "network";

/// One tensor of a [`State`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Element type.
    pub dtype: Dtype,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// The elements, row-major, little-endian.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Named tensors and named texts.
///
/// Equality compares the contents, not where they were loaded from; floats compare by their bits.
#[derive(Clone, Debug)]
pub struct State {
    tensors: BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
    origin: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        Self { tensors: BTreeMap::new(), metadata: BTreeMap::new(), origin: PathBuf::from("(not saved yet)") }
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.tensors == other.tensors && self.metadata == other.metadata
    }
}

impl State {
    /// A state without tensors or texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor, row-major; a scalar has the shape `[]` and one element.
    ///
    /// # Panics   if `data.len() ≠ ∏ shape`, or if `name` is there already
    pub fn insert<T: Element>(&mut self, name: &str, shape: &[usize], data: &[T]) {
        assert_eq!(data.len(), shape.iter().product::<usize>(), "tensor `{name}` of shape {shape:?}");
        let tensor = Tensor { dtype: T::DTYPE, shape: shape.to_vec(), bytes: T::to_bytes(data) };
        let previous = self.tensors.insert(name.to_owned(), tensor);
        assert!(previous.is_none(), "tensor `{name}` inserted twice");
    }

    /// Adds an array, in row-major order whatever its memory layout.
    ///
    /// # Panics   if `name` is there already
    pub fn insert_array<T, S, D>(&mut self, name: &str, array: &ArrayBase<S, D>)
    where
        T: Element,
        S: Data<Elem = T>,
        D: Dimension,
    {
        let data: Vec<T> = array.iter().copied().collect();
        self.insert(name, array.shape(), &data);
    }

    /// The elements of tensor `name`, which must have this type and shape.
    ///
    /// # Errors   no such tensor; another element type; another shape
    pub fn get<T: Element>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, CheckpointError> {
        let tensor = self.typed::<T>(name)?;
        if tensor.shape != shape {
            return Err(CheckpointError::Shape {
                file: self.origin.clone(),
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                got: tensor.shape.clone(),
            });
        }
        Ok(T::from_bytes(&tensor.bytes))
    }

    /// The only element of the tensor `name` of shape `[]`.
    ///
    /// # Errors   as [`get`](State::get)
    pub fn scalar<T: Element>(&self, name: &str) -> Result<T, CheckpointError> {
        Ok(self.get::<T>(name, &[])?[0])
    }

    /// The only element of the tensor `name`, a count.
    ///
    /// # Errors   as [`get`](State::get), or it is negative
    pub fn count(&self, name: &str) -> Result<u64, CheckpointError> {
        let value: i64 = self.scalar(name)?;
        u64::try_from(value).map_err(|_| self.invalid(name, value, "0 or more".to_owned()))
    }

    /// The error that the tensor `name` has a value that is not allowed.
    pub(crate) fn invalid(&self, name: &str, value: i64, expected: String) -> CheckpointError {
        CheckpointError::Value { file: self.origin.clone(), tensor: name.to_owned(), value, expected }
    }

    /// Where it was loaded from.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// Tensor `name` as an array of whatever shape it was saved with.
    ///
    /// # Errors   no such tensor; another element type
    pub fn array<T: Element>(&self, name: &str) -> Result<ArrayD<T>, CheckpointError> {
        let tensor = self.typed::<T>(name)?;
        let data = T::from_bytes(&tensor.bytes);
        Ok(Array::from_shape_vec(tensor.shape.clone(), data)
            .expect("a tensor's length is the product of its shape"))
    }

    /// Overwrites `target` with tensor `name`, which must have the same type and shape.
    ///
    /// # Errors   as [`get`](State::get); `target` is unchanged then
    pub fn copy_into<T, S, D>(&self, name: &str, target: &mut ArrayBase<S, D>) -> Result<(), CheckpointError>
    where
        T: Element,
        S: DataMut<Elem = T>,
        D: Dimension,
    {
        let data = self.get::<T>(name, target.shape())?;
        target.iter_mut().zip(data).for_each(|(to, from)| *to = from);
        Ok(())
    }

    /// Tensor `name`, if there is one.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// All tensors, in order of their names.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Sets the text `key`. Texts are saved with the tensors but are no part of the [`digest`](State::digest).
    pub fn set_metadata(&mut self, key: &str, value: &str) {
        self.metadata.insert(key.to_owned(), value.to_owned());
    }

    /// The text `key`, if there is one.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Records which network the state belongs to, by a short fingerprint of its definition.
    pub fn set_network(&mut self, fingerprint: &str) {
        self.set_metadata(NETWORK, fingerprint);
    }

    /// Checks that the state belongs to the network with this fingerprint.
    ///
    /// # Errors   recorded fingerprint ≠ `fingerprint`, or none recorded
    pub fn expect_network(&self, fingerprint: &str) -> Result<(), CheckpointError> {
        let got = self.metadata(NETWORK).unwrap_or("(none)");
        if got == fingerprint {
            return Ok(());
        }
        Err(CheckpointError::Network {
            file: self.origin.clone(),
            expected: fingerprint.to_owned(),
            got: got.to_owned(),
        })
    }

    /// SHA-256 over the tensors, see [`Digest`]: equal exactly if names, types, shapes and bits are.
    pub fn digest(&self) -> String {
        self.digest_entries().finish()
    }

    fn digest_entries(&self) -> Digest {
        let mut digest = Digest::new();
        for (name, tensor) in &self.tensors {
            digest.add(name, tensor.dtype.name(), &tensor.shape, &tensor.bytes);
        }
        digest
    }

    fn typed<T: Element>(&self, name: &str) -> Result<&Tensor, CheckpointError> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| CheckpointError::Missing { file: self.origin.clone(), tensor: name.to_owned() })?;
        if tensor.dtype != T::DTYPE {
            return Err(CheckpointError::Type {
                file: self.origin.clone(),
                tensor: name.to_owned(),
                expected: T::DTYPE,
                got: tensor.dtype,
            });
        }
        Ok(tensor)
    }
}
