//! Pruning that pays: masks that change are the same bits on every engine, patterns cut the cycles of all three
//! products, and a budget in cycles is met.

use crate::common::{config, repository};
use ndarray::Array2;
use std::cell::RefCell;
use std::sync::Arc;
use tandem_driver::{Cost, Device, Exact, Offload};
use tandem_model::{CycleModel, Twin};
use tandem_nn::backend::Backend;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::data::{Dataset, Split};
use tandem_nn::layers::prunable::MaskPattern;
use tandem_nn::network::Network;
use tandem_nn::network::plan::NetworkPlan;
use tandem_nn::prune::mask;
use tandem_nn::prune::rank::{ranks, shares};
use tandem_nn::prune::scores::{ScoreContext, lamp};
use tandem_nn::tensor::Shape;
use tandem_nn::train::Trainer;
use tandem_nn::train::accounting::compute_cycles;
use tandem_sim::{Sim, SimOptions};

/// A convolutional network on the digits, small enough for the simulator.
const DIGITS: &str = r#"
name = "digits-conv"
[data]
set = "digits"
batch = 16
[train]
epochs = 1
seed = 5
lr = 0.05
momentum = 0.9
optimizer = "sgd"
schedule = "constant"
[bits]
weights = 4
activations = 4
gradients = 8
weight_clip = "max-abs"
activation_clip = "learned"
[[layer]]
type = "conv2d"
name = "conv1"
channels = 6
kernel = 3
padding = 1
bias = false
[[layer]]
type = "batch_norm"
[[layer]]
type = "relu"
[[layer]]
type = "max_pool"
size = 2
[[layer]]
type = "conv2d"
name = "conv2"
channels = 10
kernel = 3
bias = false
[[layer]]
type = "relu"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
name = "fc1"
outputs = 30
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "fc2"
outputs = 10
"#;

fn parse(text: &str) -> Experiment {
    Experiment::parse(Document::new("test.toml", text.to_owned())).expect("valid")
}

/// The experiment's digest after 50 steps, and how often its masks changed.
fn fifty_steps(text: &str, device: Box<dyn Device>) -> (String, usize) {
    let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
    let mut trainer = Trainer::new(parse(text), data, Backend::Device(device)).expect("suits the data");
    let mut masks = vec![];
    for _ in 0..50 {
        trainer.step().expect("a step");
        let now: Vec<_> = trainer.network_mut().prunables().iter().map(|(_, p)| p.mask().cloned()).collect();
        if masks.last() != Some(&now) {
            masks.push(now);
        }
    }
    (trainer.digest(), masks.len())
}

#[test]
fn fifty_steps_with_changing_masks_end_with_the_same_digest() {
    let united = "[pruning]\nmethod = \"united\"\npattern = \"transposable N:4\"\ndensity = 0.3\nbudget = \"uniform\"\n\
                  end = 0.5\ninterval = 5\n[pruning.layer.conv1]\npattern = \"1:4\"";
    let rigl = "[pruning]\nmethod = \"rigl\"\npattern = \"2:4\"\nend = 0.5\ninterval = 7";
    let refined = "[pruning]\nmethod = \"gmp\"\npattern = \"1:2\"\nsr_ste = 2e-4\nend = 0.4\ninterval = 5";
    for pruning in [united, rigl, refined] {
        let text = DIGITS.to_owned() + pruning;
        let (model, changes) = fifty_steps(&text, Box::new(Exact::new(config("default"), CycleModel)));
        assert!(changes >= 3, "{pruning}: {changes} masks");
        let sim = Sim::new(&config("default"), &SimOptions::default()).expect("simulator");
        let (sim, _) = fifty_steps(&text, Box::new(Offload::new(sim, CycleModel).strict()));
        assert_eq!(sim, model, "{pruning}");
    }
}

