//! An interruption leaves no trace; a state that no run has is refused by name.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, SHORT, experiment, quarters, trainer};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tandem_nn::backend::Backend;
use tandem_nn::checkpoint::{CheckpointError, Dtype, State};
use tandem_nn::tensor::Slot;
use tandem_nn::train::{Part, TrainError, Trainer};

fn start() -> Trainer {
    trainer(experiment(SHORT, ALL_LAYERS), Backend::Device(Box::new(PlainDevice)))
}

/// Tests what is to be tested, or takes a step. False if there is nothing left to do.
fn go_on(t: &mut Trainer) -> bool {
    if t.history().epochs().last().is_some_and(|e| e.test.is_none()) {
        let test =
            t.evaluate(Part::Test, &mut (), &AtomicBool::new(false)).unwrap().expect("nobody stopped it");
        t.record_test(&test);
    } else if t.is_finished() {
        return false;
    } else {
        t.step().expect("a step");
    }
    true
}

/// Everything but times.
fn outcome(t: &mut Trainer) -> (String, String) {
    let mut history = String::new();
    for e in t.history().epochs() {
        let r = e.report;
        let bits = [r.loss, r.accuracy, e.test.unwrap().loss, e.test.unwrap().accuracy].map(f64::to_bits);
        history += &format!("{} {bits:?} {} {}\n", r.epoch, r.images, e.cycles);
    }
    (t.digest(), history)
}

/// After every step, after every epoch before its test, and after every test.
#[test]
fn a_run_interrupted_anywhere_has_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut straight = start();
    let mut moments = 0;
    while go_on(&mut straight) {
        moments += 1;
    }
    assert_eq!((moments, straight.history().epochs().len()), (24 + 3, 3));
    let expected = outcome(&mut straight);
    let (mut through, mut left) = (start(), 0);
    for moment in 0..=moments {
        through.save(&path).expect("saved");
        let mut resumed = start();
        resumed.resume(&path).expect("resumed");
        assert_eq!(resumed.history(), through.history(), "{moment}");
        while go_on(&mut resumed) {}
        assert_eq!(outcome(&mut resumed), expected, "{moment}");
        left = moments - moment;
        go_on(&mut through);
    }
    assert_eq!(left, 0);
}

#[test]
fn a_run_goes_on_only_from_what_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut first = start();
    first.set_accelerator("rows = 8");
    first.step().expect("a step");
    first.save(&path).expect("saved");
    let refused = |mut other: Trainer, says: &str| {
        let error = other.resume(&path).unwrap_err();
        assert!(matches!(error, TrainError::Identity { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        other.load(&path).expect("to evaluate");
    };
    let with = |from: &str, to: &str| {
        let mut other = trainer(experiment(&SHORT.replace(from, to), ALL_LAYERS), Backend::Float);
        other.set_accelerator("rows = 8");
        other
    };
    with("seed", "seed").resume(&path).expect("another engine may go on");
    refused(with("lr = 0.05", "lr = 0.06"), "`train.lr` was 0.05, now 0.06");
    refused(with("seed = 1", "seed = 2"), "`train.seed` was 1, now 2");
    let mut fewer = experiment(SHORT, ALL_LAYERS);
    fewer.data.images = Some(48);
    let mut fewer = trainer(fewer, Backend::Float);
    fewer.set_accelerator("rows = 8");
    refused(fewer, "`data.images` was not set, now 48");
    let mut accelerator = with("seed", "seed");
    accelerator.set_accelerator("rows = 9");
    refused(accelerator, "`rows` was 8, now 9");
    let mut data = Trainer::new(experiment(SHORT, ALL_LAYERS), quarters(128, 63), Backend::Float).unwrap();
    data.set_accelerator("rows = 8");
    refused(data, "the data set has changed");

    let state = altered(&State::load(&path).unwrap(), |_, _| {}, |key| key != "identity");
    state.save(&path).unwrap();
    refused(with("seed", "seed"), "does not say what it was made from");
}

/// A copy with other values of reals and integers, and only some texts.
fn altered(state: &State, change: impl Fn(&str, Values<'_>), keep: impl Fn(&str) -> bool) -> State {
    let mut copy = State::new();
    for (name, tensor) in state.tensors() {
        let shape = &tensor.shape;
        match tensor.dtype {
            Dtype::F32 => {
                let mut v: Vec<f32> = state.get(name, shape).unwrap();
                change(name, Values::F32(&mut v));
                copy.insert(name, shape, &v);
            }
            Dtype::F64 => {
                let mut v: Vec<f64> = state.get(name, shape).unwrap();
                change(name, Values::F64(&mut v));
                copy.insert(name, shape, &v);
            }
            Dtype::I64 => {
                let mut v: Vec<i64> = state.get(name, shape).unwrap();
                change(name, Values::I64(&mut v));
                copy.insert(name, shape, &v);
            }
            Dtype::U8 => copy.insert(name, shape, &state.get::<u8>(name, shape).unwrap()),
        }
    }
    for key in ["network", "experiment", "training_cost", "identity"].into_iter().filter(|key| keep(key)) {
        copy.set_metadata(key, state.metadata(key).expect(key));
    }
    copy
}

enum Values<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    I64(&'a mut [i64]),
}

fn resumed(state: &State, path: &Path) -> TrainError {
    state.save(path).unwrap();
    start().resume(path).unwrap_err()
}

#[test]
fn counts_that_no_run_has_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut t = start();
    for _ in 0..11 {
        go_on(&mut t);
    }
    let state = t.state();
    let one: &[(&str, i64)] = &[
        ("position", -1),
        ("position", i64::MIN),
        ("position", 128),
        ("position", i64::MAX),
        ("epoch", -1),
        ("epoch", 4),
        ("epoch", i64::MAX),
        ("step", -1),
        ("step", 9),
        ("seed", -1),
        ("history.images", -1),
        ("history.images", 16),
    ];
    let cases = one.iter().map(|change| vec![*change]);
    for changes in cases.chain([vec![("position", 1), ("history.images", 1)]]) {
        let change = |name: &str, values: Values<'_>| {
            if let (Some((_, value)), Values::I64(values)) = (changes.iter().find(|c| c.0 == name), values) {
                values[0] = *value;
            }
        };
        match resumed(&altered(&state, change, |_| true), &path) {
            TrainError::Checkpoint(CheckpointError::Value { tensor, value, .. }) => {
                assert_eq!((tensor.as_str(), value), changes[0]);
            }
            other => panic!("{changes:?}: {other}"),
        }
    }
    // consistent, but of fewer epochs than the history
    let change = |name: &str, values: Values<'_>| match (name, values) {
        ("epoch", Values::I64(v)) => v[0] = 0,
        ("step", Values::I64(v)) => v[0] -= 8,
        _ => {}
    };
    let error = resumed(&altered(&state, change, |_| true), &path).to_string();
    assert!(error.contains("`history.epochs`: expected shape [0, 3], got [1, 3]"), "{error}");
    altered(&state, |_, _| {}, |_| true).save(&path).unwrap();
    start().resume(&path).expect("the copy itself is good");
}

