//! Linear filters on an accelerator: who makes the sums over their kernels.
//!
//! ```text
//! picture ─► Correlation (sw/filter) ─► Sums ─► Correlation::finish ─► picture
//!                                        ▲
//!            array      kernels of whole numbers, tiles of the picture   MAC array
//!            transform  overlap-save, spectra                            FFT unit
//!            slide      windows of cosines along rows and columns       Gaussian unit
//! ```
//! A way is a file, a row of [`METHODS`] and an arm of [`Accelerator::sums`].

mod array;
mod slide;
mod tiles;
mod transform;
mod whole;

use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tandem_driver::{Cost, Device};
use tandem_filter::{Border, Correlation, FILTERS, Image, Kind, Samples};
use tandem_spec::Config;
use whole::{Integers, Whole};

/// Bits of the weights of a Gaussian, which are no whole numbers, unless others are asked for.
pub const GAUSSIAN_BITS: u8 = 8;

/// Most samples of a picture: with sums of 64 bits they take 2 GiB.
const MOST_SAMPLES: usize = 1 << 26;

/// A unit of the accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Products on the MAC array.
    Array,
    /// Products of spectra, transformed by the FFT unit.
    Transform,
    /// Cosines that the Gaussian unit slides along.
    Slide,
}

/// Names of methods, as filters have them, with the units that run them.
const METHODS: [(&str, Method); 5] = [
    ("auto", Method::Array),
    ("fir", Method::Array),
    ("direct", Method::Array),
    ("fft", Method::Transform),
    ("sliding-dct", Method::Slide),
];

impl Method {
    /// Of a filter's method; a filter without methods is one of the array.
    ///
    /// # Errors   no unit computes it
    pub fn named(name: Option<&str>) -> Result<Self> {
        let name = name.unwrap_or("auto");
        let found = METHODS.iter().find(|(known, _)| *known == name).map(|(_, method)| *method);
        found.ok_or_else(|| {
            usage(format!(
                "--method {name}: no unit of an accelerator computes it: expected fir (the MAC array), fft (the FFT unit) or sliding-dct (the Gaussian unit)"
            ))
        })
    }
}

/// A filter that an accelerator computes.
///
/// # Errors   it is not linear
pub fn correlation(kind: &Kind, parameters: &BTreeMap<String, String>) -> Result<Correlation> {
    kind.correlation(parameters)?.ok_or_else(|| {
        let linear: Vec<_> = FILTERS.iter().filter(|kind| kind.is_linear()).map(|kind| kind.name).collect();
        usage(format!(
            "--kind {}: is no sum over a kernel; accelerators run {}",
            kind.name,
            linear.join(", ")
        ))
    })
}

/// What is filtered, and how.
pub struct Job<'a> {
    /// The filter.
    pub correlation: &'a Correlation,
    /// The picture.
    pub image: &'a Image,
    /// What lies around it.
    pub border: Border,
    /// Bits that weights are rounded to, if they are no whole numbers.
    pub kernel_bits: Option<u8>,
}

/// Sums over kernels, and what they cost.
pub struct Sums {
    /// Of each kernel, a sum a sample of the picture.
    pub sums: Vec<Vec<f64>>,
    /// All requests.
    pub cost: Cost,
    /// Transforms of the FFT unit.
    pub transforms: usize,
    /// Part of its time in which the unit was at work, 0 to 1: digit products of those that there was room for, or cycles that took samples.
    pub utilisation: f64,
    /// Transforms in which a value was clamped.
    pub saturated: usize,
    /// How they were made, in a few words.
    pub plan: String,
    /// The kernels as the array had them.
    kernels: Vec<Whole>,
}

/// An accelerator and who runs it.
pub struct Accelerator {
    config: Config,
    device: Box<dyn Device>,
    engine: EngineKind,
}

impl Accelerator {
    /// # Errors   those of [`engines::device`]
    pub fn new(engine: &EngineKind, config: Config) -> Result<Self> {
        let device = engines::device(engine, &config, None)?;
        Ok(Accelerator { config, device, engine: engine.clone() })
    }

