//! Large kernels on the FFT unit: overlap-save.
//!
//! ```text
//! two tiles a, b of T×T pixels with what lies around ─► z = a + i·b ─► FFT ─► · conj(FFT(kernel)) ─► inverse ─► (T − k + 1)² results of each
//! ```
//! The unit transforms rows, then columns, forward and inverse; the kernel's spectrum and the product are the host's, in f64.
//!
//! # Numeric  the unit's fixed point: pixels less their tile's mean, times the power of two that fills the unit's width; one exponent a line, and of a
//! tile the largest; products scaled to the width once more. Two roundings to the width, and the unit's own: docs/filters.md has what that gives.

use super::tiles::{around, before};
use super::{Job, Sums, integers};
use crate::failure::usage;
use crate::variant::Progress;
use anyhow::Result;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex;
use rustfft::{FftDirection, FftPlannerScalar};
use tandem_driver::{Cost, Device, FftProblem, Points, Problem, Scaling, fft_image};
use tandem_filter::{Border, Shape, Weights};
use tandem_spec::Config;
use tandem_spec::config::Fft;

/// Most points of a tile.
const MOST_POINTS: usize = 1 << 24;

/// How a picture is cut along an axis.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// Points of a transform.
    points: usize,
    /// Results of a tile.
    results: usize,
    tiles: usize,
}

impl Axis {
    fn new(n: usize, taps: usize, points: usize) -> Self {
        let results = points - taps + 1;
        Axis { points, results, tiles: n.div_ceil(results) }
    }

    /// Sizes of transforms that a unit takes and that are not larger than they need be.
    fn sizes(fft: &Fft, n: usize, taps: usize) -> Result<Vec<Axis>> {
        let all = (2..usize::BITS).map(|log| 1 << log).take_while(|points| *points <= fft.points);
        let mut found: Vec<_> =
            all.filter(|p| fft.takes_line(*p) && *p >= taps).map(|p| Axis::new(n, taps, p)).collect();
        if found.is_empty() {
            return Err(usage(format!(
                "a kernel of {taps} taps along a side: expected at most {}, the points of the accelerator's FFT unit",
                fft.points
            )));
        }
        let whole = found.iter().position(|axis| axis.tiles == 1).unwrap_or(found.len() - 1);
        found.truncate(whole + 1);
        Ok(found)
    }
}

/// A picture's tiles, two a transform.
struct Tiles<'a> {
    samples: &'a [i32],
    shape: Shape,
    outside: f64,
    axes: [Axis; 2],
    /// What stands along each axis.
    at: [Vec<Option<usize>>; 2],
}

/// A tile as one part of complex samples.
struct Part {
    values: Vec<i32>,
    /// What was taken away from each pixel, and what the rest was multiplied by.
    mean: f64,
    unit: f64,
}

impl Tiles<'_> {
    fn count(&self) -> usize {
        self.shape.channels * self.axes[0].tiles * self.axes[1].tiles
    }

    /// Channel, first row and first column of a tile's results.
    fn place(&self, i: usize) -> (usize, usize, usize) {
        let [down, along] = self.axes;
        let tile = i / self.shape.channels;
        (i % self.shape.channels, tile / along.tiles * down.results, tile % along.tiles * along.results)
    }

    /// A tile as integers of at most `most`.
    fn part(&self, i: usize, most: f64) -> Part {
        let (channel, y, x) = self.place(i);
        let [down, along] = self.axes;
        let mut pixels = Vec::with_capacity(down.points * along.points);
        for row in &self.at[0][y..y + down.points] {
            pixels.extend(self.at[1][x..x + along.points].iter().map(|column| match (row, column) {
                (Some(y), Some(x)) => {
                    f64::from(self.samples[(y * self.shape.width + x) * self.shape.channels + channel])
                }
                _ => self.outside,
            }));
        }
        let (low, high) =
            pixels.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let mean = (pixels.iter().sum::<f64>() / pixels.len() as f64).round_ties_even();
        // whole numbers that only just fit stay whole
        let mean = if high - low <= 2.0 * most { mean.clamp(high - most, low + most) } else { mean };
        let farthest = (high - mean).max(mean - low);
        let unit = if farthest > 0.0 { 2f64.powi((most / farthest).log2().floor() as i32) } else { 1.0 };
        let values = pixels.iter().map(|v| ((v - mean) * unit).round_ties_even() as i32).collect();
        Part { values, mean, unit }
    }
}

