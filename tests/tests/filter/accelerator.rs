//! Filters on an accelerator: the host's bits in every border mode, the same on the simulator and on the twin, in as many cycles; and what is
//! refused.

use super::common::command::{Scratch, run, succeeds, text};
use super::{filtered, grey, saved};
use image::{
    DynamicImage, GrayAlphaImage, ImageBuffer, Luma, LumaA, Rgb, Rgb32FImage, RgbImage, Rgba, RgbaImage,
};
use serde_json::Value;
use std::path::Path;

/// An accelerator with a small FFT unit and a Gaussian unit, quick to build.
const SMALL: &str = "[array]\nrows=2\ncols=8\nlanes=2\nrow_digit=4\ncol_digit=4\n\
    [memory]\nrow_depth=256\ncol_depth=256\nresult_depth=256\n[link]\nbits=64\n[fft]\npoints=64\nsamples=2\ndepth=256\n[gaussian]\npixels=2\nradius=31\ndepth=16\n";

/// Pictures of all kinds of whole pixels.
fn pictures(s: &Scratch, width: u32, height: u32) -> String {
    let v = |x: u32, y: u32, c: u32| ((x * 7 + y * 13 + x * y + c * 89) % 251) as u8;
    let w = |x: u32, y: u32, c: u32| 257 * u16::from(v(x, y, c)) + (x * y) as u16;
    let all: [(&str, DynamicImage); 5] = [
        ("in/l8.png", grey(width, height).into()),
        ("in/la8.png", GrayAlphaImage::from_fn(width, height, |x, y| LumaA([v(x, y, 1), v(y, x, 2)])).into()),
        ("in/rgb8.png", RgbImage::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|c| v(x, y, c)))).into()),
        (
            "in/rgba8.png",
            RgbaImage::from_fn(width, height, |x, y| Rgba([0, 1, 2, 3].map(|c| v(x, y, c)))).into(),
        ),
        ("in/l16.png", ImageBuffer::from_fn(width, height, |x, y| Luma([w(x, y, 0)])).into()),
    ];
    std::fs::create_dir_all(s.path("in")).unwrap();
    all.into_iter().for_each(|(name, picture)| drop(saved(s, name, picture)));
    s.path("in")
}

/// Reports of a filter on an accelerator, whose results are those of the host.
fn same_as_host(s: &Scratch, input: &str, kind: &[&str], options: &[&str]) -> Value {
    let (host, there) = (s.path("host"), s.path("there"));
    filtered(input, &host, &[kind, &["--force"]].concat());
    let report = filtered(input, &there, &[kind, &["--force", "--engine", "model"], options].concat());
    for image in report["images"].as_array().unwrap() {
        let output = Path::new(image["output"].as_str().unwrap());
        let same = Path::new(&host).join(output.file_name().unwrap());
        assert_eq!(image::open(output).unwrap(), image::open(same).unwrap(), "{kind:?} {options:?}: {image}");
        assert_eq!(image["cycles"], image["predicted_cycles"]);
    }
    report
}

#[test]
fn whole_kernels_are_the_hosts_bit_for_bit() {
    let s = Scratch::new();
    let input = pictures(&s, 21, 12);
    let kinds: [&[&str]; 8] = [
        &["--kind", "fir", "--kernel", "1 2 1; 2 4 2; 1 2 1", "--scale", "1/16"],
        &["--kind", "fir", "--kernel", "-1/4 .5 3; 2 -1 0", "--offset", "-3.5"],
        &["--kind", "sobel"],
        &["--kind", "sobel", "--derivative", "x", "--size", "5", "--scale", "1/8", "--offset", "128"],
        &["--kind", "laplacian", "--size", "3"],
        &["--kind", "box", "--size", "5"],
        &["--kind", "box", "--size", "37x4"],
        &["--kind", "fir", "--row", "1 -2 1", "--column", "1 4 6 4 1"],
    ];
    let borders = ["reflect", "reflect-101", "replicate", "wrap", "constant:-3", "constant:200"];
    for (i, kind) in kinds.iter().enumerate() {
        let report = same_as_host(&s, &input, &[*kind, &["--border", borders[i % 6]]].concat(), &[]);
        assert_eq!((&report["engine"], &report["accelerator"]), (&"model".into(), &"default".into()));
        assert_eq!(report["images"].as_array().unwrap().len(), 5);
    }
    // operands of 8 bits, numbers in parts
    same_as_host(&s, &input, &[kinds[6], &["--border", "constant:-3"]].concat(), &["-c", "ulx3s"]);
}

