//! Softmax cross-entropy.
//!
//! ```text
//! L = −(1/B) Σ_i log p_i[label_i]        p_i = softmax(z_i)        ∂L/∂z = (p − onehot) / B
//! ```

use ndarray::Array2;

/// What a batch's logits amount to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Sum of the examples' losses.
    pub loss: f64,
    /// Number of examples whose largest logit is the label's; of equal ones the first counts.
    pub correct: usize,
}

/// The loss of a batch, and its gradient.
///
/// # Shape    `[B, classes]`, `[B]` → gradient `[B, classes]`
/// # Numeric  f64 with the largest logit subtracted; sums in index order; gradient rounded to f32
/// # Panics   if lengths differ or a label is not below the number of classes
pub fn cross_entropy(logits: &Array2<f32>, labels: &[u8], gradient: &mut Array2<f32>) -> Outcome {
    assert_eq!(logits.nrows(), labels.len());
    assert_eq!(logits.dim(), gradient.dim());
    let batch = labels.len() as f64;
    let mut outcome = Outcome { loss: 0.0, correct: 0 };
    let mut p = vec![0.0f64; logits.ncols()];
    let rows = logits.rows().into_iter().zip(gradient.rows_mut());
    for ((z, g), &label) in rows.zip(labels) {
        let label = usize::from(label);
        let (best, top) = largest(z.iter().copied());
        p.iter_mut().zip(z).for_each(|(p, &z)| *p = libm::exp(f64::from(z) - f64::from(top)));
        let total: f64 = p.iter().sum();
        outcome.loss += libm::log(total) - (f64::from(z[label]) - f64::from(top));
        outcome.correct += usize::from(best == label);
        for (class, (g, p)) in g.into_iter().zip(&p).enumerate() {
            let target = if class == label { 1.0 } else { 0.0 };
            *g = ((p / total - target) / batch) as f32;
        }
    }
    outcome
}

/// The first position of the largest value, and the value.
fn largest(values: impl Iterator<Item = f32>) -> (usize, f32) {
    values.enumerate().fold((0, f32::NEG_INFINITY), |best, (i, v)| if v > best.1 { (i, v) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equal_logits_give_log_of_the_number_of_classes() {
        let logits = array![[3.0f32; 4], [-90.0; 4]];
        let mut g = Array2::zeros((2, 4));
        let outcome = cross_entropy(&logits, &[0, 3], &mut g);
        assert!((outcome.loss - 2.0 * 4f64.ln()).abs() < 4.0 * f64::EPSILON);
        assert_eq!(outcome.correct, 1, "of equal logits the first is the answer");
        assert_eq!(g, array![[-0.375, 0.125, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]]);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let logits = array![[3e38f32, -3e38, 0.0]];
        let mut g = Array2::zeros((1, 3));
        assert_eq!(cross_entropy(&logits, &[0], &mut g).loss, 0.0);
        assert!(g.iter().all(|g| *g == 0.0));
    }

    /// Central difference: truncation h²/6·|L‴| with |L‴| < 1 (softmax's third derivatives), and the f32
    /// rounding of the gradient.
    #[test]
    fn gradient_is_the_derivative() {
        let logits = array![[0.5f32, -1.0, 2.0], [0.0, 0.25, -0.5]];
        let labels = [1, 2];
        let mut g = Array2::zeros((2, 3));
        cross_entropy(&logits, &labels, &mut g);
        let h = 1.0 / 1024.0;
        for (at, &g) in g.indexed_iter() {
            let loss = |delta: f32| {
                let mut z = logits.clone();
                z[at] += delta;
                let mut scratch = Array2::zeros((2, 3));
                cross_entropy(&z, &labels, &mut scratch).loss / 2.0
            };
            let numeric = (loss(h) - loss(-h)) / (2.0 * f64::from(h));
            let bound = f64::from(h * h) / 6.0 + f64::from(f32::EPSILON);
            assert!((numeric - f64::from(g)).abs() <= bound, "{at:?}: {numeric} {g}");
        }
    }
}