/// The kernel in f64, and its spectrum's conjugate over the number of points.
struct Kernel {
    sum: f64,
    spectrum: Array2<Complex<f64>>,
}

impl Kernel {
    fn new(weights: &Weights, [down, along]: [Axis; 2]) -> Self {
        let (values, columns) = match weights {
            Weights::Plane { weights, columns } => (weights.clone(), *columns),
            Weights::Lines { down, along } => {
                (down.iter().flat_map(|d| along.iter().map(move |a| d * a)).collect(), along.len())
            }
        };
        let mut spectrum = Array2::zeros((down.points, along.points));
        for (i, w) in values.iter().enumerate() {
            spectrum[[i / columns, i % columns]] = Complex::new(*w, 0.0);
        }
        // without the CPU's vector units: the same bits everywhere
        let mut planner = FftPlannerScalar::new();
        for _ in 0..2 {
            let plan = planner.plan_fft(spectrum.ncols(), FftDirection::Forward);
            plan.process(spectrum.as_slice_mut().expect("row-major"));
            spectrum = spectrum.t().as_standard_layout().into_owned();
        }
        let points = spectrum.len() as f64;
        Kernel { sum: values.iter().sum(), spectrum: spectrum.mapv(|z| z.conj() / points) }
    }
}

/// The FFT unit, and what it has done.
struct Unit<'a> {
    device: &'a mut dyn Device,
    scaling: Scaling,
    most: f64,
    cost: Cost,
    transforms: usize,
    saturated: usize,
}

impl Unit<'_> {
    /// A two-dimensional transform.
    fn transform(&mut self, z: ArrayView2<'_, Complex<i32>>, inverse: bool) -> Result<Array2<Complex<f64>>> {
        let done = fft_image(self.device, z, inverse, self.scaling)?;
        self.cost += done.cost;
        self.transforms += z.nrows() + z.ncols();
        self.saturated += done.saturated;
        let unit = 2f64.powi(done.exponent.into());
        Ok(done.y.mapv(|z| Complex::new(f64::from(z.re) * unit, f64::from(z.im) * unit)))
    }

    /// Tiles times the kernel.
    fn filtered(&mut self, z: &Array2<Complex<i32>>, kernel: &Kernel) -> Result<Array2<Complex<f64>>> {
        let product = self.transform(z.view(), false)? * &kernel.spectrum;
        let largest = product.iter().fold(0.0f64, |most, z| most.max(z.re.abs()).max(z.im.abs()));
        if largest == 0.0 {
            return Ok(product);
        }
        let gain = self.most / largest;
        let part = |v: f64| (v * gain).round_ties_even() as i32;
        let z = product.mapv(|z| Complex::new(part(z.re), part(z.im)));
        Ok(self.transform(z.view(), true)? / gain)
    }
}

