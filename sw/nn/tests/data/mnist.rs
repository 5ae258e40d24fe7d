//! MNIST's IDX files, whole and malformed.

use crate::message;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tandem_nn::data::{self, DataError};
use tempfile::TempDir;

const PIXELS: usize = 28 * 28;

fn idx(magic: u32, dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [&[magic], dimensions].concat();
    let header = header.into_iter().flat_map(u32::to_be_bytes);
    header.chain(bytes.iter().copied()).collect()
}

fn images(n: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0..n * PIXELS).map(|i| (i % 251) as u8).collect();
    idx(0x803, &[n as u32, 28, 28], &pixels)
}

fn labels(labels: &[u8]) -> Vec<u8> {
    idx(0x801, &[labels.len() as u32], labels)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A data folder with three training and two test images.
fn mnist() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mnist");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("train-images-idx3-ubyte"), images(3)).unwrap();
    fs::write(folder.join("train-labels-idx1-ubyte"), labels(&[9, 0, 5])).unwrap();
    fs::write(folder.join("t10k-images-idx3-ubyte"), images(2)).unwrap();
    fs::write(folder.join("t10k-labels-idx1-ubyte"), labels(&[1, 2])).unwrap();
    (dir, folder)
}

fn load_error(dir: &Path) -> DataError {
    data::load("mnist", Some(dir)).unwrap_err()
}

#[test]
fn images_and_labels_are_read() {
    let (dir, _) = mnist();
    let mnist = data::load("mnist", Some(dir.path())).unwrap();
    assert_eq!(
        (mnist.name.as_str(), mnist.shape, mnist.classes, mnist.max_value),
        ("mnist", (28, 28, 1), 10, 255)
    );
    assert_eq!(mnist.train.labels, [9, 0, 5]);
    assert_eq!(mnist.test.labels, [1, 2]);
    assert_eq!(mnist.train.images.array().unwrap().dim(), (3, PIXELS));
    assert_eq!(mnist.train.images.array().unwrap()[[1, 0]], (PIXELS % 251) as u8);
}

#[test]
fn compressed_files_other_names_and_other_folders_give_the_same() {
    let (dir, folder) = mnist();
    let plain = data::load("mnist", Some(dir.path())).unwrap();
    assert_eq!(data::load("mnist", Some(&folder)).unwrap(), plain);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        fs::write(path.with_extension("gz"), gzip(&fs::read(&path).unwrap())).unwrap();
        fs::remove_file(path).unwrap();
    }
    assert_eq!(data::load("mnist", Some(dir.path())).unwrap(), plain);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        fs::rename(&path, path.to_str().unwrap().replace("-idx", ".idx")).unwrap();
    }
    assert_eq!(data::load("mnist", Some(dir.path())).unwrap(), plain);
}

#[test]
fn a_file_cut_anywhere_is_truncated_by_name_and_size() {
    let (dir, folder) = mnist();
    let path = folder.join("t10k-images-idx3-ubyte");
    let whole = images(2);
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        match load_error(dir.path()) {
            DataError::Length { file, expected, got } => {
                assert_eq!((file, got), (path.clone(), length as u64));
                assert_eq!(expected, if length < 16 { 16 } else { whole.len() as u64 });
            }
            other => panic!("cut to {length}: {other}"),
        }
    }
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/mnist/t10k-images-idx3-ubyte is too long: expected 1584 bytes, got 1585"
    );
}

#[test]
fn a_gzip_file_cut_anywhere_is_an_error_that_names_it() {
    let (dir, folder) = mnist();
    let path = folder.join("train-labels-idx1-ubyte.gz");
    fs::remove_file(path.with_extension("")).unwrap();
    let whole = gzip(&labels(&[9, 0, 5]));
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = load_error(dir.path());
        assert!(error.to_string().contains("train-labels-idx1-ubyte.gz"), "{error}");
        // Without its first two bytes nothing says that it is a gzip file: it is an IDX file that is too short.
        let cut = matches!(error, DataError::Gzip { .. });
        assert!(cut || length < 2 && matches!(error, DataError::Length { .. }), "cut to {length}: {error}");
    }
    let mut damaged = whole.clone();
    let crc = whole.len() - 8;
    damaged[crc] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert!(matches!(load_error(dir.path()), DataError::Gzip { .. }));
}

