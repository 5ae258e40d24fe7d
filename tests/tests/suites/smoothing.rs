//! The Gaussian unit: lines on twin and simulated accelerator bit for bit, cycles as predicted; close to the Gaussian that its window
//! stands for, however long the rows are; what no accelerator takes is refused.

use crate::common::{Random, config};
use ndarray::{Array1, Array2, ArrayView2};
use std::f64::consts::TAU;
use tandem_driver::{
    Cost, Device, Exact, Offload, SmoothProblem, SmoothRequest, cosine_window, gaussian::RESULT_FRACTION,
    smooth_image,
};
use tandem_filter::Cosines;
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::engine::CosineWindow;
use tandem_spec::{Config, StoreWidth};

fn accelerator(gaussian: &str, link: usize, rest: &str) -> Config {
    let text = format!(
        "[array]\nrows=2\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth=64\n\
         [link]\nbits={link}\n{rest}[gaussian]\n{gaussian}"
    );
    Config::from_toml("smoothing", &text).expect("valid")
}

fn smooth(device: &mut dyn Device, request: &SmoothRequest<'_>) -> (Array2<i32>, Cost) {
    let response = device.run((*request).into());
    let result = response.unwrap_or_else(|e| panic!("{}: {e}", device.name())).into_smooth();
    (result.y, result.cost)
}

/// The window of a Gaussian, as real numbers and as coefficients.
fn window(sigma: f64, terms: usize) -> (Cosines, CosineWindow) {
    let cosines = Cosines::gaussian(sigma, terms);
    let fixed = cosine_window(cosines.radius as u8, cosines.mean, &cosines.weights);
    (cosines, fixed)
}

fn pixels(random: &mut Random, lines: usize, pixels: usize) -> Array2<i16> {
    Array2::from_shape_simple_fn((lines, pixels), || random.i16())
}

