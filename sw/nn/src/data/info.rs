//! What a data set holds, for people and scripts.

use super::{DataError, Source, data_dir, find, hash};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The facts about a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Its name.
    pub set: String,
    /// The folder it was read from; none if it is embedded.
    pub folder: Option<PathBuf>,
    /// Images to train on.
    pub train: usize,
    /// Images to test on.
    pub test: usize,
    /// Height, width, channels.
    pub shape: (usize, usize, usize),
    /// Number of classes.
    pub classes: usize,
    /// Largest value that a pixel can take.
    pub max_value: u8,
    /// Training images of each class.
    pub train_per_class: Vec<usize>,
    /// Test images of each class.
    pub test_per_class: Vec<usize>,
    /// The files it consists of.
    pub files: Vec<FileInfo>,
}

/// One file of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileInfo {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// Whether it is the file that fetching installs; none if fetching installs no file of this name.
    pub known: Option<bool>,
}

/// Loads the data set `set` from `dir` (default: [`data_dir`]) and describes it.
///
/// # Errors   as [`load`](super::load)
pub fn info(set: &str, dir: Option<&Path>) -> Result<Info, DataError> {
    let source = find(set)?;
    let (folder, files) = source.find_files(&data_dir(dir))?;
    let data = (source.read)(&files)?;
    let files: Vec<FileInfo> =
        files.into_iter().map(|file| describe(source, file)).collect::<Result<_, _>>()?;
    Ok(Info {
        set: data.name,
        folder: (!files.is_empty()).then_some(folder),
        train: data.train.len(),
        test: data.test.len(),
        shape: data.shape,
        classes: data.classes,
        max_value: data.max_value,
        train_per_class: data.train.class_counts(data.classes),
        test_per_class: data.test.class_counts(data.classes),
        files,
    })
}

fn describe(source: &Source, file: PathBuf) -> Result<FileInfo, DataError> {
    let hash = hash::of_file(&file)?;
    let name = file.file_name().unwrap_or_default();
    let packed = source.package.iter().flat_map(|package| package.files).find(|packed| name == packed.name);
    let known = packed.map(|packed| packed.sha256 == hash.sha256);
    Ok(FileInfo { file, bytes: hash.bytes, sha256: hash.sha256, known })
}
