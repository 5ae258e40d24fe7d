//! A user's own images.

use crate::message;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};
use std::fs;
use std::path::Path;
use std::process::Command;
use tandem_nn::data::{self, Dataset, Options};
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
    assert_eq!(set.train.images.array().unwrap().column(5).to_vec(), [1, 3, 4]);
    assert_eq!((set.test.labels, set.test.images.array().unwrap()[[0, 0]]), (vec![1], 9));
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
    fs::write(dir.path().join("folder/test/readme.txt"), "stray").unwrap();
    assert_eq!(data::load("folder", Some(dir.path())).unwrap(), plain);
    let skipped = data::skipped("folder", Some(dir.path())).unwrap();
    let names: Vec<_> = skipped.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    let expected = ["Thumbs.db", "device.png", "fifo.png", "folder.png", "loop.png", "readme.txt"];
    assert_eq!(names, expected);
    std::os::unix::fs::symlink("z.png", cat.join("y.PNG")).unwrap();
    assert_eq!(data::load("folder", Some(dir.path())).unwrap().train.len(), 4, "a link to an image is one");
}

#[test]
fn an_image_too_large_to_train_on_is_not_decoded() {
    let dir = images();
    let large = dir.path().join("folder/train/cat/a.png");
    GrayImage::new(4097, 1).save(&large).unwrap();
    let expected =
        "DIR/folder/train/cat/a.png: expected at most 4096×4096 pixels, got 1×4097; `data.size` resizes";
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
        "DIR/folder/test/dog/odd.png: expected 2×3 pixels with 1 channels as in the first image, got 2×3 with 3; \
         `data.size` and `data.channels` make all alike"
    );
    fs::write(&odd, "no image").unwrap();
    assert!(error(&dir).starts_with("cannot decode image DIR/folder/test/dog/odd.png: "));
    fs::remove_file(&odd).unwrap();
    grey(&dir.path().join("folder/test/bird/1.png"), 0);
    assert_eq!(error(&dir), "DIR/folder/test/bird/1.png: expected a class of train/: cat, dog, got bird");
    fs::remove_dir_all(dir.path().join("folder/test")).unwrap();
    assert!(error(&dir).contains("no test/CLASS/*.png in DIR/folder"));
}

fn with(dir: &TempDir, size: Option<(usize, usize)>, channels: Option<usize>) -> Result<Dataset, String> {
    let options = Options { size, channels, ..Options::default() };
    data::load_with("folder", Some(dir.path()), &options).map_err(|e| message(&e, dir.path()))
}

#[test]
fn a_class_without_pictures_is_named() {
    for split in ["train", "test"] {
        let dir = images();
        let class = dir.path().join("folder").join(split).join("emu");
        fs::create_dir(&class).unwrap();
        fs::write(class.join("notes.txt"), "stray").unwrap();
        assert_eq!(error(&dir), format!("DIR/folder/{split}/emu: a class without pictures"));
    }
}

/// The pixel of a flat picture of any kind, read as grey and as RGB.
#[test]
fn every_kind_of_pixels_is_converted_by_the_key_and_refused_without() {
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tests/pictures").join(name);
        fs::read(path).unwrap()
    };
    // luma: 0.2126, 0.7152, 0.0722
    let kinds: [(&str, DynamicImage, u8, [u8; 3], bool); 7] = [
        ("l8.bmp", GrayImage::from_pixel(5, 4, Luma([77])).into(), 77, [77; 3], false),
        ("la8.png", GrayAlphaImage::from_pixel(5, 4, LumaA([77, 3])).into(), 77, [77; 3], true),
        ("rgb8.png", RgbImage::from_pixel(5, 4, Rgb([200, 100, 50])).into(), 117, [200, 100, 50], false),
        ("rgba8.png", RgbaImage::from_pixel(5, 4, Rgba([200, 100, 50, 7])).into(), 117, [200, 100, 50], true),
        ("l16.png", ImageBuffer::from_pixel(5, 4, Luma([100u16 * 257])).into(), 100, [100; 3], true),
        (
            "rgb16.tiff",
            ImageBuffer::from_pixel(5, 4, Rgb([51_400u16, 25_700, 12_850])).into(),
            117,
            [200, 100, 50],
            true,
        ),
        ("jpeg.jpg", GrayImage::from_pixel(5, 4, Luma([128])).into(), 128, [128; 3], false),
    ];
    for (name, picture, grey, rgb, is_refused) in kinds {
        let dir = tempfile::tempdir().unwrap();
        for split in ["train/a", "test/a"] {
            let class = dir.path().join("folder").join(split);
            fs::create_dir_all(&class).unwrap();
            picture.save(class.join(name)).unwrap();
        }
        match with(&dir, None, None) {
            Ok(_) => assert!(!is_refused, "{name}"),
            Err(e) => {
                assert!(is_refused && e.contains(name) && e.contains("`data.channels` converts"), "{e}")
            }
        }
        for (channels, expected) in [(1, &[grey][..]), (3, &rgb)] {
            let set = with(&dir, None, Some(channels)).unwrap();
            assert_eq!(set.shape, (4, 5, channels));
            let pixels = set.train.images.array().unwrap().as_slice().unwrap();
            for pixel in pixels.chunks(channels) {
                assert!(pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 1), "{name}: {pixel:?}");
            }
        }
    }
    // palette and CMYK are RGB
    for (name, at, expected) in [("palette.png", 4 * 12, [255, 0, 0]), ("cmyk.jpg", 0, [102, 204, 204])] {
        let dir = tempfile::tempdir().unwrap();
        for split in ["train/a", "test/a"] {
            let class = dir.path().join("folder").join(split);
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join(name), fixture(name)).unwrap();
        }
        let set = with(&dir, None, None).unwrap();
        let (_, width, channels) = set.shape;
        assert_eq!(channels, 3);
        let at = at / 12 * width * 3;
        let pixel = &set.train.images.array().unwrap().as_slice().unwrap()[at..at + 3];
        assert!(pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3), "{name}: {pixel:?}");
    }
}

