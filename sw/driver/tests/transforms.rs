//! Transforms through programs on the twin, on the host, and against double precision.

use ndarray::Array2;
use num_complex::Complex;
use proptest::prelude::*;
use std::f64::consts::TAU;
use tandem_driver::{Device, Exact, FftRequest, FftResult, Offload, Points, Scaling};
use tandem_model::{CycleModel, Twin};
use tandem_spec::Config;

fn config(samples: usize, link: usize, drain: usize, depth: usize, result: usize) -> Config {
    let text = format!(
        "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain={drain}\n\
         [memory]\nrow_depth=8\ncol_depth=8\nresult_depth={result}\n[link]\nbits={link}\n\
         [fft]\npoints=256\nsamples={samples}\ndepth={depth}\n"
    );
    Config::from_toml("transforms", &text).expect("valid")
}

/// The sum itself, along one line or along both dimensions of a tile.
fn sum(x: &[Complex<f64>], points: Points, inverse: bool) -> Vec<Complex<f64>> {
    let sign = if inverse { 1.0 } else { -1.0 };
    let n = x.len();
    let turn = |k: usize, i: usize| match points {
        Points::Line(n) => (k * i % n) as f64 / n as f64,
        Points::Tile(f) => ((k / f) * (i / f) % f + (k % f) * (i % f) % f) as f64 / f as f64,
    };
    (0..n).map(|k| (0..n).map(|i| x[i] * Complex::cis(sign * TAU * turn(k, i))).sum()).collect()
}

fn worst_error(x: &Array2<Complex<i32>>, result: &FftResult, points: Points, inverse: bool) -> f64 {
    let float = |z: &Complex<i32>| Complex::new(f64::from(z.re), f64::from(z.im));
    let mut worst = 0f64;
    for ((x, y), e) in x.outer_iter().zip(result.y.outer_iter()).zip(&result.exponents) {
        let line: Vec<_> = x.iter().map(float).collect();
        let unit = 2f64.powi((*e).into());
        for (y, wanted) in y.iter().zip(sum(&line, points, inverse)) {
            worst = worst.max((float(y) - wanted / unit).norm());
        }
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn programs_give_what_the_host_gives(
        unit in prop::sample::select(vec![
            (1, 128, 1, 64, 512), (1, 8, 8, 256, 64), (2, 64, 4, 256, 256), (4, 128, 8, 256, 256), (8, 128, 8, 512, 512),
        ]),
        points in prop::sample::select(vec![
            Points::Line(4), Points::Line(8), Points::Line(64), Points::Line(128), Points::Line(256), Points::Tile(4),
            Points::Tile(8), Points::Tile(16),
        ]),
        transforms in 1usize..40,
        inverse: bool,
        block: bool,
        seed: u64,
    ) {
        let (samples, link, drain, depth, result) = unit;
        let config = config(samples, link, drain, depth, result);
        let mut state = seed | 1;
        let mut part = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 48) as i32 - 32768
        };
        let x = Array2::from_shape_simple_fn((transforms, points.count()), || Complex::new(part(), part()));
        let scaling = if block { Scaling::Block } else { Scaling::Scaled };
        let request = FftRequest { x: x.view(), points, inverse, scaling };
        let mut offload = Offload::new(Twin::checked(&config), CycleModel).strict();
        let ran = offload.run(request.into()).unwrap().into_fft();
        prop_assert_eq!(offload.engine().hazards(), []);
        let host = Exact::new(config, CycleModel).run(request.into()).unwrap().into_fft();
        prop_assert_eq!(&ran.y, &host.y);
        prop_assert_eq!((&ran.exponents, &ran.saturated), (&host.exponents, &host.saturated));
        prop_assert_eq!(ran.cost, host.cost);
        prop_assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles);
        // the output's rounding, and the passes' at a quarter (less in block scaling), in either part
        let error = worst_error(&x, &ran, points, inverse);
        prop_assert!(error < 2.0 || ran.saturated.contains(&true), "{}", error);
    }
}
