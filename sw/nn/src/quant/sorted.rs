//! Values in rising order with running sums: what fits need, in a time that does not depend on how many there are.
//!
//! ```text
//! Σ v, Σ v² over a range of ranks          difference of two running sums
//! Σ (v − c_i)² over cells                  Σ v² − 2·c_i·Σ v + n·c_i²
//! ```

use super::Values;

/// At most so many values are sorted; of more, every n-th.
pub const MOST: usize = 1 << 16;

/// Finite values in rising order.
#[derive(Clone, Debug)]
pub struct Sorted {
    v: Vec<f32>,
    /// Σ v and Σ v² of the values before each rank.
    sums: Vec<[f64; 2]>,
}

impl Sorted {
    /// The finite ones of these values.
    pub fn new(values: impl Iterator<Item = f32>) -> Self {
        let mut v: Vec<f32> = values.filter(|x| x.is_finite()).collect();
        v.sort_unstable_by(f32::total_cmp);
        let mut sums = Vec::with_capacity(v.len() + 1);
        let mut sum = [0.0; 2];
        sums.push(sum);
        for &x in &v {
            let x = f64::from(x);
            sum = [sum[0] + x, sum[1] + x * x];
            sums.push(sum);
        }
        Sorted { v, sums }
    }

    /// The values that are kept, or a sample of them.
    pub fn kept(values: Values<'_>) -> Self {
        Self::scaled(values, |_| 1.0)
    }

    /// The same, divided by a scale a column, where that is positive.
    pub fn scaled(values: Values<'_>, scale: impl Fn(usize) -> f32) -> Self {
        Self::new(sample(values, MOST).filter_map(|i| {
            let s = scale(i % values.columns);
            (s > 0.0).then(|| values.v[i] / s)
        }))
    }

    /// At most so many of the values that are kept, as they come.
    pub fn sample(values: Values<'_>, most: usize) -> Vec<f32> {
        sample(values, most).map(|i| values.v[i]).collect()
    }

    /// The values of a column that are kept.
    pub fn column(values: Values<'_>, column: usize) -> Self {
        let all = (column..values.v.len()).step_by(values.columns);
        Self::new(all.filter(|&i| values.keeps(i)).map(|i| values.v[i]))
    }

    /// Their magnitudes without zeros.
    pub fn magnitudes(&self) -> Sorted {
        Self::new(self.v.iter().map(|x| x.abs()).filter(|x| *x > 0.0))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.v.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.v.is_empty()
    }

    /// The value of a rank, 0 if there is none.
    pub fn at(&self, rank: usize) -> f64 {
        self.v.get(rank).map_or(0.0, |&x| f64::from(x))
    }

    /// The largest, 0 if there is none.
    pub fn largest(&self) -> f64 {
        self.at(self.len().wrapping_sub(1))
    }

    /// The largest magnitude.
    pub fn largest_magnitude(&self) -> f64 {
        self.at(0).abs().max(self.largest())
    }

    /// How many are at most `t`.
    pub fn rank(&self, t: f64) -> usize {
        self.v.partition_point(|&x| f64::from(x) <= t)
    }

    /// Σ v over ranks.
    pub fn sum(&self, ranks: std::ops::Range<usize>) -> f64 {
        self.sums[ranks.end][0] - self.sums[ranks.start][0]
    }

    /// Σ v².
    pub fn power(&self) -> f64 {
        self.sums[self.len()][1]
    }

    /// The ranks of the cells of rising levels: values go to the nearest.
    pub fn cells(&self, levels: &[f64]) -> Vec<std::ops::Range<usize>> {
        let mut start = 0;
        let cell = |i: usize| {
            let end =
                levels.get(i + 1).map_or(self.len(), |next| self.rank((levels[i] + next) / 2.0).max(start));
            std::mem::replace(&mut start, end)..end
        };
        (0..levels.len()).map(cell).collect()
    }

    /// Σ (v − level)², each value with its nearest of rising levels.
    pub fn error(&self, levels: &[f64]) -> f64 {
        let cells = self.cells(levels);
        let error = |(cell, &c): (std::ops::Range<usize>, &f64)| {
            let square = self.sums[cell.end][1] - self.sums[cell.start][1];
            square - 2.0 * c * self.sum(cell.clone()) + cell.len() as f64 * c * c
        };
        cells.into_iter().zip(levels).map(error).sum::<f64>().max(0.0)
    }
}

/// The places of kept values, or of every n-th value: n shares no factor with the columns, so that none is left out.
fn sample(values: Values<'_>, most: usize) -> impl Iterator<Item = usize> {
    fn gcd(a: usize, b: usize) -> usize {
        if b == 0 { a } else { gcd(b, a % b) }
    }
    let mut step = values.v.len().div_ceil(most).max(1);
    while gcd(step, values.columns) != 1 {
        step += 1;
    }
    (0..values.v.len()).step_by(step).filter(move |&i| values.keeps(i))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn errors_are_those_of_the_nearest_level(
            v in prop::collection::vec(-10f32..10.0, 0..200), mut levels in prop::collection::vec(-12f64..12.0, 1..9)
        ) {
            levels.sort_by(f64::total_cmp);
            let nearest = |x: f64| levels.iter().map(|c| (x - c).powi(2)).fold(f64::MAX, f64::min);
            let expected: f64 = v.iter().map(|&x| nearest(f64::from(x))).sum();
            let error = Sorted::new(v.iter().copied()).error(&levels);
            prop_assert!((error - expected).abs() <= 1e-9 * (1.0 + expected), "{error} {expected}");
        }
    }

    #[test]
    fn numbers_that_are_none_and_masked_ones_are_left_out() {
        let v = [3.0, f32::NAN, -1.0, f32::INFINITY, 2.0, 8.0];
        let kept = [true, true, true, true, true, false];
        let sorted = Sorted::kept(Values { v: &v, columns: 2, kept: Some(&kept) });
        assert_eq!((sorted.v.as_slice(), sorted.power()), (&[-1.0, 2.0, 3.0][..], 14.0));
        assert_eq!(Sorted::column(Values { v: &v, columns: 2, kept: Some(&kept) }, 0).v, [-1.0, 2.0, 3.0]);
        let empty = Sorted::new(std::iter::empty());
        assert_eq!((empty.largest_magnitude(), empty.error(&[1.0])), (0.0, 0.0));
    }

    /// 2^18 values in 8 columns, of which only the last is not 0.
    #[test]
    fn samples_meet_every_column() {
        let v: Vec<f32> = (0..1 << 18).map(|i| if i % 8 == 7 { 1.0 } else { 0.0 }).collect();
        let sorted = Sorted::kept(Values { v: &v, columns: 8, kept: None });
        assert!(sorted.len() <= MOST && sorted.len() > MOST / 2);
        assert!((sorted.power() / sorted.len() as f64 - 0.125).abs() < 0.001);
    }
}