    /// The sums over the kernels of a filter.
    ///
    /// # Errors
    /// What the unit cannot take: samples of f32, a kernel that is too large or too wide, an accelerator without the unit; those of the device
    pub fn sums(&mut self, method: Method, job: &Job<'_>) -> Result<Sums> {
        let Accelerator { config, device, engine } = self;
        let sums = match method {
            Method::Array => array::sums(&mut **device, config, job),
            Method::Transform => transform::sums(&mut **device, config, job),
            Method::Slide => slide::sums(&mut **device, config, job),
        }?;
        let Cost { cycles, predicted_cycles, .. } = sums.cost;
        if engine.is_cycle_exact() && cycles != predicted_cycles {
            return Err(check(format!("{cycles} cycles, {predicted_cycles} predicted")));
        }
        Ok(sums)
    }

    /// The engine's name.
    pub fn engine(&self) -> &str {
        self.device.name()
    }

    /// The configuration's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// What its link has carried, for scripts.
    pub fn carried(&self) -> Option<Value> {
        self.engine.carried().as_ref().map(engines::carried_json)
    }

    /// For people.
    pub fn text(&self, sums: &Sums, pixels: usize) -> String {
        let Sums { cost, plan, .. } = sums;
        format!(
            "{} cycles ({} predicted) on {} ({}), {:.3} a pixel, utilisation {:.1} %: {plan}",
            cost.cycles,
            cost.predicted_cycles,
            self.config.name,
            self.device.name(),
            cost.cycles as f64 / pixels as f64,
            100.0 * sums.utilisation,
        )
    }

    /// For scripts.
    pub fn json(&self, sums: &Sums, pixels: usize) -> Value {
        let Sums { cost, plan, transforms, saturated, .. } = sums;
        json!({
            "cycles": cost.cycles, "predicted_cycles": cost.predicted_cycles,
            "load_busy": cost.load_busy, "compute_busy": cost.compute_busy, "store_busy": cost.store_busy,
            "wait_drain": cost.wait_drain, "span": cost.span, "products": cost.products,
            "utilisation": sums.utilisation,
            "instruction_words": cost.instruction_words, "link_words": cost.link_words,
            "cycles_per_pixel": cost.cycles as f64 / pixels as f64,
            "transforms": transforms, "saturated": saturated, "plan": plan,
            "kernels": sums.kernels.iter().map(kernel_json).collect::<Vec<_>>(),
        })
    }
}

/// A kernel as options of `--kind fir`: the same filter on the host.
fn kernel_json(kernel: &Whole) -> Value {
    let words = |w: &[i32]| w.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let scale = match kernel.shift {
        shift @ 0..=62 => format!("1/{}", 1u64 << shift),
        shift => format!("{:e}", 2f64.powi(-shift)),
    };
    match &kernel.weights {
        Integers::Plane(plane) => {
            let rows: Vec<_> = plane.values.chunks(plane.columns).map(words).collect();
            json!({ "kernel": rows.join("; "), "scale": scale })
        }
        Integers::Lines { down, along } => {
            json!({ "column": words(down), "row": words(along), "scale": scale })
        }
    }
}

/// The samples as integers, with the least and the most that their type holds.
///
/// # Errors   samples of f32, or too many
fn integers(image: &Image) -> Result<(Vec<i32>, [i64; 2])> {
    let count = image.shape().samples();
    if count > MOST_SAMPLES {
        return Err(usage(format!("{count} samples: expected at most {MOST_SAMPLES} on an accelerator")));
    }
    match image.samples() {
        Samples::U8(v) => Ok((v.iter().map(|v| i32::from(*v)).collect(), [0, u8::MAX.into()])),
        Samples::U16(v) => Ok((v.iter().map(|v| i32::from(*v)).collect(), [0, u16::MAX.into()])),
        Samples::F32(_) => Err(usage("samples of f32: accelerators take u8 and u16; --engine cpu takes all")),
    }
}
