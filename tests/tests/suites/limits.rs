//! Sizes, counts and times on the command line that no machine could serve are refused before anything is
//! made of them; npy files are believed as far as they are long.

use crate::common::command::{Scratch, run, succeeds, text};
use ndarray::{Array2, arr1, arr2};
use ndarray_npy::write_npy;
use num_complex::Complex;
use std::time::{Duration, Instant};

#[test]
fn numbers_beyond_every_machine() {
    let s = Scratch::new();
    let most = u64::MAX.to_string();
    let half = (1u64 << 63).to_string();
    let more = "18446744073709551616";
    let random = |m, k, n| vec!["gemm", "--random", m, k, n];
    let fft = |count, points| vec!["fft", "--random", count, "--points", points];
    let begun = Instant::now();
    for (option, value, arguments) in [
        ("--seconds", &*most, vec!["check", "--seconds", &most]),
        ("--seconds", more, vec!["check", "--seconds", more]),
        ("--seconds", "0", vec!["check", "--seconds", "0"]),
        ("--seconds", "-1", vec!["check", "--seconds", "-1"]),
        ("--seed", "-1", vec!["check", "--seed", "-1"]),
        ("--seed", more, vec!["check", "--seed", more]),
        ("--random", "4294967296", random("4294967296", "4294967296", "1")),
        ("--random", "100000", random("100000", "100000", "100000")),
        ("--random", &most, random(&most, &most, &most)),
        ("--random", &most, random("1", "1", &most)),
        ("--random", "16384 16384 16384", random("16384", "16384", "16384")),
        ("--random", "2 0 2", random("2", "0", "2")),
        ("--random", "-2", random("2", "-2", "2")),
        (
            "--pattern-run",
            &most,
            [random("2", "2", "2"), vec!["--pattern", "1:2", "--pattern-run", &most]].concat(),
        ),
        (
            "--pattern-run",
            "0",
            [random("2", "2", "2"), vec!["--pattern", "1:2", "--pattern-run", "0"]].concat(),
        ),
        ("--x-bits", "-4", [random("2", "2", "2"), vec!["--x-bits", "-4"]].concat()),
        ("--shift", "4294967296", [random("2", "2", "2"), vec!["--shift", "4294967296"]].concat()),
        ("--points", "0", fft("2", "0")),
        ("--points", &half, fft("2", &half)),
        ("--points", "-8", fft("2", "-8")),
        ("--points", "8192", fft("2", "8192")),
        ("--points", "63", fft("2", "63")),
        ("--random", "0", fft("0", "64")),
        ("--random", &most, fft(&most, "64")),
        ("--random", "33554432", fft("33554432", "64")),
        ("--random", "-1", fft("-1", "64")),
        ("--amplitude", "1.5", [fft("2", "64"), vec!["--amplitude", "1.5"]].concat()),
        ("--amplitude", "0", [fft("2", "64"), vec!["--amplitude", "0"]].concat()),
        ("--amplitude", "-1", [fft("2", "64"), vec!["--amplitude", "-1"]].concat()),
        ("--amplitude", "NaN", [fft("2", "64"), vec!["--amplitude", "NaN"]].concat()),
        ("--axes", "3", [fft("2", "64"), vec!["--axes", "3"]].concat()),
        ("--max-cycles", "0", vec!["run", "replay", "--max-cycles", "0", "x"]),
        ("--max-cycles", "-1", vec!["run", "diff", "--max-cycles", "-1", "x"]),
        ("--max-cycles", more, vec!["run", "replay", "--max-cycles", more, "x"]),
        ("--products", "0", vec!["board", "selftest", "/dev/null", "--products", "0"]),
        ("--products", "4294967295", vec!["board", "selftest", "/dev/null", "--products", "4294967295"]),
        ("--slots", "-2", vec!["board", "emulate", "--slots", "-2"]),
        ("--clock", "-2", vec!["board", "emulate", "--clock", "-2"]),
    ] {
        s.refuses(&[option, value], &arguments);
    }
    // 76 runs, most of which do nothing: none has computed or drawn anything
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// An npy file that claims a shape.
fn claims(descr: &str, shape: &str, bytes: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((dictionary.len() as u16).to_le_bytes());
    file.extend(dictionary.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

#[test]
fn files_that_claim_more_than_they_hold() {
    let s = Scratch::new();
    let w = s.path("w.npy");
    write_npy(&w, &Array2::<i8>::ones((3, 2))).unwrap();
    for (descr, shape, bytes, says) in [
        ("<i4", "(5000000000, 3)", 24, &["x.npy", "5000000000"][..]),
        ("|i1", "(4, 3)", 11, &["x.npy", "truncated", "12 bytes", "found 11"]),
        ("<i8", "(4, 3)", 95, &["x.npy", "truncated", "96 bytes", "found 95"]),
        ("<i8", "(4, 3)", 0, &["x.npy", "truncated", "96 bytes", "found 0"]),
        ("<i8", "(4, 3)", 97, &["x.npy", "too long", "96 bytes", "found 97"]),
        ("<f8", "(4, 3)", 96, &["x.npy", "integer", "<f8"]),
    ] {
        let x = s.write("x.npy", claims(descr, shape, bytes));
        s.refuses(says, &["gemm", "--x", &x, "--w", &w]);
    }
    for (descr, shape, bytes, says) in [
        ("<c8", "(5000000000, 64)", 24, &["z.npy", "5000000000"][..]),
        ("<c16", "(2, 64)", 2047, &["z.npy", "truncated", "2048 bytes", "found 2047"]),
        ("<i4", "(2, 64)", 512, &["z.npy", "complex64", "<i4"]),
        ("<c8", "(0, 64)", 0, &["z.npy", "shape [0, 64]"]),
        ("<c8", "()", 8, &["z.npy", "shape []"]),
        ("<c8", "(2, 63)", 1008, &["63 points"]),
    ] {
        let z = s.write("z.npy", claims(descr, shape, bytes));
        s.refuses(says, &["fft", "--in", &z]);
    }
}

#[test]
fn the_cause_is_named_once() {
    let s = Scratch::new();
    for arguments in [
        &["gemm", "-c", "none.toml", "--random", "1", "1", "1"][..],
        &["gemm", "--x", "none.npy", "--w", "none.npy"],
        &["fft", "--in", "none.npy"],
        &["run", "replay", "none"],
        &["run", "disasm", "none"],
        &["train", "-c", "none.toml", "-o", &s.path("never")],
        &["eval", "none"],
    ] {
        let said = text(&run(&[], arguments, &[]).stderr);
        assert_eq!(said.matches("No such file").count(), 1, "{arguments:?}: {said}");
    }
}

#[test]
fn transforms_of_every_float_type_are_alike() {
    let s = Scratch::new();
    let z = Array2::from_shape_fn((3, 16), |(i, j)| {
        Complex::new((i * 16 + j) as f64 / 64.0 - 0.5, (j as f64 - 8.0) / 16.0)
    });
    let (double, single, y) = (s.path("double.npy"), s.path("single.npy"), s.path("y.npy"));
    write_npy(&double, &z).unwrap();
    write_npy(&single, &z.mapv(|z| Complex::new(z.re as f32, z.im as f32))).unwrap();
    let fft = |file: &str| {
        let mut report = succeeds(&["fft", "--in", file]);
        report.as_object_mut().unwrap().retain(|k, _| !k.contains("wall_s") && k != "cycles_per_s");
        report
    };
    assert_eq!(fft(&double), fft(&single));
    let real = z.mapv(|z| z.re);
    write_npy(&double, &real).unwrap();
    write_npy(&single, &real.mapv(|v| v as f32)).unwrap();
    assert_eq!(fft(&double), fft(&single));
    succeeds(&["fft", "--in", &double, "-o", &y]);
}

/// docs/fft.md: 1 itself is taken as the largest value below it, and reported; nothing beyond is taken.
#[test]
fn one_is_the_largest_value_below_it() {
    let s = Scratch::new();
    let file = s.path("z.npy");
    let tops = arr2(&[[1.0, 0.0, -1.0, 1.0]]).mapv(|v| Complex::new(v, 0.0));
    write_npy(&file, &tops).unwrap();
    let with_ones = succeeds(&["fft", "--in", &file]);
    assert_eq!(with_ones["input_saturated"], 2);
    let below = tops.mapv(|z| Complex::new(f64::min(z.re, 1.0 - 2f64.powi(-15)), 0.0));
    write_npy(&file, &below).unwrap();
    let without = succeeds(&["fft", "--in", &file]);
    assert_eq!((&without["input_saturated"], &without["snr_db"]), (&0.into(), &with_ones["snr_db"]));
    for bad in [1.0 + f64::EPSILON, -1.0 - f64::EPSILON, f64::NAN, f64::INFINITY] {
        write_npy(&file, &arr1(&[0.0, 0.5, bad, 0.0]).mapv(|v| Complex::new(0.0, v))).unwrap();
        s.refuses(&["z.npy", "[2]", &format!("{bad}"), "[-1, 1]"], &["fft", "--in", &file]);
    }
}
