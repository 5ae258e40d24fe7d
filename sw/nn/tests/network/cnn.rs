//! Layers of ordinary convolutional networks against plain loops, finite differences and interruptions.

use crate::common::PlainDevice;
use crate::common::data::{CNN_LAYERS, SHORT, experiment, quarters, trainer};
use crate::common::harness::Bench;
use ndarray::Array2;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tandem_nn::backend::Backend;
use tandem_nn::config::Experiment;
use tandem_nn::data::{Dataset, Split};
use tandem_nn::network::Network;
use tandem_nn::prune::probe::Probe;
use tandem_nn::tensor::Shape;
use tandem_nn::train::{Part, Trainer};

/// A grouped convolution by its definition.
#[derive(Clone, Copy, Debug)]
struct Definition {
    image: Shape,
    outputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    groups: usize,
}

impl Definition {
    fn table(&self) -> String {
        let Definition { outputs, kernel, stride, padding, groups, .. } = self;
        format!(
            "type = \"conv2d\"\nbias = false\nchannels = {outputs}\nkernel = {kernel:?}\nstride = {stride:?}\npadding = {padding:?}\ngroups = {groups}"
        )
    }

    /// Calls `f(input, weight, output)` with the flat places of every product of one example.
    fn for_products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let Shape { h, w, c } = self.image;
        let side = |size: usize, axis: usize| {
            (size + 2 * self.padding[axis] - self.kernel[axis]) / self.stride[axis] + 1
        };
        let (own, own_outputs) = (c / self.groups, self.outputs / self.groups);
        for (oy, ox) in (0..side(h, 0)).flat_map(|y| (0..side(w, 1)).map(move |x| (y, x))) {
            for (o, ky, kx) in (0..self.outputs).flat_map(|o| {
                (0..self.kernel[0]).flat_map(move |y| (0..self.kernel[1]).map(move |x| (o, y, x)))
            }) {
                let y = (oy * self.stride[0] + ky).checked_sub(self.padding[0]).filter(|y| *y < h);
                let x = (ox * self.stride[1] + kx).checked_sub(self.padding[1]).filter(|x| *x < w);
                let (Some(y), Some(x)) = (y, x) else { continue };
                for channel in 0..own {
                    let input = (y * w + x) * c + o / own_outputs * own + channel;
                    let weight = ((ky * self.kernel[1] + kx) * own + channel) * self.outputs + o;
                    f(input, weight, (oy * side(w, 1) + ox) * self.outputs + o);
                }
            }
        }
    }
}

/// Values are multiples of 1/8 below 2: all sums are exact in f32 and equal, whatever their order.
#[test]
fn convolutions_with_groups_and_rectangles_are_their_definition() {
    let image = |h, w, c| Shape { h, w, c };
    let one = [1, 1];
    let cases = [
        (image(5, 4, 6), 6, [3, 3], one, one, 6),
        (image(5, 4, 6), 12, [3, 3], [2, 2], one, 6),
        (image(6, 5, 4), 6, [3, 1], [2, 1], [1, 0], 2),
        (image(4, 7, 3), 2, [2, 5], [1, 3], [1, 2], 1),
        (image(5, 5, 8), 4, one, [2, 3], [0, 0], 4),
    ];
    for (image, outputs, kernel, stride, padding, groups) in cases {
        let definition = Definition { image, outputs, kernel, stride, padding, groups };
        let mut bench = Bench::new(&definition.table(), image, 3, 8);
        let (x, c, w) = (bench.inputs[0].clone(), bench.c.clone(), bench.parameters()[0].clone());
        let w = w.as_slice().expect("row-major");
        let (mut y, mut dx) = (Array2::<f32>::zeros(c.dim()), Array2::<f32>::zeros(x.dim()));
        let mut dw = vec![0.0; w.len()];
        for b in 0..3 {
            definition.for_products(|input, weight, output| {
                y[[b, output]] += x[[b, input]] * w[weight];
                dx[[b, input]] += c[[b, output]] * w[weight];
                dw[weight] += x[[b, input]] * c[[b, output]];
            });
        }
        assert_eq!(bench.forward(&mut Backend::Float), y, "{definition:?}");
        assert_eq!(bench.backward(&mut Backend::Float)[0], dx, "{definition:?}");
        assert_eq!(bench.gradients()[0].as_slice().expect("row-major"), dw, "{definition:?}");
    }
}