#[test]
fn a_saved_number_that_is_none_is_refused_by_name() {
    let mut t = start();
    t.step().expect("a step");
    let state = t.state();
    let reals: Vec<_> = state.tensors().filter(|(_, t)| !t.bytes().is_empty()).collect();
    let mut tried = 0;
    for (wanted, tensor) in reals {
        if !matches!(tensor.dtype, Dtype::F32 | Dtype::F64) {
            continue;
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let change = |name: &str, values: Values<'_>| match values {
                Values::F32(v) if name == wanted => *v.last_mut().unwrap() = value as f32,
                Values::F64(v) if name == wanted => *v.last_mut().unwrap() = value,
                _ => {}
            };
            match start().restore(&altered(&state, change, |_| true)).expect_err(wanted) {
                CheckpointError::NotFinite { tensor, .. } => assert_eq!(tensor, wanted),
                other => panic!("{wanted}: {other}"),
            }
            tried += 1;
        }
    }
    // weights, biases, γ, β and input scales with their velocities, running statistics
    assert!(tried > 3 * 20, "{tried}");
}

/// A quantizer turns NaN into 0, and the loss stays finite.
#[test]
fn a_number_that_is_none_stops_the_run_and_is_never_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let broken = |tensor: &str, moment: bool| {
        let mut t = start();
        t.step().expect("a step");
        t.save(&path).expect("saved");
        for (name, slot) in t.network_mut().slots() {
            match slot {
                Slot::Parameter(p) if name == tensor => {
                    let values = if moment { &mut p.moments[0] } else { &mut p.value };
                    *values.last_mut().unwrap() = f32::NAN;
                }
                Slot::Statistic(b) | Slot::Buffer(b) if name == tensor => {
                    *b.value.last_mut().unwrap() = f32::INFINITY
                }
                _ => {}
            }
        }
        t
    };
    for (tensor, moment) in [
        ("fc2.weight", false),
        ("fc2.bias", true),
        ("conv1.weight", true),
        ("batch_norm2.running_variance", false),
    ] {
        let named = if moment { format!("{tensor}.velocity") } else { tensor.to_owned() };
        let mut t = broken(tensor, moment);
        let before = std::fs::read(&path).unwrap();
        match t.save(&path).unwrap_err() {
            TrainError::NotFinite { tensor, step: 1 } => assert_eq!(tensor, named),
            other => panic!("{tensor}: {other}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
        match t.step().unwrap_err() {
            // a velocity has reached its parameter
            TrainError::NotFinite { tensor: found, step: 2 } => {
                assert!(found == named || found == tensor, "{found}");
            }
            other => panic!("{tensor}: {other}"),
        }
    }
    let error = broken("fc2.bias", false).evaluate(Part::Test, &mut (), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, TrainError::Unfit { first: 0, last: 15 }), "{error}");
}
