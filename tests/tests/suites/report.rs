//! The page of a sweep in a real browser: it draws, sorts, filters and shows a point, and complains of nothing.

use crate::common::command::{Scratch, succeeds, text};
use crate::common::repository;
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

/// Cycles only, of a small topology on arrays of equal silicon.
const CYCLES: &str = r#"
name = "cycles"
topology = "net.csv"
silicon = { board = "ulx3s", luts = 20_000, grow = [{ key = "accelerator.array.rows", values = [2, 4] }] }
clock = { board = "ulx3s" }

[[axis]]
name = "weights"
key = "bits.weights"
values = [2, 4, 8]

[[axis]]
name = "pattern"
key = "pattern"
values = ["1:1", "1:4"]

[[axis]]
name = "columns"
key = "accelerator.array.cols"
values = [2, 4]
"#;

#[test]
fn the_page_of_a_sweep_works_in_chromium() {
    let s = Scratch::new();
    let experiment = repository().join("configs/experiments/digits-mlp.toml");
    let file = s.write("sweep.toml", SWEEP.replace("EXPERIMENT", experiment.to_str().unwrap()));
    let summary = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    let count = |key: &str| summary[key].as_array().unwrap().len();
    assert_eq!((count("groups"), count("left_out")), (8, 4), "8 bits, dense, are above the budget");
    browse(&s, "sweep-report.png");
}

#[test]
fn the_page_of_cycles_works_in_chromium() {
    let s = Scratch::new();
    s.write(
        "net.csv",
        "header\nc1, 18, 18, 3, 3, 4, 32, 1,\nc2, 16, 16, 3, 3, 32, 16, 1,\nfc, 1, 10, 3136,\n",
    );
    let base = "set.accelerator = { array = { lanes = 4, select = 4, drain = 2 }, link = { bits = 32 } }";
    let axis = format!("[[axis]]\nname = \"base\"\nchoices = [{{ name = \"small\", {base} }}]\n");
    let file = s.write("sweep.toml", format!("{CYCLES}\n{axis}"));
    let summary = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    assert_eq!(summary["groups"].as_array().unwrap().len(), 12, "{summary}");
    browse(&s, "sweep-cycles.png");
}

/// `out/report.html`, with a screenshot.
fn browse(s: &Scratch, picture: &str) {
    // as what the page is looked at with later
    let shots = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("artifacts");
    std::fs::create_dir_all(&shots).unwrap();
    let shot = shots.join(picture);
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
