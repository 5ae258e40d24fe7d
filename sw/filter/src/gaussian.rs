//! Gaussian: weights ∝ exp(−n²/2σ²) in both directions, sum 1.
//!
//! | method | cost a pixel | what it is |
//! |---|---|---|
//! | `fir` | 2·(2⌈4σ⌉+1) products | weights up to 4σ, the rest (6·10⁻⁵) shared out |
//! | `sliding-dct` | the same for every σ | 2 to 4 cosines a direction ([`crate::sliding_dct`]) |
//! | `fft` | the logarithm of σ | weights up to 4σ, products of spectra |

use crate::exact::{self, Exact};
use crate::fft::Spectral;
use crate::image::{Image, Samples};
use crate::lanes::{Pass, separable};
use crate::parameter::{Parameter, Values};
use crate::sample::Sample;
use crate::sliding_dct::{Cosines, SlidingDct};
use crate::taps::Taps;
use crate::{Border, Correlation, Filter, FilterError, Kind, Weights};

pub(crate) const KIND: Kind = Kind {
    name: "gaussian",
    about: "smooths with weights of a Gaussian",
    parameters: &[
        SIGMA,
        Parameter {
            name: "method",
            value: "METHOD",
            default: Some("auto"),
            help: "fir, sliding-dct (cost independent of sigma), fft, or auto: fir up to sigma 1, else sliding-dct",
        },
        TERMS,
    ],
    build,
    correlation: Some(correlation),
};

const METHODS: &[&str] = &["auto", "fir", "sliding-dct", "fft"];

/// Standard deviations that weights reach to.
const REACH: f64 = 4.0;
/// Largest standard deviation.
pub(crate) const MOST_SIGMA: f64 = 4096.0;

pub(crate) const SIGMA: Parameter =
    Parameter { name: "sigma", value: "S", default: None, help: "standard deviation in pixels" };

pub(crate) const TERMS: Parameter = Parameter {
    name: "terms",
    value: "K",
    default: Some("3"),
    help: "cosines of sliding-dct, 2 to 4: 80, 100 and 115 dB",
};

/// A Gaussian in one of three ways.
struct Gaussian {
    sigma: f64,
    method: Method,
}

enum Method {
    Separable(Box<dyn Pass>),
    Spectral(Spectral),
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let sigma = sigma(values)?;
    let terms = values.whole(&TERMS, 2..=4)?;
    let named = values.choice("method", METHODS)?;
    let slide = || Method::Separable(Box::new(SlidingDct::new(&Cosines::best(sigma, terms))));
    let method = match named {
        "auto" if sigma > 1.0 => slide(),
        "sliding-dct" => slide(),
        "fft" => {
            let line = weights(sigma, REACH);
            Method::Spectral(Spectral::separable(&line, &line))
        }
        _ => {
            let line = weights(sigma, REACH).iter().map(|w| *w as f32).collect();
            Method::Separable(Box::new(Taps::centred(line)))
        }
    };
    Ok(Box::new(Gaussian { sigma, method }))
}

fn sigma(values: &Values<'_>) -> Result<f64, FilterError> {
    values.number(&SIGMA, |s| s > 0.0 && s <= MOST_SIGMA, "more than 0, at most 4096")
}

fn correlation(values: &Values<'_>) -> Result<Correlation, FilterError> {
    let sigma = sigma(values)?;
    let line = weights(sigma, REACH);
    let correlation = Correlation::scaled(Weights::Lines { down: line.clone(), along: line }, 1.0, 0.0);
    Ok(match values.choice("method", METHODS)? {
        "sliding-dct" => correlation.with_cosines(Cosines::gaussian(sigma, values.whole(&TERMS, 2..=4)?)),
        _ => correlation,
    })
}

/// Weights of |n| ≤ ⌈reach·σ⌉, sum 1.
pub(crate) fn weights(sigma: f64, reach: f64) -> Vec<f64> {
    let radius = (reach * sigma).ceil();
    let g: Vec<f64> =
        (0..=2 * radius as usize).map(|i| (-0.5 * ((i as f64 - radius) / sigma).powi(2)).exp()).collect();
    let sum: f64 = g.iter().sum();
    g.iter().map(|v| v / sum).collect()
}

impl Filter for Gaussian {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        Ok(match &self.method {
            Method::Separable(pass) => smooth(image, &**pass, border),
            Method::Spectral(spectral) => spectral.apply(image, border),
        })
    }

    fn exact(&self) -> Box<dyn Filter> {
        let line = weights(self.sigma, 8.0);
        Box::new(Exact(move |image: &Image, border| exact::separable(image, &line, &line, border, 0.0)))
    }
}

/// Both directions with one pass.
pub(crate) fn smooth(image: &Image, pass: &dyn Pass, border: Border) -> Image {
    fn typed<T: Sample>(image: &Image, v: &[T], pass: &dyn Pass, border: Border) -> Vec<T> {
        separable(image.shape(), v, pass, pass, border, T::from_f32)
    }
    let samples = match image.samples() {
        Samples::U8(v) => Samples::U8(typed(image, v, pass, border)),
        Samples::U16(v) => Samples::U16(typed(image, v, pass, border)),
        Samples::F32(v) => Samples::F32(typed(image, v, pass, border)),
    };
    Image::made(image.shape(), samples)
}
