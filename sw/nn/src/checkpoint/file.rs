//! Checkpoint ⇄ safetensors file.

use super::{CheckpointError, Dtype, State, Tensor};
use safetensors::tensor::{Dtype as FileDtype, Metadata, SafeTensorError, SafeTensors, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

/// The one metadata key of our files. A single key keeps equal states equal byte for byte: safetensors writes several in
/// random order.
const KEY: &str = "tandem";

/// Bytes of the header's length field.
const LENGTH_FIELD: usize = 8;

#[derive(Serialize, Deserialize)]
struct Extra {
    checksum: String,
    metadata: BTreeMap<String, String>,
}

impl State {
    /// Writes the state to `path` atomically: whatever happens, `path` holds the old contents or the new, never a part.
    /// Equal states give equal files.
    ///
    /// # Errors   the folder is missing or read-only, the disk is full, `path` is a folder: `path` is unchanged
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let extra = Extra { checksum: self.checksum(), metadata: self.metadata.clone() };
        let extra = serde_json::to_string(&extra).expect("a map of texts is valid JSON");
        let bytes =
            safetensors::serialize(&self.tensors, Some(HashMap::from([(KEY.to_owned(), extra)]))).map_err(
                |error| CheckpointError::Serialize { file: path.to_owned(), reason: error.to_string() },
            )?;
        tandem_files::replace(path, &bytes)
            .map_err(|source| CheckpointError::Write { file: path.to_owned(), source })
    }

    /// Reads the state that [`save`](State::save) wrote.
    ///
    /// # Errors   unreadable; truncated or too long; not a file that `save` writes; contents that do not match the
    /// checksum
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = read(path).map_err(|source| CheckpointError::Read { file: path.to_owned(), source })?;
        let contents = SafeTensors::deserialize(&bytes).map_err(|error| explain(path, &bytes, &error))?;
        let extra = read_extra(path, &bytes)?;
        let mut state = State { tensors: BTreeMap::new(), metadata: extra.metadata, origin: path.to_owned() };
        for (name, view) in contents.iter() {
            let dtype = dtype_of_file(view.dtype())
                .ok_or_else(|| format_error(path, format!("tensor `{name}` has type {}", view.dtype())))?;
            let tensor = Tensor { dtype, shape: view.shape().to_vec(), bytes: view.data().to_vec() };
            state.tensors.insert(name.to_owned(), tensor);
        }
        let got = state.checksum();
        if got != extra.checksum {
            return Err(CheckpointError::Checksum { file: path.to_owned(), expected: extra.checksum, got });
        }
        Ok(state)
    }

    /// The digest of the tensors and the texts.
    fn checksum(&self) -> String {
        let mut digest = self.digest_entries();
        let texts = serde_json::to_vec(&self.metadata).expect("a map of texts is valid JSON");
        digest.add("\0metadata", "JSON", &[], &texts);
        digest.finish()
    }
}

impl View for &Tensor {
    fn dtype(&self) -> FileDtype {
        match self.dtype {
            Dtype::F32 => FileDtype::F32,
            Dtype::F64 => FileDtype::F64,
            Dtype::I64 => FileDtype::I64,
            Dtype::U8 => FileDtype::U8,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The bytes of a regular file: anything else may have no end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    fs::read(path)
}

fn dtype_of_file(dtype: FileDtype) -> Option<Dtype> {
    match dtype {
        FileDtype::F32 => Some(Dtype::F32),
        FileDtype::F64 => Some(Dtype::F64),
        FileDtype::I64 => Some(Dtype::I64),
        FileDtype::U8 => Some(Dtype::U8),
        _ => None,
    }
}

fn read_extra(path: &Path, bytes: &[u8]) -> Result<Extra, CheckpointError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| explain(path, bytes, &error))?;
    let text = header
        .metadata()
        .as_ref()
        .and_then(|texts| texts.get(KEY))
        .ok_or_else(|| format_error(path, format!("no metadata `{KEY}`")))?;
    serde_json::from_str(text).map_err(|error| format_error(path, format!("metadata `{KEY}`: {error}")))
}

/// What safetensors rejects, told apart as cut short, too long, or another kind of file.
fn explain(path: &Path, bytes: &[u8], error: &SafeTensorError) -> CheckpointError {
    let length = |expected: usize| CheckpointError::Length {
        file: path.to_owned(),
        expected: expected as u64,
        got: bytes.len() as u64,
    };
    let Some((field, rest)) = bytes.split_first_chunk::<LENGTH_FIELD>() else {
        return length(LENGTH_FIELD);
    };
    let header = u64::from_le_bytes(*field);
    match error {
        // Every header starts with a brace: anything else is no safetensors file that was cut.
        SafeTensorError::InvalidHeaderLength if rest.first().is_none_or(|&byte| byte == b'{') => {
            length(LENGTH_FIELD.saturating_add(header as usize))
        }
        SafeTensorError::MetadataIncompleteBuffer => {
            let header = header as usize;
            match serde_json::from_slice::<Metadata>(&rest[..header]) {
                Ok(metadata) => length(LENGTH_FIELD + header + metadata.data_len()),
                Err(error) => format_error(path, error.to_string()),
            }
        }
        other => format_error(path, other.to_string()),
    }
}

fn format_error(path: &Path, reason: String) -> CheckpointError {
    CheckpointError::Format { file: path.to_owned(), reason }
}
