//! A run that starts from the weights of another one.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, SHORT, experiment, trainer};
use ndarray::Array2;
use std::sync::atomic::AtomicBool;
use tandem_nn::backend::Backend;
use tandem_nn::checkpoint::CheckpointError;
use tandem_nn::tensor::Slot;
use tandem_nn::train::{Part, Trainer};

const PRUNED: &str = r#"
        [pruning]
        method = "random"
        pattern = "transposable 1:2"
"#;

fn with(layers: &str) -> Trainer {
    trainer(experiment(SHORT, layers), Backend::Device(Box::new(PlainDevice)))
}

fn float(layers: &str) -> Trainer {
    trainer(experiment(SHORT, layers), Backend::Float)
}

fn trained(mut t: Trainer) -> Trainer {
    for _ in 0..10 {
        t.step().expect("a step");
    }
    t
}

fn values(t: &mut Trainer, is_meant: impl Fn(&Slot<'_>) -> bool) -> Vec<(String, Array2<f32>)> {
    let slots = t.network_mut().slots().into_iter().filter(|(_, slot)| is_meant(slot));
    let value = |(name, slot): (String, Slot<'_>)| match slot {
        Slot::Parameter(parameter) => (name, parameter.value.clone()),
        Slot::Statistic(buffer) | Slot::Buffer(buffer) => (name, buffer.value.clone()),
        Slot::Mask { .. } => panic!("a mask is no real tensor"),
    };
    slots.map(value).collect()
}

/// What the network computes with, in f32.
fn of_network(t: &mut Trainer) -> Vec<(String, Array2<f32>)> {
    values(t, |slot| match slot {
        Slot::Parameter(parameter) => parameter.floor.is_none(),
        Slot::Statistic(_) => true,
        _ => false,
    })
}

/// The state of quantizers.
fn of_quantizers(t: &mut Trainer) -> Vec<(String, Array2<f32>)> {
    values(t, |slot| match slot {
        Slot::Parameter(parameter) => parameter.floor.is_some(),
        Slot::Buffer(_) => true,
        _ => false,
    })
}

fn loss(t: &mut Trainer) -> u64 {
    let test = t.evaluate(Part::Test, &mut (), &AtomicBool::new(false)).unwrap();
    test.expect("nobody stopped it").loss.to_bits()
}

#[test]
fn a_float_network_computes_what_the_run_that_it_started_from_does() {
    let mut source = trained(float(ALL_LAYERS));
    let mut t = float(ALL_LAYERS);
    assert_ne!(loss(&mut t), loss(&mut source));
    t.start_from(&source.state()).expect("the same network");
    assert_eq!(loss(&mut t), loss(&mut source));
    assert_eq!(t.steps(), 0);
}

#[test]
fn weights_and_statistics_are_taken_and_how_they_are_trained_is_not() {
    let mut source = trained(float(ALL_LAYERS));
    // other bits, other quantizers, pruning, another optimiser, an accelerator
    let learned = ALL_LAYERS.replacen(
        "bias = false",
        "bias = false\nbits = { weights = 2, weight_clip = \"learned\" }",
        1,
    );
    let settings = SHORT.replace("\"sgd\"", "\"adam\"").replace("0.05", "0.001");
    let layers = format!("{PRUNED}{learned}");
    let start = || trainer(experiment(&settings, &layers), Backend::Device(Box::new(PlainDevice)));
    let (mut t, mut drawn) = (start(), start());
    t.start_from(&source.state()).expect("the same network");
    assert_eq!(of_network(&mut t), of_network(&mut source));
    assert_ne!(of_network(&mut drawn), of_network(&mut source));
    assert_eq!(of_quantizers(&mut t), of_quantizers(&mut drawn));
    for (name, slot) in t.network_mut().slots() {
        match slot {
            Slot::Parameter(p) => assert!(p.moments.iter().flatten().all(|m| *m == 0.0), "{name}"),
            Slot::Mask { mask, .. } => assert!(mask.is_none(), "{name}"),
            Slot::Statistic(_) | Slot::Buffer(_) => {}
        }
    }
    trained(t);
}

#[test]
fn weights_that_a_mask_dropped_are_0() {
    let mut source = trained(with(&format!("{PRUNED}{ALL_LAYERS}")));
    let masked = |t: &mut Trainer| {
        let prunables = t.network_mut().prunables().into_iter();
        prunables.map(|(_, p)| (p.weight().value.clone(), p.mask().cloned())).collect::<Vec<_>>()
    };
    let mut t = with(ALL_LAYERS);
    t.start_from(&source.state()).expect("the same network");
    let mut dropped = 0;
    for ((taken, none), (source, mask)) in masked(&mut t).into_iter().zip(masked(&mut source)) {
        assert!(none.is_none());
        for (at, &weight) in source.indexed_iter() {
            let kept = mask.as_ref().is_none_or(|mask| mask[at]);
            assert_eq!(taken[at], if kept { weight } else { 0.0 });
            dropped += usize::from(!kept && weight != 0.0);
        }
    }
    assert!(dropped > 0, "all dropped weights were 0 in the source: nothing is shown");
}

#[test]
fn where_a_run_started_is_part_of_what_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let source = trained(with(ALL_LAYERS)).state();
    let start = || {
        let mut t = with(ALL_LAYERS);
        t.start_from(&source).expect("the same network");
        t
    };
    assert!(with(ALL_LAYERS).initial().is_none());
    let mut straight = start();
    let initial = straight.initial().expect("given weights").to_owned();
    assert_eq!(initial, straight.digest());
    assert_ne!(straight.identity().digest(), with(ALL_LAYERS).identity().digest());
    let mut first = start();
    for _ in 0..3 {
        straight.step().expect("a step");
        first.step().expect("a step");
    }
    first.save(&path).expect("saved");
    // the source is not needed any more
    let mut resumed = with(ALL_LAYERS);
    resumed.resume(&path).expect("resumed");
    assert_eq!(resumed.initial(), Some(initial.as_str()));
    assert_eq!(resumed.identity().digest(), first.identity().digest());
    for _ in 0..3 {
        straight.step().expect("a step");
        resumed.step().expect("a step");
    }
    assert_eq!(resumed.digest(), straight.digest());
}

#[test]
fn another_network_is_refused_by_the_tensor_that_differs() {
    let source = trained(float(ALL_LAYERS)).state();
    let refused = |layers: &str| float(layers).start_from(&source).unwrap_err();
    let wider = refused(&ALL_LAYERS.replace("outputs = 12", "outputs = 13"));
    assert!(matches!(&wider, CheckpointError::Shape { tensor, .. } if tensor == "fc1.weight"), "{wider}");
    let renamed = refused(&ALL_LAYERS.replace("\"fc2\"", "\"fc3\""));
    assert!(
        matches!(&renamed, CheckpointError::Missing { tensor, .. } if tensor == "fc3.weight"),
        "{renamed}"
    );
}
