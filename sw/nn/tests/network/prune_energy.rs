//! Scores by power spectra, against sums in space and against the energy of outputs.

use crate::common::PlainDevice;
use crate::common::data::{SHORT, experiment, trainer};
use crate::common::fft::FftDevice;
use ndarray::Array2;
use tandem_driver::Device;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::backend::{Backend, Mode, Pass, ProductError};
use tandem_nn::layers::prunable::Groups;
use tandem_nn::network::Network;
use tandem_nn::prune::scores::{Batch, Correlation, SCORES, ScoreContext, Source, Work};
use tandem_nn::tensor::{Shape, Slot};

/// Numbers in [0, 1) that look random.
fn number(i: usize, j: usize) -> f64 {
    f64::from(((i * 7919 + j * 104_729 + 17) as u32).wrapping_mul(2_654_435_761) >> 16) / 65_536.0
}

fn images(count: usize, shape: Shape) -> Batch {
    let pixels =
        Array2::from_shape_fn((count, shape.features()), |(i, j)| (number(i, j) * 15.0).round() / 16.0);
    (pixels, vec![0; count])
}

fn network(layers: &str, shape: Shape, classes: usize) -> Network {
    let plan = experiment(SHORT, layers).plan(shape, classes).expect("it suits the data");
    Network::new(plan, 3)
}

/// Batches, and a device.
struct On {
    batches: Vec<Batch>,
    backend: Backend,
    cost: Ledger,
}

impl On {
    fn device(batch: &Batch, device: Box<dyn Device>, network: &Network) -> Self {
        let names = network.plan().layers.iter().map(|layer| layer.name.as_str());
        On { batches: vec![batch.clone()], backend: Backend::Device(device), cost: Ledger::new(names) }
    }
}

impl Source for On {
    fn batches(&mut self) -> Vec<Batch> {
        self.batches.clone()
    }
    fn run(&mut self, work: Work<'_>) -> bool {
        let done: Result<(), ProductError> =
            work(&mut Pass::new(Mode::Train, 1, 0, &mut self.backend, &mut self.cost));
        done.is_ok()
    }
}

fn scores(network: &mut Network, source: &mut dyn Source, name: &str) -> Vec<Array2<f64>> {
    let kind = SCORES.iter().find(|kind| kind.name == name).expect("a score");
    kind.score.score(&mut ScoreContext::new(network, source, 1, 0)).expect("it is measured")
}

/// R(dy, dx) of a channel: the mean over images of Σ x(p)·x(p + d) over tiles of F×F with circular borders.
fn autocorrelation(batch: &Batch, shape: Shape, channel: usize, side: usize) -> impl Fn(isize, isize) -> f64 {
    let (pixels, f) = (batch.0.clone(), side as isize);
    move |dy, dx| {
        let mut sum = 0.0;
        for image in pixels.rows() {
            for top in (0..shape.h).step_by(side) {
                for left in (0..shape.w).step_by(side) {
                    let at = |y: isize, x: isize| {
                        let (y, x) = (top + y.rem_euclid(f) as usize, left + x.rem_euclid(f) as usize);
                        let inside = y < shape.h && x < shape.w;
                        if inside { image[(y * shape.w + x) * shape.c + channel] } else { 0.0 }
                    };
                    for y in 0..f {
                        for x in 0..f {
                            sum += at(y, x) * at(y + dy, x + dx);
                        }
                    }
                }
            }
        }
        sum / pixels.nrows() as f64
    }
}

/// Two blocks of a 2×3 kernel over 10×9 pixels of 4 channels: four tiles of 8×8, three of them not full.
const BLOCKS: &str = r#"
    [[layer]]
    type = "conv2d"
    name = "c"
    channels = 6
    kernel = [2, 3]
    groups = 2
    [[layer]]
    type = "flatten"
    [[layer]]
    type = "linear"
    name = "l"
    outputs = 3
"#;

