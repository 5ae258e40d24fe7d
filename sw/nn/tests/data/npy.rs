//! A user's own images as NumPy arrays.

use crate::message;
use std::fs;
use std::io::{Cursor, Write};
use tandem_nn::data::{self, Options};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An npy file, version 1.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn pixels(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 % 256) as u8).collect()
}

/// Three training and two test images of 2×4, classes 0 to 2.
fn arrays() -> Vec<(&'static str, Vec<u8>)> {
    let labels: Vec<u8> = [2i64, 0, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
    vec![
        ("X_train", npy("|u1", "(3, 2, 4)", &pixels(24))),
        ("y_train", npy("<i8", "(3,)", &labels)),
        ("X_test", npy("|u1", "(2, 2, 4)", &pixels(16))),
        ("y_test", npy(">u2", "(2,)", &[0, 1, 0, 2])),
    ]
}

fn folder(arrays: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("npy")).unwrap();
    for (name, bytes) in arrays {
        fs::write(dir.path().join(format!("npy/{name}.npy")), bytes).unwrap();
    }
    dir
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = folder(&[]);
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in arrays {
        zip.start_file(format!("{}.npy", name.replace('X', "x")), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    fs::write(dir.path().join("npy/data.npz"), zip.finish().unwrap().into_inner()).unwrap();
    dir
}

#[test]
fn four_files_an_archive_and_images_left_in_files_are_the_same_set() {
    let dir = folder(&arrays());
    let set = data::load("npy", Some(dir.path())).unwrap();
    assert_eq!((set.shape, set.classes, set.max_value), ((2, 4, 1), 3, 255));
    assert_eq!((&*set.train.labels, &*set.test.labels), (&[2, 0, 1][..], &[1, 2][..]));
    assert_eq!(set.train.images.array().unwrap().as_slice().unwrap(), pixels(24));
    let packed = archive(&arrays());
    assert_eq!(data::load("npy", Some(packed.path())).unwrap(), set);
    let outside =
        data::load_with("npy", Some(dir.path()), &Options { memory: 20, ..Options::default() }).unwrap();
    assert!(outside.train.images.array().is_none() && outside.test.images.array().is_some());
    assert_eq!(outside.digest(), set.digest());
    let mut buffer = vec![];
    assert_eq!(outside.train.images.image(2, &mut buffer).unwrap(), &pixels(24)[16..]);
    fs::rename(dir.path().join("npy/X_train.npy"), dir.path().join("npy/x_train.npy")).unwrap();
    assert_eq!(data::load("npy", Some(dir.path())).unwrap(), set, "a small x");
}

#[test]
fn arrays_that_are_no_set_are_named() {
    let with = |name: &str, bytes: Vec<u8>, packed: bool| {
        let mut all = arrays();
        all.iter_mut().filter(|(of, _)| *of == name).for_each(|(_, old)| *old = bytes.clone());
        let dir = if packed { archive(&all) } else { folder(&all) };
        message(&data::load("npy", Some(dir.path())).unwrap_err(), dir.path())
    };
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("X_train", b"no array".to_vec(), "not an npy array"),
        ("X_train", npy("<f4", "(3, 2, 4)", &pixels(96)), "numbers of type <f4: expected integers"),
        ("X_train", npy("<i2", "(3, 2, 4)", &pixels(48)), "expected uint8"),
        ("X_train", npy("|u1", "(24,)", &pixels(24)), "shape [24]: expected [n, h, w]"),
        ("X_train", npy("|u1", "(3, 0, 4)", &[]), "h and w of 1 to 4096"),
        ("X_train", npy("|u1", "(3, 2, 4)", &pixels(23)), "is truncated: expected 24 bytes, got 23"),
        ("X_train", npy("|u1", "(3, 2, 4)", &pixels(25)), "is too long: expected 24 bytes, got 25"),
        ("X_test", npy("|u1", "(2, 4, 2)", &pixels(16)), "expected images of 2×4×1 as in"),
        ("X_test", npy("|u1", "(0, 2, 4)", &[]), "holds 0 images"),
        ("y_train", npy("<i8", "(3, 1)", &pixels(24)), "shape [3, 1]: expected [n]"),
        ("y_train", npy("|i1", "(3,)", &[0, 0xff, 1]), "label 1 is -1: expected 0 to 1"),
        ("y_test", npy("|u1", "(2,)", &[0, 3]), "label 1 is 3: expected 0 to 2"),
        ("y_test", npy("|u1", "(1,)", &[0]), "holds 2 images"),
    ];
    for (name, bytes, expected) in cases {
        for packed in [false, true] {
            let error = with(name, bytes.clone(), packed);
            assert!(error.contains(expected) && error.contains(name), "{name}, {packed}: {error}");
        }
    }
    let dir = folder(&arrays());
    fs::remove_file(dir.path().join("npy/y_test.npy")).unwrap();
    let error = message(&data::load("npy", Some(dir.path())).unwrap_err(), dir.path());
    assert!(error.contains("no y_test.npy or data.npz in DIR/npy"), "{error}");
    fs::write(dir.path().join("npy/data.npz"), "no archive").unwrap();
    let error = message(&data::load("npy", Some(dir.path())).unwrap_err(), dir.path());
    assert!(error.contains("not a whole npz file"), "{error}");
    let dir = archive(&arrays()[..3]);
    let error = message(&data::load("npy", Some(dir.path())).unwrap_err(), dir.path());
    assert!(error.contains("data.npz/y_test: data.npz holds no such array"), "{error}");
}
