//! Bilateral: a Gaussian in space times a Gaussian of the difference in value, channel by channel.
//!
//! ```text
//! y(p) = f(p) + Σ_q g(q − p)·(f(q) − f(p))·r(f(q) − f(p)) / Σ_q g(q − p)·r(f(q) − f(p))        r(d) = exp(−d²/2σ_r²)
//! ```
//! With r and d·r as series ([`crate::series`]) both sums are made of Gaussians of cos(ω_k f) and sin(ω_k f): 2K filters, whose cost does not
//! depend on σ ([`crate::sliding_dct`]), and
//! ```text
//! Σ g·d·r = σ_r² Σ_k a_k·ω_k·(cos(ω_k f)·G[sin ω_k f] − sin(ω_k f)·G[cos ω_k f])
//! Σ g·r   = a_0 + Σ_k a_k·(cos(ω_k f)·G[cos ω_k f] + sin(ω_k f)·G[sin ω_k f])  ≥ g(0), a pixel's own share
//! ```
//! Tiles with what lies around them stay in a core's cache; cos and sin of the next term follow from the last two.
//! # Numeric  f32; values beyond u8 and u16 saturate
//! # Source   Sugimoto, Kamata 2015; Ghosh, Chaudhury 2016

mod direct;
mod tile;

use crate::exact::Exact;
use crate::gaussian::{MOST_SIGMA, SIGMA, TERMS, weights};
use crate::image::{Image, Samples};
use crate::parameter::{Parameter, Values};
use crate::series::Series;
use crate::sliding_dct::{Cosines, SlidingDct};
use crate::{Border, Filter, FilterError, Kind};

pub(crate) const KIND: Kind = Kind {
    name: "bilateral",
    about: "smooths, but not across edges",
    parameters: &[
        SIGMA,
        RANGE,
        Parameter {
            name: "method",
            value: "METHOD",
            default: Some("auto"),
            help: "exact, fourier (cost independent of sigma), or auto: fourier unless it would take more than 256 terms",
        },
        Parameter { default: Some("2"), ..TERMS },
        Parameter { default: Some("0.05"), ..TOLERANCE },
    ],
    build,
    correlation: None,
};

pub(crate) const RANGE: Parameter = Parameter {
    name: "range",
    value: "S",
    default: None,
    help: "standard deviation in value: in the image's own units, 0 to 255 of 8 bits",
};

pub(crate) const TOLERANCE: Parameter = Parameter {
    name: "tolerance",
    value: "E",
    default: Some("0.01"),
    help: "largest error of the series of the weights in value; smaller ones take more terms",
};

/// Standard deviations that a window reaches to.
const REACH: f64 = 4.0;

struct Bilateral {
    sigma: f64,
    range: f64,
    series: bool,
    terms: usize,
    tolerance: f64,
}

/// A standard deviation in value.
pub(crate) fn range(values: &Values<'_>) -> Result<f64, FilterError> {
    values.number(&RANGE, |s| s > 0.0 && s <= 1e30, "more than 0, at most 1e30")
}

/// A series' largest error.
pub(crate) fn tolerance(values: &Values<'_>) -> Result<f64, FilterError> {
    values.number(&TOLERANCE, |e| (1e-6..=0.1).contains(&e), "1e-6 to 0.1")
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let sigma = values.number(&SIGMA, |s| s > 0.0 && s <= MOST_SIGMA, "more than 0, at most 4096")?;
    let method = values.choice("method", &["auto", "exact", "fourier"])?;
    let (range, tolerance) = (range(values)?, tolerance(values)?);
    let terms = values.whole(&TERMS, 2..=4)?;
    Ok(Box::new(Bilateral { sigma, range, series: method != "exact", terms, tolerance }))
}

impl Filter for Bilateral {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let (low, high) = image.extremes(border);
        let series = Series::new(self.range, f64::from(high) - f64::from(low), self.tolerance);
        match series.filter(|_| self.series) {
            Some(series) => {
                // the series leaves more of an error than the cheaper window does
                let pass = SlidingDct::new(&Cosines::gaussian(self.sigma, self.terms));
                let g = weights(self.sigma, REACH);
                let own = g[g.len() / 2].powi(2) as f32;
                let spatial = tile::Spatial { pass: &pass, own, middle: f32::midpoint(low, high) };
                let samples = match image.samples() {
                    Samples::U8(v) => Samples::U8(tile::filter(image.shape(), v, &spatial, &series, border)),
                    Samples::U16(v) => {
                        Samples::U16(tile::filter(image.shape(), v, &spatial, &series, border))
                    }
                    Samples::F32(v) => {
                        Samples::F32(tile::filter(image.shape(), v, &spatial, &series, border))
                    }
                };
                Ok(Image::made(image.shape(), samples))
            }
            None => Ok(direct::filter(image, self.sigma, self.range, border)),
        }
    }

    fn exact(&self) -> Box<dyn Filter> {
        let (sigma, range) = (self.sigma, self.range);
        Box::new(Exact(move |image: &Image, border| Ok(direct::filter(image, sigma, range, border))))
    }
}
