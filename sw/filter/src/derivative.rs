//! Kernels of derivatives: a binomial smoothing, differentiated so many times.

/// Weights of `size` taps: (1, 1) convolved with itself, of which `order` factors are (−1, 1).
pub(crate) fn line(size: usize, order: usize) -> Vec<f64> {
    let mut taps = vec![1.0];
    for factor in 0..size - 1 {
        let first = if factor < order { -1.0 } else { 1.0 };
        let mut next = vec![0.0; taps.len() + 1];
        for (i, tap) in taps.iter().enumerate() {
            next[i] += first * tap;
            next[i + 1] += tap;
        }
        taps = next;
    }
    taps
}

/// The kernel down·alongᵀ.
pub(crate) fn outer(down: &[f64], along: &[f64]) -> Vec<f64> {
    down.iter().flat_map(|d| along.iter().map(move |a| d * a)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_those_of_the_textbooks() {
        assert_eq!(line(3, 0), [1.0, 2.0, 1.0]);
        assert_eq!(line(3, 1), [-1.0, 0.0, 1.0]);
        assert_eq!(line(5, 1), [-1.0, -2.0, 0.0, 2.0, 1.0]);
        assert_eq!(line(3, 2), [1.0, -2.0, 1.0]);
        assert_eq!(line(5, 2), [1.0, 0.0, -2.0, 0.0, 1.0]);
        assert_eq!(outer(&line(3, 0), &line(3, 1)), [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0]);
    }
}
