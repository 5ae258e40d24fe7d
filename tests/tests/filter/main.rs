//! `tandem filter`: kinds of pictures in and out, folders, checks, and what is refused; filters and pictures in training.

mod accelerator;
#[path = "../common/mod.rs"]
mod common;

use common::command::{Scratch, run, succeeds, text};
use common::repository;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use std::path::Path;

/// Some picture of the size.
fn grey(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([((x * 7 + y * 13 + x * y) % 251) as u8]))
}

fn saved(s: &Scratch, name: &str, picture: impl Into<DynamicImage>) -> String {
    let path = s.path(name);
    picture.into().save(&path).unwrap();
    path
}

/// A picture beside this file.
fn fixture(name: &str) -> String {
    repository().join("tests/tests/pictures").join(name).to_str().unwrap().to_owned()
}

const BLUR: [&str; 4] = ["--kind", "gaussian", "--sigma", "1.5"];

fn filtered(input: &str, output: &str, options: &[&str]) -> serde_json::Value {
    succeeds(&[&["filter", input, output], options].concat())
}

#[test]
fn pixels_are_what_the_definition_says() {
    let s = Scratch::new();
    let input = saved(&s, "in.png", grey(23, 17));
    let out = s.path("out.png");
    let report =
        filtered(&input, &out, &["--kind", "box", "--size", "3", "--border", "replicate", "--check"]);
    let (a, b) = (grey(23, 17), image::open(&out).unwrap().into_luma8());
    for (x, y, got) in b.enumerate_pixels() {
        let at = |dx: i64, dy: i64| {
            let x = (i64::from(x) + dx).clamp(0, 22) as u32;
            f64::from(a.get_pixel(x, (i64::from(y) + dy).clamp(0, 16) as u32)[0])
        };
        let sum: f64 =
            (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))).map(|(dx, dy)| at(dx, dy)).sum();
        assert_eq!(f64::from(got[0]), (sum / 9.0).round_ties_even(), "{x}, {y}");
    }
    assert_eq!(report["kind"], "box");
    assert_eq!(report["parameters"], serde_json::json!({ "size": "3" }));
    assert_eq!(report["border"], "replicate");
    let line = &report["images"][0];
    assert_eq!((&line["width"], &line["height"], &line["channels"]), (&23.into(), &17.into(), &1.into()));
    assert_eq!((line["samples"].as_str(), line["largest_difference"].as_f64()), (Some("u8"), Some(0.0)));
    assert!(line["wall_s"].as_f64().unwrap() > 0.0 && line["written_psnr_db"].is_null());
    assert!(line["psnr_db"].as_f64().unwrap() > 120.0, "{line}");
}

/// Everything that a picture can be made of comes out as it went in: a flat one stays what it is.
#[test]
fn kinds_of_pixels() {
    let s = Scratch::new();
    let flat: [(&str, DynamicImage); 10] = [
        ("l8", GrayImage::from_pixel(9, 5, Luma([77])).into()),
        ("la8", GrayAlphaImage::from_pixel(9, 5, LumaA([77, 200])).into()),
        ("rgb8", RgbImage::from_pixel(9, 5, Rgb([1, 2, 250])).into()),
        ("rgba8", RgbaImage::from_pixel(9, 5, Rgba([1, 2, 250, 9])).into()),
        ("l16", ImageBuffer::from_pixel(9, 5, Luma([50_001u16])).into()),
        ("la16", ImageBuffer::from_pixel(9, 5, LumaA([50_001u16, 3])).into()),
        ("rgb16", ImageBuffer::from_pixel(9, 5, Rgb([50_001u16, 3, 65_535])).into()),
        ("rgba16", ImageBuffer::from_pixel(9, 5, Rgba([50_001u16, 3, 65_535, 4])).into()),
        ("rgb32f", ImageBuffer::from_pixel(9, 5, Rgb([0.25f32, -2.0, 1e3])).into()),
        ("rgba32f", ImageBuffer::from_pixel(9, 5, Rgba([0.25f32, -2.0, 1e3, 0.5])).into()),
    ];
    let endings: [(&str, &[&str]); 5] = [
        ("png", &["l8", "la8", "rgb8", "rgba8", "l16", "la16", "rgb16", "rgba16"]),
        ("tiff", &["l8", "rgb8", "rgba8", "l16", "rgb16", "rgba16", "rgb32f", "rgba32f"]),
        ("bmp", &["l8", "rgb8", "rgba8"]),
        ("jpg", &["l8", "rgb8"]),
        ("pnm", &["l8", "la8", "rgb8", "rgba8", "l16", "rgb16", "rgba16"]),
    ];
    for (ending, takes) in endings {
        for (name, picture) in &flat {
            let source = if name.ends_with("32f") { format!("{name}.tiff") } else { format!("{name}.png") };
            let (input, out) =
                (saved(&s, &source, picture.clone()), s.path(&format!("{ending}-{name}.{ending}")));
            let arguments = ["filter", &input, &out, "--kind", "gaussian", "--sigma", "2"];
            if takes.contains(name) {
                succeeds(&arguments);
                let got = image::open(&out).unwrap();
                let near = |a: &u8, b: &u8| a.abs_diff(*b) <= if ending == "jpg" { 4 } else { 0 };
                // grey is a palette there, which is read as RGB
                if ending != "bmp" {
                    assert_eq!(got.color(), picture.color(), "{name} as {ending}");
                }
                let (got, picture) = match ending {
                    "bmp" => (got.to_rgba8().into(), picture.to_rgba8().into()),
                    _ => (got, picture.clone()),
                };
                if name.ends_with("32f") {
                    let (a, b) = (got.to_rgba32f(), picture.to_rgba32f());
                    assert!(
                        a.iter().zip(b.iter()).all(|(a, b)| (a - b).abs() <= 4e-6 * b.abs()),
                        "{name} as {ending}"
                    );
                } else {
                    let same = got.as_bytes().iter().zip(picture.as_bytes()).all(|(a, b)| near(a, b));
                    assert!(same, "{name} as {ending}");
                }
            } else {
                s.refuses(&[&out, "PNG takes pixels"], &arguments);
            }
        }
    }
}

