//! A user's own images: PNG files of one size, in one folder per class.
//!
//! ```text
//! folder/train/cat/001.png     folder/test/cat/901.png      classes: the folders of train/, in order of their names
//! folder/train/dog/001.png     folder/test/dog/901.png      images: in order of their names
//! ```
//!
//! Anything else there is skipped; [`super::skipped`] tells what.

use super::{DataError, Dataset, MOST_BYTES, Source, Split, check_size, png};
use std::fs;
use std::path::{Path, PathBuf};

/// Labels are bytes.
const MAX_CLASSES: usize = 256;
/// Most pixels along an image.
const MAX_SIDE: usize = 4096;
const SPLITS: [&str; 2] = ["train", "test"];

pub(super) static SOURCE: Source =
    Source { name: "folder", folders: &["folder", "."], shape: None, package: None, locate, skipped, read };

fn locate(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for split in SPLITS {
        let found = Found::new(&folder.join(split));
        if found.images.is_empty() {
            return Err(format!("{split}/CLASS/*.png"));
        }
        files.extend(found.images);
    }
    Ok(files)
}

fn skipped(folder: &Path) -> Vec<PathBuf> {
    SPLITS.iter().flat_map(|split| Found::new(&folder.join(split)).skipped).collect()
}

/// What there is of a split.
struct Found {
    images: Vec<PathBuf>,
    /// What is no regular file with a name that ends in `.png`, and classes without one.
    skipped: Vec<PathBuf>,
}

impl Found {
    fn new(split: &Path) -> Self {
        let mut found = Found { images: vec![], skipped: vec![] };
        for class in sorted_entries(split) {
            let before = found.images.len();
            for file in sorted_entries(&class) {
                let is_png = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
                // a FIFO would be waited for, a device may have no end
                if is_png && file.is_file() { &mut found.images } else { &mut found.skipped }.push(file);
            }
            if found.images.len() == before {
                found.skipped.push(class);
            }
        }
        found
    }
}

/// What a folder holds, hidden files aside; nothing if it is no folder.
fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let is_visible =
        |path: &PathBuf| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_visible).collect();
    paths.sort();
    paths
}

fn read(files: &[PathBuf]) -> Result<Dataset, DataError> {
    let is_train = |file: &&PathBuf| ancestor_name(file, 2) == "train";
    let (train, test): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(is_train);
    let mut classes: Vec<String> = train.iter().map(|file| ancestor_name(file, 1)).collect();
    classes.dedup();
    if classes.len() > MAX_CLASSES {
        return Err(shape_error(
            train[0],
            format!("one of at most {MAX_CLASSES} classes"),
            format!("one of {}", classes.len()),
        ));
    }
    let shape @ (height, width, channels) = png::read(train[0], (MAX_SIDE, MAX_SIDE))?.shape;
    for split in [&train, &test] {
        let bytes = (split.len() * height * width * channels) as u64;
        check_size(split[0].ancestors().nth(2).unwrap_or(split[0]), bytes, MOST_BYTES)?;
    }
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train: read_split(&train, &classes, shape)?,
        test: read_split(&test, &classes, shape)?,
        shape,
        classes: classes.len(),
        max_value: u8::MAX,
    })
}

fn read_split(
    files: &[&PathBuf],
    classes: &[String],
    (height, width, channels): (usize, usize, usize),
) -> Result<Split, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let class = ancestor_name(file, 1);
        let label = classes
            .iter()
            .position(|name| *name == class)
            .ok_or_else(|| shape_error(file, format!("a class of train/: {}", classes.join(", ")), class))?;
        let image = png::read(file, (MAX_SIDE, MAX_SIDE))?;
        if image.shape != (height, width, channels) {
            let (h, w, c) = image.shape;
            return Err(shape_error(
                file,
                format!("{height}×{width} pixels with {channels} channels as in the first image"),
                format!("{h}×{w} with {c}"),
            ));
        }
        pixels.extend(image.pixels);
        labels.push(label as u8);
    }
    Ok(Split::new(pixels, labels, height * width * channels))
}

/// Name of the folder `levels` above a file.
fn ancestor_name(file: &Path, levels: usize) -> String {
    let name = file.ancestors().nth(levels).and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn shape_error(file: &Path, expected: String, got: String) -> DataError {
    DataError::Shape { file: file.to_owned(), expected, got }
}
