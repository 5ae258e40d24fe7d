//! Every filter against its definition in plain scalar code, for each border mode and type, at all sizes of images from one pixel on.

mod common;

use common::{BORDERS, Options, apply, build, doubles, filter, held, map, random_image, random_shape};
use tandem_filter::{Filter, Image, Shape};
use tandem_stimuli::Random;

/// Images of all types and borders against `wanted`, which may be off by so many steps of f32 at the image's largest value, and in whole
/// numbers by one where a rounding can fall on either side.
fn same(seed: u64, cases: usize, filter: &dyn Filter, steps: f64, wanted: impl Fn(&Image, &str) -> Vec<f64>) {
    let mut random = Random(seed);
    for case in 0..cases {
        let (of, border) = (["u8", "u16", "f32"][case % 3], BORDERS[random.below(BORDERS.len())]);
        let shape = random_shape(&mut random);
        let image = random_image(&mut random, of, shape);
        let got = doubles(&apply(filter, &image, border));
        let wanted = wanted(&image, border);
        let largest = wanted.iter().chain(&doubles(&image)).fold(0.0f64, |m, v| m.max(v.abs()));
        let slack = steps * largest * f64::from(f32::EPSILON);
        for (i, (got, exact)) in got.iter().zip(&wanted).enumerate() {
            let [low, high] = [exact - slack, exact + slack].map(|v| held(&image, v));
            assert!(
                (low..=high).contains(got),
                "seed {seed}, case {case}, {of} {:?}, {border}, sample {i}: {got} instead of {exact}",
                image.shape()
            );
        }
    }
}

fn correlation(kernel: &[&[f64]], offset: f64) -> impl Fn(&Image, &str) -> Vec<f64> {
    let kernel: Vec<Vec<f64>> = kernel.iter().map(|row| row.to_vec()).collect();
    move |image, border| {
        map(image, border, |plane, y, x| {
            let (down, along) = (kernel.len() as i64 / 2, kernel[0].len() as i64 / 2);
            let mut sum = offset;
            for (i, row) in (-down..).zip(&kernel) {
                for (j, w) in (-along..).zip(row) {
                    sum += w * plane.at(y + i, x + j);
                }
            }
            sum
        })
    }
}

#[test]
fn fir_is_a_correlation() {
    // exact in f32: whole numbers over a power of two, of u8 and u16
    let kernel: [&[f64]; 3] = [&[0.25, -0.5, 1.0, 0.125], &[2.0, 0.0, -1.0, 0.5], &[0.5, 0.25, 0.75, -0.125]];
    let text = "1/4 -.5 1 .125; 2 0 -1 .5; .5, 0.25, 3/4 -1/8";
    same(1, 60, &*filter("fir", &[("kernel", text), ("offset", "3")]), 12.0, correlation(&kernel, 3.0));
    same(2, 30, &*filter("fir", &[("kernel", text), ("method", "fft")]), 1.0, correlation(&kernel, 0.0));
    let (down, along) = ([0.2, 0.5, 0.1, -0.3, 0.4], [0.7, -0.1, 0.6]);
    let outer: Vec<Vec<f64>> = down.iter().map(|d| along.iter().map(|a| 2.0 * d * a).collect()).collect();
    let outer: Vec<&[f64]> = outer.iter().map(Vec::as_slice).collect();
    for method in ["direct", "fft"] {
        let lines =
            [("column", "0.2 0.5 0.1 -0.3 0.4"), ("row", "0.7 -0.1 0.6"), ("scale", "2"), ("method", method)];
        same(3, 40, &*filter("fir", &lines), 16.0, correlation(&outer, 0.0));
    }
}

#[test]
fn a_kernel_larger_than_the_image() {
    let row: Vec<f64> = (0..25).map(|i| f64::from(i % 7) / 64.0).collect();
    let rows: Vec<&[f64]> = vec![&row; 25];
    let text: Vec<String> = row.iter().map(ToString::to_string).collect();
    let text = vec![text.join(" "); 25].join(";");
    for (method, steps) in [("direct", 700.0), ("fft", 30.0), ("auto", 30.0)] {
        same(4, 6, &*filter("fir", &[("kernel", &text), ("method", method)]), steps, correlation(&rows, 0.0));
    }
}

