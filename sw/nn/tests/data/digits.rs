//! The embedded digits: published facts, and the split that data/README.md describes.

use std::collections::BTreeSet;
use std::fs;
use tandem_nn::data::{self, Dataset, Split};
use tandem_nn::random::philox::Philox4x32;

const DIGITS: usize = 1797;
const TEST: usize = 360;

/// Labels in the order of digits.csv, from the file itself.
fn digit_labels() -> Vec<usize> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz");
    let csv = std::io::read_to_string(flate2::read::GzDecoder::new(fs::File::open(path).unwrap())).unwrap();
    csv.lines().map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
}

/// The procedure of data/README.md.
fn digits_test_indices(labels: &[usize]) -> Vec<usize> {
    let class_sizes: Vec<usize> =
        (0..10).map(|class| labels.iter().filter(|&&label| label == class).count()).collect();
    let mut quota: Vec<usize> = class_sizes.iter().map(|n| TEST * n / DIGITS).collect();
    let mut by_remainder: Vec<usize> = (0..10).collect();
    by_remainder.sort_by_key(|&class| (std::cmp::Reverse(TEST * class_sizes[class] % DIGITS), class));
    let left = TEST - quota.iter().sum::<usize>();
    by_remainder[..left].iter().for_each(|&class| quota[class] += 1);

    let philox = Philox4x32::new(0);
    let mut chosen = Vec::new();
    for (class, quota) in quota.into_iter().enumerate() {
        let mut images: Vec<usize> = (0..DIGITS).filter(|&i| labels[i] == class).collect();
        images.sort_by_key(|&i| (philox.block([i as u32, 0, 0, 0])[0], i));
        chosen.extend(&images[..quota]);
    }
    chosen.sort_unstable();
    chosen
}

#[test]
fn the_digits_split_is_what_its_procedure_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits-test.txt");
    let indices = digits_test_indices(&digit_labels());
    let mut text = String::from("# Test images of digits.csv, made as README.md says.\n");
    indices.iter().for_each(|index| text += &format!("{index}\n"));
    if std::env::var_os("TANDEM_BLESS").is_some() {
        fs::write(path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text);
}

#[test]
fn the_digits_split_is_stratified_and_disjoint() {
    let digits = data::load("digits", None).unwrap();
    let (train, test) = (digits.train.class_counts(10), digits.test.class_counts(10));
    let total: Vec<usize> = train.iter().zip(&test).map(|(a, b)| a + b).collect();
    assert_eq!(total, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    for (total, test) in total.iter().zip(&test) {
        let exact = (TEST * total) as f64 / DIGITS as f64;
        assert!((*test as f64 - exact).abs() < 1.0, "{test} of {total}");
    }
    // The images of the set are distinct, so that disjoint and complete can be seen from the pixels.
    let rows: BTreeSet<Vec<u8>> = [&digits.train, &digits.test]
        .into_iter()
        .flat_map(|split| split.images.array().unwrap().rows())
        .map(|row| row.to_vec())
        .collect();
    assert_eq!(rows.len(), DIGITS);
}

#[test]
fn digits_have_the_published_form() {
    let Dataset { name, train, test, shape, classes, max_value, .. } = data::load("digits", None).unwrap();
    assert_eq!((name.as_str(), shape, classes, max_value), ("digits", (8, 8, 1), 10, 16));
    for (split, n) in [(&train, DIGITS - TEST), (&test, TEST)] {
        let Split { images, labels } = split;
        let images = images.array().unwrap();
        assert_eq!((images.dim(), labels.len(), split.is_empty()), ((n, 64), n, false));
        assert_eq!(images.iter().max(), Some(&16));
    }
    // The first line of the file: a zero that the procedure puts into the training part.
    assert_eq!(train.images.array().unwrap().row(0).to_vec()[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
    assert_eq!(train.labels[0], 0);
}