#[test]
fn palettes_cmyk_and_turned_pictures() {
    let s = Scratch::new();
    let out = s.path("palette.png");
    filtered(&fixture("palette.png"), &out, &["--kind", "median", "--size", "1"]);
    let picture = image::open(&out).unwrap().into_rgb8();
    let row: Vec<[u8; 3]> = [0, 3, 6, 9].map(|x| picture.get_pixel(x, 4).0).into();
    assert_eq!(row, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [40, 50, 60]]);
    let out = s.path("cmyk.png");
    filtered(&fixture("cmyk.jpg"), &out, &BLUR);
    let Rgb(pixel) = *image::open(&out).unwrap().into_rgb8().get_pixel(8, 8);
    // (1 − 128/255)·(1 − 51/255)·255 and 204
    assert!(pixel.iter().zip([102u8, 204, 204]).all(|(a, b)| a.abs_diff(b) <= 3), "{pixel:?}");
    let out = s.path("turned.png");
    filtered(&fixture("turned.jpg"), &out, &["--kind", "median", "--size", "1"]);
    let picture = image::open(&out).unwrap().into_luma8();
    assert_eq!(picture.dimensions(), (8, 16));
    assert!(picture.get_pixel(4, 2)[0] > 245 && picture.get_pixel(4, 13)[0] < 10);
}