/// The kernel that a report names, on the host.
#[test]
fn a_rounded_kernel_is_the_hosts_with_that_kernel() {
    let s = Scratch::new();
    let input = saved(&s, "in.png", grey(70, 50));
    for (bits, border) in [("4", "reflect"), ("8", "constant:9"), ("10", "wrap")] {
        let (out, host) = (s.path("out.png"), s.path("host.png"));
        let gaussian =
            ["--kind", "gaussian", "--sigma", "1.5", "--method", "fir", "--force", "--border", border];
        let options = ["--engine", "model", "--kernel-bits", bits, "--check"];
        let report = filtered(&input, &out, &[&gaussian[..], &options].concat());
        let image = &report["images"][0];
        let kernel = |key: &str| image["kernels"][0][key].as_str().unwrap().to_owned();
        let (row, column, scale) = (kernel("row"), kernel("column"), kernel("scale"));
        let same = ["--kind", "fir", "--row", &row, "--column", &column, "--scale", &scale];
        filtered(&input, &host, &[&same[..], &["--force", "--border", border]].concat());
        assert_eq!(image::open(&out).unwrap(), image::open(&host).unwrap(), "{bits} bits: {row}");
        let weights: Vec<u32> = row.split(' ').map(|w| w.parse().unwrap()).collect();
        assert!(weights.iter().all(|w| w >> bits.parse::<u32>().unwrap() == 0), "{row}");
        let sum: u32 = weights.iter().sum();
        assert_eq!(format!("1/{}", u64::from(sum).pow(2)), scale);
        // weights off by less than 1.6 / sum each, of which the errors of both passes add up
        let worst = 2.0 * 255.0 * 1.6 * weights.len() as f64 / f64::from(sum);
        assert!(image["largest_difference"].as_f64().unwrap() <= worst.ceil(), "{image}");
        assert!(image["psnr_db"].as_f64().is_some());
    }
}

#[test]
fn the_simulator_has_the_twins_bytes_and_cycles() {
    let s = Scratch::new();
    let input = saved(&s, "in.png", grey(41, 26));
    let small = s.write("small.toml", SMALL);
    let fir = ["--kind", "fir", "--kernel", "1 2 1; 2 4 2; 1 2 1", "--scale", "1/16"];
    let cases: [(&[&str], &str); 7] = [
        (&fir, "default"),
        (&["--kind", "sobel"], "default"),
        (&["--kind", "box", "--size", "5"], "default"),
        (&["--kind", "gaussian", "--sigma", "1.5", "--method", "fir"], "default"),
        (&["--kind", "gaussian", "--sigma", "2", "--method", "fft"], &small),
        (&["--kind", "gaussian", "--sigma", "4", "--method", "sliding-dct"], &small),
        (&["--kind", "laplacian"], &small),
    ];
    for (kind, accelerator) in cases {
        let [twin, sim] = ["model", "sim"].map(|engine| {
            let out = s.path(&format!("{engine}.png"));
            let report =
                filtered(&input, &out, &[kind, &["--engine", engine, "-c", accelerator, "--force"]].concat());
            assert_eq!(report["engine"], engine);
            (std::fs::read(out).unwrap(), report["images"][0].clone())
        });
        assert_eq!(twin.0, sim.0, "{kind:?}");
        let keys = [
            "cycles",
            "predicted_cycles",
            "load_busy",
            "compute_busy",
            "store_busy",
            "products",
            "transforms",
            "utilisation",
        ];
        for key in keys {
            assert_eq!(twin.1[key], sim.1[key], "{kind:?}: {key}");
        }
        assert!(sim.1["cycles"].as_u64().unwrap() > 0 && sim.1["cycles"] == sim.1["predicted_cycles"]);
        assert_eq!(sim.1["transforms"].as_u64().unwrap() > 0, kind.contains(&"fft"));
    }
}

