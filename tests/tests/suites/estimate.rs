//! `tandem estimate`: what it says is what a run counts; topologies as SCALE-Sim writes them; what is wrong is named.

use crate::common::command::{Scratch, run, succeeds, text};
use crate::common::repository;
use serde_json::Value;

fn shipped(name: &str) -> String {
    repository().join(format!("configs/experiments/{name}.toml")).to_string_lossy().into_owned()
}

/// Every layer and product, as the counters of a run of three steps have them.
#[test]
fn estimates_are_what_a_run_counts() {
    const STEPS: u64 = 3;
    let s = Scratch::new();
    let (file, folder) = (shipped("digits-mlp"), s.path("run"));
    let steps = STEPS.to_string();
    let ran = succeeds(&["train", "-c", &file, "--steps", &steps, "-o", &folder]);
    let estimate = succeeds(&["estimate", &file, "--training"]);
    let lines = estimate["layers"].as_array().unwrap();
    let mut compared = 0;
    for layer in ran["cycles_by_layer"].as_array().unwrap() {
        for product in ["forward", "input_gradient", "weight_gradient"] {
            let counted = &layer[product];
            if counted["calls"] == 0 {
                continue;
            }
            let is_it = |l: &&Value| l["layer"] == layer["layer"] && l["product"] == product;
            let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("{layer}: {product}"));
            assert_eq!(line["cycles"].as_u64().unwrap() * STEPS, counted["cycles"].as_u64().unwrap());
            assert_eq!(line["words_out"].as_u64().unwrap() * STEPS, counted["words_out"].as_u64().unwrap());
            compared += 1;
        }
    }
    assert_eq!(compared, lines.len());
    assert!(compared >= 5);
}

#[test]
fn topologies_and_pictures() {
    let s = Scratch::new();
    let file = s.write("net.csv", "\u{feff}name, h, w, kh, kw, c, n, s,\r\nc1, 18, 18, 3, 3, 4, 32, 1,\r\nc2, 16, 16, 3, 3, 32, 16, 1, 1:4\r\nfc, 1, 10, 3136\r\n");
    let picture = s.path("roof.svg");
    let report =
        succeeds(&["estimate", &file, "--batch", "8", "--training", "--mhz", "50", "--roofline", &picture]);
    let lines = report["layers"].as_array().unwrap();
    let names: Vec<_> =
        lines.iter().map(|l| (l["layer"].as_str().unwrap(), l["product"].as_str().unwrap())).collect();
    assert_eq!(names[..3], [("c1", "forward"), ("c1", "weight_gradient"), ("c2", "forward")]);
    assert_eq!(names.len(), 2 + 3 + 3);
    assert!(lines[2]["skipped"].as_u64().unwrap() > 0, "1:4 of its line");
    let sum: u64 = lines.iter().map(|l| l["cycles"].as_u64().unwrap()).sum();
    assert_eq!(report["cycles"], sum);
    assert_eq!(report["seconds"].as_f64().unwrap(), sum as f64 / 50e6);
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("weight gradient"));
    let csv = text(&run(&[], &["estimate", &file, "--csv"], &[]).stdout);
    assert_eq!(csv.lines().count(), 1 + 3);
    // One product alone is the same on the engine that runs it.
    let alone = succeeds(&["conv", "--random", "8", "18", "18", "4", "32", "--kernel", "3", "--x-unsigned"]);
    assert_eq!(alone["cycles"], lines[0]["cycles"]);
}

