//! Pruning of frequency bins.

use crate::common::data::{SHORT, experiment, trainer};
use crate::common::fft::FftDevice;
use ndarray::Array2;
use num_complex::Complex;
use tandem_driver::Points;
use tandem_nn::backend::Backend;
use tandem_nn::network::Network;
use tandem_nn::prune::probe::Probe;
use tandem_nn::prune::scores::{SCORES, ScoreContext};
use tandem_nn::spectral::bins::Bins;
use tandem_nn::tensor::{Mask, Shape};
use tandem_nn::train::Trainer;

const LAYERS: &str = r#"
[[layer]]
type = "conv2d"
channels = 8
kernel = 3
padding = 1
[[layer]]
type = "relu"
[[layer]]
type = "spectral_conv2d"
name = "s"
channels = 8
kernel = 3
[[layer]]
type = "relu"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
outputs = 4
"#;

fn run(pruning: &str) -> (Trainer, FftDevice) {
    let device = FftDevice::default();
    let text = format!("[pruning]\n{pruning}\n{LAYERS}");
    (trainer(experiment(SHORT, &text), Backend::Device(Box::new(device.clone()))), device)
}

fn mask(trainer: &mut Trainer) -> Mask {
    let prunables = trainer.network_mut().prunables();
    let (_, spectral) = prunables.iter().find(|(name, _)| *name == "s").expect("the layer");
    spectral.mask().expect("a mask").clone()
}

/// Which bins a mask keeps; each is kept whole.
fn bins(mask: &Mask) -> Vec<bool> {
    let kept = |rows: &[bool]| {
        assert!(rows.iter().all(|kept| *kept == rows[0]), "a bin is whole");
        rows[0]
    };
    mask.as_slice().expect("row-major").chunks(8 * 8).map(kept).collect()
}

#[test]
fn the_schedules_prune_whole_bins() {
    for method in
        ["random", "snip", "magnitude", "gmp", "united", "force", "bands", "lamp", "grasp", "energy", "wanda"]
    {
        let (mut trainer, device) =
            run(&format!("method = \"{method}\"\npattern = \"bins\"\ndensity = 0.25"));
        for _ in 0..23 {
            trainer.step().expect("a step");
        }
        device.products.lock().expect("no panic").clear();
        trainer.step().expect("a step");
        let kept = bins(&mask(&mut trainer)).into_iter().filter(|kept| *kept).count();
        // a quarter of 34
        assert!((8..=9).contains(&kept), "{method}: {kept}");
        let asked = device.products.lock().expect("no panic").len();
        // conv2d without, linear with an input gradient
        assert_eq!(asked, 2 + 3 * kept + 3, "{method}");
        let report = trainer.pruning_report();
        assert_eq!((report[1].pattern.as_str(), report[1].kept), ("bins", kept * 64), "{method}");
    }
}

#[test]
fn groups_of_channels_are_pruned_inside_bins() {
    let (mut trainer, device) = run("method = \"united\"\ninitial = 0.25\npattern = \"transposable 1:4\"");
    for _ in 0..2 {
        trainer.step().expect("a step");
    }
    let products = device.products.lock().expect("no panic");
    let selected = products.iter().filter(|asked| asked.pattern == Some((1, 4, 8))).count();
    assert_eq!(selected, 2 * 3 * 34);
    drop(products);
    assert_eq!(mask(&mut trainer).iter().filter(|kept| **kept).count(), 34 * 8 * 8 / 4);
}

#[test]
fn bands_keep_the_lowest_frequencies() {
    let (mut trainer, _) = run("method = \"bands\"\npattern = \"bins\"\ndensity = 0.3");
    trainer.step().expect("a step");
    let rings = Bins::new(Points::Tile(8)).iter().map(|bin| bin.ring).collect::<Vec<_>>();
    let kept = bins(&mask(&mut trainer));
    let ring = |wanted: bool| rings.iter().zip(&kept).filter(move |(_, k)| **k == wanted).map(|(r, _)| *r);
    assert!(ring(true).max() <= ring(false).min());
}

