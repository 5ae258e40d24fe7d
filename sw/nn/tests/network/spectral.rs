//! Layers whose products run in the frequency domain.

use crate::common::data::{experiment, quarters};
use crate::common::fft::FftDevice;
use crate::common::harness::{Bench, Place};
use ndarray::{Array2, Axis};
use tandem_driver::Points;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::backend::{Backend, Mode, Pass};
use tandem_nn::layers::prunable::MaskPattern;
use tandem_nn::spectral::bins::Bins;
use tandem_nn::tensor::{Shape, Slot};
use tandem_nn::train::Trainer;

const IMAGE: Shape = Shape { h: 11, w: 9, c: 3 };

/// Convolutions: keys that spatial and spectral layers share, and those of the spectral one.
const CONVOLUTIONS: [(&str, &str); 4] = [
    ("channels = 4\nkernel = 3", "tile = 8"),
    ("channels = 3\nkernel = 5\npadding = 2", "tile = 8\nsupport = \"kernel\""),
    ("channels = 2\nkernel = 3\npadding = 1\nbias = false", "tile = 16"),
    ("channels = 5\nkernel = 1", "tile = 8"),
];

/// The largest difference.
fn distance(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn largest(a: &Array2<f32>) -> f32 {
    a.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// Outputs and gradients agree to a few roundings of f32: the spatial layer's sums are exact on multiples of 1/8.
#[test]
fn without_a_mask_it_is_the_spatial_convolution() {
    for (shared, own) in CONVOLUTIONS {
        let mut spatial = Bench::new(&format!("type = \"conv2d\"\n{shared}"), IMAGE, 3, 8);
        let mut spectral = Bench::new(&format!("type = \"spectral_conv2d\"\n{shared}\n{own}"), IMAGE, 3, 8);
        let (expected, found) = (spatial.forward(&mut Backend::Float), spectral.forward(&mut Backend::Float));
        assert!(distance(&expected, &found) <= 1e-6 * largest(&expected), "{shared}");
        let dx = [spatial.backward(&mut Backend::Float), spectral.backward(&mut Backend::Float)];
        assert!(distance(&dx[0][0], &dx[1][0]) <= 1e-6 * largest(&dx[0][0]), "{shared}");
        for (expected, found) in spatial.gradients().iter().zip(spectral.gradients()) {
            assert!(distance(expected, &found) <= 1e-6 * largest(expected), "{shared}");
        }
    }
}

/// The layers are linear in each argument: the central difference is exact but for the rounding of y to f32, half an
/// ulp of y, weighted by c, on both sides.
#[test]
fn gradients_are_those_of_finite_differences() {
    let cases = [
        ("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 3\npadding = 1", IMAGE, None),
        (
            "type = \"spectral_conv2d\"\nchannels = 2\nkernel = 3\nsupport = \"tile\"",
            IMAGE,
            Some(Points::Tile(8)),
        ),
        ("type = \"circulant_linear\"\noutputs = 10\nblock = 8", Shape::flat(19), None),
    ];
    for (table, shape, stored) in cases {
        let mut bench = Bench::new(table, shape, 2, 8);
        let h = 0.25;
        let weight: f64 = {
            let y = bench.forward(&mut Backend::Float);
            y.iter().zip(&bench.c).map(|(y, c)| f64::from(y.abs() + 8.0) * f64::from(c.abs())).sum()
        };
        let rounding = weight * f64::from(f32::EPSILON) / f64::from(h);
        let derivatives = bench.derivatives();
        let scale = derivatives.iter().map(|(_, g)| g.abs()).fold(0.0, f32::max);
        assert!(rounding < 0.01 * f64::from(scale), "the bound is worth something: {rounding} {scale}");
        for (place, derivative) in derivatives {
            let numeric = bench.difference(place, h);
            // a stored coefficient moves its mirror image too
            let factor = match (stored, place) {
                (Some(points), Place::Parameter(0, (row, _))) => parts(points, row / shape.c),
                _ => 1.0,
            };
            let error = (factor * f64::from(derivative) - numeric).abs();
            assert!(error <= rounding, "{table}\n{place:?}: {derivative} · {factor}, {numeric} ± {rounding}");
        }
    }
}

/// Parts of the bin that real number `i` belongs to.
fn parts(points: Points, i: usize) -> f64 {
    let bins = Bins::new(points);
    let bin = (0..bins.len()).rev().find(|bin| bins.start(*bin) <= i).expect("a bin");
    bins.iter().nth(bin).expect("a bin").parts() as f64
}

/// y_i = Σ_j C_ij·x_j, C_ij[r, c] = w_ij[(r − c) mod b].
#[test]
fn a_circulant_layer_is_the_matrix_it_stands_for() {
    let (inputs, outputs, block) = (19usize, 10usize, 8);
    let table = format!("type = \"circulant_linear\"\noutputs = {outputs}\nblock = {block}");
    let mut bench = Bench::new(&table, Shape::flat(inputs), 3, 8);
    let found = bench.forward(&mut Backend::Float);
    let (blocks_in, x) = (inputs.div_ceil(block), bench.inputs[0].clone());
    let (w, bias) = (bench.parameters()[0].clone(), bench.parameters()[1].clone());
    assert_eq!((w.dim(), bias.dim()), ((block * blocks_in, outputs.div_ceil(block)), (1, outputs)));
    let matrix = Array2::from_shape_fn((inputs, outputs), |(c, r)| {
        let shift = (r % block + block - c % block) % block;
        w[[shift * blocks_in + c / block, r / block]]
    });
    let expected = x.dot(&matrix) + &bias;
    assert!(distance(&expected, &found) <= 1e-6 * largest(&expected));
}

/// The weights of a layer after some steps of the float engine.
fn trained(layer: &str, steps: usize) -> Array2<f32> {
    let rest = "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\noutputs = 4";
    let train = "epochs = 5\nseed = 1\noptimizer = \"sgd\"\nlr = 0.05\nschedule = \"constant\"";
    let first = "[[layer]]\ntype = \"conv2d\"\nchannels = 3\nkernel = 3\npadding = 1";
    let text = format!("{first}\n[[layer]]\nname = \"c\"\n{layer}\n{rest}");
    let mut trainer =
        Trainer::new(experiment(train, &text), quarters(128, 16), Backend::Float).expect("a valid run");
    for _ in 0..steps {
        trainer.step().expect("a step");
    }
    weights(&mut trainer)
}

fn weights(trainer: &mut Trainer) -> Array2<f32> {
    let slots = trainer.network_mut().slots();
    let weight = slots.into_iter().find(|(name, _)| name == "c.weight").expect("weights");
    let Slot::Parameter(weight) = weight.1 else { panic!("a parameter") };
    weight.value.clone()
}

/// Twenty steps with momentum: 40 updates of weights below 1, each with roundings of f32 that momentum multiplies by
/// 1/(1 − 0.9).
#[test]
fn a_kernel_trains_as_in_space() {
    let keys = "channels = 4\nkernel = 3\npadding = 1";
    let start = trained(&format!("type = \"conv2d\"\n{keys}"), 0);
    let spatial = trained(&format!("type = \"conv2d\"\n{keys}"), 20);
    let spectral = trained(&format!("type = \"spectral_conv2d\"\n{keys}"), 20);
    assert!(distance(&spatial, &start) > 0.01, "it learned");
    assert!(distance(&spatial, &spectral) <= 40.0 * 10.0 * f32::EPSILON, "{}", distance(&spatial, &spectral));
}

/// Every quantization has an error below 2⁻¹⁵ of its range, and every transform adds one of 2⁻¹⁵: of x, of X̂, of w and
/// Ŵ, of Ŷ, each with two parts. N points of x ≤ max|x| add up to N·max|x| in a bin, k² of w to k²·max|w|: their product
/// over the channels, back in space, is the range of y that the errors refer to.
#[test]
fn a_device_is_as_exact_as_its_words() {
    for (shared, own) in CONVOLUTIONS {
        let table = format!(
            "type = \"spectral_conv2d\"\n{shared}\n{own}\nbits = {{ spectra = 16, activations = 15 }}"
        );
        let mut bench = Bench::new(&table, IMAGE, 3, 16);
        let float = bench.forward(&mut Backend::Float);
        let dx = bench.backward(&mut Backend::Float);
        let dw = bench.gradients();
        let mut device = Backend::Device(Box::new(FftDevice::default()));
        let found = bench.forward(&mut device);
        let found_dx = bench.backward(&mut device);
        let (x, w) = (largest(&bench.inputs[0]), largest(bench.parameters()[0]));
        let kernel: usize =
            shared.split("kernel = ").nth(1).expect("a kernel")[..1].parse().expect("a digit");
        let points = if own.contains("16") { 256.0 } else { 64.0 };
        let outputs = bench.c.ncols() / (float.ncols() / channels(shared));
        let range = |terms: usize, a: f32| (terms * kernel * kernel) as f32 * a * w * points;
        let steps = 6.0 * std::f32::consts::SQRT_2 / 32768.0;
        assert!(distance(&float, &found) <= range(IMAGE.c, x) * steps, "{shared}");
        assert!(distance(&dx[0], &found_dx[0]) <= range(outputs, largest(&bench.c)) * steps, "{shared}");
        for (expected, found) in dw.iter().zip(bench.gradients()) {
            let error = distance(expected, &found) / largest(expected);
            assert!(error <= 1e-3, "{shared}: {error}");
        }
        assert!(
            distance(&float, &found) <= 2e-3 * largest(&float),
            "{shared}: in fact it is far below the bound"
        );
    }
}

fn channels(table: &str) -> usize {
    table.split("channels = ").nth(1).expect("channels")[..1].parse().expect("a digit")
}

/// Masks of whole bins: a third of them kept.
#[test]
fn a_pruned_bin_runs_no_product() {
    for support in ["kernel", "tile"] {
        let table = format!("type = \"spectral_conv2d\"\nchannels = 4\nkernel = 3\nsupport = \"{support}\"");
        let mut bench = Bench::new(&table, IMAGE, 2, 8);
        let shape = (34 * 3, 4);
        let mask = Array2::from_shape_fn(shape, |(row, _)| row / 3 % 3 == 0);
        bench.layer.prunables()[0].set_mask(Some(mask), None);
        let device = FftDevice::default();
        bench.backward(&mut Backend::Device(Box::new(device.clone())));
        let products = device.products.lock().expect("no panic");
        // one forward pass and one backward pass
        assert_eq!(products.len(), 3 * 12, "{support}");
        drop(products);
        // what is left is what the float engine computes
        let mut backend = Backend::Device(Box::new(FftDevice::default()));
        let (found, expected) = (bench.forward(&mut backend), bench.forward(&mut Backend::Float));
        assert!(distance(&found, &expected) <= 0.05 * largest(&expected), "{support}");
        let numeric_free = bench.backward(&mut Backend::Float);
        assert!(largest(&numeric_free[0]) > 0.0);
    }
}

/// Gradients of masked layers, by differences.
#[test]
fn masked_layers_have_the_gradients_of_their_operator() {
    for (support, points) in [("kernel", None), ("tile", Some(Points::Tile(8)))] {
        let table = format!("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 3\nsupport = \"{support}\"");
        let mut bench = Bench::new(&table, Shape { h: 6, w: 7, c: 2 }, 2, 8);
        let mask = Array2::from_shape_fn((34 * 2, 2), |(row, column)| (row * 7 + column * 3) % 5 < 3);
        bench.layer.prunables()[0].set_mask(Some(mask), None);
        let weight: f64 = bench.c.iter().map(|c| f64::from(c.abs()) * 64.0).sum();
        let rounding = weight * f64::from(f32::EPSILON) / 0.25;
        for (place, derivative) in bench.derivatives() {
            let factor = match (points, place) {
                (Some(points), Place::Parameter(0, (row, _))) => parts(points, row / 2),
                _ => 1.0,
            };
            let numeric = bench.difference(place, 0.25);
            assert!((factor * f64::from(derivative) - numeric).abs() <= rounding, "{support} {place:?}");
        }
    }
}

/// In evaluation no example depends on those beside it.
#[test]
fn an_example_is_evaluated_as_if_it_were_alone() {
    let tables = [
        ("type = \"spectral_conv2d\"\nchannels = 3\nkernel = 3", IMAGE),
        ("type = \"circulant_linear\"\noutputs = 10\nblock = 8", Shape::flat(19)),
    ];
    for (table, shape) in tables {
        let mut bench = Bench::new(table, shape, 4, 6);
        let mut device = Backend::Device(Box::new(FftDevice::default()));
        bench.forward(&mut device);
        let mut ledger = Ledger::new(["bench"]);
        let mut evaluate = |x: &Array2<f32>| {
            let mut pass = Pass::new(Mode::Evaluate, 1, 0, &mut device, &mut ledger);
            let mut y = Array2::zeros((x.nrows(), bench.c.ncols()));
            bench.layer.forward(&[x], &mut y, &mut pass).expect("a forward pass");
            y
        };
        let mut images = bench.inputs[0].clone();
        images.row_mut(1).mapv_inplace(|v| 3.0 * v);
        let together = evaluate(&images);
        for (row, image) in images.rows().into_iter().enumerate() {
            let alone = evaluate(&image.insert_axis(Axis(0)).to_owned());
            assert_eq!(alone.row(0), together.row(row), "{table}: {row}");
        }
    }
}

#[test]
fn patterns_within_a_bin_are_selected_in_all_three_products() {
    let table = "type = \"spectral_conv2d\"\nchannels = 8\nkernel = 3";
    let mut bench = Bench::new(table, Shape { h: 6, w: 6, c: 8 }, 2, 8);
    let mask = Array2::from_shape_fn((34 * 8, 8), |(row, column)| row % 4 == (column + row / 8) % 4);
    let pattern = MaskPattern { n: 1, m: 4, transposable: true };
    bench.layer.prunables()[0].set_mask(Some(mask), Some(pattern));
    let device = FftDevice::default();
    bench.backward(&mut Backend::Device(Box::new(device.clone())));
    let products = device.products.lock().expect("no panic");
    assert_eq!(products.len(), 3 * 34);
    assert!(products.iter().all(|asked| asked.pattern == Some((1, 4, 8))), "{products:?}");
    let twice = products.iter().filter(|asked| asked.shape[1] == 16 && asked.shape[2] == 16).count();
    assert_eq!(twice, 2 * 30, "forward and input gradient of bins with two parts");
}

#[test]
fn mistakes_in_tables_are_named() {
    let cases = [
        ("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 3\ntile = 12", "must be 8 or 16"),
        ("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 9", "at most the side of a tile, 8"),
        ("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 3\npadding = 3", "less than the kernel, 3"),
        ("type = \"spectral_conv2d\"\nchannels = 2\nkernel = 7", "at most 6"),
        ("type = \"circulant_linear\"\noutputs = 4\nblock = 8", "flatten"),
    ];
    for (layer, expected) in cases {
        let rest = "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\noutputs = 4";
        let text = format!("[[layer]]\n{layer}\n{rest}");
        let plan = experiment(crate::common::data::SHORT, &text).plan(Shape { h: 6, w: 6, c: 1 }, 4);
        let error = plan.expect_err(layer).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
