//! How close the fast filters are, and that nothing but the image decides about the result.

mod common;

use common::{BORDERS, Options, apply, border, doubles, filter, grey, random_image, scene};
use tandem_filter::{FilterError, Image, Samples, Shape, psnr_db};
use tandem_stimuli::Random;

/// PSNR in dB that the terms of docs/filters.md reach.
const LEAST: [(&str, f64); 3] = [("2", 88.0), ("3", 110.0), ("4", 125.0)];

#[test]
fn sliding_dct_is_close_to_the_gaussian() {
    let image = grey(270, 480, scene(270, 480));
    for sigma in ["1", "2", "3.7", "8", "32"] {
        for (terms, least) in LEAST {
            let ours = filter("gaussian", &[("sigma", sigma), ("terms", terms), ("method", "sliding-dct")]);
            for border in ["reflect-101", "constant:100"] {
                let (got, exact) = (apply(&*ours, &image, border), apply(&*ours.exact(), &image, border));
                let db = psnr_db(&got, &exact, 255.0);
                assert!(db >= least, "sigma {sigma}, {terms} terms, {border}: {db:.1} dB");
            }
        }
    }
}

/// Pictures of 8 bits differ in so few pixels, by 1, that they are 80 dB from the exact ones.
#[test]
fn written_pictures_are_close() {
    let shape = Shape { height: 270, width: 480, channels: 1 };
    let bytes = scene(270, 480).into_iter().map(|v| v as u8).collect();
    let image = Image::new(shape, Samples::U8(bytes)).expect("valid");
    for sigma in ["2", "8", "32"] {
        let ours = filter("gaussian", &[("sigma", sigma), ("method", "sliding-dct")]);
        let (got, exact) =
            (apply(&*ours, &image, "reflect-101"), apply(&*ours.exact(), &image, "reflect-101"));
        let db = psnr_db(&got, &exact, 255.0);
        assert!(db >= 80.0, "sigma {sigma}: {db:.1} dB");
    }
}

#[test]
fn sliding_dct_keeps_constants_in_every_mode() {
    for of in [0.1f32, 77.7, 1e6] {
        let image = grey(45, 91, vec![of; 45 * 91]);
        for mode in ["reflect", "reflect-101", "replicate", "wrap"] {
            for sigma in ["1.5", "20", "100"] {
                let got =
                    apply(&*filter("gaussian", &[("sigma", sigma), ("method", "sliding-dct")]), &image, mode);
                let most = doubles(&got).iter().fold(0.0f64, |m, v| m.max((v - f64::from(of)).abs()));
                assert!(most <= 4e-6 * f64::from(of), "{of}, {mode}, sigma {sigma}: off by {most}");
            }
        }
    }
}

/// After 8192 pixels the recurrence is as good as after 100: what is left of the approximation's error is that of the same
/// pixels in a short row.
#[test]
fn rows_do_not_drift() {
    let mut random = Random(3);
    let (long, short) = (8192, 1024);
    let row: Vec<f32> = (0..long).map(|_| random.below(1 << 24) as f32 / 65536.0).collect();
    for sigma in ["2", "8", "32"] {
        let ours = filter("gaussian", &[("sigma", sigma), ("method", "sliding-dct"), ("terms", "3")]);
        let all = doubles(&apply(&*ours, &grey(1, long, row.clone()), "reflect-101"));
        // the end of the long row as a row of its own: its start is other, its end the same
        let end = doubles(&apply(&*ours, &grey(1, short, row[long - short..].to_vec()), "reflect-101"));
        let most =
            all[long - 512..].iter().zip(&end[short - 512..]).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        // 90 dB of 255
        assert!(most < 8e-3, "sigma {sigma}: {most} apart after {long} pixels");
        // and down a column
        let down = doubles(&apply(&*ours, &grey(long, 1, row.clone()), "reflect-101"));
        let most = all.iter().zip(&down).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        assert!(most < 1e-3, "sigma {sigma}: rows and columns are {most} apart");
    }
}

#[test]
fn bilateral_series_is_close() {
    let image = grey(150, 200, scene(150, 200));
    for (sigma, range) in [("3", "30"), ("8", "30"), ("2", "15"), ("5", "200")] {
        for border in ["reflect-101", "wrap", "constant:20"] {
            let ours = filter("bilateral", &[("sigma", sigma), ("range", range)]);
            let (got, exact) = (apply(&*ours, &image, border), apply(&*ours.exact(), &image, border));
            let db = psnr_db(&got, &exact, 255.0);
            assert!(db >= 45.0, "sigma {sigma}, range {range}, {border}: {db:.1} dB");
        }
    }
}

#[test]
fn local_laplacian_series_is_close() {
    let image = grey(60, 72, scene(60, 72));
    for (range, amount) in [("20", "1"), ("35", "-0.7"), ("10", "2")] {
        for border in BORDERS {
            let ours = filter("local-laplacian", &[("range", range), ("amount", amount), ("levels", "3")]);
            let (got, exact) = (apply(&*ours, &image, border), apply(&*ours.exact(), &image, border));
            let db = psnr_db(&got, &exact, 255.0);
            assert!(db >= 45.0, "range {range}, amount {amount}, {border}: {db:.1} dB");
        }
    }
}