/// R_x·w as a sum over lags equals F⁻¹(S_x ⊙ Ŵ), and its diagonal is the mean of x².
///
/// Sums of at most 64·4 products a lag and image, and transforms of 64 points: rounding below 1000 ulps of the sum of
/// magnitudes R(0)·Σ|w|.
#[test]
fn spectral_and_spatial_forms_agree() {
    let shape = Shape { h: 10, w: 9, c: 4 };
    let batch = images(3, shape);
    let mut network = network(BLOCKS, shape, 3);
    let mut batches = || vec![batch.clone()];
    let energy = scores(&mut network, &mut batches, "energy");
    let wanda = scores(&mut network, &mut batches, "wanda");
    let (weights, groups) = {
        let prunables = network.prunables();
        (prunables[0].1.coefficients(), prunables[0].1.groups())
    };
    let Groups { height, width, channels, outputs, blocks } = groups;
    assert_eq!((height, width, channels, outputs, blocks), (2, 3, 2, 6, 2));
    let place = |row: usize| (row / channels / width, row / channels % width, row % channels);
    for channel in 0..4 {
        let r = autocorrelation(&batch, shape, channel, 8);
        for column in channel / 2 * 3..(channel / 2 + 1) * 3 {
            let own: Vec<usize> = (0..weights.nrows()).filter(|row| row % channels == channel % 2).collect();
            let sizes: f64 = own.iter().map(|row| weights[[*row, column]].abs()).sum();
            for &row in &own {
                let (y, x, _) = place(row);
                let term = |other: &usize| {
                    let (v, u, _) = place(*other);
                    r(y as isize - v as isize, x as isize - u as isize) * weights[[*other, column]]
                };
                let filtered: f64 = own.iter().map(term).sum();
                let w = weights[[row, column]];
                let bound = 1000.0 * f64::EPSILON * r(0, 0) * sizes * w.abs();
                let (got, expected) = (energy[0][[row, column]], (w * filtered).abs());
                assert!((got - expected).abs() <= bound, "{row} {column}: {got} {expected}");
                let (got, expected) = (wanda[0][[row, column]], w * w * r(0, 0));
                assert!((got - expected).abs() <= bound, "{row} {column}: {got} {expected}");
            }
        }
    }
    assert_ne!(energy[0], wanda[0]);
    // one point: there are no others
    let pairs = energy[1].iter().zip(&wanda[1]);
    assert!(pairs.clone().all(|(e, w)| (e - w).abs() <= 8.0 * f64::EPSILON * w));
    assert!(pairs.filter(|(e, _)| **e > 0.0).count() > 100);
}

/// Σ w·(R w) is the energy of the outputs of a convolution with circular borders: a depthwise one, each channel alone,
/// of maps that are continued periodically. Outputs are f32: each is off by at most 9 roundings of terms below Σ|w|.
#[test]
fn the_energy_is_that_of_outputs_with_circular_borders() {
    let layer = "[[layer]]\ntype = \"conv2d\"\nname = \"c\"\nchannels = 3\nkernel = 3\ngroups = 3\nbias = false\n[[layer]]\ntype = \"flatten\"";
    let (tile, wide) = (Shape { h: 8, w: 8, c: 3 }, Shape { h: 10, w: 10, c: 3 });
    let batch = images(4, tile);
    let continued = Array2::from_shape_fn((4, wide.features()), |(i, j)| {
        let (y, x, c) = (j / 30 % 8, j / 3 % 10 % 8, j % 3);
        batch.0[[i, (y * 8 + x) * 3 + c]]
    });
    let mut measured = network(layer, tile, 108);
    let mut batches = || vec![batch.clone()];
    let mut context = ScoreContext::new(&mut measured, &mut batches, 1, 0);
    let filtered = context.filtered(Correlation::Whole).expect("it is measured");
    let weights = context.weights()[0].clone();
    let energy: f64 = (&weights * &filtered[0]).sum();

    let mut running = network(layer, wide, 192);
    assert_eq!(running.prunables()[0].1.coefficients(), weights, "weights are those of the seed");
    running.input_mut(4).assign(&continued.mapv(|v| v as f32));
    let (mut backend, mut ledger) = (Backend::Float, Ledger::default());
    running.forward(&mut Pass::new(Mode::Train, 1, 0, &mut backend, &mut ledger)).expect("it runs");
    let outputs = running.logits().mapv(f64::from);
    let expected = outputs.mapv(|y| y * y).sum() / 4.0;
    let sizes: f64 = weights.iter().map(|w| w.abs()).sum();
    let bound =
        2.0 * outputs.iter().map(|y| y.abs()).sum::<f64>() / 4.0 * 9.0 * f64::from(f32::EPSILON) * sizes;
    assert!((energy - expected).abs() <= bound, "{energy} {expected} ± {bound}");
    assert!(bound < 1e-3 * expected);
}

