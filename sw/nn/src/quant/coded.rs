//! What quantizers with a table of levels share.
//!
//! ```text
//! real levels c_0 < c_1 < …, by a fit ──► integers L_i on the grid of `level_bits`, and s:  v̂ = s·L_i, i nearest to v/s
//! a scale a channel: v[·, o] is divided by its root mean square r_o before the fit, s_o = s·r_o; one table for all channels
//! ∂L/∂v = ∂L/∂v̂
//! ```
//!
//! Of the sizes that the largest level may have, the one with the least squared error is taken, with the s that is best for its integers
//! (least squares, alternating with the assignment of values). Fits see kept values only: a pruned layer's weights have a hole at zero.
//! Where a mask drops weights, and for activations (rectifiers and padding give exact zeros), level 0 takes one of the 2^b codes.

use super::sorted::Sorted;
use super::storage::with_target;
use super::{Quantizer, Role, Scales, Target, Values, octav};
use crate::backend::Moment;
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{Buffer, Slot, slice, slice_mut};
use ndarray::Array2;
use tandem_driver::{Codebook, Entry, Format};

/// What a table may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// At most so many levels.
    pub codes: usize,
    /// Level 0 is one of them.
    pub zero: bool,
    /// The format of levels.
    pub format: Format,
}

impl Table {
    /// The largest level; the smallest is its opposite if levels are signed, else 0.
    pub fn largest(self) -> i32 {
        super::grid(self.format).1
    }
}

/// Rising integer levels, and what one of their units is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The levels.
    pub levels: Vec<i32>,
    /// The step.
    pub step: f64,
}

/// Chooses levels for values, of which at least one is not 0.
pub type Fitter = fn(&Sorted, Table) -> Fit;

/// A quantizer with a table that is fitted.
#[derive(Clone, Debug)]
pub struct Coded {
    role: Role,
    levels: Format,
    fit: Fitter,
    /// The steps, one or one a column; 0 where nothing was fitted yet.
    step: Buffer,
    /// The table, its last level repeated to the number of codes.
    table: Buffer,
    codebook: Option<Codebook>,
}

impl Coded {
    /// A quantizer for a role, with levels of a format and this fit.
    pub fn new(role: Role, levels: Format, fit: Fitter) -> Self {
        let buffer = |what: &str, n| Buffer::new(format!("{}_{what}", role.name), Array2::zeros((1, n)));
        let (step, table) = (buffer("step", role.scales()), buffer("levels", 1 << role.format.bits));
        Coded { levels, fit, step, table, codebook: None, role }
    }

    fn fitted(&self, values: Values<'_>) -> (Vec<f32>, Vec<i32>) {
        let zero = values.drops_some() || self.role.name != "weight";
        let table = Table { codes: 1 << self.role.format.bits, zero, format: self.levels };
        let spreads = match self.role.channels {
            None => vec![1.0],
            Some(n) => (0..n).map(|column| spread(&Sorted::column(values, column))).collect(),
        };
        let sorted = Sorted::scaled(values, |column| spreads[column % spreads.len()]);
        if sorted.largest_magnitude() == 0.0 {
            return (vec![0.0; spreads.len()], vec![0]);
        }
        let Fit { levels, step } = (self.fit)(&sorted, table);
        (spreads.into_iter().map(|r| (step * f64::from(r)) as f32).collect(), levels)
    }
}

/// The root mean square.
fn spread(sorted: &Sorted) -> f32 {
    (sorted.power() / sorted.len().max(1) as f64).sqrt() as f32
}

impl Quantizer for Coded {
    fn format(&self) -> Format {
        self.levels
    }

    fn quantize(&mut self, values: Values<'_>, q: Target<'_>, now: Moment) -> Scales {
        let saved = slice(&self.table.value);
        let lacks_zero = values.drops_some() && !saved.contains(&0.0);
        let is_fitted = slice(&self.step.value).iter().any(|s| *s > 0.0) && !lacks_zero;
        let (steps, levels) = if self.role.fitting.is_due(now, is_fitted) {
            let (steps, levels) = self.fitted(values);
            if now.is_training() {
                slice_mut(&mut self.step.value).copy_from_slice(&steps);
                let last = levels[levels.len() - 1];
                let padded = levels.iter().copied().chain(std::iter::repeat(last));
                slice_mut(&mut self.table.value)
                    .iter_mut()
                    .zip(padded)
                    .for_each(|(t, level)| *t = level as f32);
            }
            (steps, levels)
        } else {
            let mut levels: Vec<i32> = saved.iter().map(|&level| level as i32).collect();
            levels.dedup();
            (slice(&self.step.value).to_vec(), levels)
        };
        let scales = self.role.as_scales(steps);
        assign(values, &scales, &levels, q);
        let codebook = Codebook::new(levels, self.levels).expect("rising levels of the role's format");
        self.codebook = Some(codebook.with_bits(self.role.format.bits));
        scales
    }

