//! UCI optical digits, 8×8: the embedded default, needs no files.
//!
//! 1,797 images, 0…16 a pixel, split into 1,437 to train and 360 to test by the committed list `data/digits-test.txt`.
//! Source, licence and how the list was made: `sw/nn/data/README.md`.

use super::{DataError, Dataset, Options, Source, Split, numbered};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::PathBuf;

const CSV_GZ: &[u8] = include_bytes!("../../data/digits.csv.gz");
const TEST_INDICES: &str = include_str!("../../data/digits-test.txt");
const PIXELS: usize = 64;

pub(super) static SOURCE: Source = Source {
    name: "digits",
    folders: &["."],
    shape: Some(((8, 8, 1), 10)),
    package: None,
    locate: |_| Ok(Vec::new()),
    skipped: |_| Vec::new(),
    names: numbered,
    read,
};

fn read(_: &[PathBuf], _: &Options) -> Result<Dataset, DataError> {
    let mut csv = String::new();
    GzDecoder::new(CSV_GZ).read_to_string(&mut csv).expect("the embedded file is complete");
    let mut is_test = vec![false; csv.lines().count()];
    for index in test_indices() {
        is_test[index] = true;
    }
    let split = |test: bool| {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (line, _) in csv.lines().zip(&is_test).filter(|(_, is_test)| **is_test == test) {
            let mut row: Vec<u8> = line.split(',').map(|value| value.parse().expect("a byte")).collect();
            labels.push(row.split_off(PIXELS)[0]);
            pixels.extend(row);
        }
        Split::new(pixels, labels, PIXELS)
    };
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train: split(false),
        test: split(true),
        shape: (8, 8, 1),
        classes: 10,
        max_value: 16,
        known_digest: None,
    })
}

fn test_indices() -> impl Iterator<Item = usize> {
    TEST_INDICES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.parse().expect("a line number of the CSV file"))
}
