//! The page of a sweep in a real browser: it draws, sorts, filters and shows a point, and complains of nothing.

mod common;

use common::command::{Scratch, succeeds, text};
use common::repository;
use std::process::Command;

const SWEEP: &str = r#"
name = "a <b>page"
experiment = "EXPERIMENT"
seeds = [1, 2]
require = ["{weights} + {rows} > 6"]

[budget]
weight_bits = 30000

[set]
train.epochs = 2
data.images = 320

[[axis]]
name = "weights"
key = "bits.weights"
values = [2, 4, 8]

[[axis]]
name = "rows"
key = "accelerator.array.rows"
values = [4, 8]

[[axis]]
name = "pruning"
choices = [{ name = "dense" }, { name = "1:4", set.pruning = { method = "random", pattern = "1:4", layers = ["fc1"] } }]
"#;

#[test]
fn the_page_of_a_sweep_works_in_chromium() {
    let s = Scratch::new();
    let experiment = repository().join("configs/experiments/digits-mlp.toml");
    let file = s.write("sweep.toml", SWEEP.replace("EXPERIMENT", experiment.to_str().unwrap()));
    let summary = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    let count = |key: &str| summary[key].as_array().unwrap().len();
    assert_eq!((count("groups"), count("left_out")), (8, 4), "8 bits, dense, are above the budget");
    // as what the page is looked at with later
    let shots = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("artifacts");
    std::fs::create_dir_all(&shots).unwrap();
    let shot = shots.join("sweep-report.png");
    let _ = std::fs::remove_file(&shot);
    let out = Command::new("node")
        .arg(repository().join("tests/browser/report.mjs"))
        .arg(s.path("out/report.html"))
        .arg("/usr/bin/chromium")
        .arg(&shot)
        .output()
        .expect("node is installed");
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(std::fs::metadata(&shot).unwrap().len() > 20_000);
}