#[test]
fn lines_are_alike_on_every_engine() {
    let accelerators = [
        accelerator("pixels=1\nradius=12\nterms=2\ndepth=32\n", 128, ""),
        accelerator("pixels=8\nradius=40\nterms=4\ndepth=16\n", 32, ""),
        accelerator("pixels=2\nradius=255\ndepth=256\n", 8, "[control]\npack=true\n"),
    ];
    let mut random = Random(11);
    for config in accelerators {
        let unit = config.gaussian.clone().expect("a unit");
        let simulator = Sim::new(&config, &SimOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let mut devices: [Box<dyn Device>; 3] = [
            Box::new(Exact::new(config.clone(), CycleModel)),
            Box::new(Offload::new(Twin::new(&config), CycleModel)),
            Box::new(Offload::new(simulator, CycleModel)),
        ];
        for (lines, results, width, shift) in [
            (1, 1, StoreWidth::S32, 0),
            (3 * unit.lines() - 1, 57, StoreWidth::S16, 12),
            (unit.lines(), 130, StoreWidth::S8, 19),
            (unit.lines() + 1, 9, StoreWidth::S16, 3),
        ] {
            let radius = 1 + random.below(unit.radius);
            let angle = TAU / (2 * radius + 1) as f64;
            let weights: Vec<f64> =
                (0..unit.terms).map(|_| angle * random.below(100) as f64 / 400.0).collect();
            let window = cosine_window(radius as u8, angle / TAU, &weights);
            let lines = pixels(&mut random, lines, results + 2 * radius);
            let request = SmoothRequest { lines: lines.view(), window, width, shift };
            let [fast, twin, sim] = devices.each_mut().map(|d| smooth(&mut **d, &request));
            assert_eq!(fast.0, twin.0, "{unit:?} radius {radius}");
            assert_eq!(sim.0, twin.0, "{unit:?} radius {radius}");
            assert_eq!(sim.1, twin.1, "what it cost");
            assert_eq!((fast.1.cycles, sim.1.predicted_cycles), (sim.1.cycles, sim.1.cycles));
            // a pixel of each of `pixels` lines a clock, whatever the window
            let batches = lines.nrows().div_ceil(unit.lines());
            assert_eq!(sim.1.compute_busy as usize, 4 * batches * lines.ncols());
        }
    }
}

/// Rows with `radius` mirrored pixels of border.
fn mirrored<T: Copy>(line: &[T], radius: usize) -> Vec<T> {
    let n = line.len() as isize;
    let at = |i: isize| {
        let i = i.rem_euclid(2 * (n - 1));
        line[i.min(2 * (n - 1) - i) as usize]
    };
    (-(radius as isize)..n + radius as isize).map(at).collect()
}

/// Σ_n weight(n)·p(x + n), |n| ≤ reach, in double precision.
fn direct(line: &[f64], weight: impl Fn(isize) -> f64, reach: usize) -> Vec<f64> {
    let extended = mirrored(line, reach);
    let weights: Vec<f64> = (-(reach as isize)..=reach as isize).map(weight).collect();
    let sum = |window: &[f64]| window.iter().zip(&weights).map(|(p, w)| p * w).sum();
    extended.windows(weights.len()).map(sum).collect()
}

/// Smooth shapes, an edge and noise in 0 to 255, as pixels of 16 bits.
fn scene(rows: usize, cols: usize) -> Array2<i16> {
    let mut random = Random(5);
    Array2::from_shape_fn((rows, cols), |(y, x)| {
        let (u, v) = (x as f64 / cols as f64, y as f64 / rows as f64);
        let shapes = 60.0 * (TAU * 2.3 * u).sin() * (TAU * 1.7 * v).cos() + 40.0 * (TAU * 9.0 * u * v).sin();
        let edge = if u + 0.4 * v > 0.7 { 50.0 } else { 0.0 };
        let grey = (110.0 + shapes + edge + random.below(17) as f64 - 8.0).clamp(0.0, 255.0).round();
        (grey as i16 - 128) * 128
    })
}

/// PSNR of 8-bit greys, before they are rounded.
fn psnr(got: &Array2<i32>, exact: &Array2<f64>, step: f64) -> f64 {
    let square: f64 = got.iter().zip(exact).map(|(g, e)| (f64::from(*g) - e).powi(2)).sum();
    20.0 * (255.0 * step / (square / got.len() as f64).sqrt()).log10()
}

#[test]
fn pictures_are_close_to_the_gaussian() {
    let config = config("gaussian");
    let mut device = Exact::new(config, CycleModel);
    let image = scene(180, 240);
    for (sigma, terms, least) in
        [(1.0, 3, 68.0), (2.0, 3, 74.0), (8.0, 3, 74.0), (32.0, 3, 74.0), (8.0, 2, 60.0)]
    {
        let window = window(sigma, terms).1;
        let reach = (6.0 * sigma).ceil() as usize;
        let weight = |n: isize| (-0.5 * (n as f64 / sigma).powi(2)).exp();
        let sum: f64 = (-(reach as isize)..=reach as isize).map(weight).sum();
        let exact_rows = |x: ArrayView2<'_, f64>| {
            let mut y = Array2::zeros(x.raw_dim());
            for (x, mut y) in x.outer_iter().zip(y.outer_iter_mut()) {
                y.assign(&Array1::from(direct(&x.to_vec(), |n| weight(n) / sum, reach)));
            }
            y
        };
        let exact =
            exact_rows(exact_rows(image.mapv(f64::from).view()).reversed_axes().view()).reversed_axes();
        let fine =
            smooth_image(&mut device, image.view(), &window, mirrored, (StoreWidth::S16, RESULT_FRACTION))
                .unwrap();
        let db = psnr(&fine.y, &exact, 128.0);
        println!("sigma {sigma}, {terms} terms: {db:.1} dB");
        assert!(db >= least, "sigma {sigma}, {terms} terms: {db:.1} dB");
        let coarse =
            smooth_image(&mut device, image.view(), &window, mirrored, (StoreWidth::S8, RESULT_FRACTION + 7))
                .unwrap();
        let apart = coarse.y.iter().zip(&exact).map(|(g, e)| (f64::from(*g) - e / 128.0).abs());
        assert!(apart.fold(0.0, f64::max) < 0.75, "sigma {sigma}: greys as written");
    }
}