#[test]
fn folders_and_several_pictures() {
    let s = Scratch::new();
    std::fs::create_dir_all(s.path("in")).unwrap();
    for name in ["in/b.png", "in/a.png", "in/c.bmp", "other.png"] {
        saved(&s, name, grey(20, 10));
    }
    s.write("in/notes.txt", "no picture");
    let (folder, other, out) = (s.path("in"), s.path("other.png"), s.path("out"));
    let report = succeeds(&["filter", &folder, &other, &out, "--kind", "sobel"]);
    let names: Vec<_> =
        report["images"].as_array().unwrap().iter().map(|i| i["output"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.png", "b.png", "c.bmp", "other.png"].map(|name| format!("{out}/{name}")));
    assert!(names.iter().all(|name| Path::new(name).is_file()));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4);
    s.refuses(&["out", "not empty"], &["filter", &folder, &out, "--kind", "sobel"]);
    succeeds(&["filter", &folder, &out, "--kind", "sobel", "--force"]);
    // one that cannot be read: nothing is written
    s.write("in/d.png", "damaged");
    let never = s.path("never");
    s.refuses(&["d.png", "Png"], &["filter", &folder, &never, "--kind", "sobel"]);
    assert!(!Path::new(&never).exists());
    std::fs::create_dir_all(s.path("twice")).unwrap();
    let twice = saved(&s, "twice/other.png", grey(3, 3).clone());
    s.refuses(&["twice/other.png", "that name"], &["filter", &other, &twice, &never, "--kind", "sobel"]);
    std::fs::create_dir_all(s.path("empty")).unwrap();
    s.refuses(&["empty", "without pictures"], &["filter", &s.path("empty"), &never, "--kind", "sobel"]);
}

#[test]
fn results_do_not_depend_on_threads() {
    let s = Scratch::new();
    let input = saved(&s, "in.png", grey(301, 203));
    for kind in [
        &["--kind", "gaussian", "--sigma", "9"][..],
        &["--kind", "bilateral", "--sigma", "3", "--range", "20"],
    ] {
        let bytes = ["1", "2", "5"].map(|threads| {
            let out = s.path("out.png");
            filtered(&input, &out, &[kind, &["--threads", threads, "--force"]].concat());
            std::fs::read(out).unwrap()
        });
        assert!(bytes[0] == bytes[1] && bytes[1] == bytes[2], "{kind:?}");
    }
}

#[test]
fn checks_compare_with_the_exact_filter() {
    let s = Scratch::new();
    let input = saved(&s, "in.png", grey(200, 150));
    let psnr = |terms: &str| {
        let options = [
            "--kind",
            "gaussian",
            "--sigma",
            "4",
            "--method",
            "sliding-dct",
            "--terms",
            terms,
            "--check",
            "--force",
        ];
        let report = filtered(&input, &s.path("out.png"), &options);
        let line = &report["images"][0];
        assert!(line["largest_difference"].as_f64().unwrap() <= 1.0, "{line}");
        line["psnr_db"].as_f64().unwrap()
    };
    let [two, three, four] = ["2", "3", "4"].map(psnr);
    assert!(two > 50.0 && three > two + 5.0 && four > three + 5.0, "{two} {three} {four}");
    let arguments = [
        "filter",
        &input,
        &s.path("low.png"),
        "--kind",
        "gaussian",
        "--sigma",
        "4",
        "--check",
        "--min-psnr",
        "150",
    ];
    let output = run(&[], &arguments, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("expected at least 150 dB"));
    let large = saved(&s, "large.png", grey(200, 100));
    let says = ["large.png", "exact local-laplacian of 100×200 pixels: expected at most 16384"];
    s.refuses(
        &says,
        &["filter", &large, &s.path("never.png"), "--kind", "local-laplacian", "--range", "20", "--check"],
    );
}

#[test]
fn damaged_pictures_are_refused() {
    let s = Scratch::new();
    let never = s.path("never.png");
    for ending in ["png", "jpg", "bmp", "pgm", "tiff"] {
        let whole = std::fs::read(saved(&s, &format!("whole.{ending}"), grey(64, 64))).unwrap();
        for part in [0, 1, 3, 10, 40, whole.len() / 2, whole.len() - 40] {
            let cut = s.write(&format!("cut-{part}.{ending}"), &whole[..part]);
            s.refuses(&[&cut], &["filter", &cut, &never, "--kind", "box"]);
        }
        // a flipped bit is an error or another picture, never a panic
        for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            let input = s.write(&format!("flipped.{ending}"), &bytes);
            let output =
                run(&[], &["filter", &input, &s.path("flipped.png"), "--kind", "box", "--force"], &[]);
            let err = text(&output.stderr);
            assert!(
                matches!(output.status.code(), Some(0 | 2)) && !err.contains("panicked"),
                "{ending} {at}: {err}"
            );
        }
    }
    assert_eq!(ImageFormat::from_path(&never).unwrap(), ImageFormat::Png);
    let empty = s.write("empty.pgm", "P5 0 0 255\n");
    s.refuses(&["empty.pgm"], &["filter", &empty, &never, "--kind", "box"]);
    let huge = s.write("huge.pgm", "P5 100000 100000 255\n");
    s.refuses(&["huge.pgm"], &["filter", &huge, &never, "--kind", "box"]);
    s.refuses(&["missing.png", "No such file"], &["filter", &s.path("missing.png"), &never, "--kind", "box"]);
    s.refuses(&["/dev/zero", "not a PNG"], &["filter", "/dev/zero", &never, "--kind", "box"]);
    assert!(!Path::new(&never).exists());
}

