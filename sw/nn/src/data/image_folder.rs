//! A user's own images: pictures in one folder per class.
//!
//! ```text
//! folder/train/cat/001.png     folder/test/cat/901.jpg      classes: the folders of train/, in order of their names
//! folder/train/dog/001.png     folder/test/dog/901.png      images: in order of their names
//! ```
//! What [`tandem_filter::picture`] reads is a picture, if its name says so; other files are skipped, [`super::skipped`] tells which. Sizes,
//! channels, and what stays in the files: [`Options`].

use super::{DataError, Dataset, Images, NotThere, Options, Source, Split, Stored, picture};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_filter::picture::is_named;

/// Labels are bytes.
const MAX_CLASSES: usize = 256;
/// Most pixels along an image.
pub(super) const MAX_SIDE: usize = 4096;
const SPLITS: [&str; 2] = ["train", "test"];

pub(super) static SOURCE: Source = Source {
    name: "folder",
    folders: &["folder", "."],
    shape: None,
    package: None,
    locate,
    skipped,
    names: |files, _| classes(&split(files).0),
    read,
};

fn locate(folder: &Path) -> Result<Vec<PathBuf>, NotThere> {
    let mut files = Vec::new();
    for split in SPLITS {
        let found = Found::new(&folder.join(split)).map_err(NotThere::Wrong)?;
        if found.images.is_empty() && found.empty.is_none() {
            return Err(NotThere::Missing(format!("{split}/CLASS/*.png")));
        }
        if let Some(folder) = found.empty {
            return Err(NotThere::Wrong(DataError::EmptyClass { folder }));
        }
        files.extend(found.images);
    }
    Ok(files)
}

fn skipped(folder: &Path) -> Vec<PathBuf> {
    let found = SPLITS.iter().filter_map(|split| Found::new(&folder.join(split)).ok());
    found.flat_map(|found| found.skipped).collect()
}

/// What there is of a split.
struct Found {
    images: Vec<PathBuf>,
    /// What is no regular file with the name of a picture.
    skipped: Vec<PathBuf>,
    /// The first class without pictures.
    empty: Option<PathBuf>,
}

impl Found {
    fn new(split: &Path) -> Result<Self, DataError> {
        let mut found = Found { images: vec![], skipped: vec![], empty: None };
        if !split.is_dir() {
            return Ok(found);
        }
        for class in sorted_entries(split)? {
            if !class.is_dir() {
                found.skipped.push(class);
                continue;
            }
            let before = found.images.len();
            for file in sorted_entries(&class)? {
                // a FIFO would be waited for, a device may have no end
                let is_picture = is_named(&file) && file.is_file();
                if is_picture { &mut found.images } else { &mut found.skipped }.push(file);
            }
            if found.images.len() == before {
                found.empty.get_or_insert(class);
            }
        }
        Ok(found)
    }
}

/// What a folder holds, hidden files aside.
fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Read { file: folder.to_owned(), source };
    let is_visible =
        |path: &PathBuf| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
    let entries: Result<Vec<_>, _> =
        fs::read_dir(folder).map_err(unreadable)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut paths: Vec<PathBuf> = entries.map_err(unreadable)?.into_iter().filter(is_visible).collect();
    paths.sort();
    Ok(paths)
}

/// Training and test images.
fn split(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    files.iter().cloned().partition(|file| ancestor_name(file, 2) == "train")
}

/// Names of the classes of training images.
fn classes(train: &[PathBuf]) -> Vec<String> {
    let mut classes: Vec<String> = train.iter().map(|file| ancestor_name(file, 1)).collect();
    classes.dedup();
    classes
}

fn read(files: &[PathBuf], options: &Options) -> Result<Dataset, DataError> {
    let (train, test) = split(files);
    let classes = classes(&train);
    if classes.len() > MAX_CLASSES {
        return Err(shape_error(
            &train[0],
            format!("one of at most {MAX_CLASSES} classes"),
            format!("one of {}", classes.len()),
        ));
    }
    let shape = picture::read(&train[0], Some(options), (MAX_SIDE, MAX_SIDE))?.shape;
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train: read_split(train, &classes, shape, options)?,
        test: read_split(test, &classes, shape, options)?,
        shape,
        classes: classes.len(),
        max_value: u8::MAX,
        known_digest: None,
    })
}

fn read_split(
    files: Vec<PathBuf>,
    classes: &[String],
    shape: (usize, usize, usize),
    options: &Options,
) -> Result<Split, DataError> {
    let label = |file: &PathBuf| {
        let class = ancestor_name(file, 1);
        match classes.iter().position(|name| *name == class) {
            Some(label) => Ok(label as u8),
            None => Err(shape_error(file, format!("a class of train/: {}", classes.join(", ")), class)),
        }
    };
    let labels = files.iter().map(label).collect::<Result<_, _>>()?;
    let pictures = Arc::new(Pictures { files, shape, options: options.clone() });
    Ok(Split { images: Images::load(pictures, options.memory)?, labels })
}

/// Pictures of one shape.
#[derive(Debug)]
struct Pictures {
    files: Vec<PathBuf>,
    shape: (usize, usize, usize),
    options: Options,
}

impl Stored for Pictures {
    fn count(&self) -> usize {
        self.files.len()
    }

    fn features(&self) -> usize {
        let (height, width, channels) = self.shape;
        height * width * channels
    }

    fn read(&self, image: usize, to: &mut [u8]) -> Result<(), DataError> {
        let file = &self.files[image];
        let picture = picture::read(file, Some(&self.options), (MAX_SIDE, MAX_SIDE))?;
        if picture.shape != self.shape {
            let ((height, width, channels), (h, w, c)) = (self.shape, picture.shape);
            return Err(shape_error(
                file,
                format!("{height}×{width} pixels with {channels} channels as in the first image"),
                format!("{h}×{w} with {c}; `data.size` and `data.channels` make all alike"),
            ));
        }
        to.copy_from_slice(&picture.bytes);
        Ok(())
    }
}

/// Name of the folder `levels` above a file.
fn ancestor_name(file: &Path, levels: usize) -> String {
    let name = file.ancestors().nth(levels).and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn shape_error(file: &Path, expected: String, got: String) -> DataError {
    DataError::Shape { file: file.to_owned(), expected, got }
}