/// docs/gaussian.md, "nothing drifts": 8192 pixels after it began a line is as close to its window as the page says, for noise, at
/// both extremes, and for waves that the window's own cosines swing with, which the error of λ adds up for.
#[test]
fn long_rows_do_not_drift() {
    let config = config("gaussian");
    let mut device = Exact::new(config, CycleModel);
    let mut random = Random(2);
    let long = 8192;
    for sigma in [2.0, 8.0, 32.0, 36.0] {
        let (cosines, fixed) = window(sigma, 3);
        let phi = TAU / (2 * cosines.radius + 1) as f64;
        let wave = |k: f64| (0..long).map(|i| (32000.0 * (phi * k * i as f64).cos()) as i16).collect();
        let lines: [Vec<i16>; 5] = [
            (0..long).map(|_| random.i16()).collect(),
            wave(1.0),
            wave(3.0),
            vec![i16::MIN; long],
            (0..long).map(|i| if i / cosines.radius % 2 == 0 { i16::MIN } else { i16::MAX }).collect(),
        ];
        let h = |n: isize| {
            let term = |(k, g): (i32, &f64)| g * (phi * f64::from(k) * n as f64).cos();
            cosines.mean + (1..).zip(&cosines.weights).map(term).sum::<f64>()
        };
        for (i, line) in lines.iter().enumerate() {
            let doubles: Vec<f64> = line.iter().map(|p| f64::from(*p)).collect();
            let exact = direct(&doubles, h, cosines.radius);
            let extended = mirrored(line, cosines.radius);
            let request = SmoothRequest {
                lines: ArrayView2::from_shape((1, extended.len()), &extended).unwrap(),
                window: fixed,
                width: StoreWidth::S32,
                shift: 0,
            };
            let (y, _) = smooth(&mut device, &request);
            let errors: Vec<f64> = y.iter().zip(&exact).map(|(y, e)| f64::from(*y) / 4096.0 - e).collect();
            let most = |e: &[f64]| e.iter().fold(0.0f64, |m, e| m.max(e.abs()));
            let rms = (errors.iter().map(|e| e * e).sum::<f64>() / long as f64).sqrt();
            let (start, end) = (most(&errors[..512]), most(&errors[long - 512..]));
            println!(
                "sigma {sigma}, line {i}: at most {start:.3} at the start, {end:.3} at the end, rms {rms:.3}"
            );
            // a grey level of 8 bits has 128 of these steps
            assert!(
                most(&errors) < 2.56,
                "sigma {sigma}, line {i}: 0.02 grey levels, not {}",
                most(&errors) / 128.0
            );
        }
    }
}

#[test]
fn what_no_unit_takes_is_refused() {
    let line = Array2::<i16>::zeros((1, 40));
    let request = |radius: u8, weights: &[f64]| SmoothRequest {
        lines: line.view(),
        window: cosine_window(radius, 0.1, weights),
        width: StoreWidth::S16,
        shift: 12,
    };
    let three = accelerator("radius=9\ndepth=32\n", 128, "");
    let none = config("default");
    let reduced = accelerator("radius=9\ndepth=32\n", 128, "[control]\nnarrow=false\n");
    let wide = SmoothRequest { width: StoreWidth::S12, ..request(4, &[0.1]) };
    let shifted = SmoothRequest { width: StoreWidth::S32, ..request(4, &[0.1]) };
    for (config, request, says) in [
        (&none, request(4, &[0.1]), "has no Gaussian unit: expected a table [gaussian]"),
        (&three, request(10, &[0.1]), "a window of radius 10: accelerator unnamed has gaussian.radius = 9"),
        (
            &three,
            request(4, &[0.1; 4]),
            "a window of 4 cosines: the accelerator's Gaussian unit has gaussian.terms = 3",
        ),
        (&three, request(20, &[0.1]), "lines of 40 pixels, radius 20: expected"),
        (&three, request(0, &[0.1]), "radius 0: expected a radius of at least 1"),
        (&three, wide, "results of 12 bits: expected 8, 16 or 32"),
        (&three, shifted, "results of 32 bits shifted by 12: expected"),
        (&reduced, request(4, &[0.1]), "control.narrow = false"),
    ] {
        let mut devices: [Box<dyn Device>; 2] = [
            Box::new(Exact::new(config.clone(), CycleModel)),
            Box::new(Offload::new(Twin::new(config), CycleModel)),
        ];
        for device in &mut devices {
            let said = device.run(request.into()).expect_err(says).to_string();
            assert!(said.contains(says), "{}: {said}", device.name());
        }
    }
    let empty = Array2::<i16>::zeros((0, 40));
    let nothing = SmoothRequest { lines: empty.view(), ..request(4, &[0.1]) };
    let (y, cost) = smooth(&mut Exact::new(three.clone(), CycleModel), &nothing);
    assert_eq!((y.dim(), cost.cycles), ((0, 32), 0));
    let problem = SmoothProblem { lines: 5, pixels: 40, radius: 4, width: StoreWidth::S8 };
    assert!(Exact::new(three, CycleModel).predict(&problem.into()).expect("a plan").cycles > 4 * 2 * 40);
}