/// What pruning saves in total: thousand cycles of a step of LeNet-5, batch 64, and of conv2's products at 1:4.
#[test]
fn a_step_of_lenet_takes_what_the_pages_say() {
    let step = |name: &str| {
        let report = succeeds(&["estimate", &shipped(name), "--training"]);
        let cycles = |l: &Value| l["cycles"].as_u64().unwrap();
        let products: Vec<_> = report["layers"].as_array().unwrap().clone();
        let conv2 = products.iter().filter(|l| l["layer"] == "conv2").map(cycles).collect::<Vec<_>>();
        (cycles(&report), conv2)
    };
    let ((dense, _), (quarter, conv2), (eighth, _)) =
        (step("mnist-lenet5-dense"), step("mnist-lenet5-1of4"), step("mnist-lenet5-1of8"));
    assert!(dense <= 312_000 && quarter <= 166_000 && eighth <= 163_000, "{dense}, {quarter}, {eighth}");
    let [forward, weights, inputs] = conv2[..] else { panic!("{conv2:?}") };
    assert!(forward <= 14_500 && weights <= 17_000 && inputs <= 26_000, "{conv2:?}");
}

/// The parts of a difference are the whole one, and outcomes stand for what made them.
#[test]
fn a_difference_is_explained_layer_by_layer() {
    let (dense, quarter) = (shipped("mnist-lenet5-dense"), shipped("mnist-lenet5-1of4"));
    let report = succeeds(&["explain", &dense, &quarter]);
    let layers = report["layers"].as_array().unwrap();
    let change = |l: &Value| l["change"]["cycles"].as_i64().unwrap();
    assert_eq!(layers.iter().map(change).sum::<i64>(), change(&report["sum"]));
    let [before, after] =
        [&dense, &quarter].map(|file| succeeds(&["estimate", file, "--training"])["cycles"].clone());
    assert_eq!(report["sum"]["cycles"], serde_json::json!([before, after]));
    assert!(layers.is_sorted_by_key(|l| -change(l).abs()));
    assert_eq!((&layers[0]["layer"], &layers[0]["product"]), (&"conv2".into(), &"input_gradient".into()));
    let keys: Vec<_> =
        report["differs"].as_array().unwrap().iter().map(|d| d["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"pruning.pattern") && keys.iter().all(|k| k.starts_with("pruning.")), "{keys:?}");
    let s = Scratch::new();
    let sweep = s.write(
        "sweep.toml",
        format!("name = \"s\"\nexperiment = \"{}\"\nset.train.epochs = 1\nset.data.images = 64\n[[axis]]\nname = \"rows\"\nkey = \"accelerator.array.rows\"\nvalues = [4, 8]\n", shipped("digits-mlp")),
    );
    let out = s.path("out");
    let points = succeeds(&["sweep", &sweep, "-o", &out])["points"].clone();
    let file = |i: usize| format!("{out}/{}.json", points[i]["id"].as_str().unwrap());
    let report = succeeds(&["explain", &file(0), &file(1)]);
    assert_eq!(report["differs"][0]["key"], "accelerator.array.rows");
    let cycles = [0, 1].map(|i| points[i]["step_cycles"].clone());
    assert_eq!(report["sum"]["cycles"], serde_json::json!(cycles));
    s.refuses(&["nothing.json"], &["explain", "nothing.json", &quarter]);
    s.refuses(&["sweep.toml"], &["explain", &sweep, &quarter]);
}

#[test]
fn what_is_wrong_is_named() {
    let s = Scratch::new();
    let bad = s.write("bad.csv", "header\nc1, 2, 2, 3, 3, 1, 1, 1,\n");
    s.refuses(&["bad.csv: line 2", "does not fit"], &["estimate", &bad]);
    s.refuses(&["no.csv"], &["estimate", &s.path("no.csv")]);
    let file = shipped("digits-mlp");
    s.refuses(&["--mhz"], &["estimate", &file, "--mhz", "0"]);
    s.refuses(&["--bits"], &["estimate", &file, "--bits", "4"]);
    s.refuses(&["--pattern"], &["estimate", &file, "--pattern", "1:3"]);
    let most = s.write("most.csv", "header\nfc, 1048576, 1048576, 1048576\n");
    s.refuses(&["fc, forward", "cannot run it"], &["estimate", &most, "-c", "minimal"]);
}
