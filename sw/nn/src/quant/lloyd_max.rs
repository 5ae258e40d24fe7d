//! The table with the least squared error.
//!
//! ```text
//! t_i = (c_i + c_{i+1})/2,  c_i = mean of the values between t_{i−1} and t_i,  until no value changes its cell
//! ```
//!
//! From two starts, means of equal shares of the values and equal distances; the better one is taken. Level 0, where it has to be there,
//! stays while the others move.
//!
//! # Source   Lloyd 1982, "Least squares quantization in PCM"; Max 1960, "Quantizing for minimum distortion"

use super::coded::{Coded, Fit, Table, best_step, on_grid};
use super::sorted::Sorted;
use super::{Clip, levels_of};

/// This quantizer under its name.
pub const CLIP: Clip = Clip::coded("lloyd-max", levels_of, |role| {
    let levels = role.levels(levels_of);
    Box::new(Coded::new(role, levels, fit))
});

/// Cells settle after tens of rounds; 2^8 of them on heavy tails take longest.
const MOST_ROUNDS: usize = 500;

/// The better one of settled levels, rounded to the grid, and of even distances, which rounding may miss.
fn fit(values: &Sorted, table: Table) -> Fit {
    let settled = on_grid(values, &levels(values, table.codes, table.zero), table);
    let even = even(values, table);
    if even.1 < settled.1 { even.0 } else { settled.0 }
}

/// Levels one apart, as many as there are codes for, with the best step.
fn even(values: &Sorted, table: Table) -> (Fit, f64) {
    let codes = table.codes as i32;
    let levels: Vec<i32> = if table.format.signed {
        let most = table.largest().min((codes - 1) / 2);
        (-most..=most).collect()
    } else {
        (0..=table.largest().min(codes - 1)).collect()
    };
    best_step(values, &levels, table)
}

/// The real levels.
pub fn levels(values: &Sorted, codes: usize, zero: bool) -> Vec<f64> {
    let (n, codes) = (values.len(), codes.min(values.len() + usize::from(zero)).max(1));
    let shares = (0..codes).map(|i| {
        let ranks = i * n / codes..(i + 1) * n / codes;
        if ranks.is_empty() {
            values.at(ranks.start.min(n - 1))
        } else {
            values.sum(ranks.clone()) / ranks.len() as f64
        }
    });
    let (lowest, width) = (values.at(0), values.largest() - values.at(0));
    let even = (0..codes).map(|i| lowest + width * (i as f64 + 0.5) / codes as f64);
    let starts = [shares.collect::<Vec<_>>(), even.collect()];
    let settled = starts.map(|start| settle(values, start, zero));
    let [a, b] = settled;
    if values.error(&b) < values.error(&a) { b } else { a }
}

fn settle(values: &Sorted, mut levels: Vec<f64>, zero: bool) -> Vec<f64> {
    let nearest = |(_, a): &(usize, &f64), (_, b): &(usize, &f64)| a.abs().total_cmp(&b.abs());
    if let (true, Some((place, _))) = (zero, levels.iter().enumerate().min_by(nearest)) {
        levels[place] = 0.0;
        levels.sort_by(f64::total_cmp);
    }
    let pinned = levels.iter().position(|level| zero && *level == 0.0);
    let mut cells = vec![];
    for _ in 0..MOST_ROUNDS {
        let now = values.cells(&levels);
        if now == cells {
            break;
        }
        for (i, cell) in now.iter().enumerate() {
            if !cell.is_empty() && pinned != Some(i) {
                levels[i] = values.sum(cell.clone()) / cell.len() as f64;
            }
        }
        cells = now;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Each level is the mean of its cell, but for the one that has to be 0, and no value is nearer to another.
        #[test]
        fn levels_are_means_of_their_cells(
            v in prop::collection::vec(-5f32..5.0, 1..300), bits in 1u32..=4, zero: bool
        ) {
            let values = Sorted::new(v.iter().copied());
            let found = levels(&values, 1 << bits, zero);
            prop_assert!(found.windows(2).all(|w| w[0] <= w[1]), "{found:?}");
            prop_assert!(!zero || found.contains(&0.0));
            for (cell, &level) in values.cells(&found).into_iter().zip(&found) {
                let is_pinned = zero && level == 0.0;
                if !(cell.is_empty() || is_pinned) {
                    let mean = values.sum(cell.clone()) / cell.len() as f64;
                    prop_assert!((level - mean).abs() < 1e-9, "{found:?}");
                }
            }
        }
    }
}
