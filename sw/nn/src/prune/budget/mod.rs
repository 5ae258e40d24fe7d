//! Budgets: how many weights each layer keeps.
//!
//! ```text
//! uniform     the same density everywhere
//! global      the best of all layers together
//! erk         density ∝ (n_in + n_out + k_h + k_w) / (n_in·n_out·k_h·k_w)
//! layerwise   N_l of M in each layer, by retained score a cycle (or a weight) saved
//! ```

pub mod erk;
pub mod layerwise;

/// How a budget is shared among layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The same density in every layer.
    Uniform,
    /// The weights with the largest scores, wherever they are.
    Global,
    /// Density by the layer's shape: [`erk`].
    Erk,
    /// N_l of M in each layer: [`layerwise`].
    Layerwise,
}

/// All budgets under their names.
pub const BUDGETS: &[(&str, Budget)] = &[
    ("uniform", Budget::Uniform),
    ("global", Budget::Global),
    ("erk", Budget::Erk),
    ("layerwise", Budget::Layerwise),
];

impl Budget {
    /// Whether scores of different layers are compared.
    pub fn compares_layers(self) -> bool {
        matches!(self, Budget::Global | Budget::Layerwise)
    }
}

/// The number of weights of a layer at a density.
///
/// # Numeric  to the nearest, halves up
pub fn count(density: f64, weights: usize) -> usize {
    ((density * weights as f64 + 0.5).floor() as usize).min(weights)
}

/// The N of M at a density.
///
/// # Numeric  to the nearest, halves up; at least 1
pub fn level(density: f64, m: usize) -> usize {
    count(density, m).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_become_counts() {
        assert_eq!([0.0, 0.04, 0.05, 0.25, 1.0].map(|d| count(d, 10)), [0, 0, 1, 3, 10]);
        assert_eq!([0.0, 0.3, 0.374, 0.375, 0.9, 1.0].map(|d| level(d, 4)), [1, 1, 1, 2, 4, 4]);
    }
}
