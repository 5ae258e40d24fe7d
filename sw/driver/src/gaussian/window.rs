//! Cosines as the unit's coefficients (docs/gaussian.md, "Arithmetic").

use std::f64::consts::TAU;
use tandem_spec::engine::{CosineWindow, WAVES};

/// The window h(n) = `mean` + Σ_k `weights`\[k − 1\]·cos(2πkn/(2·`radius` + 1)), |n| ≤ `radius`.
///
/// # Numeric
/// Coefficients are rounded to 2^−30; sines and cosines have the same bits on every machine.
///
/// # Panics
/// If there are more than four weights.
pub fn cosine_window(radius: u8, mean: f64, weights: &[f64]) -> CosineWindow {
    assert!(weights.len() <= WAVES, "{} cosines: expected at most {WAVES}", weights.len());
    let fixed = |c: f64| (c * f64::from(1 << 30)).round();
    let phi = TAU / (2.0 * f64::from(radius) + 1.0);
    let mut window = CosineWindow { radius, mean: fixed(mean) as i32, ..CosineWindow::default() };
    for (k, weight) in weights.iter().enumerate() {
        let angle = phi * (k + 1) as f64;
        let sine = libm::sin(angle / 2.0);
        window.turn[k] = fixed(4.0 * sine * sine) as u32;
        window.edge[k] = fixed(weight * libm::cos(angle * f64::from(radius))) as i32;
    }
    window
}