#[test]
fn box_is_a_mean() {
    for (size, columns, rows) in
        [("1", 1, 1), ("3", 3, 3), ("4x2", 4, 2), ("9", 9, 9), ("41x3", 41, 3), ("6x75", 6, 75)]
    {
        let wanted = |image: &Image, border: &str| {
            map(image, border, |plane, y, x| {
                let side = |n: i64| -(n / 2)..n - n / 2;
                let sum: f64 =
                    side(rows).map(|i| side(columns).map(|j| plane.at(y + i, x + j)).sum::<f64>()).sum();
                sum / (rows * columns) as f64
            })
        };
        same(5, 24, &*filter("box", &[("size", size)]), 4.0, wanted);
    }
}

#[test]
fn median_is_the_middle_one() {
    for (size, radius) in [("1", 0), ("3", 1), ("5", 2), ("7", 3), ("13", 6)] {
        let wanted = |image: &Image, border: &str| {
            map(image, border, |plane, y, x| {
                let side = || -radius..=radius;
                let mut all: Vec<f64> =
                    side().flat_map(|i| side().map(move |j| plane.at(y + i, x + j))).collect();
                all.sort_by(f64::total_cmp);
                all[all.len() / 2]
            })
        };
        same(6, 36, &*filter("median", &[("size", size)]), 0.0, wanted);
    }
}

#[test]
fn derivatives() {
    let x: [&[f64]; 3] = [&[-1.0, 0.0, 1.0], &[-2.0, 0.0, 2.0], &[-1.0, 0.0, 1.0]];
    let y: [&[f64]; 3] = [&[-1.0, -2.0, -1.0], &[0.0, 0.0, 0.0], &[1.0, 2.0, 1.0]];
    same(7, 30, &*filter("sobel", &[("derivative", "x"), ("offset", "9")]), 16.0, correlation(&x, 9.0));
    same(8, 30, &*filter("sobel", &[("derivative", "y")]), 16.0, correlation(&y, 0.0));
    let length = |image: &Image, border: &str| {
        let (x, y) = (correlation(&x, 0.0)(image, border), correlation(&y, 0.0)(image, border));
        x.iter().zip(&y).map(|(x, y)| (x * x + y * y).sqrt()).collect()
    };
    same(9, 30, &*filter("sobel", &[]), 32.0, length);
    let four: [&[f64]; 3] = [&[0.0, 1.0, 0.0], &[1.0, -4.0, 1.0], &[0.0, 1.0, 0.0]];
    same(10, 30, &*filter("laplacian", &[]), 16.0, correlation(&four, 0.0));
    let eight: [&[f64]; 3] = [&[2.0, 0.0, 2.0], &[0.0, -8.0, 0.0], &[2.0, 0.0, 2.0]];
    same(11, 30, &*filter("laplacian", &[("size", "3"), ("scale", "0.5")]), 32.0, |image, border| {
        correlation(&eight, 0.0)(image, border).iter().map(|v| v / 2.0).collect()
    });
}

