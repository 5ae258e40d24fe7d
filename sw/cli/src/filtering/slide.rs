//! Windows of cosines on the Gaussian unit: rows, then columns.
//!
//! # Numeric  pixels fill 16 bits: u8 less 128, times 128; u16 less 2^15. Both passes round to such pixels (docs/gaussian.md)

use super::tiles::around;
use super::{Job, Sums, integers};
use crate::failure::usage;
use crate::variant::Progress;
use anyhow::Result;
use ndarray::Array2;
use tandem_driver::gaussian::RESULT_FRACTION;
use tandem_driver::{Cost, Device, cosine_window, smooth_image};
use tandem_filter::Border;
use tandem_spec::{Config, StoreWidth};

/// Bits of a pixel.
const BITS: u32 = 16;

/// The sums over a window of cosines in both directions.
pub fn sums(device: &mut dyn Device, config: &Config, job: &Job<'_>) -> Result<Sums> {
    let (samples, [_, top]) = integers(job.image)?;
    let cosines = job.correlation.cosines().expect("sliding-dct is a method of windows of cosines");
    let Some(unit) = &config.gaussian else {
        let name = &config.name;
        return Err(usage(format!(
            "--method sliding-dct: accelerator {name} has no Gaussian unit: expected a table [gaussian] in its configuration, as in gaussian"
        )));
    };
    let radius = cosines.radius;
    let Some(known) = u8::try_from(radius).ok().filter(|r| usize::from(*r) <= unit.radius) else {
        return Err(usage(format!(
            "--sigma: a window of radius {radius}: accelerator {} has gaussian.radius = {}",
            config.name, unit.radius
        )));
    };
    let terms = cosines.weights.len();
    if terms > unit.terms {
        return Err(usage(format!(
            "--terms {terms}: accelerator {} has gaussian.terms = {}",
            config.name, unit.terms
        )));
    }
    let window = cosine_window(known, cosines.mean, &cosines.weights);
    let shape = job.image.shape();
    let middle = 1i32 << (BITS - 1);
    let scale = (1 << BITS) / (top as i32 + 1);
    let pixel = |v: i32| (v * scale - middle) as i16;
    let outside = match job.border {
        Border::Constant(v) => {
            let v = f64::from(v) * f64::from(scale) - f64::from(middle);
            let pixel = v.round_ties_even() as i16;
            if f64::from(pixel) != v.round_ties_even() {
                return Err(usage(format!(
                    "--border {}: expected a value that a sample can have",
                    job.border
                )));
            }
            pixel
        }
        _ => 0,
    };
    let extend = |line: &[i16], radius: usize| {
        let at = around(job.border, line.len(), radius, radius).into_iter();
        at.map(|i| i.map_or(outside, |i| line[i])).collect()
    };
    let progress = Progress::new("channels", shape.channels, 0);
    let (mut sums, mut cost) = (vec![0.0; shape.samples()], Cost::default());
    for channel in 0..shape.channels {
        let plane = samples.iter().skip(channel).step_by(shape.channels).map(|v| pixel(*v));
        let plane = Array2::from_shape_vec((shape.height, shape.width), plane.collect()).expect("a plane");
        let done = smooth_image(device, plane.view(), &window, extend, (StoreWidth::S16, RESULT_FRACTION))?;
        for (to, y) in sums.iter_mut().skip(channel).step_by(shape.channels).zip(&done.y) {
            *to = f64::from(y + middle) / f64::from(scale);
        }
        cost += done.cost;
        progress.add(1, "");
    }
    Ok(Sums {
        sums: vec![sums],
        cost,
        transforms: 0,
        utilisation: cost.compute_busy as f64 / cost.cycles.max(1) as f64,
        saturated: 0,
        plan: format!(
            "rows and columns through {terms} cosines of radius {radius}, {} pixels a clock",
            unit.pixels
        ),
        kernels: vec![],
    })
}
