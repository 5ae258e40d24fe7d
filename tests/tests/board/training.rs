//! Training on a board, compared with training on the twin.

use crate::common::command::{Scratch, succeeds};
use crate::common::{config, repository};
use crate::emulated::Board;
use std::sync::Arc;
use tandem_driver::{Device, Exact, Offload};
use tandem_link::Statistics;
use tandem_model::CycleModel;
use tandem_nn::backend::Backend;
use tandem_nn::config::Experiment;
use tandem_nn::train::Trainer;

/// Weights of digits-mlp after some steps.
pub fn digest(device: Box<dyn Device>, steps: usize) -> String {
    let file = repository().join("configs/experiments/digits-mlp.toml");
    let experiment = Experiment::load(&file).unwrap();
    let data = Arc::new(tandem_nn::data::load("digits", None).unwrap());
    let mut trainer = Trainer::new(experiment, data, Backend::Device(device)).unwrap();
    for _ in 0..steps {
        trainer.step().unwrap();
    }
    trainer.digest()
}

pub fn expected(steps: usize) -> String {
    digest(Box::new(Exact::new(config("minimal"), CycleModel)), steps)
}

pub fn trained(board: &Board, steps: usize) -> (String, Statistics) {
    let engine = board.engine("minimal");
    let carried = engine.carried();
    let digest = digest(Box::new(Offload::new(engine, CycleModel)), steps);
    let carried = *carried.lock().unwrap();
    (digest, carried)
}

/// Training on a board says beforehand how long a step takes, from the link words of the same step on the twin.
#[test]
fn seconds_a_step_are_those_of_the_twins_link_words() {
    let s = Scratch::new();
    let board = Board::perfect("minimal");
    let train = |engine: &str, run: &str| {
        let experiment = ["train", "-c", "configs/experiments/digits-mlp.toml", "--accelerator", "minimal"];
        succeeds(&[&experiment[..], &["--steps", "1", "--engine", engine, "-o", &s.path(run)]].concat())
    };
    let (on_board, on_twin) = (train(&format!("serial:{}", board.port), "board"), train("model", "twin"));
    let products = ["forward", "input_gradient", "weight_gradient"];
    let layers = on_twin["cycles_by_layer"].as_array().unwrap().iter();
    let words: u64 = layers.flat_map(|l| products.map(|p| l[p]["link_words"].as_u64().unwrap())).sum();
    assert!(words > 10_000);
    // a word is a byte; frames of 249 bytes for 240, 10 bits a byte
    let expected = words as f64 * 249.0 / 240.0 * 10.0 / 3e6;
    let predicted = on_board["predicted_s_per_step"].as_f64().unwrap();
    assert!((predicted / expected - 1.0).abs() < 1e-9, "{predicted} s, {expected} s");
    assert_eq!(on_board["weights_digest"], on_twin["weights_digest"]);
    assert!(on_twin["predicted_s_per_step"].is_null());
}