/// Weights of a Gaussian up to 4σ, sum 1.
fn gaussian(sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma).ceil() as i64;
    let weights: Vec<f64> =
        (-radius..=radius).map(|n| (-(n * n) as f64 / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

#[test]
fn gaussian_weights() {
    for (sigma, text) in [(0.3, "0.3"), (0.8, "0.8"), (2.5, "2.5")] {
        let line = gaussian(sigma);
        let outer: Vec<Vec<f64>> = line.iter().map(|d| line.iter().map(|a| d * a).collect()).collect();
        let outer: Vec<&[f64]> = outer.iter().map(Vec::as_slice).collect();
        for method in ["fir", "fft"] {
            same(
                12,
                18,
                &*filter("gaussian", &[("sigma", text), ("method", method)]),
                16.0,
                correlation(&outer, 0.0),
            );
        }
    }
}

#[test]
fn bilateral_weighs_by_value() {
    let (sigma, range) = (1.3, 20.0);
    let line = gaussian(sigma);
    let wanted = |image: &Image, border: &str| {
        let radius = line.len() as i64 / 2;
        map(image, border, |plane, y, x| {
            let (mut sum, mut total, own) = (0.0, 0.0, plane.at(y, x));
            for (i, a) in (-radius..).zip(&line) {
                for (j, b) in (-radius..).zip(&line) {
                    let v = plane.at(y + i, x + j);
                    let w = a * b * (-(v - own).powi(2) / (2.0 * range * range)).exp();
                    (sum, total) = (sum + w * v, total + w);
                }
            }
            sum / total
        })
    };
    same(
        13,
        18,
        &*filter("bilateral", &[("sigma", "1.3"), ("range", "20"), ("method", "exact")]),
        32.0,
        wanted,
    );
}

/// A pyramid by its definition: smoothed, every other one; zeros between, smoothed, times four.
mod pyramid {
    use super::common::{Plane, grey};
    use tandem_filter::Samples;

    pub struct Level(pub usize, pub usize, pub Vec<f64>);

    const TAPS: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

    fn plane(Level(height, width, v): &Level, border: &str) -> Plane {
        let mut plane = Plane::new(&grey(*height, *width, vec![0.0; v.len()]), 0, border);
        plane.v.clone_from(v);
        plane
    }

    pub fn down(level: &Level, border: &str) -> Level {
        let (height, width) = (level.0.div_ceil(2), level.1.div_ceil(2));
        let plane = plane(level, border);
        let at = |y: usize, x: usize| {
            let tap = |i: i64, j: i64| TAPS[(i + 2) as usize] * TAPS[(j + 2) as usize] / 256.0;
            let side = || -2..=2i64;
            side()
                .flat_map(|i| side().map(move |j| (i, j)))
                .map(|(i, j)| tap(i, j) * plane.at(2 * y as i64 + i, 2 * x as i64 + j))
                .sum::<f64>()
        };
        let v = (0..height * width).map(|i| at(i / width, i % width)).collect();
        Level(height, width, v)
    }

    pub fn up(level: &Level, height: usize, width: usize, border: &str) -> Level {
        let plane = plane(level, border);
        let at = |y: i64, x: i64| {
            let mut sum = 0.0;
            for i in -2..=2i64 {
                for j in -2..=2i64 {
                    // only even places hold a value
                    if (y + i) % 2 == 0 && (x + j) % 2 == 0 {
                        let w = TAPS[(i + 2) as usize] * TAPS[(j + 2) as usize] / 64.0;
                        sum += w * plane.at((y + i).div_euclid(2), (x + j).div_euclid(2));
                    }
                }
            }
            sum
        };
        let v = (0..height * width).map(|i| at((i / width) as i64, (i % width) as i64)).collect();
        Level(height, width, v)
    }

    pub fn values(samples: &Samples) -> Vec<f64> {
        let Samples::F32(v) = samples else { panic!("f32") };
        v.iter().map(|v| f64::from(*v)).collect()
    }
}

#[test]
fn local_laplacian_is_a_remapped_pyramid_for_each_coefficient() {
    use pyramid::{Level, down, up};
    let (height, width, range, amount) = (19, 14, 12.0, 0.8);
    let image = common::grey(height, width, common::scene(height, width));
    for border in ["reflect", "reflect-101", "replicate", "wrap"] {
        let first = || Level(height, width, pyramid::values(image.samples()));
        let levels = |first: Level| {
            let second = down(&first, border);
            let third = down(&second, border);
            [first, second, third]
        };
        let guide = levels(first());
        let coefficient = |l: usize, i: usize| {
            let g = guide[l].2[i];
            let remap = |v: &f64| v + amount * (v - g) * (-(v - g).powi(2) / (2.0 * range * range)).exp();
            let all = levels(Level(height, width, first().2.iter().map(remap).collect()));
            all[l].2[i] - up(&all[l + 1], all[l].0, all[l].1, border).2[i]
        };
        let sum = |l: usize, coarse: &Level| {
            let coarse = up(coarse, guide[l].0, guide[l].1, border);
            let v = coarse.2.iter().enumerate().map(|(i, v)| v + coefficient(l, i)).collect();
            Level(guide[l].0, guide[l].1, v)
        };
        let wanted = sum(0, &sum(1, &guide[2])).2;
        let options = [("range", "12"), ("amount", "0.8"), ("levels", "2"), ("tolerance", "1e-5")];
        let ours = filter("local-laplacian", &options);
        let exact = apply(&*ours.exact(), &image, border);
        for ((got, exact), wanted) in
            doubles(&apply(&*ours, &image, border)).iter().zip(doubles(&exact)).zip(&wanted)
        {
            assert!((exact - wanted).abs() < 1e-4, "{border}: exact {exact} instead of {wanted}");
            assert!((got - wanted).abs() < 2e-2, "{border}: {got} instead of {wanted}");
        }
    }
}

#[test]
fn exact_filters_are_what_fast_ones_mean() {
    let mut random = Random(14);
    let kinds: [(&str, Options<'_>); 7] = [
        ("gaussian", &[("sigma", "0.9"), ("method", "fir")]),
        ("box", &[("size", "5x3")]),
        ("sobel", &[]),
        ("sobel", &[("derivative", "y"), ("size", "5")]),
        ("laplacian", &[("size", "7"), ("scale", "1/128")]),
        ("fir", &[("kernel", "1 2;3 4"), ("scale", "0.1"), ("offset", "7")]),
        ("median", &[("size", "5")]),
    ];
    for (name, parameters) in kinds {
        for border in BORDERS {
            let image = random_image(&mut random, "f32", Shape { height: 21, width: 34, channels: 2 });
            let ours = filter(name, parameters);
            let (got, exact) = (apply(&*ours, &image, border), apply(&*ours.exact(), &image, border));
            // weights up to 4σ leave out 6·10⁻⁵ of the Gaussian
            let most = if name == "gaussian" { 0.05 } else { 0.02 };
            let difference = got.largest_difference(&exact);
            assert!(difference < most, "{name} {parameters:?} {border}: {difference}");
        }
    }
}

#[test]
fn what_a_filter_cannot_be() {
    let bad: [(&str, Options<'_>, &str); 22] = [
        ("blur", &[], "unknown filter `blur`: expected one of gaussian"),
        ("gaussian", &[], "gaussian needs sigma"),
        ("gaussian", &[("sigma", "0")], "sigma = 0: expected more than 0"),
        ("gaussian", &[("sigma", "-1")], "sigma = -1: expected more than 0"),
        ("gaussian", &[("sigma", "NaN")], "sigma = NaN: expected more than 0"),
        ("gaussian", &[("sigma", "inf")], "sigma = inf: expected more than 0"),
        ("gaussian", &[("sigma", "2"), ("terms", "5")], "terms = 5: expected 2 to 4"),
        ("gaussian", &[("sigma", "2"), ("method", "iir")], "method = iir: expected one of auto, fir"),
        (
            "gaussian",
            &[("sigma", "2"), ("size", "3")],
            "gaussian has no parameter `size`: expected one of sigma",
        ),
        ("box", &[("size", "0")], "size = 0: expected N or COLUMNSxROWS"),
        ("box", &[("size", "3x")], "size = 3x: expected N or COLUMNSxROWS"),
        ("median", &[("size", "4")], "size = 4: expected an odd number"),
        ("median", &[("size", "257")], "size = 257: expected 1 to 255"),
        ("sobel", &[("size", "4")], "size = 4: expected one of 3, 5, 7"),
        ("fir", &[], "fir needs kernel, or row and column"),
        ("fir", &[("kernel", "1 2; 3")], "kernel = 1 2; 3: expected at most 4096 rows of equal length"),
        ("fir", &[("kernel", "1 x")], "kernel = 1 x: expected 1 to 4096 numbers or fractions"),
        ("fir", &[("kernel", "1/0")], "kernel = 1/0: expected"),
        ("fir", &[("kernel", "")], "kernel = : expected"),
        ("fir", &[("kernel", "1"), ("row", "1")], "expected either kernel, or row and column"),
        ("bilateral", &[("sigma", "2"), ("range", "0")], "range = 0: expected more than 0"),
        ("local-laplacian", &[("range", "2"), ("amount", "-2")], "amount = -2: expected -1 to 100"),
    ];
    for (name, parameters, says) in bad {
        let error = build(name, parameters).err().unwrap_or_else(|| panic!("{name} {parameters:?} is taken"));
        assert!(error.to_string().contains(says), "{name} {parameters:?}: {error}");
    }
}