#[test]
fn means_shortcuts_and_dropout_by_hand() {
    // 4 × 2 positions of one channel
    let mut bench =
        Bench::new("type = \"avg_pool\"\nsize = [2, 1]\nstride = [1, 1]", Shape { h: 4, w: 2, c: 1 }, 1, 8);
    bench.inputs[0] = ndarray::array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]];
    assert_eq!(bench.forward(&mut Backend::Float), ndarray::array![[2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]);
    bench.c = ndarray::array![[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]];
    let dx = &bench.backward(&mut Backend::Float)[0];
    assert_eq!(*dx, ndarray::array![[1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 5.0, 6.0]]);
    let mut bench = Bench::new("type = \"global_avg_pool\"", Shape { h: 2, w: 2, c: 2 }, 1, 8);
    bench.inputs[0] = ndarray::array![[1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 6.0, 60.0]];
    assert_eq!(bench.forward(&mut Backend::Float), ndarray::array![[3.0, 30.0]]);

    let table = "type = \"residual\"\nfrom = \"input\"\nstride = [1, 2]\nshortcut = \"zero-pad\"";
    let shapes = [Shape { h: 1, w: 2, c: 3 }, Shape { h: 1, w: 3, c: 2 }];
    let mut bench = Bench::with_inputs(table, &shapes, 1, 8);
    bench.inputs = vec![Array2::from_elem((1, 6), 100.0), ndarray::array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]];
    let expected = ndarray::array![[101.0, 102.0, 100.0, 105.0, 106.0, 100.0]];
    assert_eq!(bench.forward(&mut Backend::Float), expected);
    bench.c = ndarray::array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]];
    let dx = bench.backward(&mut Backend::Float);
    assert_eq!(dx, [bench.c.clone(), ndarray::array![[1.0, 2.0, 0.0, 0.0, 4.0, 5.0]]]);

    // what is kept is doubled; the share that is kept has deviation (p(1 − p)/n)^1/2: six of them
    let shape = Shape { h: 16, w: 16, c: 8 };
    let mut bench = Bench::new("type = \"dropout\"\nrate = 0.5", shape, 8, 8);
    let n = bench.inputs[0].len() as f64;
    bench.inputs[0].fill(1.0);
    let y = bench.forward(&mut Backend::Float);
    assert!(y.iter().all(|y| [0.0, 2.0].contains(y)));
    let kept = y.iter().filter(|y| **y > 0.0).count() as f64 / n;
    assert!((kept - 0.5).abs() < 6.0 * (0.25 / n).sqrt(), "{kept}");
    bench.c.fill(3.0);
    assert_eq!(bench.backward(&mut Backend::Float)[0], y.mapv(|y| 3.0 * y), "the same mask");
    let mut off = Bench::new("type = \"dropout\"", shape, 8, 8);
    assert_eq!(off.forward(&mut Backend::Float), off.inputs[0], "off unless it has a rate");
}

/// Central differences in f64 at h and h/2, as in tests/gradients.rs; rectifiers may change within h. Rounding: sums of a few hundred
/// terms, 2⁻⁵² each, over h.
#[test]
fn the_network_in_f64_has_the_gradient_of_its_differences() {
    let data = quarters(16, 4);
    let plan = experiment(SHORT, CNN_LAYERS).plan(Shape { h: 6, w: 6, c: 1 }, 4).expect("it suits the data");
    let mut network = Network::new(plan, 3);
    let probe = Probe::new(&mut network).expect("every layer has a form in f64");
    let pixels = data.train.images.array().unwrap().mapv(|byte| f64::from(byte) / 255.0);
    let labels = &data.train.labels;
    let weights = probe.weights().to_vec();
    assert_eq!(weights.len(), 6);
    let (_, gradients) = probe.loss(&weights, &pixels, labels);
    for (i, gradient) in gradients.iter().enumerate() {
        let mut eighths = crate::common::harness::eighths(i as u32);
        let direction = Array2::from_shape_fn(gradient.dim(), |at| f64::from(eighths(at)));
        let analytic: f64 = (gradient * &direction).sum();
        let difference = |h: f64| {
            let at = |h: f64| {
                let mut moved = weights.clone();
                moved[i].scaled_add(h, &direction);
                probe.loss(&moved, &pixels, labels).0
            };
            (at(h) - at(-h)) / (2.0 * h)
        };
        let h = 1e-6;
        let (wide, narrow) = (difference(h), difference(h / 2.0));
        let bound = 3.0 * (wide - narrow).abs() + 1e3 * f64::EPSILON / h;
        assert!((analytic - narrow).abs() <= bound, "{i}: {analytic}, {narrow} ± {bound}");
        assert!(bound < 1e-3 * analytic.abs(), "{i}: the bound is worth something: {bound}, {analytic}");
    }
}

