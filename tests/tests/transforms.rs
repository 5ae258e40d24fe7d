//! Transforms on the simulated accelerator: spectra, exponents and flags are the twin's bit for bit, all
//! counters as predicted; both are close to double precision; link stalls change nothing but time.

mod common;

use common::Random;
use ndarray::Array2;
use num_complex::Complex;
use rustfft::FftPlanner;
use tandem_driver::{Device, Exact, FftRequest, FftResult, Offload, Points, Scaling, fft_image};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Config, RunOptions, Stall};

/// `samples`, link bits, drain, sample words of 4 to 4,096 points.
const UNITS: [(usize, usize, usize); 5] = [(1, 128, 2), (1, 32, 1), (2, 64, 2), (4, 128, 8), (8, 128, 8)];

fn config(samples: usize, link: usize, drain: usize, points: usize) -> Config {
    let text = format!(
        "[array]\nrows=2\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain={drain}\n\
         [memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8192\n[link]\nbits={link}\n\
         [fft]\npoints={points}\nsamples={samples}\ndepth=8192\n"
    );
    Config::from_toml("transforms", &text).expect("valid")
}

fn simulator(config: &Config) -> Sim {
    Sim::new(config, &SimOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Random samples of 16 bits, at most `amplitude` in either part.
fn samples(random: &mut Random, transforms: usize, points: usize, amplitude: i32) -> Array2<Complex<i32>> {
    let mut part = || random.below(2 * amplitude as usize) as i32 - amplitude;
    Array2::from_shape_simple_fn((transforms, points), || Complex::new(part(), part()))
}

fn transform(device: &mut dyn Device, request: &FftRequest<'_>) -> FftResult {
    device.fft(request).unwrap_or_else(|e| panic!("{}: {:?}: {e}", device.name(), request.points))
}

/// 10·log10 of signal to noise against double precision.
fn snr(x: &Array2<Complex<i32>>, result: &FftResult, points: Points, inverse: bool) -> f64 {
    let mut planner = FftPlanner::<f64>::new();
    let mut plan = |n| if inverse { planner.plan_fft_inverse(n) } else { planner.plan_fft_forward(n) };
    let (mut signal, mut noise) = (0.0, 0.0);
    for ((x, y), e) in x.outer_iter().zip(result.y.outer_iter()).zip(&result.exponents) {
        let mut wanted: Vec<_> = x.iter().map(|z| Complex::new(f64::from(z.re), f64::from(z.im))).collect();
        match points {
            Points::Line(n) => plan(n).process(&mut wanted),
            Points::Tile(side) => {
                let fft = plan(side);
                fft.process(&mut wanted);
                let mut turned = wanted.clone();
                for (i, z) in wanted.iter().enumerate() {
                    turned[i % side * side + i / side] = *z;
                }
                fft.process(&mut turned);
                for (i, z) in turned.iter().enumerate() {
                    wanted[i % side * side + i / side] = *z;
                }
            }
        }
        let unit = 2f64.powi((*e).into());
        for (y, w) in y.iter().zip(&wanted) {
            signal += w.norm_sqr();
            noise += (Complex::new(f64::from(y.re), f64::from(y.im)) * unit - w).norm_sqr();
        }
    }
    10.0 * (signal / noise).log10()
}

/// Every size, direction and scaling on one unit.
fn every_kind(samples_a_clock: usize, link: usize, drain: usize) {
    let config = config(samples_a_clock, link, drain, 4096);
    let mut sim = Offload::new(simulator(&config), CycleModel).strict();
    let mut twin = Offload::new(Twin::new(&config), CycleModel).strict();
    let mut exact = Exact::new(config.clone(), CycleModel);
    let mut random = Random(samples_a_clock as u64);
    let lines = (2..=12).map(|log| Points::Line(1 << log));
    for points in lines.chain([4, 8, 16].map(Points::Tile)) {
        for (inverse, scaling) in [
            (false, Scaling::Scaled),
            (false, Scaling::Block),
            (true, Scaling::Scaled),
            (true, Scaling::Block),
        ] {
            // more than a batch, and a last one that is not full; so many that memories are used again
            let transforms = samples_a_clock + 1 + random.below(40_000 / points.count() / 4).min(70);
            let x = samples(&mut random, transforms, points.count(), 32768);
            let request = FftRequest { x: x.view(), points, inverse, scaling };
            let ran = transform(&mut sim, &request);
            let name = format!("{transforms} × {points:?}, inverse {inverse}, {scaling:?}");
            for other in [transform(&mut twin, &request), transform(&mut exact, &request)] {
                assert_eq!(ran.y, other.y, "{name}");
                assert_eq!((&ran.exponents, &ran.saturated), (&other.exponents, &other.saturated), "{name}");
                assert_eq!(ran.cost, other.cost, "{name}");
            }
            assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{name}");
            // full scale: docs/fft.md, "Noise"; `scaled` loses 3 dB each time N doubles
            let least = match scaling {
                Scaling::Scaled => 94.0 - 10.0 * (points.count() as f64).log10(),
                Scaling::Block => 78.0,
            };
            let db = snr(&x, &ran, points, inverse);
            assert!(db >= least, "{name}: {db:.1} dB");
        }
    }
}

#[test]
fn one_sample_a_clock() {
    every_kind(UNITS[0].0, UNITS[0].1, UNITS[0].2);
}

#[test]
fn one_sample_a_clock_on_a_narrow_link() {
    every_kind(UNITS[1].0, UNITS[1].1, UNITS[1].2);
}

#[test]
fn two_samples_a_clock() {
    every_kind(UNITS[2].0, UNITS[2].1, UNITS[2].2);
}

#[test]
fn four_samples_a_clock() {
    every_kind(UNITS[3].0, UNITS[3].1, UNITS[3].2);
}

#[test]
fn eight_samples_a_clock() {
    every_kind(UNITS[4].0, UNITS[4].1, UNITS[4].2);
}

#[test]
fn stalls_of_the_link_change_only_time() {
    let config = config(2, 128, 4, 256);
    let mut random = Random(7);
    let x = samples(&mut random, 37, 64, 32768);
    let request =
        FftRequest { x: x.view(), points: Points::Tile(8), inverse: false, scaling: Scaling::Block };
    let free = transform(&mut Offload::new(Twin::new(&config), CycleModel), &request);
    for seed in 1..=4 {
        let options = RunOptions {
            stall_in: Stall::random(seed, 30),
            stall_out: Stall::random(seed + 100, 50),
            ..RunOptions::default()
        };
        let mut sim = Offload::new(simulator(&config), CycleModel).with_options(options.clone());
        let mut twin = Offload::new(Twin::new(&config), CycleModel).with_options(options);
        let (ran, stepped) = (transform(&mut sim, &request), transform(&mut twin, &request));
        assert_eq!(ran.y, free.y);
        assert_eq!((ran.y, ran.exponents), (stepped.y, stepped.exponents));
        assert_eq!(ran.cost, stepped.cost, "seed {seed}");
        assert!(ran.cost.cycles > free.cost.cycles);
    }
}

#[test]
fn batches_follow_each_other_every_n_cycles() {
    let config = config(1, 128, 8, 256);
    let mut sim = Offload::new(simulator(&config), CycleModel).strict();
    let mut random = Random(3);
    let x = samples(&mut random, 24, 256, 32768);
    for scaling in [Scaling::Scaled, Scaling::Block] {
        let request = FftRequest { x: x.view(), points: Points::Line(256), inverse: false, scaling };
        let cost = transform(&mut sim, &request).cost;
        assert_eq!(cost.compute_busy, 24 * 256);
    }
}

#[test]
fn images_larger_than_a_tile() {
    let config = config(4, 128, 8, 64);
    let mut random = Random(5);
    let x = samples(&mut random, 32, 64, 32768);
    let mut sim = Offload::new(simulator(&config), CycleModel).strict();
    let image = fft_image(&mut sim, x.view(), false, Scaling::Block).expect("fits");
    let mut planner = FftPlanner::<f64>::new();
    let mut wanted = x.mapv(|z| Complex::new(f64::from(z.re), f64::from(z.im)));
    for axis in [1, 0] {
        for mut lane in wanted.lanes_mut(ndarray::Axis(axis)) {
            let mut line = lane.to_vec();
            planner.plan_fft_forward(line.len()).process(&mut line);
            lane.assign(&ndarray::Array1::from(line));
        }
    }
    let unit = 2f64.powi(image.exponent.into());
    let (mut signal, mut noise) = (0.0, 0.0);
    for (y, w) in image.y.iter().zip(&wanted) {
        signal += w.norm_sqr();
        noise += (Complex::new(f64::from(y.re), f64::from(y.im)) * unit - w).norm_sqr();
    }
    assert!(10.0 * f64::log10(signal / noise) > 74.0);
    assert_eq!(image.saturated, 0);
}

#[test]
fn what_a_unit_cannot_do_is_refused() {
    let config = config(4, 128, 8, 64);
    let mut device = Offload::new(Twin::new(&config), CycleModel);
    let x = Array2::from_elem((1, 128), Complex::new(1, 1));
    let mut refusal = |x: &Array2<Complex<i32>>, points| {
        let request = FftRequest { x: x.view(), points, inverse: false, scaling: Scaling::Block };
        device.fft(&request).expect_err("refused").to_string()
    };
    let says = refusal(&x, Points::Line(128));
    assert!(says.contains("128 points") && says.contains("4 to 64"), "{says}");
    let says = refusal(&x, Points::Line(64));
    assert!(says.contains("128 columns"), "{says}");
    let wide = Array2::from_elem((1, 64), Complex::new(0, 32768));
    let says = refusal(&wide, Points::Line(64));
    assert!(says.contains("X[0, 0]") && says.contains("32768"), "{says}");
    let says = refusal(&wide, Points::Tile(16));
    assert!(says.contains("16×16"), "{says}");
    let none = common::config("default");
    let mut device = Offload::new(Twin::new(&none), CycleModel);
    let request =
        FftRequest { x: x.view(), points: Points::Line(128), inverse: false, scaling: Scaling::Block };
    let says = device.fft(&request).expect_err("refused").to_string();
    assert!(says.contains("no FFT unit"), "{says}");
}
