//! Transforms on the simulated accelerator: spectra, exponents and flags are the twin's bit for bit, all
//! counters as predicted; both are close to double precision; link stalls change nothing but time.

use crate::common::Random;
use ndarray::{Array1, Array2, ArrayD, Axis};
use num_complex::Complex;
use rustfft::FftPlanner;
use tandem_driver::{Device, Exact, FftRequest, FftResult, Offload, Points, Scaling, fft_image};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Config, Engine, Instruction, Load, Memory, RunOptions, Stall, Stream, Tokens, Transform};

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
    let response = device.run((*request).into());
    response.unwrap_or_else(|e| panic!("{}: {:?}: {e}", device.name(), request.points)).into_fft()
}

/// The transform in double precision of `sides` points along each dimension.
fn wanted(x: impl Iterator<Item = Complex<i32>>, sides: &[usize], inverse: bool) -> ArrayD<Complex<f64>> {
    let mut planner = FftPlanner::<f64>::new();
    let x: Vec<_> = x.map(|z| Complex::new(f64::from(z.re), f64::from(z.im))).collect();
    let mut y = ArrayD::from_shape_vec(sides, x).expect("as many points");
    for (axis, side) in sides.iter().enumerate() {
        let fft = if inverse { planner.plan_fft_inverse(*side) } else { planner.plan_fft_forward(*side) };
        for mut lane in y.lanes_mut(Axis(axis)) {
            let mut line = lane.to_vec();
            fft.process(&mut line);
            lane.assign(&Array1::from(line));
        }
    }
    y
}

/// Powers of the signal, and of its difference from y·2^exponent.
fn powers<'a>(
    wanted: &ArrayD<Complex<f64>>,
    y: impl Iterator<Item = &'a Complex<i32>>,
    exponent: u8,
) -> [f64; 2] {
    let unit = 2f64.powi(exponent.into());
    let noise = |(y, w): (&Complex<i32>, &Complex<f64>)| {
        (Complex::new(f64::from(y.re), f64::from(y.im)) * unit - w).norm_sqr()
    };
    [wanted.iter().map(Complex::norm_sqr).sum(), y.zip(wanted).map(noise).sum()]
}

/// 10·log10 of signal to noise against double precision.
fn snr(x: &Array2<Complex<i32>>, result: &FftResult, points: Points, inverse: bool) -> f64 {
    let sides = match points {
        Points::Line(n) => vec![n],
        Points::Tile(side) => vec![side; 2],
    };
    let (mut signal, mut noise) = (0.0, 0.0);
    for ((x, y), e) in x.outer_iter().zip(result.y.outer_iter()).zip(&result.exponents) {
        let [s, n] = powers(&wanted(x.iter().copied(), &sides, inverse), y.iter(), *e);
        (signal, noise) = (signal + s, noise + n);
    }
    10.0 * (signal / noise).log10()
}

/// Every size, direction and scaling on a unit with a link of so many bits.
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
    every_kind(1, 128, 2);
}

#[test]
fn one_sample_a_clock_on_a_narrow_link() {
    every_kind(1, 32, 1);
}

#[test]
fn two_samples_a_clock() {
    every_kind(2, 64, 2);
}

#[test]
fn four_samples_a_clock() {
    every_kind(4, 128, 8);
}

#[test]
fn eight_samples_a_clock() {
    every_kind(8, 128, 8);
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
    let (count, points) = (8u16, 256u16);
    let config = config(1, 128, 8, points.into());
    let mut sim = simulator(&config);
    for block in [false, true] {
        let tokens = Tokens { push_next: true, ..Tokens::default() };
        let words = count * points / 4;
        let load = Load {
            tokens,
            broadcast: false,
            memory: Memory::Sample,
            address: 0,
            count: words,
            words: 1,
            mask: 1,
        };
        let transform = Transform {
            tokens: Tokens { pop_prev: true, push_next: true, ..Tokens::default() },
            inverse: false,
            block,
            tile: false,
            address: 0,
            count,
            result_base: 0,
            log_points: 8,
        };
        let mut stream = Stream::new(&config);
        stream.push(&Instruction::Reset);
        stream.push_load(load, &vec![0x5a; usize::from(words) * 16]);
        stream.push(&Instruction::Transform(transform));
        stream.push(&Instruction::Read(Tokens { pop_prev: true, ..Tokens::default() }));
        let outcome = sim.run(&stream, &RunOptions::default()).expect("runs");
        let counters = outcome.packets.last().and_then(|p| p.counters()).expect("registers");
        let groups = u32::from(count) * u32::from(points);
        // read without a gap, and written without one: eight groups a result word, and the status word
        assert_eq!((counters.compute_busy, counters.span), (groups, groups), "block {block}");
        assert_eq!(counters.drain, groups / 8 + 1);
        // the TRANSFORM takes 2N + 5p + 4 + S cycles; the READ is visible in the third of them
        assert_eq!(counters.wait_store, 2 * u32::from(points) + 5 * 4 + 1 + groups);
    }
}

#[test]
fn images_larger_than_a_tile() {
    let config = config(4, 128, 8, 64);
    let mut random = Random(5);
    let x = samples(&mut random, 32, 64, 32768);
    let mut sim = Offload::new(simulator(&config), CycleModel).strict();
    let image = fft_image(&mut sim, x.view(), false, Scaling::Block).expect("fits");
    let [signal, noise] =
        powers(&wanted(x.iter().copied(), &[32, 64], false), image.y.iter(), image.exponent);
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
        device.run(request.into()).expect_err("refused").to_string()
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
    let none = crate::common::config("default");
    let mut device = Offload::new(Twin::new(&none), CycleModel);
    let request =
        FftRequest { x: x.view(), points: Points::Line(128), inverse: false, scaling: Scaling::Block };
    let says = device.run(request.into()).expect_err("refused").to_string();
    assert!(says.contains("no FFT unit"), "{says}");
}
