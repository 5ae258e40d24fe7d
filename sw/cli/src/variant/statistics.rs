//! Means of a few runs, and whether two differ.
//!
//! ```text
//! mean  x̄ = Σx/n      standard error  s/√n, s² = Σ(x − x̄)²/(n − 1)
//! difference of two methods: of each seed (same images, order and first weights), then mean and standard error
//! separated at 5 %: |mean| > t·standard error, t = 97.5 % quantile of Student's t with n − 1 degrees of freedom
//! ```

use serde::Serialize;

/// A mean and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// x̄
    pub mean: f64,
    /// s/√n; none of one value.
    pub standard_error: Option<f64>,
    /// n
    pub count: usize,
}

/// 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom.
///
/// # Source   Student 1908; values as in any table, to three digits
const T: [f64; 12] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

impl Mean {
    /// That of values; none if there are none.
    pub fn of(values: &[f64]) -> Option<Mean> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        let standard_error = (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        (!values.is_empty()).then_some(Mean { mean, standard_error, count: values.len() })
    }

    /// Whether it differs from 0 at 5 %, two-sided; never of one value. Beyond 13 values by the quantile of 13.
    pub fn is_separated(&self) -> bool {
        let Some(error) = self.standard_error else { return false };
        let t = T[(self.count - 2).min(T.len() - 1)];
        self.mean.abs() > t * error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 2, 3, 4, 5: s² = 10/4, standard error √(2.5/5).
    #[test]
    fn means_have_standard_errors() {
        let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five values");
        assert_eq!(mean, Mean { mean: 3.0, standard_error: Some(0.5f64.sqrt()), count: 5 });
        assert!(mean.is_separated(), "3 > 2.776·0.707");
        let lower = Mean::of(&[0.0, 1.0, 2.0, 3.0, 4.0]).expect("five values");
        assert!(lower.is_separated(), "2 > 1.963");
        let none = Mean::of(&[-0.1, 0.9, 1.9, 2.9, 3.9]).expect("five values");
        assert!(!none.is_separated(), "1.9 < 1.963");
    }

    #[test]
    fn one_value_separates_nothing() {
        let one = Mean::of(&[7.0]).expect("a value");
        assert_eq!(one.standard_error, None);
        assert!(!one.is_separated());
        assert_eq!(Mean::of(&[]), None);
    }
}