/// The spectra of what enters conv1 and conv2 (3×3 kernels: tiles of 8×8) come from the FFT unit after each step, and are charged.
#[test]
fn masks_by_measured_spectra_are_the_same_on_every_engine() {
    let pruning = "[pruning]\nmethod = \"gmp\"\nscore = \"energy\"\npattern = \"transposable N:4\"\ndensity = 0.25\nend = 0.04\ninterval = 1";
    let text = DIGITS.to_owned() + pruning;
    let steps = |device: Box<dyn Device>| {
        let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
        let mut trainer = Trainer::new(parse(&text), data, Backend::Device(device)).expect("suits the data");
        for _ in 0..5 {
            trainer.step().expect("a step");
        }
        let masked = trainer.network_mut().prunables().iter().filter(|(_, p)| p.mask().is_some()).count();
        assert_eq!(masked, 2, "conv2 and fc1");
        (trainer.digest(), trainer.training_cost().clone())
    };
    let accelerator = config("spectral");
    let (digest, cost) = steps(Box::new(Exact::new(accelerator.clone(), CycleModel)));
    let transforms = cost.transforms().cost;
    assert!(transforms.cycles > 0, "no layer is spectral: they are all of scoring");
    assert!(cost.scoring().cost.cycles > transforms.cycles, "forward passes are charged, too");
    assert_eq!(cost.busy().fft, transforms.compute_busy);
    assert_eq!(cost.busy().mac, cost.total().cost.compute_busy - transforms.compute_busy);
    let twin = Offload::new(Twin::new(&accelerator), CycleModel).strict();
    assert_eq!(steps(Box::new(twin)), (digest.clone(), cost.clone()), "twin");
    let sim = Sim::new(&accelerator, &SimOptions::default()).expect("simulator");
    assert_eq!(steps(Box::new(Offload::new(sim, CycleModel).strict())), (digest, cost), "sim");
    let (_, cost) = steps(Box::new(Exact::new(config("default"), CycleModel)));
    assert_eq!(cost.transforms().cost.cycles, 0, "the host measures where there is no unit");
}

fn shipped(name: &str) -> Experiment {
    Experiment::load(&repository().join(format!("configs/experiments/{name}.toml"))).expect("valid")
}

const MNIST: Shape = Shape { h: 28, w: 28, c: 1 };

/// Cost of the three products of one step, of those layers, each with its pattern.
fn step_cost(plan: &NetworkPlan, accelerator: &str, layers: &[(&str, Option<MaskPattern>)]) -> Cost {
    cost_on(&mut Exact::new(config(accelerator), CycleModel), plan, layers)
}

/// The same on a device, which plans each product once.
fn cost_on(device: &mut Exact, plan: &NetworkPlan, layers: &[(&str, Option<MaskPattern>)]) -> Cost {
    let mut sum = Cost::default();
    for (name, pattern) in layers {
        let layer = plan.layers.iter().find(|l| l.name == *name).expect("a layer");
        layer.products.iter().for_each(|p| sum += p.cost(device, *pattern).expect("it runs"));
    }
    sum
}

fn one_of(m: usize, transposable: bool) -> Option<MaskPattern> {
    Some(MaskPattern { n: 1, m, transposable })
}

/// Compute cycles of a step against the same step without masks.
fn share(plan: &NetworkPlan, accelerator: &str, layers: &[(&str, Option<MaskPattern>)]) -> f64 {
    let dense: Vec<_> = layers.iter().map(|(name, _)| (*name, None)).collect();
    let busy =
        |layers: &[(&str, Option<MaskPattern>)]| step_cost(plan, accelerator, layers).compute_busy as f64;
    busy(layers) / busy(&dense)
}

#[test]
fn patterns_cut_the_cycles_of_the_perceptron() {
    let plan = shipped("mnist-mlp").plan(MNIST, 10).expect("suits MNIST");
    for (m, accelerator, most) in [(4, "default", 0.28), (8, "sparse-8x8x4", 0.16)] {
        let layers = [("fc1", one_of(m, false)), ("fc2", one_of(m, true)), ("fc3", None)];
        let share = share(&plan, accelerator, &layers);
        assert!(share <= most, "1:{m}: {share}");
    }
}

/// The pruned layers alone; with the others; with the first one plainly pruned too, whose one channel gives groups of a
/// kernel's row: dense, row offsets and images on the columns do better. At 1:8 the 30 inputs of a row of conv2's kernel are
/// four groups for eight rows of the array.
#[test]
fn patterns_cut_the_cycles_of_lenet() {
    let plan = shipped("mnist-lenet5-dense").plan(MNIST, 10).expect("suits MNIST");
    for (m, accelerator, most) in
        [(4, "default", [0.31, 0.50, 0.54]), (8, "sparse-8x8x4", [0.22, 0.45, 0.41])]
    {
        let inner = [("conv2", one_of(m, true)), ("fc1", one_of(m, true)), ("fc2", one_of(m, true))];
        let with = |first| [&[("conv1", first)], &inner[..], &[("fc3", None)]].concat();
        let shares =
            [inner.to_vec(), with(None), with(one_of(m, false))].map(|l| share(&plan, accelerator, &l));
        for (share, most) in shares.into_iter().zip(most) {
            assert!(share <= most, "1:{m}: {shares:?}");
        }
    }
}

/// Noise in the shape of MNIST: cycles do not depend on what is in the images.
fn noise() -> Arc<Dataset> {
    let split = |n: usize| Split {
        images: Array2::from_shape_fn((n, 784), |(i, j)| ((i * 31 + j * 17) % 251) as u8).into(),
        labels: (0..n).map(|i| (i % 10) as u8).collect(),
    };
    let (train, test) = (split(640), split(64));
    Arc::new(Dataset {
        name: "noise".into(),
        train,
        test,
        shape: (28, 28, 1),
        classes: 10,
        max_value: 255,
        known_digest: None,
    })
}

