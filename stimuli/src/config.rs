//! Random accelerators, deterministic from a seed.

use crate::random::Random;
use std::ops::Range;
use tandem_spec::Config;
use tandem_spec::config::{Key, Table};

/// A legal configuration: at most 5 × 5 elements of 8 lanes and small memories, so that a simulator of it builds quickly; every
/// other key, also one that is new, over its whole range. Almost half have an FFT unit, of up to 256 points; almost a third have
/// codebooks, and as many a Gaussian unit.
pub fn random_config(seed: u64) -> Config {
    let mut r = Random(seed ^ 0xc0f1);
    let (unit, codebook, gaussian) = (r.percent(45), r.percent(30), r.percent(30));
    Config::draw(
        &format!("random-{seed}"),
        |table| match table.name {
            "fft" => unit,
            "gaussian" => gaussian,
            _ => codebook,
        },
        |table, key, values| {
            let usual = key.default.filter(|_| key.reduction).map(|default| default(&Config::default()));
            match usual {
                Some(usual) if r.percent(50) => usual,
                _ => {
                    let few = few(table, key, unit);
                    let end = few.end.min(values.len());
                    r.pick(&values[few.start.min(end - 1)..end])
                }
            }
        },
    )
}

/// Which of a key's values are small enough for a test, from the least one on.
fn few(table: &Table, key: &Key, unit: bool) -> Range<usize> {
    match (table.name, key.name) {
        ("array", "rows" | "cols") => 0..5,
        ("array", "lanes") => 0..4,
        ("array", "hop") => 0..6,
        ("memory", "row_depth") => 1..5,
        ("memory", "col_depth") => 1..6,
        ("memory", "index_depth") => 0..5,
        // with a unit the least one holds a whole transform
        ("memory", "result_depth") if unit => 0..2,
        ("memory", "result_depth") => 1..8,
        ("control", "queue") => 0..4,
        ("fft", "points") => 0..7,
        ("fft", "depth") => 0..3,
        ("gaussian", "radius") => 0..20,
        ("gaussian", "depth") => 0..5,
        ("codebook", "depth") => 0..4,
        _ => 0..usize::MAX,
    }
}
