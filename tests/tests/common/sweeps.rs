//! Small sweeps of the digits.

#![allow(dead_code, reason = "each suite uses a part")]

use super::command::Scratch;
use super::repository;

/// Two widths of weights, two arrays.
pub const AXES: &str = r#"
[[axis]]
name = "weights"
key = "bits.weights"
values = [2, 4]

[[axis]]
name = "rows"
key = "accelerator.array.rows"
range = { from = 4, to = 8, times = 2 }
"#;

/// A sweep of few images in so many epochs; `more` stands before its settings, `axes` after them.
pub fn small(s: &Scratch, name: &str, more: &str, epochs: u32, axes: &str) -> String {
    let experiment = repository().join("configs/experiments/digits-mlp.toml");
    let text = format!(
        "name = \"small\"\nexperiment = \"{}\"\n{more}\n[set]\ntrain.epochs = {epochs}\ndata.images = 320\n{axes}",
        experiment.display()
    );
    s.write(name, text)
}