/// A kernel's energy is the same in the coordinates of its cosine transform, which is orthonormal: three passes of sums of 9
/// terms at most, below 100 ulps of the sum of magnitudes.
#[test]
fn cosine_coefficients_carry_what_their_kernels_carry() {
    let shape = Shape { h: 8, w: 8, c: 2 };
    let batch = images(3, shape);
    let terms = |domain: &str| {
        let layer = format!(
            "[[layer]]\ntype = \"conv2d\"\nchannels = 3\nkernel = 3\ndomain = \"{domain}\"\n[[layer]]\ntype = \"flatten\""
        );
        let mut network = network(&layer, shape, 108);
        let mut batches = || vec![batch.clone()];
        let mut context = ScoreContext::new(&mut network, &mut batches, 1, 0);
        let filtered = context.filtered(Correlation::Whole).expect("it is measured").swap_remove(0);
        &context.weights()[0] * &filtered
    };
    let (space, dct) = (terms("space"), terms("dct"));
    let sizes = |terms: &Array2<f64>| terms.iter().map(|t| t.abs()).sum::<f64>();
    let bound = 100.0 * f64::EPSILON * (sizes(&space) + sizes(&dct));
    assert!((space.sum() - dct.sum()).abs() <= bound, "{} {}", space.sum(), dct.sum());
    assert_ne!(space, dct);
}

/// Circulant blocks of 8 over 8 inputs: one channel, all points are outputs. What pruned bins take from the output is the
/// sum of their scores. Outputs are f32, below 8: 64 of them, each off by 2⁻²¹ at most.
#[test]
fn bins_carry_exactly_what_their_scores_say() {
    let layers =
        "[[layer]]\ntype = \"circulant_linear\"\nname = \"c\"\noutputs = 64\nblock = 8\nbias = false";
    let shape = Shape::flat(8);
    let batch = images(5, shape);
    let mut network = network(layers, shape, 64);
    let mut batches = || vec![batch.clone()];
    let scores = scores(&mut network, &mut batches, "energy").swap_remove(0);
    assert_eq!(scores.dim(), (5, 8));
    let mut outputs = |mask: Option<Array2<bool>>| {
        network.prunables()[0].1.set_mask(mask, None);
        network.input_mut(5).assign(&batch.0.mapv(|v| v as f32));
        let (mut backend, mut ledger) = (Backend::Float, Ledger::default());
        network.forward(&mut Pass::new(Mode::Train, 1, 0, &mut backend, &mut ledger)).expect("it runs");
        network.logits().mapv(f64::from)
    };
    let whole = outputs(None);
    assert!(whole.iter().all(|y| y.abs() < 8.0));
    for salt in 0..4 {
        let mask = Array2::from_shape_fn(scores.dim(), |(row, column)| number(row + 10 * salt, column) < 0.6);
        let lost = (&whole - &outputs(Some(mask.clone()))).mapv(|d| d * d).sum() / 5.0;
        let expected: f64 = scores.iter().zip(&mask).filter(|(_, kept)| !**kept).map(|(s, _)| s).sum();
        let bound = 64.0 * 2.0 * 16.0 * 0.5f64.powi(20);
        assert!((lost - expected).abs() <= bound, "{lost} {expected}");
        assert!(expected > 100.0 * bound);
    }
}

