//! CIFAR-10 in both of its forms.

use crate::message;
use image::{RgbImage, RgbaImage};
use std::fs;
use std::path::{Path, PathBuf};
use tandem_filter::picture::PictureError;
use tandem_nn::data::{self, DataError};
use tempfile::TempDir;

const PLANE: usize = 1024;
const RECORD: usize = 1 + 3 * PLANE;
const RECORDS: usize = 10_000;

/// The value of channel `c` at pixel `p` of image `n`.
fn value(n: usize, p: usize, c: usize) -> u8 {
    ((7 * n + 3 * p + 101 * c) % 256) as u8
}

fn data_folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar10");
    fs::create_dir(&folder).unwrap();
    (dir, folder)
}

fn load_error(dir: &Path) -> DataError {
    data::load("cifar10", Some(dir)).unwrap_err()
}

/// Ten training images in five files and two test images in one.
fn png_form() -> (TempDir, PathBuf) {
    let (dir, folder) = data_folder();
    for (file, batch) in
        ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
            .into_iter()
            .enumerate()
    {
        let pixel =
            |x: u32, y: u32| image::Rgb([0, 1, 2].map(|c| value(2 * file + y as usize, x as usize, c)));
        let png = RgbImage::from_fn(PLANE as u32, 2, pixel);
        png.save(folder.join(format!("{batch}.png"))).unwrap();
    }
    fs::write(folder.join("train_lables.json"), "[0,1,2,3,4,5,6,7,8,9]").unwrap();
    fs::write(folder.join("test_lables.json"), "[4, 2]").unwrap();
    (dir, folder)
}

fn binary_batch() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORDS * RECORD);
    for n in 0..RECORDS {
        bytes.push((n % 10) as u8);
        bytes.extend((0..3 * PLANE).map(|i| value(n, i % PLANE, i / PLANE)));
    }
    bytes
}

#[test]
fn the_png_form_is_one_image_a_row() {
    let (dir, _) = png_form();
    let cifar = data::load("cifar10", Some(dir.path())).unwrap();
    assert_eq!((cifar.shape, cifar.classes, cifar.max_value), ((32, 32, 3), 10, 255));
    assert_eq!(cifar.train.labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(cifar.test.labels, [4, 2]);
    for ((n, i), &pixel) in cifar.train.images.array().unwrap().indexed_iter() {
        assert_eq!(pixel, value(n, i / 3, i % 3));
    }
    assert_eq!(cifar.test.images.array().unwrap()[[1, 5]], value(11, 1, 2));
}

#[test]
fn the_binary_form_is_turned_from_planes_to_pixels() {
    let (dir, folder) = data_folder();
    let first = folder.join("data_batch_1.bin");
    fs::write(&first, binary_batch()).unwrap();
    assert!(matches!(load_error(dir.path()), DataError::Missing { file, .. } if file == "data_batch_2.bin"));
    for batch in ["data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
        fs::hard_link(&first, folder.join(format!("{batch}.bin"))).unwrap();
    }
    let cifar = data::load("cifar10", Some(dir.path())).unwrap();
    assert_eq!(cifar.train.images.array().unwrap().dim(), (5 * RECORDS, 3 * PLANE));
    assert_eq!((cifar.test.len(), cifar.test.labels[13]), (RECORDS, 3));
    for ((n, i), &pixel) in cifar.test.images.array().unwrap().indexed_iter() {
        assert_eq!(pixel, value(n, i / 3, i % 3));
    }
    let rows = |split: &data::Split, n| split.images.array().unwrap().row(n).to_vec();
    assert_eq!(rows(&cifar.train, 4 * RECORDS + 8), rows(&cifar.test, 8));
}

#[test]
fn a_binary_file_cut_between_records_or_with_a_wrong_label_is_named() {
    let (dir, folder) = data_folder();
    for batch in
        ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
    {
        fs::write(folder.join(format!("{batch}.bin")), "").unwrap();
    }
    let path = folder.join("data_batch_1.bin");
    fs::write(&path, vec![0; (RECORDS - 1) * RECORD]).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/cifar10/data_batch_1.bin is truncated: expected 30730000 bytes, got 30726927"
    );
    let mut bytes = vec![0; RECORDS * RECORD];
    bytes[77 * RECORD] = 10;
    fs::write(&path, bytes).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/cifar10/data_batch_1.bin: label 77 is 10: expected 0 to 9"
    );
}

#[test]
fn a_png_that_is_cut_or_of_another_kind_is_named() {
    let (dir, folder) = png_form();
    let path = folder.join("data_batch_3.png");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = load_error(dir.path());
    assert!(
        matches!(&error, DataError::Image(PictureError::Damaged { file, .. }) if *file == path),
        "{error}"
    );
    RgbImage::new(1000, 2).save(&path).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/cifar10/data_batch_3.png: expected rows of 1024 pixels with 3 channels, got rows of 1000 pixels with 3"
    );
    RgbaImage::new(PLANE as u32, 2).save(&path).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/cifar10/data_batch_3.png: expected grey or RGB pixels of 8 bits a channel, got Rgba8"
    );
}

#[test]
fn label_lists_are_checked() {
    let (dir, folder) = png_form();
    let path = folder.join("train_lables.json");
    let error = |text: &str| {
        fs::write(&path, text).unwrap();
        message(&load_error(dir.path()), dir.path())
    };
    assert_eq!(
        error("[0,1,2,-1,4,5,6,7,8,9]"),
        "DIR/cifar10/train_lables.json: label 3 is -1: expected 0 to 9"
    );
    assert_eq!(
        error("[0,1,2,10,4,5,6,7,8,9]"),
        "DIR/cifar10/train_lables.json: label 3 is 10: expected 0 to 9"
    );
    assert_eq!(
        error("[0]"),
        "DIR/cifar10/data_batch_1.png holds 10 images, but DIR/cifar10/train_lables.json holds 1 labels"
    );
    assert!(error("[0, 1").starts_with("DIR/cifar10/train_lables.json is not a JSON list of labels: EOF"));
}