/// A run that is interrupted goes on with the same masks and weights.
#[test]
fn a_checkpoint_resumes_to_the_same_bits() {
    let pruning = "method = \"united\"\npattern = \"bins\"\ndensity = 0.3\ninterval = 2";
    let (mut through, _) = run(pruning);
    for _ in 0..6 {
        through.step().expect("a step");
    }
    let state = through.state();
    let (mut resumed, _) = run(pruning);
    resumed.restore(&state).expect("the same network");
    for trainer in [&mut through, &mut resumed] {
        for _ in 0..6 {
            trainer.step().expect("a step");
        }
    }
    assert_eq!(through.digest(), resumed.digest());
}

#[test]
fn threads_change_nothing() {
    let digest = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let (mut trainer, _) = run("method = \"united\"\npattern = \"bins\"\ndensity = 0.3");
            for _ in 0..8 {
                trainer.step().expect("a step");
            }
            trainer.digest()
        })
    };
    assert_eq!(digest(1), digest(3));
}

/// The score of a coefficient is the change of the loss when it and its mirror image are left out, to first order:
/// compared with the loss without a small part of it.
#[test]
fn spectral_snip_is_the_derivative_by_leaving_out() {
    let experiment = experiment(SHORT, LAYERS);
    let plan = experiment.plan(Shape { h: 6, w: 6, c: 1 }, 4).expect("shapes");
    let mut network = Network::new(plan, 3);
    let input = Array2::from_shape_fn((5, 36), |(i, j)| ((i * 37 + j * 11) % 17) as f64 / 17.0);
    let batch = (input.clone(), vec![0, 1, 2, 3, 0]);
    let labels = batch.1.clone();
    let mut batches = || vec![batch.clone()];
    let mut context = ScoreContext::new(&mut network, &mut batches, 1, 0);
    let snip = SCORES.iter().find(|score| score.name == "snip").expect("a score");
    let scores = snip.score.score(&mut context).expect("scores");
    let spectrum: Array2<Complex<f64>> = network.prunables()[1].1.spectrum().expect("coefficients");
    let probe = Probe::new(&mut network).expect("a probe");
    let step = 1e-5;
    for row in (0..scores[1].nrows()).step_by(29) {
        for column in [0, 5] {
            let part = |share: f64| {
                let mut weights = probe.weights().to_vec();
                assert!((weights[1][[row, column]] - spectrum[[row, column]].norm()).abs() < 1e-12);
                weights[1][[row, column]] *= 1.0 + share;
                probe.loss(&weights, &input, &labels).0
            };
            let numeric = (part(step) - part(-step)) / (2.0 * step);
            // rounding of the loss, below 10, over the step; the third derivative times step²/6 is less
            let error = (numeric.abs() - scores[1][[row, column]]).abs();
            assert!(
                error <= 10.0 * f64::EPSILON / step,
                "{row} {column}: {numeric} {}",
                scores[1][[row, column]]
            );
        }
    }
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("pattern = \"bins\"\ndensity = 0.5\nlayers = [\"conv2d1\"]", "`bins` needs the frequency domain"),
        ("method = \"rigl\"\npattern = \"bins\"\ndensity = 0.5", "pruning.regrow"),
        ("pattern = \"bins\"\ndensity = 0.5\nsr_ste = 1e-4", "pruning.sr_ste"),
        ("pattern = \"1:16\"", "m must be at most the 8 channels"),
        ("density = 0.5\nmethod = \"bands\"\nlayers = [\"conv2d1\"]", "`bands` needs the frequency domain"),
        ("pattern = \"bins\"\ncycles = 0.5", "bins have a `density`"),
    ];
    for (pruning, expected) in cases {
        let method = if pruning.contains("method") { "" } else { "method = \"gmp\"\n" };
        let text = format!("[pruning]\n{method}{pruning}\n{LAYERS}");
        let document = format!(
            "name = \"t\"\ndata = {{ set = \"quarters\", batch = 16 }}\n[train]\n{SHORT}\n[bits]\nweights = 4\n\
             activations = 4\ngradients = 8\n{text}"
        );
        let parsed =
            tandem_nn::config::Experiment::parse(tandem_nn::config::Document::new("t.toml", document));
        let error = match parsed {
            Err(error) => error.to_string(),
            Ok(experiment) => {
                let data = crate::common::data::quarters(128, 16);
                let Err(error) = Trainer::new(experiment, data, Backend::Float) else { panic!("{pruning}") };
                error.to_string()
            }
        };
        assert!(error.contains(expected), "{pruning}: {error}");
    }
}