/// Sizes of tiles with the fewest cycles.
fn axes(device: &mut dyn Device, fft: &Fft, shape: Shape, size: [usize; 2]) -> Result<[Axis; 2]> {
    let (down, along) = (Axis::sizes(fft, shape.height, size[0])?, Axis::sizes(fft, shape.width, size[1])?);
    let mut best: Option<(u64, [Axis; 2])> = None;
    for axes in down.iter().flat_map(|down| along.iter().map(move |along| [*down, *along])) {
        let [points, others] = axes.map(|axis| axis.points);
        if points * others > MOST_POINTS {
            continue;
        }
        let mut pass = |transforms: usize, points: usize| {
            let problem = FftProblem { transforms, points: Points::Line(points) };
            device.predict(&Problem::Fft(problem)).map(|cost| cost.cycles)
        };
        let Some((rows, columns)) = pass(points, others).zip(pass(others, points)) else { continue };
        let pairs = (shape.channels * axes[0].tiles * axes[1].tiles).div_ceil(2) as u64;
        let cycles = 2 * pairs * (rows + columns);
        if best.is_none_or(|(least, _)| cycles < least) {
            best = Some((cycles, axes));
        }
    }
    best.map(|(_, axes)| axes).ok_or_else(|| {
        usage(format!(
            "tiles of {}×{} pixels at least: the accelerator has no room for them",
            size[0], size[1]
        ))
    })
}

/// The sums over the kernels of a filter, by spectra.
pub fn sums(device: &mut dyn Device, config: &Config, job: &Job<'_>) -> Result<Sums> {
    let (samples, _) = integers(job.image)?;
    let Some(fft) = &config.fft else {
        let name = &config.name;
        return Err(usage(format!(
            "--method fft: accelerator {name} has no FFT unit: expected a table [fft] in its configuration, as in spectral"
        )));
    };
    let shape = job.image.shape();
    let kernels = job.correlation.kernels();
    let size = kernels[0].size();
    let axes = axes(device, fft, shape, size)?;
    let [above, left] = before(size);
    let at = [(0, shape.height, above), (1, shape.width, left)]
        .map(|(axis, n, before)| around(job.border, n, before, axes[axis].points + axes[axis].results));
    let outside = match job.border {
        Border::Constant(_) => f64::from(job.correlation.outside(job.image, job.border)),
        _ => 0.0,
    };
    let tiles = Tiles { samples: &samples, shape, outside, axes, at };
    let scaling = if fft.block { Scaling::Block } else { Scaling::Scaled };
    let most = f64::from((1u32 << (fft.bits - 1)) - 1);
    let mut unit = Unit { device, scaling, most, cost: Cost::default(), transforms: 0, saturated: 0 };
    let [down, along] = axes;
    let pairs = tiles.count().div_ceil(2);
    let progress = Progress::new("pairs of tiles", pairs * kernels.len(), 0);
    let mut all = vec![];
    for weights in kernels {
        let kernel = Kernel::new(weights, axes);
        let mut sums = vec![0.0; shape.samples()];
        for pair in 0..pairs {
            let parts: Vec<_> =
                (2 * pair..tiles.count().min(2 * pair + 2)).map(|i| tiles.part(i, most)).collect();
            let imaginary = |i: usize| parts.get(1).map_or(0, |part| part.values[i]);
            let z = (0..down.points * along.points).map(|i| Complex::new(parts[0].values[i], imaginary(i)));
            let z = Array2::from_shape_vec((down.points, along.points), z.collect()).expect("as many points");
            let y = unit.filtered(&z, &kernel)?;
            for (i, part) in parts.iter().enumerate() {
                let (channel, row, column) = tiles.place(2 * pair + i);
                for dy in 0..down.results.min(shape.height - row) {
                    for dx in 0..along.results.min(shape.width - column) {
                        let v = if i == 0 { y[[dy, dx]].re } else { y[[dy, dx]].im };
                        let to = ((row + dy) * shape.width + column + dx) * shape.channels + channel;
                        sums[to] = v / part.unit + part.mean * kernel.sum;
                    }
                }
            }
            progress.add(1, "");
        }
        all.push(sums);
    }
    let plan = format!(
        "{} transforms; {} tiles of {}×{} points with {}×{} results",
        unit.transforms,
        tiles.count(),
        down.points,
        along.points,
        down.results,
        along.results
    );
    Ok(Sums {
        sums: all,
        cost: unit.cost,
        transforms: unit.transforms,
        utilisation: unit.cost.compute_busy as f64 / unit.cost.cycles.max(1) as f64,
        saturated: unit.saturated,
        plan,
        kernels: vec![],
    })
}