    /// The identity.
    fn straight_through(&mut self, _: Values<'_>, _: &mut [f32]) {}

    fn codebook(&self) -> Option<&Codebook> {
        self.codebook.as_ref()
    }

    fn slots(&mut self) -> Vec<Slot<'_>> {
        vec![Slot::Buffer(&mut self.step), Slot::Buffer(&mut self.table)]
    }
}

/// Gives each value its nearest level, the upper one of two; what a mask drops gets 0, and so does a channel of scale 0, if the table
/// has it.
fn assign(values: Values<'_>, scales: &Scales, levels: &[i32], q: Target<'_>) {
    let middles: Vec<f32> = levels.windows(2).map(|w| (w[0] + w[1]) as f32 / 2.0).collect();
    let nearest = |x: f32| {
        // few levels: a loop without branches; many: bisection
        let place = if middles.len() < 16 {
            middles.iter().map(|&t| usize::from(x >= t)).sum()
        } else {
            middles.partition_point(|&t| x >= t)
        };
        levels[place]
    };
    let len = values.v.len();
    let level = |at: usize| {
        let s = scales.at(at, len);
        let x = if s == 0.0 { 0.0 } else { values.v[at] / s };
        if values.keeps(at) { nearest(x) } else { 0 }
    };
    with_target!(q, q => for_blocks(q, BLOCK, |start, q| {
        q.iter_mut().enumerate().for_each(|(i, q)| *q = Entry::of(level(start + i)));
    }));
}

/// Rising real levels as integers of a table's grid, with the best step for them, and their error.
pub fn on_grid(values: &Sorted, real: &[f64], table: Table) -> (Fit, f64) {
    let largest = real.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    let most = table.largest();
    // The largest level's size decides how well the others fall on integers; on a fine grid they do anyway.
    let sizes = if most <= 64 { (most / 2).max(1)..=most } else { most..=most };
    let tried = sizes.map(|size| {
        let unit = largest / f64::from(size);
        refined(values, real.iter().map(|c| (c / unit).round() as i32).collect(), unit, table)
    });
    let best = tried.min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("at least one size");
    if most <= 64 { moved(values, best, table) } else { best }
}

/// The levels after moves of single levels by 1, as long as one helps.
fn moved(values: &Sorted, (mut fit, mut error): (Fit, f64), table: Table) -> (Fit, f64) {
    loop {
        let count = fit.levels.len();
        let moves = (0..count).flat_map(|place| [(place, -1), (place, 1)]).filter_map(|(place, by)| {
            let mut levels = fit.levels.clone();
            levels[place] += by;
            let (other, error) = refined(values, levels, fit.step, table);
            (other.levels.len() == count).then_some((other, error))
        });
        match moves.min_by(|(_, a), (_, b)| a.total_cmp(b)) {
            Some((other, better)) if better < error * (1.0 - 1e-6) => (fit, error) = (other, better),
            _ => return (fit, error),
        }
    }
}

/// Levels with the best step, from OCTAV's clip and those from the largest magnitude down to 1/16 of it, and their error.
pub fn best_step(values: &Sorted, levels: &[i32], table: Table) -> (Fit, f64) {
    let top = levels.iter().map(|level| level.abs()).max().unwrap_or(0).max(1);
    let clips = (0..=32).map(|i| values.largest_magnitude() * libm::exp2(-f64::from(i) / 8.0));
    let octav = octav::fixed_point(&values.magnitudes(), 1.0 / (12.0 * f64::from(top).powi(2)));
    let starts = clips.chain([octav]).filter(|clip| *clip > 0.0);
    let tried = starts.map(|clip| refined(values, levels.to_vec(), clip / f64::from(top), table));
    tried.min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("at least one start")
}

/// These levels with the best step from `step` on, and their error.
pub fn refined(values: &Sorted, mut levels: Vec<i32>, mut step: f64, table: Table) -> (Fit, f64) {
    let most = table.largest();
    let least = if table.format.signed { -most } else { 0 };
    levels.iter_mut().for_each(|level| *level = (*level).clamp(least, most));
    if table.zero && !levels.contains(&0) {
        levels.push(0);
    }
    levels.sort_unstable();
    levels.dedup();
    let real = |step: f64| levels.iter().map(|&level| step * f64::from(level)).collect::<Vec<_>>();
    let mut error = values.error(&real(step));
    for _ in 0..20 {
        let sums = values.cells(&real(step)).into_iter().zip(&levels).map(|(cell, &level)| {
            let level = f64::from(level);
            [level * values.sum(cell.clone()), level * level * cell.len() as f64]
        });
        let [with, own] = sums.fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        let next = with / own;
        // a step is positive: where nothing but level 0 is met there is no other
        if !(own > 0.0 && next > 0.0) {
            break;
        }
        let better = values.error(&real(next));
        if better >= error {
            break;
        }
        (step, error) = (next, better);
    }
    (Fit { levels, step }, error)
}