/// The FFT unit and the host see the same integers. A transform is z = a + ib of two maps; its exponent is the least that
/// lets M = max(|Re Z|, |Im Z|) fit 16 bits, so a step is at most M/2¹⁴ (or 2⁻¹¹ of the integers' scale, if none was needed) and each
/// part is off by half of that: |ΔX̂| ≤ δ = √2·M/2¹⁵, |Δ|X̂|²| ≤ (2·√2·M + δ)·δ < 4.2·M²/2¹⁵ < M²/7800, and M is at most the sum
/// of the pixels of both maps.
/// S is a mean over images of sums of tiles, and |Δ(R w)_i| ≤ max ΔS · Σ_f |Ŵ_f|/N ≤ max ΔS · Σ|w|.
#[test]
fn unit_and_host_measure_the_same_power() {
    let shape = Shape { h: 10, w: 9, c: 4 };
    let batch = images(3, shape);
    let mut network = network(BLOCKS, shape, 3);
    let device = FftDevice::default();
    let mut on_unit = On::device(&batch, Box::new(device.clone()), &network);
    let by_unit = scores(&mut network, &mut on_unit, "energy").swap_remove(0);
    let mut on_host = On::device(&batch, Box::new(PlainDevice), &network);
    let by_host = scores(&mut network, &mut on_host, "energy").swap_remove(0);
    assert_ne!(by_unit, by_host, "they round differently");
    // 3 images, 4 tiles of 4 channels, two in a transform; the linear layer has none
    assert_eq!(*device.transforms.lock().expect("no panic"), 3 * 8);
    assert_eq!(on_unit.cost.transforms().calls, 24);
    assert_eq!(on_host.cost.transforms().calls, 0);
    let weights = network.prunables()[0].1.coefficients();
    // the largest M² of a tile's pairs of maps, which channels 0 and 1, 2 and 3 are
    let sum = |image: usize, top: usize, left: usize, pair: usize| -> f64 {
        let rows = (top..(top + 8).min(10)).flat_map(|y| (left..(left + 8).min(9)).map(move |x| y * 9 + x));
        rows.map(|at| batch.0[[image, at * 4 + 2 * pair]] + batch.0[[image, at * 4 + 2 * pair + 1]]).sum()
    };
    let power = |pair: usize| -> f64 {
        let tiles =
            (0..3).flat_map(|image| [(0, 0), (0, 8), (8, 0), (8, 8)].map(|(y, x)| sum(image, y, x, pair)));
        tiles.map(|most| most * most / 7800.0).sum::<f64>() / 3.0
    };
    let mut telling = 0;
    for (((row, column), unit), host) in by_unit.indexed_iter().zip(&by_host) {
        let own = (0..weights.nrows()).filter(|other| other % 2 == row % 2);
        let sizes: f64 = own.map(|other| weights[[other, column]].abs()).sum();
        let bound = weights[[row, column]].abs() * sizes * power(column / 3);
        assert!((unit - host).abs() <= bound, "{row} {column}: {unit} {host} ± {bound}");
        telling += usize::from(bound < 0.1 * host);
    }
    assert!(telling > by_unit.len() / 2, "{telling} bounds of {} are worth something", by_unit.len());
}