#[test]
fn large_kernels_on_the_fft_unit_are_close() {
    let s = Scratch::new();
    let input = pictures(&s, 90, 70);
    for (kind, border) in [
        (&["--kind", "gaussian", "--sigma", "6"][..], "reflect"),
        (&["--kind", "gaussian", "--sigma", "9"], "constant:-3.5"),
        (
            &["--kind", "fir", "--row", "1 1 1 1 1 1 1 1 1", "--column", "1 2 3 4 3 2 1", "--scale", "1/144"],
            "wrap",
        ),
    ] {
        let options = [
            "--method", "fft", "--border", border, "--force", "--check", "--engine", "model", "-c",
            "spectral",
        ];
        let report = filtered(&input, &s.path("out"), &[kind, &options].concat());
        for image in report["images"].as_array().unwrap() {
            assert!(image["transforms"].as_u64().unwrap() > 0 && image["products"] == 0, "{image}");
            // 16 bits with an exponent a tile: far below a step of 8 bits, about one of 16
            let most = if image["samples"] == "u8" { 1.0 } else { 64.0 };
            assert!(image["largest_difference"].as_f64().unwrap() <= most, "{kind:?}: {image}");
            assert!(image["psnr_db"].as_f64().unwrap() > 65.0, "{kind:?}: {image}");
        }
    }
}

#[test]
fn windows_of_cosines_are_close() {
    let s = Scratch::new();
    let input = pictures(&s, 90, 70);
    for (sigma, terms, border) in [("1", "3", "reflect"), ("6", "2", "constant:255"), ("20", "3", "wrap")] {
        let kind = ["--kind", "gaussian", "--sigma", sigma, "--terms", terms, "--method", "sliding-dct"];
        let options = ["--border", border, "--force", "--check", "--engine", "model", "-c", "gaussian"];
        let report = filtered(&input, &s.path("out"), &[&kind[..], &options].concat());
        for image in report["images"].as_array().unwrap() {
            let most = if image["samples"] == "u8" { 1.0 } else { 257.0 };
            assert!(image["largest_difference"].as_f64().unwrap() <= most, "{kind:?}: {image}");
            assert!(image["psnr_db"].as_f64().unwrap() > 60.0, "{kind:?}: {image}");
            assert!(image["products"] == 0 && image["cycles"] == image["predicted_cycles"], "{image}");
        }
    }
}

#[test]
fn pictures_of_any_size() {
    let s = Scratch::new();
    for (width, height) in [(1, 1), (1, 40), (40, 1), (3, 2)] {
        let input = pictures(&s, width, height);
        same_as_host(&s, &input, &["--kind", "box", "--size", "41x3", "--border", "wrap"], &[]);
        same_as_host(&s, &input, &["--kind", "sobel", "--size", "7", "--border", "reflect"], &[]);
        let fft = [
            "--kind", "gaussian", "--sigma", "7", "--method", "fft", "--force", "--engine", "model", "-c",
            "spectral",
        ];
        filtered(&input, &s.path("out"), &[&fft[..], &["--check", "--min-psnr", "55"]].concat());
        let slide = ["--method", "sliding-dct", "-c", "gaussian", "--check", "--min-psnr", "55"];
        let gaussian = ["--kind", "gaussian", "--sigma", "7", "--force", "--engine", "model"];
        filtered(&input, &s.path("out"), &[&gaussian[..], &slide].concat());
    }
}