#[test]
fn small_pictures_and_large_windows() {
    let s = Scratch::new();
    for (width, height) in [(1, 1), (1, 40), (40, 1), (3, 2)] {
        let input = saved(&s, "small.png", grey(width, height));
        for kind in [
            &["--kind", "gaussian", "--sigma", "30"][..],
            &["--kind", "gaussian", "--sigma", "30", "--method", "fft"],
            &["--kind", "box", "--size", "99x51"],
            &["--kind", "median", "--size", "31"],
            &["--kind", "bilateral", "--sigma", "9", "--range", "10"],
            &["--kind", "local-laplacian", "--range", "10"],
        ] {
            for border in ["reflect", "reflect-101", "replicate", "wrap", "constant:-3"] {
                let out = s.path("small-out.png");
                filtered(&input, &out, &[kind, &["--border", border, "--force"]].concat());
                assert_eq!(image::image_dimensions(&out).unwrap(), (width, height));
            }
        }
    }
}

#[test]
fn options_are_judged() {
    let s = Scratch::new();
    let (input, never) = (saved(&s, "in.png", grey(5, 5)), s.path("never.png"));
    for (says, options) in [
        ("gaussian needs sigma", &["--kind", "gaussian"][..]),
        ("sigma = 0: expected more than 0", &["--kind", "gaussian", "--sigma", "0"]),
        ("sigma = -2: expected more than 0", &["--kind", "gaussian", "--sigma", "-2"]),
        ("sigma = nan: expected more than 0", &["--kind", "gaussian", "--sigma", "nan"]),
        ("gaussian has no parameter `size`", &["--kind", "gaussian", "--sigma", "2", "--size", "3"]),
        ("'blur'", &["--kind", "blur"]),
        ("--kind", &[]),
        ("expected reflect, reflect-101", &["--kind", "box", "--border", "mirror"]),
        ("kernel = 1 2;3: expected", &["--kind", "fir", "--kernel", "1 2;3"]),
        ("expected 1 to 1024", &["--kind", "box", "--threads", "0"]),
        ("--check", &["--kind", "box", "--min-psnr", "3"]),
    ] {
        s.refuses(&[says], &[&["filter", &input, &never], options].concat());
    }
    s.refuses(&["never.gif", "ends in .png"], &["filter", &input, &s.path("never.gif"), "--kind", "box"]);
    let existing = s.write("existing.png", "old");
    s.refuses(&["existing.png", "exists"], &["filter", &input, &existing, "--kind", "box"]);
    // a kernel that begins with a minus sign is no option
    filtered(&input, &never, &["--kind", "fir", "--kernel", "-1 0 1", "--offset", "-3.5"]);
}

/// Pictures of a train and a test folder, a bright class and a dark one.
fn pictures(s: &Scratch) {
    for (i, (width, height)) in [(9, 9), (1, 20), (20, 1), (12, 5), (2, 2), (64, 48)].into_iter().enumerate()
    {
        for (class, value) in [("bright", 220), ("dark", 30)] {
            for split in ["train", "test"] {
                let name = format!("data/folder/{split}/{class}/{i}.png");
                let path = s.path(&name);
                std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
                match i {
                    0 => RgbaImage::from_pixel(width, height, Rgba([value, value, value, 9]))
                        .save(path)
                        .unwrap(),
                    1 => ImageBuffer::from_pixel(width, height, Luma([u16::from(value) * 257]))
                        .save(path)
                        .unwrap(),
                    _ => GrayImage::from_pixel(width, height, Luma([value])).save(path).unwrap(),
                }
            }
        }
    }
}

/// An experiment on them, with these keys of `[data]`.
fn training(s: &Scratch, name: &str, data: &str) -> String {
    let text = std::fs::read_to_string(repository().join("configs/experiments/digits-mlp.toml")).unwrap();
    let data = format!("set = \"folder\"\nbatch = 4\n{data}");
    let text = text.replace("set = \"digits\"\nbatch = 32", &data).replace("outputs = 10", "outputs = 2");
    s.write(name, text.replace("epochs = 20", "epochs = 40"))
}