/// Nothing that decides the next step changes: statistics, scales, shifts, masks, the wish for dense gradients.
#[test]
fn measuring_leaves_no_trace() {
    let layers = r#"
        [[layer]]
        type = "conv2d"
        channels = 4
        kernel = 3
        padding = 1
        [[layer]]
        type = "batch_norm"
        [[layer]]
        type = "relu"
        [[layer]]
        type = "spectral_conv2d"
        channels = 3
        kernel = 3
        [[layer]]
        type = "relu"
        [[layer]]
        type = "flatten"
        [[layer]]
        type = "linear"
        outputs = 4
    "#;
    let shape = Shape { h: 6, w: 6, c: 1 };
    let batch = images(8, shape);
    let mut network = network(layers, shape, 4);
    let state = |network: &mut Network| -> Vec<_> {
        let value = |(name, slot): (String, Slot<'_>)| match slot {
            Slot::Parameter(p) => (name, p.value.clone()),
            Slot::Statistic(b) | Slot::Buffer(b) => (name, b.value.clone()),
            Slot::Mask { shape, mask, .. } => (
                name,
                mask.clone().map_or(Array2::ones(shape), |mask| mask.mapv(|kept| f32::from(u8::from(kept)))),
            ),
        };
        network.slots().into_iter().map(value).collect()
    };
    // a bin that keeps nothing is measured, too
    let (rows, columns) = network.prunables()[1].1.coefficients().dim();
    let mask = Array2::from_shape_fn((rows, columns), |(row, _)| row / 4 != 2);
    network.prunables()[1].1.set_mask(Some(mask), None);
    let before = state(&mut network);
    let mut source = On::device(&batch, Box::new(FftDevice::default()), &network);
    let scores = scores(&mut network, &mut source, "energy");
    assert!(scores[1].iter().all(|s| *s > 0.0), "all bins have power");
    assert_eq!(state(&mut network), before);
    assert!(network.prunables().iter().all(|(_, p)| p.dense_gradient().is_none()));
}

#[test]
fn nothing_is_dropped() {
    let shape = Shape::flat(30);
    let batch = images(6, shape);
    let with_rate = |rate: f64| {
        let layers = format!(
            "[[layer]]\ntype = \"dropout\"\nrate = {rate:?}\n[[layer]]\ntype = \"linear\"\noutputs = 5"
        );
        let mut network = network(&layers, shape, 5);
        scores(&mut network, &mut || vec![batch.clone()], "wanda")
    };
    assert_eq!(with_rate(0.5), with_rate(0.0));
}

/// A pass that fails stops the run with the layer's name, and a run pays for its measurements.
#[test]
fn runs_pay_for_measurements_and_report_failures() {
    let layers = "[pruning]\nmethod = \"random\"\ninitial_score = \"energy\"\npattern = \"1:2\"\nlayers = [\"b\"]\nbatches = 2\n\
        [[layer]]\ntype = \"conv2d\"\nname = \"a\"\nchannels = 4\nkernel = 3\n[[layer]]\ntype = \"relu\"\n\
        [[layer]]\ntype = \"conv2d\"\nname = \"b\"\nchannels = 4\nkernel = 3\n[[layer]]\ntype = \"flatten\"\n\
        [[layer]]\ntype = \"linear\"\noutputs = 4";
    let mut run = trainer(experiment(SHORT, layers), Backend::Device(Box::new(FftDevice::default())));
    run.step().expect("a step");
    let scoring = run.training_cost().scoring();
    // 2 batches of 16 images: three products; one map enters a, two pairs enter b
    assert_eq!(scoring.calls, 2 * (3 + 16 * (1 + 2)));
    assert_eq!(run.training_cost().transforms().cost.cycles, 2 * 16 * 3 * 64);
    let own = |line: tandem_nn::backend::ledger::LayerCounters| line.transforms.calls;
    assert_eq!(run.training_cost().cycles_by_layer().into_iter().map(own).sum::<u64>(), 0);
    run.step().expect("a step");
    assert_eq!(run.training_cost().scoring(), scoring, "masks stay");

    let mut failing = trainer(experiment(SHORT, layers), Backend::Device(Box::new(Broken)));
    let error = failing.step().expect_err("the device fails").to_string();
    assert!(error.contains("layer `a`, forward product: broken: it is off"), "{error}");
}

/// Fails.
struct Broken;

impl Device for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    fn run(
        &mut self,
        _: tandem_driver::Request<'_>,
    ) -> Result<tandem_driver::Response, tandem_driver::DeviceError> {
        Err(tandem_driver::DeviceError::Engine { engine: "broken".into(), what: "it is off".into() })
    }
}
