//! Levels of pyramids, and the steps between them.

use crate::Border;
use rayon::prelude::*;
use std::ops::{Add, Mul, Sub};

/// f32 or f64.
pub(super) trait Real:
    Copy + Default + Send + Sync + From<f32> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
}

impl Real for f32 {}
impl Real for f64 {}

/// A level: row-major values, and what lies around it if the border is constant.
#[derive(Clone)]
pub(super) struct Level<T> {
    pub height: usize,
    pub width: usize,
    pub values: Vec<T>,
    pub outside: T,
}

impl<T: Real> Level<T> {
    /// The same without values.
    pub fn shape(&self) -> Self {
        Level { height: self.height, width: self.width, values: vec![], outside: self.outside }
    }

    fn row(&self, y: u32) -> Option<&[T]> {
        ((y as usize) < self.height).then(|| &self.values[y as usize * self.width..][..self.width])
    }
}

/// Weights of a row or column: sum 1.
const TAPS: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// Σ weights·rows, where a row that is none is `outside`.
fn weighted<T: Real>(level: &Level<T>, rows: &[u32], weights: &[f32], out: &mut [T]) {
    out.fill(T::default());
    for (row, weight) in rows.iter().zip(weights) {
        let weight = T::from(*weight);
        match level.row(*row) {
            Some(row) => out.iter_mut().zip(row).for_each(|(out, v)| *out = *out + weight * *v),
            None => out.iter_mut().for_each(|out| *out = *out + weight * level.outside),
        }
    }
}

/// Every other row and column of the level smoothed.
pub(super) fn down<T: Real>(level: &Level<T>, border: Border) -> Level<T> {
    let (height, width) = (level.height.div_ceil(2), level.width.div_ceil(2));
    let (rows, columns) = (border.indices(level.height, 2, 2), border.indices(level.width, 2, 2));
    let mut values = vec![T::default(); height * width];
    let blank = || vec![level.outside; level.width + 5];
    values.par_chunks_mut(width).enumerate().for_each_init(blank, |line, (y, out)| {
        // two samples to the left, three to the right
        weighted(level, &rows[2 * y..2 * y + 5], &TAPS, &mut line[2..level.width + 2]);
        for i in (0..2).chain(level.width + 2..level.width + 4) {
            let column = columns[i] as usize;
            line[i] = if column == level.width { level.outside } else { line[column + 2] };
        }
        for (out, v) in out.iter_mut().zip(line.windows(5).step_by(2)) {
            let tap = |i: usize| T::from(TAPS[i]) * v[i];
            *out = tap(0) + tap(1) + tap(2) + tap(3) + tap(4);
        }
    });
    Level { height, width, values, outside: level.outside }
}

/// The level at twice as many rows and columns, or one fewer: what [`down`] leaves out is interpolated.
pub(super) fn up<T: Real>(level: &Level<T>, height: usize, width: usize, border: Border) -> Level<T> {
    let (rows, columns) = (border.indices(level.height, 1, 1), border.indices(level.width, 1, 1));
    let mut values = vec![T::default(); height * width];
    let blank = || vec![level.outside; level.width + 2];
    values.par_chunks_mut(width).enumerate().for_each_init(blank, |line, (y, out)| {
        let rows = &rows[y / 2..y / 2 + 3];
        let inside = &mut line[1..=level.width];
        match y % 2 {
            0 => weighted(level, rows, &[0.125, 0.75, 0.125], inside),
            _ => weighted(level, &rows[1..], &[0.5, 0.5], inside),
        }
        for i in [0, level.width + 1] {
            let column = columns[i] as usize;
            line[i] = if column == level.width { level.outside } else { line[column + 1] };
        }
        for (out, v) in out.chunks_mut(2).zip(line.windows(3)) {
            out[0] = T::from(0.125) * (v[0] + v[2]) + T::from(0.75) * v[1];
            if let Some(odd) = out.get_mut(1) {
                *odd = T::from(0.5) * (v[1] + v[2]);
            }
        }
    });
    Level { height, width, values, outside: level.outside }
}