#[test]
fn training_on_pictures_of_any_size_with_filters_and_augmentations() {
    let s = Scratch::new();
    pictures(&s);
    s.write("data/folder/train/dark/notes.txt", "no picture");
    let lists = "size = [6, 8]\nchannels = 1\n\
        preprocess = [{ kind = \"noise\", deviation = 9, seed = 2 }, { kind = \"median\", size = 31 }, { kind = \"gaussian\", sigma = 40 }]\n\
        augment = [{ kind = \"crop\", padding = 2, border = \"replicate\" }, { kind = \"flip\" }]";
    let (data, file) = (s.path("data"), training(&s, "pictures.toml", lists));
    let mut digests = vec![];
    for threads in ["1", "3"] {
        let run = s.path(&format!("run-{threads}"));
        let report = succeeds(&["train", "-c", &file, "--data", &data, "--threads", threads, "-o", &run]);
        assert_eq!((report["test_accuracy"].as_f64(), report["steps"].as_u64()), (Some(1.0), Some(120)));
        assert!((0.0..=1.0).contains(&report["data_wait"].as_f64().unwrap()), "{}", report["data_wait"]);
        let log = std::fs::read_to_string(format!("{run}/log.jsonl")).unwrap();
        assert!(log.lines().all(|line| line.contains("\"data_wait\":")), "{log}");
        digests.push(report["weights_digest"].clone());
    }
    // left in their files
    let run_kept = s.path("run-files");
    let report = succeeds(&[
        "train",
        "-c",
        &file,
        "--data",
        &data,
        "-o",
        &run_kept,
        "--set",
        "data.memory=0",
        "--threads",
        "2",
    ]);
    digests.push(report["weights_digest"].clone());
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");

    let output =
        run(&[], &["data", "info", "folder", "--data", &data, "--size", "6x8", "--channels", "1"], &[]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("12 training and 12 test images of 6×8×1, 2 classes"), "{out}");
    assert!(out.contains("bright"), "{out}");
    assert!(err.contains("note: 1 file is no picture and is skipped") && err.contains("notes.txt"), "{err}");
    let info = succeeds(&["data", "info", "folder", "--data", &data, "--size", "6x8", "--channels", "1"]);
    assert_eq!((&info["class_names"][1], &info["train_per_class"][1]), (&"dark".into(), &6.into()));
    // half of all pixels are 220, the others 30
    assert!((info["mean"][0].as_f64().unwrap() - 125.0 / 255.0).abs() < 1e-9, "{}", info["mean"]);
    assert!((info["deviation"][0].as_f64().unwrap() - 95.0 / 255.0).abs() < 1e-9, "{}", info["deviation"]);

    let sheet = s.path("sheet.png");
    let report = succeeds(&[
        "data", "show", "-c", &file, "--data", &data, "--images", "5", "--zoom", "1", "-o", &sheet,
    ]);
    // as read, three steps, three epochs of augmentations, with a pixel between them
    assert_eq!(report["rows"].as_array().unwrap().len(), 7);
    let picture = image::open(&sheet).unwrap().into_luma8();
    assert_eq!(picture.dimensions(), (5 * 9 - 1, 7 * 7 - 1));
    assert_eq!((picture.get_pixel(0, 0)[0], picture.get_pixel(8, 0)[0]), (220, 128));
}

#[test]
fn pictures_and_lists_that_are_refused_in_training() {
    let s = Scratch::new();
    pictures(&s);
    let data = s.path("data");
    let refuses = |name: &str, keys: &str, says: &[&str]| {
        let (file, run) = (training(&s, name, keys), s.path("run"));
        s.refuses(says, &["train", "-c", &file, "--data", &data, "-o", &run]);
    };
    refuses("plain.toml", "", &["train/bright/0.png", "8 bits a channel", "data.channels"]);
    refuses("grey.toml", "channels = 1", &["train/bright/1.png", "9×9", "20×1", "data.size"]);
    refuses(
        "kind.toml",
        "preprocess = [{ kind = \"blur\" }]",
        &["kind.toml:8", "data.preprocess[0].kind", "`gaussian`"],
    );
    let sigma = "preprocess = [{ kind = \"median\" }, { kind = \"gaussian\", sigma = nan }]";
    refuses("sigma.toml", sigma, &["sigma.toml:8", "data.preprocess[1].sigma", "nan", "more than 0"]);
    let resized = "size = [6, 8]\nchannels = 1";
    let bad = "data/folder/test/dark/5.png";
    let whole = std::fs::read(s.path(bad)).unwrap();
    s.write(bad, &whole[..whole.len() / 2]);
    refuses("resized.toml", resized, &["cannot decode image", "test/dark/5.png"]);
    s.write(bad, "P5\n0 5\n255\n");
    refuses("resized.toml", resized, &["test/dark/5.png"]);
    std::fs::remove_file(s.path(bad)).unwrap();
    std::fs::create_dir_all(s.path("data/folder/train/empty")).unwrap();
    refuses("resized.toml", resized, &["folder/train/empty: a class without pictures"]);
}
