//! Data sets of labelled images, as bytes.
//!
//! ```text
//! name ─► Source (one file and one line of SOURCES each) ─► locate the files ─► read and check ─► Dataset
//! ```
//!
//! A reader checks all there is to check (magic numbers, sizes, counts, labels): a [`Dataset`] is valid. Pixels stay
//! bytes; the network's first quantizer scales them by [`Dataset::max_value`]. Images of a user's own sets that take more than
//! [`Options::memory`] bytes stay in their files.
//!
//! ```text
//! Dataset ─► Prepared (preprocess: of every image) ─► augment (of training images, in each epoch)
//! ```
//!
//! ```
//! let digits = tandem_nn::data::load("digits", None)?;
//! assert_eq!((digits.train.len(), digits.test.len()), (1437, 360));
//! assert_eq!(digits.shape, (8, 8, 1));
//! # Ok::<(), tandem_nn::data::DataError>(())
//! ```

pub mod augment;
mod cifar10;
mod digits;
mod error;
pub mod fetch;
mod hash;
mod idx;
mod image_folder;
mod images;
mod info;
mod mnist;
pub mod npy;
mod options;
mod picture;
mod prepared;
pub mod preprocess;
pub mod step;

pub use error::DataError;
pub use fetch::fetch;
pub use images::{Images, Stored};
pub use info::{FileInfo, Info, info};
pub use options::{OptionError, Options};
pub use prepared::Prepared;

use crate::digest::hex;
use fetch::Package;
use ndarray::Array2;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// All data sets, by name.
static SOURCES: &[&Source] =
    &[&digits::SOURCE, &mnist::SOURCE, &cifar10::SOURCE, &image_folder::SOURCE, &npy::SOURCE];

/// Most bytes of images, of training and of testing each.
const MOST_BYTES: u64 = 1 << 31;

/// Height, width and channels of every image of a set, and its number of classes.
pub type Known = ((usize, usize, usize), usize);

/// A data set that can be loaded by name.
struct Source {
    name: &'static str,
    /// Folders below the data folder that may hold the files, most likely first.
    folders: &'static [&'static str],
    /// Height, width and channels of its images, and its classes, if they are always the same.
    shape: Option<Known>,
    /// Where [`fetch()`] gets it; it puts the files into the first of `folders`.
    package: Option<&'static Package<'static>>,
    /// The files of the data set in a folder, or what is the matter.
    locate: fn(&Path) -> Result<Vec<PathBuf>, NotThere>,
    /// What lies there beside its files, if that can be told.
    skipped: fn(&Path) -> Vec<PathBuf>,
    /// Names of its classes.
    names: fn(&[PathBuf], usize) -> Vec<String>,
    /// Reads what `locate` found.
    read: fn(&[PathBuf], &Options) -> Result<Dataset, DataError>,
}

/// Why a folder is not that of a set.
enum NotThere {
    /// The first file that is missing.
    Missing(String),
    /// It is, but something is wrong.
    Wrong(DataError),
}

impl From<String> for NotThere {
    fn from(file: String) -> Self {
        NotThere::Missing(file)
    }
}

/// Classes without names of their own.
fn numbered(_: &[PathBuf], classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Labelled images, split for training and testing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Name under which [`load`] finds it.
    pub name: String,
    /// Images to train on.
    pub train: Split,
    /// Images to test on.
    pub test: Split,
    /// Height, width and channels of every image.
    pub shape: (usize, usize, usize),
    /// Number of classes: labels are 0 to `classes − 1`.
    pub classes: usize,
    /// Largest value that a pixel can take.
    pub max_value: u8,
    /// Its digest, where images are left in files: all of them were read once for it.
    pub known_digest: Option<String>,
}

/// Images and their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The images.
    pub images: Images,
    /// The class of each image.
    pub labels: Vec<u8>,
}

impl Dataset {
    /// SHA-256 over shape, classes, largest value, images and labels: equal exactly if training and test see the same. The
    /// name is no part of it, nor where the images are.
    ///
    /// # Panics   images are left in files and [`known_digest`](Self::known_digest) is missing
    pub fn digest(&self) -> String {
        let made = || self.hash().expect("images of a set that has no digest yet are in memory");
        self.known_digest.clone().unwrap_or_else(made)
    }

    /// Reads images that are left in files, for the digest: later on they are what they were, or the run is another one.
    fn checked(mut self) -> Result<Self, DataError> {
        if [&self.train, &self.test].iter().any(|split| split.images.array().is_none()) {
            self.known_digest = Some(self.hash()?);
        }
        Ok(self)
    }

    fn hash(&self) -> Result<String, DataError> {
        let mut hash = Sha256::new();
        let (h, w, c) = self.shape;
        let facts = [h, w, c, self.classes, usize::from(self.max_value), self.train.len(), self.test.len()];
        facts.iter().for_each(|&fact| hash.update((fact as u64).to_le_bytes()));
        for split in [&self.train, &self.test] {
            split.images.blocks(&mut |bytes| hash.update(bytes))?;
            hash.update(&split.labels);
        }
        Ok(hex(&hash.finalize()))
    }
}

