//! Quantizers in a network: masks, layers without weights, numbers that are none.

use crate::common::data::{ALL_LAYERS, SHORT, experiment, quarters, trainer};
use crate::common::{PlainDevice, Recording};
use ndarray::Array2;
use tandem_nn::backend::Backend;
use tandem_nn::quant::CLIPS;
use tandem_nn::train::{TrainError, Trainer};

fn plain() -> Backend {
    Backend::Device(Box::new(PlainDevice))
}

/// The network with these keys of `[bits]`, and tables.
fn layers(keys: &str, tables: &str) -> String {
    ALL_LAYERS.replacen("[[layer]]", &format!("{keys}\n{tables}\n[[layer]]"), 1)
}

/// What a mask drops is 0 in the products, whatever the table has; what it keeps has a code.
#[test]
fn masked_weights_are_0_and_kept_ones_have_codes() {
    for clip in CLIPS.iter().filter(|clip| clip.has_zero) {
        let device = Recording::default();
        let notes = device.notes.clone();
        let pruning = "[pruning]\nmethod = \"random\"\npattern = \"transposable 1:4\"";
        let text = layers(&format!("weight_clip = \"{}\"", clip.name), pruning);
        let mut trainer = trainer(experiment(SHORT, &text), Backend::Device(Box::new(device)));
        for _ in 0..3 {
            trainer.step().expect("a step");
        }
        // the last step's forward products: conv1, conv2, fc1, fc2
        let notes = notes.lock().unwrap();
        let forward = &notes[notes.len() - 11..][..4];
        let mut masked = 0;
        for (note, (name, prunable)) in forward.iter().zip(trainer.network_mut().prunables()) {
            let Some(mask) = prunable.mask() else { continue };
            masked += 1;
            assert!(note.w.iter().zip(mask).all(|(w, kept)| *kept || *w == 0), "{} {name}", clip.name);
            assert!(note.w.iter().any(|w| *w != 0), "{} {name}", clip.name);
        }
        assert_eq!(masked, 2, "{}", clip.name);
        for layer in [3, 8] {
            let [weights, _] = trainer.network().quantized(layer).expect("an affine layer");
            assert_eq!(weights.codebook().is_some(), clip.is_coded, "{}", clip.name);
            if let Some(table) = weights.codebook() {
                let levels: Vec<i32> = weights.integers().iter().copied().collect();
                let codes = table.encode(&levels).expect("0 and the others are levels");
                assert!(codes.iter().all(|code| *code < 16), "{}", clip.name);
                assert_eq!(table.decode(&codes), Some(levels));
            }
        }
    }
}

/// A layer whose weights are all dropped gives its bias, trains on, and so does one of a single weight.
#[test]
fn layers_pruned_to_nothing_and_to_one_weight_go_on() {
    for clip in CLIPS.iter().filter(|clip| clip.has_zero) {
        for scale in ["tensor", "channel"] {
            let keys = format!("weight_clip = \"{}\"\nweight_scale = \"{scale}\"", clip.name);
            let mut trainer = trainer(experiment(SHORT, &layers(&keys, "")), plain());
            for (tensor, kept) in [(1, 0), (2, 1)] {
                let prunable = &mut trainer.network_mut().prunables()[tensor].1;
                let (k, n) = prunable.weight().value.dim();
                let mask = Array2::from_shape_fn((k, n), |(i, j)| i * n + j < kept);
                prunable.set_mask(Some(mask), None);
            }
            for _ in 0..4 {
                let report = trainer.step().expect("a step");
                assert!(report.loss.is_finite(), "{} {scale}", clip.name);
            }
        }
    }
}

#[test]
fn signs_cannot_be_pruned() {
    let own = "name = \"conv2\"\nbits = { weights = 1, weight_clip = \"sign\" }";
    let pruned = "[pruning]\nmethod = \"random\"\npattern = \"1:4\"";
    let text = layers("", pruned).replace("name = \"conv2\"", own);
    let error = Trainer::new(experiment(SHORT, &text), quarters(128, 64), plain()).err().expect("refused");
    let error = error.to_string();
    for part in ["pruning.layers", "`conv2` cannot be pruned", "`sign`"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn weights_that_are_no_numbers_are_an_error() {
    for clip in CLIPS.iter().filter(|clip| clip.has_zero) {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let text = layers(&format!("weight_clip = \"{}\"", clip.name), "");
            let mut trainer = trainer(experiment(SHORT, &text), plain());
            trainer.network_mut().prunables()[1].1.weight_mut().value[[0, 0]] = bad;
            let error = trainer.step().expect_err("a weight that is no number");
            assert!(
                matches!(error, TrainError::NotFinite { .. } | TrainError::Diverged { .. }),
                "{}: {error}",
                clip.name
            );
        }
    }
}

/// Transforms mix positions and channels.
#[test]
fn spectral_layers_refuse_scales_by_axis() {
    for (keys, key) in [
        ("weight_scale = \"channel\"", "layer[0].bits.weight_scale"),
        ("gradient_quantizer = \"per-axis\"", "layer[0].bits.gradient_quantizer"),
    ] {
        let spectral = "[[layer]]\ntype = \"spectral_conv2d\"\nchannels = 4\nkernel = 3\ntile = 8\n[[layer]]\ntype = \"flatten\"\n\
                        [[layer]]\ntype = \"linear\"\noutputs = 4";
        let text = format!("{keys}\n{spectral}");
        let error =
            Trainer::new(experiment(SHORT, &text), quarters(128, 64), plain()).err().expect("refused");
        assert!(error.to_string().contains(key), "{error}");
    }
}