#[test]
fn headers_that_lie_are_refused() {
    let (dir, folder) = mnist();
    let path = folder.join("train-images-idx3-ubyte");
    let error = |bytes: Vec<u8>| {
        fs::write(&path, bytes).unwrap();
        message(&load_error(dir.path()), dir.path())
    };
    assert_eq!(
        error(labels(&[1; 20])),
        "DIR/mnist/train-images-idx3-ubyte: expected magic number 0x00000803, got 0x00000801"
    );
    assert_eq!(
        error(idx(0x803, &[1, 27, 28], &[0; 27 * 28])),
        "DIR/mnist/train-images-idx3-ubyte: expected 1 or more images of 28×28, got 1 images of 27×28"
    );
    assert!(error(images(0)).contains("got 0 images of 28×28"));
    assert!(error(idx(0x803, &[u32::MAX; 3], &[])).contains("expected 18446744073709551615 bytes, got 16"));
}

#[test]
fn labels_must_be_classes_and_as_many_as_images() {
    let (dir, folder) = mnist();
    fs::write(folder.join("train-labels-idx1-ubyte"), labels(&[9, 0, 10])).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/mnist/train-labels-idx1-ubyte: label 2 is 10: expected 0 to 9"
    );
    fs::write(folder.join("train-labels-idx1-ubyte"), labels(&[9, 0])).unwrap();
    assert_eq!(
        message(&load_error(dir.path()), dir.path()),
        "DIR/mnist/train-images-idx3-ubyte holds 3 images, but DIR/mnist/train-labels-idx1-ubyte holds 2 labels"
    );
    fs::remove_file(folder.join("train-labels-idx1-ubyte")).unwrap();
    assert!(
        matches!(load_error(dir.path()), DataError::Missing { file, .. } if file == "train-labels-idx1-ubyte[.gz]")
    );
}

#[test]
fn info_lists_the_files_and_whether_they_are_the_known_ones() {
    let (dir, folder) = mnist();
    let info = data::info("mnist", Some(dir.path()), &data::Options::default()).unwrap();
    assert_eq!(info.folder, Some(folder.clone()));
    assert_eq!((info.train, info.test), (3, 2));
    assert_eq!(info.train_per_class, [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    let labels = &info.files[3];
    assert_eq!((&labels.file, labels.bytes), (&folder.join("t10k-labels-idx1-ubyte"), 10));
    // printf '\0\0\x08\x01\0\0\0\x02\x01\x02' | sha256sum
    assert_eq!(labels.sha256, "7d8d5bbc33d5b40c823ac6678cbbc756ecb1462a2b5bb7feefb0e7a953dbb0f9");
    assert_eq!(labels.known, Some(false));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a file holds behind a valid or random header: an error that names it, never a panic.
    #[test]
    fn random_bytes_are_an_error(
        magic in prop_oneof![Just(0x803), any::<u32>()],
        dimensions in prop::collection::vec(prop_oneof![0..40u32, any::<u32>()], 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let (dir, folder) = mnist();
        fs::write(folder.join("train-images-idx3-ubyte"), idx(magic, &dimensions, &bytes)).unwrap();
        let error = load_error(dir.path()).to_string();
        prop_assert!(error.contains("train-images-idx3-ubyte"), "{}", error);
    }
}

/// A file that inflates a thousandfold is read no further than its header announces, and a header is believed only if the
/// file can hold what it says.
#[test]
fn no_more_is_read_than_the_header_announces() {
    let (dir, folder) = mnist();
    fs::remove_file(folder.join("t10k-images-idx3-ubyte")).unwrap();
    let zipped = folder.join("t10k-images-idx3-ubyte.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&images(2)).unwrap();
    (0..256).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    fs::write(&zipped, encoder.finish().unwrap()).unwrap();
    match load_error(dir.path()) {
        DataError::Length { file, expected: 1584, got: 1585 } => assert_eq!(file, zipped),
        other => panic!("{other}"),
    }
    let claims = idx(0x803, &[4_000_000_000, 28, 28], &[0; 784]);
    fs::write(&zipped, gzip(&claims)).unwrap();
    match load_error(dir.path()) {
        DataError::TooLarge { file, bytes: 3_136_000_000_016, .. } => assert_eq!(file, zipped),
        other => panic!("{other}"),
    }
    fs::remove_file(&zipped).unwrap();
    fs::write(folder.join("t10k-images-idx3-ubyte"), &claims).unwrap();
    assert!(matches!(
        load_error(dir.path()),
        DataError::Length { expected: 3_136_000_000_016, got: 800, .. }
    ));
    let all = idx(0x803, &[u32::MAX; 3], &[]);
    fs::write(folder.join("t10k-images-idx3-ubyte"), all).unwrap();
    assert!(matches!(load_error(dir.path()), DataError::Length { .. }));
}
