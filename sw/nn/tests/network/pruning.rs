//! Pruned runs: patterns, budgets, reproducibility.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, SHORT, experiment, trainer};
use ndarray::Array2;
use std::sync::{Arc, Mutex};
use tandem_nn::backend::Backend;
use tandem_nn::layers::prunable::MaskPattern;
use tandem_nn::prune::pattern::check;
use tandem_nn::prune::preset::PRESETS;
use tandem_nn::tensor::Mask;
use tandem_nn::train::{TrainError, Trainer};

const STEPS: usize = 24;

fn run(pruning: &str) -> Trainer {
    let text = format!("[pruning]\n{pruning}\n{ALL_LAYERS}");
    trainer(experiment(SHORT, &text), Backend::Device(Box::new(PlainDevice)))
}

fn steps(trainer: &mut Trainer, n: usize) -> String {
    for _ in 0..n {
        trainer.step().expect("a step");
    }
    trainer.digest()
}

fn masks(trainer: &mut Trainer) -> Vec<Option<Mask>> {
    trainer.network_mut().prunables().iter().map(|(_, prunable)| prunable.mask().cloned()).collect()
}

/// Every layer's pattern, by its report, holds for its mask.
fn check_masks(trainer: &mut Trainer) {
    let report = trainer.pruning_report();
    let prunables = trainer.network_mut().prunables();
    for (line, (name, prunable)) in report.iter().zip(&prunables) {
        assert_eq!(line.layer, *name);
        let kept = prunable.mask().map_or(line.weights, |mask| mask.iter().filter(|k| **k).count());
        assert_eq!((line.kept, line.density), (kept, kept as f64 / line.weights as f64));
        if let Ok(spec) = line.pattern.parse::<tandem_nn::prune::pattern::PatternSpec>()
            && let Some(pattern) = spec.n.and_then(|n| spec.structure.pattern(n))
        {
            let mask = prunable.mask().expect("a pattern has a mask");
            assert_eq!(check(mask, prunable.groups(), pattern), Ok(()), "{name}");
        }
    }
}

/// Root mean square of the kept weights of each layer.
fn sizes(trainer: &mut Trainer) -> Vec<f64> {
    let of = |(weights, mask): (&Array2<f32>, Option<&Mask>)| {
        let kept = weights.indexed_iter().filter(|(at, _)| mask.is_none_or(|mask| mask[*at]));
        let squares: Vec<f64> = kept.map(|(_, w)| f64::from(*w).powi(2)).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    };
    let prunables = trainer.network_mut().prunables();
    prunables.iter().map(|(_, prunable)| of((&prunable.weight().value, prunable.mask()))).collect()
}

/// A score that prefers large weights leaves larger ones; rescaled, the same ones are as large as all were. Forgotten ones are 0.
#[test]
fn kept_weights_may_be_rescaled_and_dropped_ones_forgotten() {
    let still = SHORT.replace("lr = 0.05", "lr = 1e-9");
    let of = |scaled: bool| {
        let keys = format!("rescale = {scaled}\nforget = {scaled}");
        let pruning = format!("method = \"snip\"\npattern = \"transposable 1:4\"\n{keys}");
        let experiment = experiment(&still, &format!("[pruning]\n{pruning}\n{ALL_LAYERS}"));
        let mut trainer = trainer(experiment, Backend::Device(Box::new(PlainDevice)));
        let before = sizes(&mut trainer);
        steps(&mut trainer, 1);
        let ratios: Vec<_> = sizes(&mut trainer).iter().zip(&before).map(|(a, b)| a / b).collect();
        let zeros = |weights: &Array2<f32>| weights.iter().filter(|w| **w == 0.0).count();
        let prunables = trainer.network_mut().prunables();
        let zeros: Vec<_> = prunables.iter().map(|(_, layer)| zeros(&layer.weight().value)).collect();
        (ratios, masks(&mut trainer), zeros)
    };
    let ((plain, masks, some), (rescaled, same, zeros)) = (of(false), of(true));
    assert_eq!(masks, same);
    let dropped = |mask: &Option<Mask>| mask.iter().flatten().filter(|kept| !**kept).count();
    assert_eq!(zeros, masks.iter().map(dropped).collect::<Vec<_>>(), "forgotten");
    assert!(some.iter().all(|zeros| *zeros == 0), "not forgotten: {some:?}");
    for (layer, mask) in masks.iter().enumerate() {
        assert!((rescaled[layer] - 1.0).abs() < 1e-5, "{layer}: {rescaled:?}");
        assert_eq!(plain[layer] > 1.2, mask.is_some(), "{layer}: {plain:?}");
    }
    assert!(masks.iter().any(Option::is_some));
}

