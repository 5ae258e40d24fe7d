//! Training in the frequency domain is the same bits on model, twin and simulator, counters as predicted.

use crate::common::config;
use std::sync::Arc;
use tandem_driver::{Device, Exact, Offload};
use tandem_model::{CycleModel, Twin};
use tandem_nn::backend::Backend;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::train::Trainer;
use tandem_sim::{Sim, SimOptions};

const STEPS: usize = 2;

/// A spectral convolution and a circulant layer on 8×8 digits.
fn run(device: Box<dyn Device>, support: &str, pattern: &str) -> (String, Ledger) {
    let text = format!(
        r#"
        name = "digits-spectral"
        accelerator = "spectral"
        data = {{ set = "digits", batch = 8 }}
        train = {{ epochs = 1, seed = 1, optimizer = "sgd", lr = 0.05, schedule = "constant" }}
        bits = {{ weights = 4, activations = 4, gradients = 8 }}
        [pruning]
        method = "snip"
        layers = ["spectral"]
        {pattern}
        [[layer]]
        type = "conv2d"
        channels = 4
        kernel = 3
        [[layer]]
        type = "relu"
        [[layer]]
        type = "spectral_conv2d"
        name = "spectral"
        channels = 4
        kernel = 3
        support = "{support}"
        [[layer]]
        type = "relu"
        [[layer]]
        type = "flatten"
        [[layer]]
        type = "circulant_linear"
        outputs = 12
        block = 8
        [[layer]]
        type = "relu"
        [[layer]]
        type = "linear"
        outputs = 10
        "#
    );
    let experiment = Experiment::parse(Document::new("digits-spectral.toml", text)).expect("valid");
    let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
    let mut trainer = Trainer::new(experiment, data, Backend::Device(device)).expect("suits the data");
    for _ in 0..STEPS {
        trainer.step().expect("a step");
    }
    (trainer.digest(), trainer.training_cost().clone())
}

#[test]
fn all_engines_train_the_same_weights_at_the_same_cost() {
    let accelerator = config("spectral");
    let cases =
        [("kernel", "pattern = \"bins\"\ndensity = 0.25"), ("tile", "pattern = \"transposable 1:4\"")];
    for (support, pattern) in cases {
        let sim = Sim::new(&accelerator, &SimOptions::default()).expect("simulator");
        let (expected, cost) = run(Box::new(Exact::new(accelerator.clone(), CycleModel)), support, pattern);
        let twin = Offload::new(Twin::new(&accelerator), CycleModel).strict();
        assert_eq!(
            run(Box::new(twin), support, pattern),
            (expected.clone(), cost.clone()),
            "twin: {pattern}"
        );
        let sim = Offload::new(sim, CycleModel).strict();
        assert_eq!(run(Box::new(sim), support, pattern), (expected, cost.clone()), "sim: {pattern}");
        let busy = cost.busy();
        assert!(busy.fft > 0 && busy.mac > 0 && busy.link > 0);
        assert_eq!(busy.max, busy.mac.max(busy.fft).max(busy.link));
        let transforms = cost.transforms().cost;
        assert_eq!(transforms.predicted_cycles, transforms.cycles);
    }
}
