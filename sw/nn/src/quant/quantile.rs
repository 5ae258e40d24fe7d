//! A table whose levels stand for equal shares of the values: a control, not a choice.
//!
//! ```text
//! c_i = the value that (i + 1/2)/2^b of the values do not exceed
//! ```
//!
//! All codes are used equally often, which is not what makes errors small: the few large values get as few levels as any.

use super::coded::{Coded, Fit, Table};
use super::sorted::Sorted;
use super::{Clip, levels_of};

/// This quantizer under its name.
pub const CLIP: Clip = Clip::coded("quantile", levels_of, |role| {
    let levels = role.levels(levels_of);
    Box::new(Coded::new(role, levels, fit))
});

fn fit(values: &Sorted, table: Table) -> Fit {
    let real = levels(values, table.codes - usize::from(table.zero));
    let largest = real.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    let step = if largest > 0.0 { largest / f64::from(table.largest()) } else { values.largest_magnitude() };
    let least = if table.format.signed { -table.largest() } else { 0 };
    let level = |c: &f64| ((c / step).round() as i32).clamp(least, table.largest());
    let mut levels: Vec<i32> = real.iter().map(level).collect();
    if table.zero {
        levels.push(0);
    }
    levels.sort_unstable();
    levels.dedup();
    Fit { levels, step }
}

/// The real levels.
pub fn levels(values: &Sorted, codes: usize) -> Vec<f64> {
    let codes = codes.max(1);
    (0..codes).map(|i| values.at((2 * i + 1) * values.len() / (2 * codes))).collect()
}