#[test]
fn every_method_runs_in_every_kind_of_pattern() {
    // `bands` is of frequencies
    for preset in PRESETS.iter().filter(|preset| preset.name != "bands") {
        for rest in [
            "density = 0.3",
            "pattern = \"transposable 1:4\"",
            "pattern = \"N:8\"\ndensity = 0.3",
            "pattern = \"transposable N:4\"\ncycles = 0.7",
            "pattern = { m = 4, transposable = true }\ndensity = 0.4\nbudget = \"erk\"",
        ] {
            let rest = format!("{rest}\ninterval = 5");
            let text = format!("method = \"{}\"\n{rest}", preset.name);
            let mut trainer = run(&text);
            for _ in 0..STEPS {
                steps(&mut trainer, 1);
                check_masks(&mut trainer);
            }
            let report = trainer.pruning_report();
            assert_eq!([&report[0].pattern, &report[3].pattern], ["dense", "dense"], "{text}");
            let inner = &report[1..3];
            let kept: usize = inner.iter().map(|line| line.kept).sum();
            let share = kept as f64 / inner.iter().map(|line| line.weights).sum::<usize>() as f64;
            if rest.starts_with("density") {
                // To the nearest of 144 and of 432 weights.
                assert!((share - 0.3).abs() <= 1.0 / 576.0 + 1e-12, "{text}: {share}");
            } else if rest.contains("1:4") {
                assert_eq!(share, 0.25, "{text}");
            } else if rest.contains("N:8") {
                assert!(share < 0.45 && inner[0].pattern != "dense", "{text}: {report:?}");
            }
        }
    }
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let cases = [
        "method = \"united\"\npattern = \"transposable N:4\"\ndensity = 0.3\nend = 0.75",
        "method = \"united\"\ninitial_score = \"synflow\"\ndensity = 0.2\ninterval = 2\nend = 0.9",
        "method = \"united\"\npattern = \"N:4\"\ncycles = 0.6\ninterval = 2\nend = 0.8\nregrow = 0.5",
        "method = \"rigl\"\ndensity = 0.3\ninterval = 4",
        "method = \"rigl\"\npattern = \"transposable 1:4\"\ninterval = 3",
        "method = \"gmp\"\npattern = \"1:4\"\nend = 0.6\ninterval = 3\nsr_ste = 2e-4",
        "method = \"magnitude\"\ndensity = 0.2\nshuffle = true",
        "method = \"random\"\ndensity = 0.2",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    for case in cases {
        let mut straight = run(case);
        let expected = steps(&mut straight, STEPS);
        for before in [0, 1, 7, 12, 17] {
            let mut first = run(case);
            steps(&mut first, before);
            first.save(&path).expect("saved");
            // Another seed: the saved one counts, for random scores and shuffles too.
            let text = format!("[pruning]\n{case}\n{ALL_LAYERS}");
            let other = experiment(&SHORT.replace("seed = 1", "seed = 77"), &text);
            let mut second = trainer(other, Backend::Device(Box::new(PlainDevice)));
            second.load(&path).expect("loaded");
            assert_eq!(second.pruning_report(), first.pruning_report(), "{case}, {before}");
            assert_eq!(second.scoring_passes(), first.scoring_passes());
            assert_eq!(second.state(), {
                let mut state = first.state();
                state.set_metadata("experiment", second.experiment().source());
                state
            });
            assert_eq!(steps(&mut second, STEPS - before), expected, "{case}, {before}");
            assert_eq!(second.pruning_report(), straight.pruning_report());
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let case =
        "method = \"united\"\npattern = \"transposable N:8\"\ndensity = 0.3\ninterval = 3\nbatches = 3";
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut trainer = run(case);
        pool.install(|| steps(&mut trainer, 14))
    };
    assert_eq!(on(1), on(3));
}

/// A control keeps as many weights in each layer, in the same pattern, but others.
#[test]
fn shuffled_masks_keep_counts_and_patterns() {
    for method in ["random", "snip", "grasp", "synflow", "force", "magnitude", "lamp", "energy"] {
        for rest in ["density = 0.3", "pattern = \"N:8\"\ndensity = 0.3", "pattern = \"transposable 2:4\""] {
            let text = format!("method = \"{method}\"\n{rest}");
            // The mask of `magnitude`, `lamp` and `energy` comes after half of the run.
            let (mut own, mut shuffled) = (run(&text), run(&format!("{text}\nshuffle = true")));
            steps(&mut own, 12);
            steps(&mut shuffled, 12);
            check_masks(&mut shuffled);
            let lines = |trainer: &mut Trainer| -> Vec<_> {
                let report = trainer.pruning_report().into_iter();
                report
                    .map(|line| (line.pattern, if rest.contains("trans") { 0 } else { line.kept }))
                    .collect()
            };
            assert_eq!(lines(&mut own), lines(&mut shuffled), "{text}");
            let (own, shuffled) = (masks(&mut own), masks(&mut shuffled));
            assert_ne!(own[1], shuffled[1], "{text}");
            assert_ne!(own[2], shuffled[2], "{text}");
        }
    }
}

#[test]
fn scoring_passes_are_counted() {
    let passes = |text: &str| {
        let mut trainer = run(&format!("{text}\ndensity = 0.3"));
        assert_eq!(trainer.scoring_passes().batches.forward, 0);
        steps(&mut trainer, 1);
        let passes = trainer.scoring_passes();
        assert_eq!(passes.batches.forward, passes.batches.backward);
        assert_eq!(passes.single.forward, passes.single.backward);
        (passes.batches.forward, passes.single.forward)
    };
    assert_eq!(passes("method = \"random\""), (0, 0));
    assert_eq!(passes("method = \"snip\""), (1, 0));
    assert_eq!(passes("method = \"snip\"\nbatches = 3"), (3, 0));
    assert_eq!(passes("method = \"grasp\"\nbatches = 2"), (6, 0), "a gradient and two for H·g");
    assert_eq!(passes("method = \"synflow\""), (0, 100));
    assert_eq!(passes("method = \"force\"\nrounds = 7"), (7, 0));
    assert_eq!(passes("method = \"gmp\""), (0, 0));
}

/// Costs of an accelerator on which fc1 (layer 8) is dear and conv2 (layer 3) does not gain below 2:4.
fn oracle(layer: usize, pattern: MaskPattern) -> u64 {
    let quarters = (4 * pattern.n / pattern.m) as u64;
    match layer {
        3 => 100 + 10 * quarters.max(2),
        8 => 100 * quarters,
        _ => 50,
    }
}

#[test]
fn a_budget_of_cycles_is_met_by_the_oracle() {
    // conv1 and fc2 cost 50 each, dense: 50 + 140 + 400 + 50 = 640.
    let mut trainer = run("method = \"magnitude\"\npattern = \"N:4\"\ncycles = 0.64\nend = 0.5");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    trainer.set_cycle_oracle(Box::new(move |layer: usize, pattern: MaskPattern| {
        notes.lock().unwrap().push(layer);
        oracle(layer, pattern)
    }));
    steps(&mut trainer, 12);
    let report = trainer.pruning_report();
    // 409 cycles: 100 outside, 140 for conv2, 100 for 1:4 of fc1; 2:4 of both are 120 + 200 = 320 > 309.
    assert_eq!([&report[1].pattern, &report[2].pattern], ["dense", "1:4"]);
    let mut layers = asked.lock().unwrap().clone();
    layers.sort_unstable();
    layers.dedup();
    assert_eq!(layers, [0, 3, 8, 11], "every layer with products");
}

#[test]
fn a_budget_that_cannot_be_met_says_what_it_needs() {
    let mut trainer = run("method = \"snip\"\npattern = \"N:4\"\ncycles = 0.3");
    trainer.set_cycle_oracle(Box::new(oracle));
    let error = trainer.step().unwrap_err();
    assert!(matches!(error, TrainError::Prune(_)));
    let message = error.to_string();
    for part in ["192 cycles", "at least 220", "100 lie in other layers"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn layers_have_patterns_of_their_own() {
    let mut trainer = run("method = \"random\"\npattern = \"transposable 1:4\"\n\
         [pruning.layer.conv1]\npattern = \"1:2\"\n[pruning.layer.fc1]\nskip = true");
    steps(&mut trainer, 1);
    check_masks(&mut trainer);
    let patterns: Vec<_> = trainer.pruning_report().into_iter().map(|line| line.pattern).collect();
    // conv1 has one input channel: its groups are single weights.
    assert_eq!(patterns, ["1:2", "transposable 1:4", "dense", "dense"]);
    let mut trainer = run("method = \"random\"\ndensity = 0.5\nlayers = [\"fc2\"]");
    steps(&mut trainer, 1);
    let patterns: Vec<_> = trainer.pruning_report().into_iter().map(|line| line.pattern).collect();
    assert_eq!(patterns, ["dense", "dense", "dense", "unstructured"]);
}

/// A loss that is not finite gives scores that are not.
#[test]
fn scores_that_are_no_numbers_are_refused() {
    let mut trainer = run("method = \"snip\"\ndensity = 0.5");
    trainer.network_mut().prunables()[2].1.weight_mut().value[[0, 0]] = f32::NAN;
    let message = trainer.step().unwrap_err().to_string();
    assert!(message.contains("`snip`") && message.contains("`conv2`"), "{message}");
}