/// One of each filter and method, for values of 8 bits.
const EACH: [(&str, Options<'_>); 13] = [
    ("gaussian", &[("sigma", "3"), ("method", "sliding-dct")]),
    ("gaussian", &[("sigma", "3"), ("method", "fir")]),
    ("gaussian", &[("sigma", "3"), ("method", "fft")]),
    ("box", &[("size", "9")]),
    ("sobel", &[]),
    ("laplacian", &[]),
    ("fir", &[("kernel", "1 2 1;2 4 2;1 2 1"), ("scale", "1/16")]),
    ("median", &[("size", "3")]),
    ("median", &[("size", "5")]),
    ("median", &[("size", "9")]),
    ("bilateral", &[("sigma", "3"), ("range", "30")]),
    ("bilateral", &[("sigma", "1"), ("range", "30"), ("method", "exact")]),
    ("local-laplacian", &[("range", "30")]),
];

#[test]
fn threads_change_nothing() {
    let mut random = Random(8);
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    for of in ["u8", "u16", "f32"] {
        let image = random_image(&mut random, of, Shape { height: 150, width: 217, channels: 3 });
        for (name, parameters) in EACH {
            let wider = |(n, v): &(&'static str, &'static str)| {
                (*n, if *n == "range" && of == "u16" { "8000" } else { v })
            };
            let parameters: Vec<_> = parameters.iter().map(wider).collect();
            let ours = filter(name, &parameters);
            let [one, three] = [1, 3].map(|n| pool(n).install(|| apply(&*ours, &image, "reflect")));
            assert!(one == three, "{name} {parameters:?} {of}");
        }
    }
}

/// Numbers below 10⁻²⁵ are 0 where sums are made: of them, and of denormal ones, comes nothing, and no denormal number. (Spectra are of
/// f64, in which they are ordinary numbers.)
#[test]
fn tiny_numbers_count_as_zero() {
    let (height, width) = (37, 70);
    let tiny = [f32::MIN_POSITIVE / 8.0, 1e-30, -3e-39, 9e-26];
    let image = |scale: f32| {
        let at = |i: usize| if i.is_multiple_of(11) { scale } else { tiny[i % 4] };
        grey(height, width, (0..height * width).map(at).collect())
    };
    let zeros = |scale: f32| {
        let at = |i: usize| if i.is_multiple_of(11) { scale } else { 0.0 };
        grey(height, width, (0..height * width).map(at).collect())
    };
    let others = ["median", "bilateral", "local-laplacian"];
    let in_single = |parameters: Options<'_>| !parameters.contains(&("method", "fft"));
    for (name, parameters) in EACH.iter().filter(|(name, p)| !others.contains(name) && in_single(p)) {
        let ours = filter(name, parameters);
        let got = doubles(&apply(&*ours, &image(0.0), "reflect"));
        assert!(got.iter().all(|v| *v == 0.0), "{name} {parameters:?}");
        let (got, exact) = (apply(&*ours, &image(1e-3), "wrap"), apply(&*ours, &zeros(1e-3), "wrap"));
        assert!(got == exact, "{name} {parameters:?}");
        let denormal = |v: &f64| *v != 0.0 && v.abs() < f64::from(f32::MIN_POSITIVE);
        assert!(!doubles(&got).iter().any(denormal), "{name} {parameters:?}");
    }
}

/// Channels do not meet: each is filtered as if it were alone.
#[test]
fn channels_are_apart() {
    let mut random = Random(9);
    for channels in 2..=4 {
        let shape = Shape { height: 33, width: 40, channels };
        let image = random_image(&mut random, "u8", shape);
        let Samples::U8(v) = image.samples() else { unreachable!() };
        for (name, parameters) in EACH {
            let ours = filter(name, parameters);
            let all = doubles(&apply(&*ours, &image, "replicate"));
            for channel in 0..channels {
                let alone = v[channel..].iter().step_by(channels).copied().collect();
                let alone = Image::new(Shape { channels: 1, ..shape }, Samples::U8(alone)).expect("valid");
                // the series' period follows the range of all channels
                let slack = if name == "bilateral" || name == "local-laplacian" { 1.0 } else { 0.0 };
                let alone = doubles(&apply(&*ours, &alone, "replicate"));
                for (a, b) in all[channel..].iter().step_by(channels).zip(&alone) {
                    assert!((a - b).abs() <= slack, "{name} {parameters:?}: {a} and {b}");
                }
            }
        }
    }
}

#[test]
fn every_filter_takes_the_smallest_images() {
    for (height, width) in [(1, 1), (1, 200), (200, 1), (2, 3)] {
        for (name, parameters) in EACH {
            for mode in BORDERS {
                let image = grey(height, width, scene(height, width));
                let got = filter(name, parameters).apply(&image, border(mode)).expect("a result");
                assert_eq!(got.shape(), image.shape());
                assert!(
                    doubles(&got).iter().all(|v| v.is_finite()),
                    "{name} {parameters:?} {mode} {height}×{width}"
                );
            }
        }
    }
}

#[test]
fn what_an_image_cannot_be() {
    let shape = |height, width, channels| Shape { height, width, channels };
    let made = |s: Shape, n: usize| Image::new(s, Samples::U8(vec![0; n]));
    for (s, n) in [
        (shape(0, 0, 1), 0),
        (shape(0, 5, 1), 0),
        (shape(5, 0, 1), 0),
        (shape(2, 2, 0), 0),
        (shape(2, 2, 5), 20),
        (shape(2, 2, 1), 5),
    ] {
        assert!(matches!(made(s, n), Err(FilterError::Shape { .. })), "{s:?}");
    }
    let huge = shape(usize::MAX, usize::MAX, 4);
    assert!(matches!(made(huge, 0), Err(FilterError::Shape { .. })));
    let bad = Image::new(shape(2, 2, 1), Samples::F32(vec![0.0, 1.0, f32::NAN, 2.0]));
    assert!(matches!(bad, Err(FilterError::NotFinite { row: 1, column: 0, .. })), "{bad:?}");
}