impl Split {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Images in each class.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// # Panics   if `pixels.len() ≠ labels.len() · pixels_per_image`
    fn new(pixels: Vec<u8>, labels: Vec<u8>, pixels_per_image: usize) -> Self {
        let images = Array2::from_shape_vec((labels.len(), pixels_per_image), pixels)
            .expect("as many pixels as the labels' images have");
        Self { images: images.into(), labels }
    }
}

/// The folder that holds the data sets: `dir`, else `$TANDEM_DATA`, else `./data`.
pub fn data_dir(dir: Option<&Path>) -> PathBuf {
    match (dir, std::env::var_os("TANDEM_DATA")) {
        (Some(dir), _) => dir.to_owned(),
        (None, Some(dir)) if !dir.is_empty() => dir.into(),
        _ => PathBuf::from("data"),
    }
}

/// The names of all data sets.
pub fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name)
}

/// Loads the data set `set` from `dir` (default: [`data_dir`]).
///
/// # Errors   unknown name; files missing, unreadable or malformed
pub fn load(set: &str, dir: Option<&Path>) -> Result<Dataset, DataError> {
    load_with(set, dir, &Options::default())
}

/// Loads a data set as `options` say.
///
/// # Errors   as [`load`]; an option that the set has not
pub fn load_with(set: &str, dir: Option<&Path>, options: &Options) -> Result<Dataset, DataError> {
    let source = find(set)?;
    options.check(set).map_err(|OptionError { key, problem }| DataError::Option { key, problem })?;
    let (_, files) = source.find_files(&data_dir(dir))?;
    (source.read)(&files, options)?.checked()
}

/// Height, width and channels of the images of a set, and its classes, if they are known without its files.
///
/// # Errors   no set has this name
pub fn shape(set: &str) -> Result<Option<Known>, DataError> {
    Ok(find(set)?.shape)
}

fn find(set: &str) -> Result<&'static Source, DataError> {
    SOURCES.iter().copied().find(|source| source.name == set).ok_or_else(|| DataError::UnknownSet {
        set: set.to_owned(),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

impl Source {
    /// The first folder that holds the data set, and its files there.
    fn find_files(&self, dir: &Path) -> Result<(PathBuf, Vec<PathBuf>), DataError> {
        let mut first_missing = None;
        for folder in self.folders {
            let folder = dir.join(folder);
            match (self.locate)(&folder) {
                Ok(files) => return Ok((folder, files)),
                Err(NotThere::Missing(file)) => first_missing = first_missing.or(Some((folder, file))),
                Err(NotThere::Wrong(error)) => return Err(error),
            }
        }
        let (folder, file) = first_missing.expect("every source has a folder");
        let remedy = match self.package {
            Some(_) => format!("fetch it with `tandem data fetch {} --data {}`", self.name, dir.display()),
            None => "put your own files there".to_owned(),
        };
        Err(DataError::Missing { set: self.name.to_owned(), folder, file, remedy })
    }
}

/// Labels as bytes.
///
/// # Errors   the first label of `file` that is not in `0..classes`
fn check_labels<L: Copy + Into<i64>>(
    file: &Path,
    labels: &[L],
    classes: usize,
) -> Result<Vec<u8>, DataError> {
    let check = |(index, &label): (usize, &L)| {
        let value: i64 = label.into();
        u8::try_from(value)
            .ok()
            .filter(|&label| usize::from(label) < classes)
            .ok_or_else(|| DataError::Label { file: file.to_owned(), index, value, classes })
    };
    labels.iter().enumerate().map(check).collect()
}

/// What lies in the folder of the data set `set` and is no part of it, such as files that are no images.
///
/// # Errors   as [`load`]
pub fn skipped(set: &str, dir: Option<&Path>) -> Result<Vec<PathBuf>, DataError> {
    let source = find(set)?;
    let (folder, _) = source.find_files(&data_dir(dir))?;
    Ok((source.skipped)(&folder))
}

/// Opens a regular file, and tells its size: anything else may have no end.
fn open(path: &Path) -> Result<(File, u64), DataError> {
    let open = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    };
    open().map_err(|source| DataError::Read { file: path.to_owned(), source })
}

/// The contents of a file of at most `most` bytes.
fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, DataError> {
    let (mut file, bytes) = open(path)?;
    check_size(path, bytes, most)?;
    let mut contents = Vec::new();
    file.read_to_end(&mut contents).map_err(|source| DataError::Read { file: path.to_owned(), source })?;
    Ok(contents)
}

/// # Errors   bytes > most
fn check_size(path: &Path, bytes: u64, most: u64) -> Result<(), DataError> {
    if bytes <= most { Ok(()) } else { Err(DataError::TooLarge { file: path.to_owned(), bytes, most }) }
}
