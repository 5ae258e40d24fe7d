//! `tandem quantize`: what it measures, what it chooses, what it writes.

use crate::common::command::{Scratch, succeeds};
use serde_json::Value;

const DIGITS: &str = "configs/experiments/digits-mlp.toml";

/// A run of a few steps.
fn trained(s: &Scratch, name: &str, sets: &[&str]) -> String {
    let run = s.path(name);
    let mut arguments = vec!["train", "-c", DIGITS, "-o", &run, "--steps", "60"];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    succeeds(&arguments);
    run
}

fn candidates(report: &Value, layer: usize, role: usize) -> impl Iterator<Item = &Value> {
    report["layers"][layer]["candidates"][role].as_array().expect("candidates").iter()
}

fn noise(report: &Value, layer: usize, role: usize, name: &str, bits: u64) -> f64 {
    let of = |c: &&Value| c["quantizer"] == name && c["bits"] == bits && c["by_channel"] == false;
    candidates(report, layer, role).find(of).expect(name)["noise"].as_f64().expect("a number")
}

/// On trained weights Lloyd–Max is at least as good as the best uniform grid; gradients without a clip are unbiased within 4 standard errors.
#[test]
fn signal_to_noise_of_trained_weights() {
    let s = Scratch::new();
    let run = trained(&s, "run", &[]);
    let report = succeeds(&["quantize", &run]);
    for layer in 0..2 {
        for bits in 2..=8 {
            let lloyd_max = noise(&report, layer, 0, "lloyd-max", bits);
            // wider percentiles happen to meet the data better than any fit looks for
            let percentile = (bits <= 4).then_some("percentile");
            for uniform in ["max-abs", "octav"].into_iter().chain(percentile) {
                let uniform = noise(&report, layer, 0, uniform, bits);
                assert!(lloyd_max <= 1.0001 * uniform, "{layer}, {bits} bits: {lloyd_max} {uniform}");
            }
        }
        let used = report["layers"][layer]["used"][0].as_f64().expect("a number");
        assert!((used - noise(&report, layer, 0, "max-abs", 4)).abs() < 1e-9, "the run's own quantizer");
        for gradient in candidates(&report, layer, 2).filter(|c| c["quantizer"] != "clipped") {
            let of = |key: &str| gradient["bias"][key].as_f64().expect("a number");
            assert!(of("mean").abs() <= 4.0 * of("standard_error") + 1e-6, "{layer}: {gradient}");
        }
    }
}

/// The choice keeps to its budget, its cycles are those of the experiment that it writes, and that experiment trains.
#[test]
fn a_choice_keeps_to_its_budget_and_trains() {
    let s = Scratch::new();
    let run = trained(&s, "run", &[]);
    let mut last = f64::INFINITY;
    for (i, budget) in ["cycles=0.97", "cycles=1.2", "weight-bits=0.6", "weight-bits=2"].iter().enumerate() {
        let out = s.path(&format!("out{i}"));
        let report = succeeds(&["quantize", &run, "--report", "-o", &out, "--budget", budget]);
        let number = |key: &str| report[key].as_u64().expect("a number");
        assert!(number("chosen") <= number("most"), "{budget}");
        let layers = report["layers"].as_array().expect("layers");
        let noise: f64 = layers.iter().map(|l| l["choice"]["noise"].as_f64().expect("a number")).sum();
        assert!(i % 2 == 0 || noise <= last, "{budget}: {noise} {last}");
        last = noise;
        for file in ["report.md", "auto.toml", "fc1.svg", "fc2.svg"] {
            assert!(std::path::Path::new(&out).join(file).exists(), "{file}");
        }
        let auto = format!("{out}/auto.toml");
        let estimated = succeeds(&["estimate", &auto, "--training"]);
        let chosen: u64 = layers.iter().map(|l| l["choice"]["cycles"].as_u64().expect("a number")).sum();
        assert_eq!(estimated["cycles"].as_u64(), Some(chosen), "{budget}");
        let other = s.path(&format!("auto{i}"));
        let again = succeeds(&["train", "-c", &auto, "-o", &other, "--steps", "3"]);
        assert_eq!(again["steps"], 3);
        s.refuses(&["out", "--force"], &["quantize", &run, "--report", "-o", &out]);
    }
}

#[test]
fn pruned_runs_and_those_of_tables_are_measured_on_kept_weights() {
    let s = Scratch::new();
    let pruning = "pruning={method=\"random\",pattern=\"1:4\",layers=[\"fc1\"]}";
    let run = trained(&s, "run", &["bits.weights=3", "bits.weight_clip=lloyd-max", pruning]);
    let report = succeeds(&["quantize", &run]);
    let weights = |of: usize| report["layers"][0]["weights"][of].as_u64().expect("a number");
    assert_eq!(4 * weights(0), weights(1));
    let names: Vec<_> = candidates(&report, 0, 0).filter_map(|c| c["quantizer"].as_str()).collect();
    assert!(names.contains(&"octav") && !names.contains(&"sign"), "{names:?}");
}

#[test]
fn mistakes_are_named() {
    let s = Scratch::new();
    let run = trained(&s, "run", &[]);
    for budget in ["cycles", "cycles=0", "cycles=nan", "energy=1", "cycles=17"] {
        s.refuses(
            &["--budget", "cycles=SHARE or weight-bits=SHARE"],
            &["quantize", &run, "--budget", budget],
        );
    }
    s.refuses(&["--budget", "the smallest choice takes"], &["quantize", &run, "--budget", "weight-bits=0.1"]);
    s.refuses(&["--report"], &["quantize", &run, "-o", &s.path("out")]);
    s.refuses(&["nothing-here"], &["quantize", &s.path("nothing-here")]);
}