#[test]
fn what_does_not_run_there_is_refused() {
    let s = Scratch::new();
    let (input, never) = (saved(&s, "in.png", grey(9, 9)), s.path("never.png"));
    let float = saved(&s, "float.tiff", Rgb32FImage::from_pixel(4, 4, Rgb([0.5, 1.0, 2.0])));
    let linear = "accelerators run gaussian, box, sobel, laplacian, fir";
    for (says, options) in [
        (linear, &["--kind", "median", "--engine", "model"][..]),
        (linear, &["--kind", "bilateral", "--sigma", "2", "--range", "9", "--engine", "sim"]),
        (linear, &["--kind", "local-laplacian", "--range", "9", "--engine", "model"]),
        (
            "accelerator default has no Gaussian unit",
            &["--kind", "gaussian", "--sigma", "2", "--method", "sliding-dct", "--engine", "model"],
        ),
        (
            "a window of radius 137: accelerator gaussian has gaussian.radius = 127",
            &[
                "--kind",
                "gaussian",
                "--sigma",
                "40",
                "--method",
                "sliding-dct",
                "--engine",
                "model",
                "-c",
                "gaussian",
            ],
        ),
        (
            "--terms 4: accelerator gaussian has gaussian.terms = 3",
            &[
                "--kind",
                "gaussian",
                "--sigma",
                "2",
                "--terms",
                "4",
                "--method",
                "sliding-dct",
                "--engine",
                "model",
                "-c",
                "gaussian",
            ],
        ),
        (
            "--border constant:256: expected a value that a sample can have",
            &[
                "--kind",
                "gaussian",
                "--sigma",
                "2",
                "--border",
                "constant:256",
                "--method",
                "sliding-dct",
                "--engine",
                "model",
                "-c",
                "gaussian",
            ],
        ),
        (
            "accelerator default has no FFT unit",
            &["--kind", "gaussian", "--sigma", "2", "--method", "fft", "--engine", "model"],
        ),
        (
            "at most 256",
            &["--kind", "gaussian", "--sigma", "90", "--method", "fft", "--engine", "model", "-c", "ulx3s"],
        ),
        ("--kernel-bits N", &["--kind", "fir", "--kernel", "0.1 0.3", "--engine", "model"]),
        ("at most 16 bits", &["--kind", "fir", "--kernel", "1 70000", "--engine", "model"]),
        ("'17'", &["--kind", "box", "--engine", "model", "--kernel-bits", "17"]),
        ("whole number", &["--kind", "sobel", "--border", "constant:0.5", "--engine", "model"]),
        ("expected cpu, model, sim or serial", &["--kind", "sobel", "--engine", "float"]),
        ("'fpga'", &["--kind", "sobel", "--engine", "fpga"]),
        ("accelerator `none`", &["--kind", "sobel", "--engine", "model", "-c", "none"]),
        ("array.rowz", &["--kind", "sobel", "--engine", "model", "--set", "array.rowz=3"]),
        ("--config: needs --engine", &["--kind", "sobel", "-c", "default"]),
        ("--set: needs --engine", &["--kind", "sobel", "--set", "array.rows=4"]),
        ("--kernel-bits: needs --engine", &["--kind", "sobel", "--engine", "cpu", "--kernel-bits", "4"]),
    ] {
        s.refuses(&[says], &[&["filter", &input, &never], options].concat());
    }
    for method in ["auto", "fft"] {
        let options =
            ["--kind", "fir", "--kernel", "1 1", "--method", method, "--engine", "model", "-c", "spectral"];
        s.refuses(&["float.tiff", "samples of f32"], &[&["filter", &float, &never], &options[..]].concat());
    }
    let output =
        run(&[], &["filter", &input, &never, "--kind", "box", "--engine", "serial:/dev/tandem-none"], &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(!Path::new(&never).exists());
    // f32 on the host, which has no accelerator to ask
    let report = succeeds(&["filter", &float, &s.path("out.tiff"), "--kind", "box", "--engine", "cpu"]);
    assert_eq!(report["engine"], "cpu");
}
