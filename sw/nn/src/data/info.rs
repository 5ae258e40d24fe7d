//! What a data set holds, for people and scripts.

use super::{DataError, Dataset, OptionError, Options, Source, data_dir, find, hash};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The facts about a data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Names of the classes, by label.
    pub class_names: Vec<String>,
    /// Mean of each channel of the training images, of values from 0 to 1.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel of the training images, of values from 0 to 1.
    pub deviation: Vec<f64>,
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
/// # Errors   as [`load_with`](super::load_with)
pub fn info(set: &str, dir: Option<&Path>, options: &Options) -> Result<Info, DataError> {
    let source = find(set)?;
    options.check(set).map_err(|OptionError { key, problem }| DataError::Option { key, problem })?;
    let (folder, files) = source.find_files(&data_dir(dir))?;
    let data = (source.read)(&files, options)?;
    let (mean, deviation) = moments(&data)?;
    let class_names = (source.names)(&files, data.classes);
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
        class_names,
        mean,
        deviation,
        train_per_class: data.train.class_counts(data.classes),
        test_per_class: data.test.class_counts(data.classes),
        files,
    })
}

/// Mean and standard deviation of each channel of the training images, from sums of whole numbers.
fn moments(data: &Dataset) -> Result<(Vec<f64>, Vec<f64>), DataError> {
    let channels = data.shape.2;
    let mut sums = vec![(0u64, 0u64); channels];
    data.train.images.blocks(&mut |bytes| {
        for pixel in bytes.chunks_exact(channels) {
            for ((sum, squares), &value) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(value);
                *squares += u64::from(value).pow(2);
            }
        }
    })?;
    let (h, w, _) = data.shape;
    let n = (data.train.len() * h * w).max(1) as f64;
    let most = f64::from(data.max_value);
    let mean = |&(sum, _): &(u64, u64)| sum as f64 / n / most;
    let deviation = |&(sum, squares): &(u64, u64)| {
        let mean = sum as f64 / n;
        (squares as f64 / n - mean * mean).max(0.0).sqrt() / most
    };
    Ok((sums.iter().map(mean).collect(), sums.iter().map(deviation).collect()))
}

fn describe(source: &Source, file: PathBuf) -> Result<FileInfo, DataError> {
    let hash = hash::of_file(&file)?;
    let name = file.file_name().unwrap_or_default();
    let packed = source.package.iter().flat_map(|package| package.files).find(|packed| name == packed.name);
    let known = packed.map(|packed| packed.sha256 == hash.sha256);
    Ok(FileInfo { file, bytes: hash.bytes, sha256: hash.sha256, known })
}
