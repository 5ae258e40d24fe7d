//! Networks learn, quantized as well as in float.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, SHORT, experiment, quarters, trainer};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tandem_nn::backend::Backend;
use tandem_nn::config::Experiment;
use tandem_nn::data::load;
use tandem_nn::quant::CLIPS;
use tandem_nn::quant::gradient::GRADIENTS;
use tandem_nn::train::{Part, TrainError, Trainer};

fn accuracy(mut trainer: Trainer) -> f64 {
    let go_on = AtomicBool::new(false);
    while !trainer.is_finished() {
        trainer.epoch(&mut (), &go_on).expect("an epoch");
    }
    let test = trainer.evaluate(Part::Test, &mut (), &go_on).expect("an evaluation");
    test.expect("not stopped").accuracy
}

fn backend(float: bool) -> Backend {
    if float { Backend::Float } else { Backend::Device(Box::new(PlainDevice)) }
}

/// The classes are separable by the brightest quarter; guessing gives 1/4.
#[test]
fn every_kind_of_layer_learns_quarters() {
    for float in [false, true] {
        let settings = SHORT.replace("epochs = 3", "epochs = 12");
        let accuracy = accuracy(trainer(experiment(&settings, ALL_LAYERS), backend(float)));
        assert!(accuracy >= 0.95, "float: {float}, {accuracy}");
    }
}

#[test]
fn every_quantizer_and_optimiser_learns_quarters() {
    let quick = SHORT.replace("epochs = 3", "epochs = 12").replace("sgd", "adam").replace("0.05", "0.01");
    let learns = |keys: &str| {
        let layers = ALL_LAYERS.replacen("[[layer]]", &format!("{keys}\n[[layer]]"), 1);
        let accuracy = accuracy(trainer(experiment(&quick, &layers), backend(false)));
        assert!(accuracy >= 0.95, "{keys}: {accuracy}");
    };
    for weights in CLIPS.iter().filter(|clip| clip.has_zero) {
        for activations in ["max-abs", "learned", "octav"] {
            let name = weights.name;
            learns(&format!("weight_clip = \"{name}\"\nactivation_clip = \"{activations}\""));
        }
        learns(&format!("weight_clip = \"{}\"\nweight_scale = \"channel\"", weights.name));
    }
    for gradients in GRADIENTS.iter().filter(|kind| kind.widths.1 >= 8) {
        learns(&format!("gradient_quantizer = \"{}\"", gradients.name));
    }
}

/// One bit where it may be: in the second convolution.
#[test]
fn signs_learn_quarters() {
    let settings = SHORT.replace("epochs = 3", "epochs = 12");
    for scale in ["tensor", "channel"] {
        let own = format!(
            "name = \"conv2\"\nbits = {{ weights = 1, weight_clip = \"sign\", weight_scale = \"{scale}\", gradients = 3, \
             gradient_quantizer = \"luq\" }}"
        );
        let layers = ALL_LAYERS.replace("name = \"conv2\"", &own);
        let accuracy = accuracy(trainer(experiment(&settings, &layers), backend(false)));
        assert!(accuracy >= 0.95, "{accuracy}");
    }
}

#[test]
fn digits_reach_95_percent_and_float_less_a_point_and_a_half() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/experiments/digits-mlp.toml");
    let data = Arc::new(load("digits", None).expect("embedded"));
    for seed in [1, 2, 3] {
        let run = |float| {
            let mut experiment = Experiment::load(path.as_ref()).expect("a valid experiment");
            experiment.train.seed = seed;
            let trainer = Trainer::new(experiment, Arc::clone(&data), backend(float));
            accuracy(trainer.expect("it suits the data"))
        };
        let (quantized, float) = (run(false), run(true));
        assert!(quantized >= 0.95, "seed {seed}: {quantized}");
        assert!(quantized >= float - 0.015, "seed {seed}: {quantized}, float {float}");
    }
}

#[test]
fn evaluation_does_not_depend_on_the_batch() {
    let evaluate = |batch: usize| {
        let mut experiment = experiment(SHORT, ALL_LAYERS);
        let mut trainer = trainer(experiment.clone(), backend(false));
        for _ in 0..5 {
            trainer.step().expect("a step");
        }
        let state = trainer.state();
        experiment.data.batch = batch;
        let mut other = Trainer::new(experiment, quarters(128, 64), backend(false)).unwrap();
        other.restore(&state).expect("the same network");
        let go_on = AtomicBool::new(false);
        let result = other.evaluate(Part::Test, &mut (), &go_on).unwrap().unwrap();
        assert_eq!(other.digest(), trainer.digest(), "evaluation changes nothing");
        (result.accuracy, result.loss)
    };
    let (accuracy, loss) = evaluate(16);
    let (other, other_loss) = evaluate(5);
    assert_eq!(accuracy, other);
    // The same 64 losses, summed in other groups: 64 roundings in f64 of a sum of at most 64·loss.
    assert!((loss - other_loss).abs() <= 64.0 * f64::EPSILON * loss);
}

#[test]
fn validation_images_are_the_last_and_are_not_trained_on() {
    let mut experiment = experiment(SHORT, ALL_LAYERS);
    experiment.data.validation = 48;
    let mut trainer = trainer(experiment, backend(false));
    assert_eq!(trainer.steps_per_epoch(), 5);
    let go_on = AtomicBool::new(false);
    let report = trainer.epoch(&mut (), &go_on).unwrap().expect("an epoch");
    assert_eq!(report.images, 80);
    let validation = trainer.evaluate(Part::Validation, &mut (), &go_on).unwrap().unwrap();
    assert_eq!(validation.images, 48);
    let train = trainer.evaluate(Part::Train, &mut (), &go_on).unwrap().unwrap();
    assert_eq!(train.images, 80);
}

/// The first 32 images of 128: the same run as on a set that has no others.
#[test]
fn images_limits_training_to_the_first_ones() {
    let run = |images, validation| {
        let mut experiment = experiment(SHORT, ALL_LAYERS);
        (experiment.data.images, experiment.data.validation) = (images, validation);
        let mut trainer = trainer(experiment, backend(false));
        let go_on = AtomicBool::new(false);
        trainer.epoch(&mut (), &go_on).unwrap().expect("an epoch");
        let validation = trainer.evaluate(Part::Validation, &mut (), &go_on).unwrap().unwrap();
        (trainer.steps(), validation.images, trainer.digest())
    };
    let (limited, rest) = (run(Some(32), 48), run(None, 96));
    assert_eq!((limited.0, limited.1), (2, 48));
    assert_eq!((rest.0, rest.1), (2, 96));
    assert_eq!(limited.2, rest.2);
}

#[test]
fn a_run_that_diverges_says_so() {
    let settings = SHORT
        .replace("lr = 0.05", "lr = 100.0")
        .replace("schedule = \"cosine\"", "schedule = \"constant\"\nweight_decay = 0.9")
        .replace("epochs = 3", "epochs = 100");
    let layers = "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\noutputs = 4";
    let mut trainer = trainer(experiment(&settings, layers), Backend::Float);
    let error = loop {
        if let Err(error) = trainer.step() {
            break error;
        }
    };
    assert!(
        matches!(&error, TrainError::NotFinite { tensor, step: 1.. } if tensor.starts_with("linear1.")),
        "{error}"
    );
}