/// Coefficients are masked, weights are not, and masks change as coefficients return.
#[test]
fn cosine_coefficients_of_kernels_are_masked_and_return() {
    let layers = LAYERS.replace("type = \"spectral_conv2d\"", "type = \"conv2d\"\ndomain = \"dct\"");
    let start = |pruning: &str| {
        let text = format!("[pruning]\n{pruning}\n{layers}");
        trainer(experiment(SHORT, &text), Backend::Device(Box::new(FftDevice::default())))
    };
    for method in ["gmp", "snip", "united", "bands"] {
        let mut trainer = start(&format!("method = \"{method}\"\ndensity = 0.25\nend = 1.0\ninterval = 1"));
        let mut masks: Vec<Mask> = vec![];
        for _ in 0..24 {
            trainer.step().expect("a step");
            masks.extend(trainer.network_mut().prunables()[1].1.mask().cloned());
        }
        let last = &masks[masks.len() - 1];
        assert_eq!(last.iter().filter(|kept| **kept).count(), 9 * 8 * 8 / 4, "{method}");
        if method == "gmp" {
            let returns = masks.windows(2).filter(|m| m[0].iter().zip(&m[1]).any(|(a, b)| !a && *b)).count();
            assert!(returns > 0, "{method}: a coefficient came back");
        }
    }
    let text = format!("[pruning]\nmethod = \"gmp\"\npattern = \"1:4\"\n{layers}");
    let run = Trainer::new(experiment(SHORT, &text), crate::common::data::quarters(128, 16), Backend::Float);
    let Err(error) = run else { panic!("groups of coefficients") };
    assert!(error.to_string().contains("skips no products"), "{error}");
}

/// What is left of a kernel is its inverse transform.
#[test]
fn a_masked_kernel_is_the_inverse_of_what_is_kept() {
    use crate::common::harness::Bench;
    let shape = Shape { h: 5, w: 5, c: 2 };
    let mut dct = Bench::new("type = \"conv2d\"\nchannels = 3\nkernel = 3\ndomain = \"dct\"", shape, 2, 8);
    let mut plain = Bench::new("type = \"conv2d\"\nchannels = 3\nkernel = 3", shape, 2, 8);
    let mask = Array2::from_shape_fn((18, 3), |(row, column)| (row + column) % 3 > 0);
    let cosine = tandem_nn::layers::cosine::Cosine::new(3);
    let mut c = cosine.forward(&plain.parameters()[0].mapv(f64::from));
    c.zip_mut_with(&mask, |c, kept| *c = if *kept { *c } else { 0.0 });
    *plain.parameters()[0] = cosine.inverse(&c).mapv(|w| w as f32);
    dct.layer.prunables()[0].set_mask(Some(mask), None);
    assert_eq!(dct.backward(&mut Backend::Float), plain.backward(&mut Backend::Float));
    assert_eq!(dct.forward(&mut Backend::Float), plain.forward(&mut Backend::Float));
    assert_eq!(dct.gradients(), plain.gradients());
}

/// An input of ones and positive weights have no meaning for coefficients with angles.
#[test]
fn synflow_says_that_it_cannot() {
    let (mut trainer, _) = run("method = \"synflow\"\npattern = \"bins\"\ndensity = 0.5");
    let error = trainer.step().expect_err("an error").to_string();
    assert!(error.contains("synflow") && error.contains("`s`"), "{error}");
}