/// Shares at which the small layers' levels fill the gaps between those of conv2, two thirds of all cycles;
/// elsewhere what is left over is less than conv2's next level. Layers that are not pruned take 0.3 of the dense step, so that
/// less than 0.46 of it cannot be reached.
#[test]
fn a_budget_of_cycles_is_met_and_beats_uniform_patterns() {
    let budgets = [(0.65, 16), (0.5, 16), (0.5, 8)];
    // Each plans anew, which takes most of the time.
    std::thread::scope(|scope| {
        budgets.map(|(share, m)| scope.spawn(move || meets_a_budget(share, m))).map(|t| t.join().unwrap())
    });
}

fn meets_a_budget(share: f64, m: usize) {
    let text = shipped("mnist-lenet5-dense").source().replace("validation = 5000", "validation = 0");
    let device = RefCell::new(Exact::new(config("sparse-8x8x4"), CycleModel));
    let pruning = format!(
        "[pruning]\nmethod = \"snip\"\ninitial_score = \"lamp\"\npattern = \"transposable N:{m}\"\ncycles = {share}\nbudget = \"layerwise\"\n"
    );
    let experiment = parse(&(text + "\n" + &pruning));
    let own = Box::new(Exact::new(config("sparse-8x8x4"), CycleModel));
    let mut trainer = Trainer::new(experiment, noise(), Backend::Device(own)).expect("suits the data");
    trainer.step().expect("a step");
    let measured: u64 = {
        let lines = trainer.training_cost().cycles_by_layer();
        lines.iter().map(|line| compute_cycles(&line.total().cost)).sum()
    };
    let plan = trainer.network().plan().clone();
    let names: Vec<_> = ["conv1", "conv2", "fc1", "fc2", "fc3"].to_vec();
    let cycles = |patterns: &dyn Fn(&str) -> Option<MaskPattern>| {
        let layers: Vec<_> = names.iter().map(|name| (*name, patterns(name))).collect();
        compute_cycles(&cost_on(&mut device.borrow_mut(), &plan, &layers))
    };
    let dense = cycles(&|_| None);
    let chosen: Vec<(String, Option<MaskPattern>)> = {
        let pruner = trainer.pruner().expect("it prunes");
        let layers = pruner.layers().iter().map(|l| l.name.clone());
        layers.zip(pruner.patterns().to_vec()).collect()
    };
    let predicted = cycles(&|name| chosen.iter().find(|(n, _)| n == name).and_then(|(_, p)| *p));
    assert_eq!(measured, predicted, "{share}: {chosen:?}");
    let limit = (share * dense as f64) as u64;
    let used = measured as f64 / limit as f64;
    assert!((0.99..=1.0).contains(&used), "{share}: {measured} of {limit} cycles, {chosen:?}");

    // Uniform N:M within the same budget keeps less of the score.
    let is_chosen = |name: &str| chosen.iter().any(|(n, _)| n == name);
    let uniform = |n: usize| Some(MaskPattern { n, m, transposable: true });
    let fits = |n: &usize| cycles(&|name| uniform(*n).filter(|_| is_chosen(name))) <= limit;
    let n = (1..m).rev().find(fits).expect("N = 1 fits");
    let mut network = Network::new(plan.clone(), trainer.experiment().train.seed);
    let mut no_batches = Vec::new;
    let lamp = lamp::KIND.score.score(&mut ScoreContext::new(&mut network, &mut no_batches, 1, 0));
    let lamp = lamp.expect("it needs no loss");
    let layers = trainer.pruner().expect("it prunes").layers();
    let scores: Vec<_> = layers.iter().map(|l| &lamp[l.tensor]).collect();
    let (ranks, shares) = (ranks(&scores), shares(&scores));
    let kept = |pattern: &dyn Fn(&str) -> Option<MaskPattern>| -> f64 {
        let layers = layers.iter().zip(ranks.iter().zip(&shares));
        let of = layers.map(|(layer, (ranks, shares))| match pattern(&layer.name) {
            Some(pattern) => mask::retained(shares, &mask::best(ranks, layer.groups, pattern)),
            None => shares.sum(),
        });
        of.sum()
    };
    let greedy = kept(&|name| chosen.iter().find(|(n, _)| n == name).and_then(|(_, p)| *p));
    let flat = kept(&|_| uniform(n));
    assert!(greedy > flat, "{share}: {greedy} of uniform {n}:{m}'s {flat}");
}