fn plain() -> Backend {
    Backend::Device(Box::new(PlainDevice))
}

fn steps(trainer: &mut Trainer, n: usize) -> String {
    for _ in 0..n {
        trainer.step().expect("a step");
    }
    trainer.digest()
}

#[test]
fn dropout_and_groups_do_not_depend_on_threads_and_resume() {
    let start = |layers: &str, batch| {
        let mut experiment = experiment(SHORT, layers);
        experiment.data.batch = batch;
        trainer(experiment, plain())
    };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| steps(&mut start(CNN_LAYERS, 128), 3))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let expected = steps(&mut start(CNN_LAYERS, 16), 12);
    let mut first = start(CNN_LAYERS, 16);
    steps(&mut first, 5);
    first.save(&path).expect("saved");
    let mut second = start(CNN_LAYERS, 16);
    second.load(&path).expect("loaded");
    assert_eq!(steps(&mut second, 7), expected);
    let without = CNN_LAYERS.replace("rate = 0.25", "");
    assert_ne!(steps(&mut start(&without, 16), 12), expected, "something is dropped");
}

/// Evaluation drops nothing and changes nothing.
#[test]
fn the_network_learns() {
    let layers = CNN_LAYERS.replace("rate = 0.25", "rate = 0.1");
    let settings = SHORT.replace("epochs = 3", "epochs = 12");
    let mut trainer = trainer(experiment(&settings, &layers), Backend::Float);
    while !trainer.is_finished() {
        trainer.step().expect("a step");
    }
    let digest = trainer.digest();
    let mut accuracy = || {
        let test = trainer.evaluate(Part::Test, &mut (), &AtomicBool::new(false)).expect("an evaluation");
        test.expect("not stopped").accuracy
    };
    let (first, second) = (accuracy(), accuracy());
    assert_eq!(first, second);
    assert!(first > 0.8, "{first}");
    assert_eq!(trainer.digest(), digest);
}

/// Random images of 32 × 32 × 3, on which the shipped networks for CIFAR-10 take two steps.
#[test]
fn the_networks_for_cifar10_take_steps() {
    let split = |salt: usize| {
        let pixel = |(i, at): (usize, usize)| (((i * 3072 + at + salt) * 2_654_435_761) >> 11) as u8;
        Split { images: Array2::from_shape_fn((4, 3072), pixel).into(), labels: vec![3, 1, 4, 1] }
    };
    let data = Arc::new(Dataset {
        name: "cifar10".to_owned(),
        train: split(1),
        test: split(2),
        shape: (32, 32, 3),
        classes: 10,
        ..(*quarters(4, 4)).clone()
    });
    for name in ["cifar-resnet20", "cifar-mobilenet", "cifar-vgg"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/experiments");
        let mut experiment = Experiment::load(&folder.join(format!("{name}.toml"))).expect("valid");
        experiment.data.batch = 2;
        let mut trainer = Trainer::new(experiment, Arc::clone(&data), plain()).expect("it suits the data");
        let before = trainer.digest();
        for _ in 0..2 {
            let loss = trainer.step().expect("a step").loss;
            // ln 10 for equal logits, more for initial ones
            assert!((1.0..20.0).contains(&loss), "{name}: {loss}");
        }
        assert_ne!(trainer.digest(), before, "{name}");
    }
}
