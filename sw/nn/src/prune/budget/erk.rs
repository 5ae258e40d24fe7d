//! Erdős–Rényi kernel densities: small layers keep more.
//!
//! ```text
//! density_l = min(1, ε·r_l)      r = (n_in + n_out + k_h + k_w) / (n_in·n_out·k_h·k_w), without k for a linear layer
//! ε such that Σ density_l·size_l = density·Σ size_l: layers that reach 1 leave the rest to the others
//! ```
//!
//! # Source   Evci et al., "Rigging the lottery: making all tickets winners", 2020, section 3

/// The shape of a layer's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Input channels or features.
    pub inputs: usize,
    /// Output channels or features.
    pub outputs: usize,
    /// Height and width of a convolution's kernel.
    pub kernel: Option<(usize, usize)>,
}

impl Extent {
    /// Number of weights.
    pub fn weights(self) -> usize {
        let (height, width) = self.kernel.unwrap_or((1, 1));
        self.inputs * self.outputs * height * width
    }

    fn ratio(self) -> f64 {
        let (height, width) = self.kernel.unwrap_or((0, 0));
        (self.inputs + self.outputs + height + width) as f64 / self.weights() as f64
    }
}

/// The density of each layer for an overall density in [0, 1].
pub fn densities(layers: &[Extent], density: f64) -> Vec<f64> {
    let size = |layer: &Extent| layer.weights() as f64;
    let total = density * layers.iter().map(size).sum::<f64>();
    let mut full = vec![false; layers.len()];
    loop {
        let split =
            |wanted: bool| layers.iter().zip(&full).filter(move |(_, f)| **f == wanted).map(|(l, _)| l);
        let rest = total - split(true).map(size).sum::<f64>();
        let scale = rest / split(false).map(|l| size(l) * l.ratio()).sum::<f64>();
        let capped: Vec<bool> =
            layers.iter().zip(&full).map(|(l, &full)| full || scale * l.ratio() >= 1.0).collect();
        if capped == full || capped.iter().all(|c| *c) {
            return layers
                .iter()
                .zip(&capped)
                .map(|(l, &c)| if c { 1.0 } else { scale * l.ratio() })
                .collect();
        }
        full = capped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVOLUTION: Extent = Extent { inputs: 2, outputs: 4, kernel: Some((1, 1)) };
    const SMALL: Extent = Extent { inputs: 2, outputs: 2, kernel: None };
    const LARGE: Extent = Extent { inputs: 10, outputs: 10, kernel: None };

    /// Sizes 4 and 100, ratios 1 and 1/5, size·ratio 4 and 20. At 0.2 of 104, 20.8 = ε·24: 0.866… and a
    /// fifth of it. At half, 52: ε would be 2.17, so the small layer is full and 48 of 100 are left.
    #[test]
    fn full_layers_leave_the_rest_to_the_others() {
        let few = densities(&[SMALL, LARGE], 0.2);
        assert!((few[0] - 20.8 / 24.0).abs() < 1e-15 && (few[1] - 20.8 / 120.0).abs() < 1e-15, "{few:?}");
        let half = densities(&[SMALL, LARGE], 0.5);
        assert_eq!(half[0], 1.0);
        assert!((half[1] - 0.48).abs() < 1e-15, "{half:?}");
        assert_eq!(densities(&[SMALL, LARGE], 1.0), [1.0, 1.0]);
    }

    /// 8 weights, ratio (2 + 4 + 1 + 1)/8 = 1; beside 4 of ratio 1: both at the same density.
    #[test]
    fn kernels_count_for_convolutions() {
        assert_eq!(densities(&[CONVOLUTION, SMALL], 0.5), [0.5, 0.5]);
    }
}
