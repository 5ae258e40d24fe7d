//! A Gaussian of a difference of values as a Fourier series.
//!
//! ```text
//! exp(−d²/2σ²) ≈ a_0 + Σ_k a_k·cos(ω_k·d)              ω_k = 2πk/T,  a_0 = σ√(2π)/T,  a_k = 2·a_0·exp(−ω_k²σ²/2)
//! d·exp(−d²/2σ²) ≈ σ²·Σ_k a_k·ω_k·sin(ω_k·d)           its derivative
//! ```
//! for |d| up to the range of the image's values: T is that range and a tail, so long that what comes back from the next period is as
//! small as the first term that is left out: (T − range)/σ = ω_{K+1}·σ.
//! # Source   Sugimoto, Kamata 2015 (compressive bilateral filtering: period and number of terms together, the derivative's series);
//! Sumiya, Otsuka, Maeda, Fukushima 2022 (local Laplacian)

use std::f64::consts::{PI, TAU};

/// A series of cosines.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// ω_1.
    pub omega: f64,
    /// a_0.
    pub mean: f64,
    /// a_1, a_2, …
    pub waves: Vec<f64>,
    sigma: f64,
}

/// Most terms.
const MOST_TERMS: usize = 256;

impl Series {
    /// As few terms as keep each error at the ends to `error` of the peak; nothing if they would be more than 256.
    pub fn new(sigma: f64, range: f64, error: f64) -> Option<Self> {
        let deviations = (-2.0 * error.ln()).sqrt();
        let wanted = |terms: &usize| (Self::period(sigma, range, *terms) - range) / sigma >= deviations;
        (1..=MOST_TERMS).find(wanted).map(|terms| Self::with_terms(sigma, range, terms))
    }

    fn period(sigma: f64, range: f64, terms: usize) -> f64 {
        let next = (terms + 1) as f64;
        (range + (range * range + 8.0 * PI * next * sigma * sigma).sqrt()) / 2.0
    }

    fn with_terms(sigma: f64, range: f64, terms: usize) -> Self {
        let period = Self::period(sigma, range, terms);
        let (omega, mean) = (TAU / period, sigma * TAU.sqrt() / period);
        let wave = |k: usize| 2.0 * mean * (-0.5 * (omega * k as f64 * sigma).powi(2)).exp();
        Series { omega, mean, waves: (1..=terms).map(wave).collect(), sigma }
    }

    /// σ²·a_k·ω_k.
    pub fn derivative(&self, k: usize) -> f64 {
        self.sigma * self.sigma * self.waves[k - 1] * self.omega * k as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_as_close_as_they_say() {
        for (sigma, range, error) in
            [(30.0, 255.0, 3e-3), (10.0, 255.0, 1e-2), (0.2, 1.0, 1e-4), (300.0, 255.0, 1e-3)]
        {
            let series = Series::new(sigma, range, error).expect("few terms");
            for i in 0..=1000 {
                let d = range * f64::from(i) / 1000.0;
                let exact = (-0.5 * (d / sigma).powi(2)).exp();
                let wave = |(k, a): (usize, &f64)| a * (series.omega * k as f64 * d).cos();
                let got = series.mean + (1..).zip(&series.waves).map(wave).sum::<f64>();
                // what is left out is a geometric series at least, what comes back as large as its first term
                assert!((got - exact).abs() <= 3.0 * error, "{sigma} {d}: {got} instead of {exact}");
                let slope = |k: usize| series.derivative(k) * (series.omega * k as f64 * d).sin();
                let got: f64 = (1..=series.waves.len()).map(slope).sum();
                let most = 8.0 * error * (range + sigma);
                assert!((got - d * exact).abs() <= most, "{sigma} {d}: {got} instead of {}", d * exact);
            }
        }
        assert!(Series::new(1e-3, 1.0, 1e-3).is_none());
    }
}
