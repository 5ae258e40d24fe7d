//! A user's own images.

use crate::message;
use image::{GrayImage, Luma, RgbImage};
use std::fs;
use std::path::Path;
use std::process::Command;
use tandem_nn::data;
use tempfile::TempDir;

fn grey(path: &Path, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(3, 2, Luma([value])).save(path).unwrap();
}

fn images() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, value) in
        [("train/dog/b.png", 4), ("train/dog/a.png", 3), ("train/cat/z.png", 1), ("test/dog/q.png", 9)]
    {
        grey(&dir.path().join("folder").join(file), value);
    }
    dir
}

fn error(dir: &TempDir) -> String {
    message(&data::load("folder", Some(dir.path())).unwrap_err(), dir.path())
}

#[test]
fn classes_and_images_come_in_order_of_their_names() {
    let dir = images();
    fs::write(dir.path().join("folder/train/cat/.hidden"), "").unwrap();
    let set = data::load("folder", Some(dir.path())).unwrap();
    assert_eq!((set.shape, set.classes, set.max_value), ((2, 3, 1), 2, 255));
    assert_eq!(set.train.labels, [0, 1, 1]);
    assert_eq!(set.train.images.column(5).to_vec(), [1, 3, 4]);
    assert_eq!((set.test.labels, set.test.images[[0, 0]]), (vec![1], 9));
    assert_eq!(data::load("folder", Some(&dir.path().join("folder"))).unwrap().train, set.train);
}

/// Whatever else lies there is left alone: a FIFO is not waited for, a loop not followed.
#[test]
fn what_is_no_image_is_skipped_and_told() {
    let dir = images();
    let plain = data::load("folder", Some(dir.path())).unwrap();
    let cat = dir.path().join("folder/train/cat");
    assert!(Command::new("mkfifo").arg(cat.join("fifo.png")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", cat.join("device.png")).unwrap();
    std::os::unix::fs::symlink("loop.png", cat.join("loop.png")).unwrap();
    fs::create_dir(cat.join("folder.png")).unwrap();
    fs::write(cat.join("Thumbs.db"), "stray").unwrap();
    fs::create_dir(dir.path().join("folder/train/ant")).unwrap();
    fs::write(dir.path().join("folder/test/readme.txt"), "stray").unwrap();
    assert_eq!(data::load("folder", Some(dir.path())).unwrap(), plain);
    let skipped = data::skipped("folder", Some(dir.path())).unwrap();
    let names: Vec<_> = skipped.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    let expected = ["ant", "Thumbs.db", "device.png", "fifo.png", "folder.png", "loop.png", "readme.txt"];
    assert_eq!(names, expected);
    std::os::unix::fs::symlink("z.png", cat.join("y.PNG")).unwrap();
    assert_eq!(data::load("folder", Some(dir.path())).unwrap().train.len(), 4, "a link to an image is one");
}

#[test]
fn an_image_too_large_to_train_on_is_not_decoded() {
    let dir = images();
    let large = dir.path().join("folder/train/cat/a.png");
    GrayImage::new(4097, 1).save(&large).unwrap();
    let expected = "DIR/folder/train/cat/a.png: expected at most 4096×4096 pixels, got 1×4097";
    assert_eq!(error(&dir), expected);
    // a header alone that announces 2³¹−1 pixels along each side
    let mut bytes = fs::read(&large).unwrap();
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    fs::write(&large, bytes).unwrap();
    assert!(error(&dir).contains("DIR/folder/train/cat/a.png"));
}

#[test]
fn images_that_do_not_fit_are_named() {
    let dir = images();
    let odd = dir.path().join("folder/test/dog/odd.png");
    RgbImage::new(3, 2).save(&odd).unwrap();
    assert_eq!(
        error(&dir),
        "DIR/folder/test/dog/odd.png: expected 2×3 pixels with 1 channels as in the first image, got 2×3 with 3"
    );
    fs::write(&odd, "no image").unwrap();
    assert!(error(&dir).starts_with("cannot decode image DIR/folder/test/dog/odd.png: "));
    fs::remove_file(&odd).unwrap();
    grey(&dir.path().join("folder/test/bird/1.png"), 0);
    assert_eq!(error(&dir), "DIR/folder/test/bird/1.png: expected a class of train/: cat, dog, got bird");
    fs::remove_dir_all(dir.path().join("folder/test")).unwrap();
    assert!(error(&dir).contains("no test/CLASS/*.png in DIR/folder"));
}
