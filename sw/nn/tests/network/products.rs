//! What reaches the device: three products a layer, in the planned shapes and formats.

use crate::common::data::{ALL_LAYERS, SHORT, experiment, trainer};
use crate::common::{Note, Recording};
use ndarray::Array2;
use tandem_nn::backend::{Backend, Product};
use tandem_nn::layers::ProductPlan;
use tandem_nn::train::{TrainError, Trainer};

fn recorded(settings: &str, prepare: impl FnOnce(&mut Trainer)) -> (Trainer, Vec<Note>) {
    let device = Recording::default();
    let notes = device.notes.clone();
    let backend = Backend::Device(Box::new(device));
    let mut trainer = trainer(experiment(settings, ALL_LAYERS), backend);
    prepare(&mut trainer);
    trainer.step().expect("a step");
    let notes = notes.lock().unwrap().clone();
    (trainer, notes)
}

/// The products of a step in their order: forward by layer, then each layer's gradients, last layer
/// first.
fn in_order(trainer: &Trainer) -> Vec<(usize, ProductPlan)> {
    let layers = || trainer.network().plan().layers.iter().enumerate();
    let products = |i, products: &[ProductPlan], forward| {
        let chosen = products.iter().filter(move |p| (p.product == Product::Forward) == forward);
        chosen.map(|p| (i, *p)).collect::<Vec<_>>()
    };
    let forward = layers().flat_map(|(i, l)| products(i, &l.products, true));
    let backward = layers().rev().flat_map(|(i, l)| products(i, &l.products, false));
    forward.chain(backward).collect()
}

#[test]
fn a_step_makes_the_planned_products() {
    let (trainer, notes) = recorded(SHORT, |_| {});
    let plans = in_order(&trainer);
    assert_eq!(notes.len(), 4 * 3 - 1, "no input gradient for the first layer");
    assert_eq!(plans.len(), notes.len());
    for ((layer, plan), note) in plans.iter().zip(&notes) {
        let at = format!("layer {layer}, {:?}", plan.product);
        assert_eq!(note.x.dim(), (plan.m, plan.k), "{at}");
        assert_eq!(note.w.dim(), (plan.k, plan.n), "{at}");
        assert_eq!((note.x_format, note.w_format), (plan.x, plan.w), "{at}");
        assert!(note.x.iter().any(|&v| v != 0) && note.w.iter().any(|&v| v != 0), "{at}");
    }
    let ledger = trainer.training_cost();
    let lines = ledger.cycles_by_layer();
    let names: Vec<_> = lines.iter().map(|line| line.layer.as_str()).collect();
    assert_eq!(names, ["conv1", "conv2", "fc1", "fc2"]);
    assert_eq!(lines[0].input_gradient.calls, 0);
    let products: usize = plans.iter().map(|(_, p)| p.m * p.k * p.n).sum();
    assert_eq!(ledger.total().cost.products, products as u64);
}

fn notes_of(trainer: &Trainer, notes: &[Note], layer: usize, product: Product) -> Note {
    let plans = in_order(trainer);
    let found = plans.iter().position(|(l, p)| *l == layer && p.product == product);
    notes[found.expect("a planned product")].clone()
}

#[test]
fn gradients_are_quantized_once_and_weights_and_inputs_are_reused() {
    let (trainer, notes) = recorded(SHORT, |_| {});
    for layer in [3, 8, 11] {
        let of = |product| notes_of(&trainer, &notes, layer, product);
        let forward = of(Product::Forward);
        let weight_gradient = of(Product::WeightGradient);
        let input_gradient = of(Product::InputGradient);
        assert_eq!(weight_gradient.w, input_gradient.x, "dY of layer {layer}");
        assert_eq!(weight_gradient.x, forward.x.t(), "X of layer {layer}");
        assert_eq!(input_gradient.w, forward.w.t(), "W of layer {layer}");
        let largest = input_gradient.x.iter().map(|v| v.abs()).max();
        assert!(largest >= Some(126), "the scale follows the largest gradient: {largest:?}");
    }
}

#[test]
fn masked_weights_are_zero_in_all_products_and_do_not_move() {
    let kept = |(k, n): (usize, usize)| Array2::from_shape_fn((k, n), |(i, j)| (i + j) % 4 == 0);
    let mut before = Vec::new();
    let (mut trainer, notes) = recorded(SHORT, |trainer| {
        for (_, prunable) in trainer.network_mut().prunables() {
            before.push(prunable.weight().value.clone());
            let mask = kept(prunable.weight().value.dim());
            assert_eq!(prunable.groups().contraction(), mask.nrows());
            assert_eq!(prunable.groups().outputs, mask.ncols());
            prunable.set_mask(Some(mask), None);
        }
    });
    assert_eq!(before.len(), 4);
    for layer in [0, 3, 8, 11] {
        let w = notes_of(&trainer, &notes, layer, Product::Forward).w;
        assert!(w.indexed_iter().all(|(at, &w)| w == 0 || kept(w_dim(&notes, layer, &trainer))[at]));
        assert!(w.iter().any(|&w| w != 0));
        if layer > 0 {
            assert_eq!(notes_of(&trainer, &notes, layer, Product::InputGradient).w, w.t());
        }
    }
    for ((_, prunable), before) in trainer.network_mut().prunables().into_iter().zip(before) {
        let weight = prunable.weight();
        let mask = kept(before.dim());
        for (at, &old) in before.indexed_iter() {
            if mask[at] {
                continue;
            }
            assert_eq!(weight.gradient[at], 0.0);
            assert_eq!(weight.value[at], old);
        }
        assert!(weight.value != before, "kept weights move");
    }
}

fn w_dim(notes: &[Note], layer: usize, trainer: &Trainer) -> (usize, usize) {
    notes_of(trainer, notes, layer, Product::Forward).w.dim()
}

#[test]
fn a_mask_is_part_of_the_state() {
    let backend = || Backend::Device(Box::new(crate::common::PlainDevice));
    let mut first = trainer(experiment(SHORT, ALL_LAYERS), backend());
    let unmasked = first.digest();
    let mask = |trainer: &mut Trainer| trainer.network_mut().prunables()[1].1.mask().cloned();
    let dim = first.network_mut().prunables()[1].1.weight().value.dim();
    let chosen = Array2::from_shape_fn(dim, |(i, _)| i % 2 == 0);
    first.network_mut().prunables()[1].1.set_mask(Some(chosen.clone()), None);
    assert_ne!(first.digest(), unmasked);
    let mut second = trainer(experiment(SHORT, ALL_LAYERS), backend());
    second.restore(&first.state()).expect("the same network");
    assert_eq!(mask(&mut second), Some(chosen));
    first.network_mut().prunables()[1].1.set_mask(None, None);
    second.restore(&first.state()).expect("the same network");
    assert_eq!(mask(&mut second), None);
}

#[test]
fn a_failing_device_names_layer_and_product() {
    for (call, layer, product) in
        [(0, "conv1", "forward"), (5, "fc2", "input_gradient"), (10, "conv1", "weight_gradient")]
    {
        let device = Recording { fails_at: Some(call), ..Recording::default() };
        let backend = Backend::Device(Box::new(device));
        let error = trainer(experiment(SHORT, ALL_LAYERS), backend).step().unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, TrainError::Product { .. }));
        assert!(message.contains(layer) && message.contains(product), "{message}");
        assert!(message.contains("out of ink"), "{message}");
    }
}