/// A picture of each size, also of one pixel's width: flat stays flat, a ramp stays one, and halving is the mean of the four pixels and
/// their neighbours.
#[test]
fn pictures_of_any_size_are_resized() {
    let dir = images();
    let train = dir.path().join("folder/train");
    for (name, width, height) in
        [("1xn.png", 1, 9), ("nx1.png", 9, 1), ("one.png", 1, 1), ("large.png", 5000, 3)]
    {
        GrayImage::from_pixel(width, height, Luma([50])).save(train.join("cat").join(name)).unwrap();
    }
    let ramp = GrayImage::from_fn(64, 64, |x, _| Luma([4 * x as u8]));
    ramp.save(train.join("dog/ramp.png")).unwrap();
    let set = with(&dir, Some((16, 8)), None).unwrap();
    assert_eq!((set.shape, set.train.len()), ((16, 8, 1), 8));
    let images = set.train.images.array().unwrap();
    for flat in 0..4 {
        assert!(images.row(flat).iter().all(|v| *v == 50), "{}", images.row(flat));
    }
    // columns 8x … 8x + 7 have the mean 4·(8x + 3.5); away from the border the triangle is symmetric about it
    for x in 1..7u8 {
        let got = images.row(7)[8 * 5 + usize::from(x)];
        assert!(got.abs_diff(32 * x + 14) <= 1, "{x}: {got}");
    }
    let error = with(&dir, None, None).unwrap_err();
    assert!(error.starts_with("DIR/folder/train/cat/") && error.contains("`data.size`"), "{error}");
}

/// Left in files, images are the same ones, and so is the digest; what changes later is told.
#[test]
fn images_left_in_files_are_the_same() {
    let dir = images();
    let inside = with(&dir, Some((5, 7)), Some(3)).unwrap();
    let options = Options { size: Some((5, 7)), channels: Some(3), memory: 100 };
    let outside = data::load_with("folder", Some(dir.path()), &options).unwrap();
    assert!(outside.train.images.array().is_none());
    assert_eq!((outside.digest(), &outside.train.labels), (inside.digest(), &inside.train.labels));
    let (mut a, mut b) = (vec![], vec![]);
    for image in 0..3 {
        let a = inside.train.images.image(image, &mut a).unwrap();
        assert_eq!(a, outside.train.images.image(image, &mut b).unwrap());
    }
    fs::write(dir.path().join("folder/train/dog/b.png"), "gone").unwrap();
    let error = outside.train.images.image(2, &mut b).unwrap_err();
    assert!(message(&error, dir.path()).starts_with("cannot decode image DIR/folder/train/dog/b.png"));
    let error = data::load_with("folder", Some(dir.path()), &options).unwrap_err();
    assert!(error.to_string().contains("b.png"), "found when the set is loaded");
}

#[test]
fn info_names_the_classes() {
    let dir = images();
    let info = data::info("folder", Some(dir.path()), &Options::default()).unwrap();
    assert_eq!(info.class_names, ["cat", "dog"]);
    assert_eq!((info.train_per_class, info.test_per_class), (vec![1, 2], vec![0, 1]));
    // of flat pictures of 1, 3 and 4
    let mean: f64 = 8.0 / 3.0;
    let deviation = ((1.0 + 9.0 + 16.0) / 3.0 - mean * mean).sqrt();
    assert!(
        (info.mean[0] - mean / 255.0).abs() < 1e-12 && (info.deviation[0] - deviation / 255.0).abs() < 1e-12
    );
}
