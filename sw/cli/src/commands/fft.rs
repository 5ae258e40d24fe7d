//! `tandem fft`.

use super::{Force, SetAccelerator};
use crate::arguments::{entries, up_to};
use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use crate::{Report, npy};
use anyhow::Result;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Dimension, IxDyn};
use ndarray_npy::WriteNpyExt;
use num_complex::Complex;
use rustfft::FftPlanner;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tandem_driver::{Cost, Device, FftRequest, Points, Scaling, fft_image};
use tandem_nn::random::philox::Philox4x32;
use tandem_spec::Config;

/// Most samples of X: with the spectra in double precision beside them, they take 2 GiB.
const MOST_SAMPLES: usize = 1 << 25;

/// Arguments of `fft`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "spectral")]
    pub config: String,
    #[command(flatten)]
    set: SetAccelerator,
    /// Who computes.
    #[arg(long, default_value = "model")]
    pub engine: EngineKind,
    /// X, npy of complex64, complex128, float32 or float64, both parts in [-1, 1], where exactly 1 is taken as the
    /// largest value below it; its last axis is transformed.
    #[arg(long = "in", value_name = "X.npy", conflicts_with = "random", required_unless_present = "random")]
    pub input: Option<PathBuf>,
    /// So many random transforms instead of a file: both parts uniform in ± amplitude.
    #[arg(long, value_name = "TRANSFORMS", requires = "points", value_parser = up_to::<MOST_SAMPLES>)]
    pub random: Option<usize>,
    /// Amplitude of random samples.
    #[arg(long, default_value_t = 1.0, requires = "random")]
    pub amplitude: f64,
    /// Seed of random samples.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Points: the last axis (with --axes 2: the last two) is cut or filled with zeros to it.
    #[arg(long, value_name = "N")]
    pub points: Option<usize>,
    /// Axes that are transformed. 2: squares of 4, 8 or 16 points as tiles on chip, larger images by rows and columns.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub axes: u8,
    /// The inverse transform.
    #[arg(long)]
    pub inverse: bool,
    /// How values stay in range.
    #[arg(long, value_enum, default_value = "block")]
    pub scaling: ScalingKind,
    /// Where to write Y (complex64 npy): the transform of X times the reported scale.
    #[arg(short, long, value_name = "Y.npy")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// How values stay in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScalingKind {
    /// 1/2 a stage; scale 1/N.
    Scaled,
    /// Block floating point; scale 1.
    Block,
}

/// What came of the transforms.
struct Spectra {
    /// `[transforms, points]`, in X's units times the scale.
    y: Array2<Complex<f64>>,
    saturated: usize,
    cost: Cost,
}

/// Integer samples of X, as the unit takes them, and how many parts were clamped to the largest value: 1 is, and
/// whatever is nearer to it than to that value.
fn quantize(path: &str, x: &ArrayD<Complex<f64>>, bits: usize) -> Result<(ArrayD<Complex<i32>>, usize)> {
    let steps = f64::from(1u32 << (bits - 1));
    let most = steps as i32 - 1;
    if let Some((at, z)) =
        x.indexed_iter().find(|(_, z)| ![z.re, z.im].iter().all(|v| (-1.0..=1.0).contains(v)))
    {
        let at = at.slice();
        return Err(usage(format!("{path}: {at:?} = {z}: expected both parts in [-1, 1]")));
    }
    let mut clamped = 0;
    let mut part = |v: f64| {
        let rounded = (v * steps).round_ties_even() as i32;
        clamped += usize::from(rounded > most);
        rounded.min(most)
    };
    let x = x.map(|z| Complex::new(part(z.re), part(z.im)));
    Ok((x, clamped))
}

/// X with its last axes cut or filled with zeros to `points`.
fn resized(x: ArrayD<Complex<f64>>, axes: usize, points: Option<usize>) -> ArrayD<Complex<f64>> {
    let Some(points) = points else { return x };
    let mut shape = x.shape().to_vec();
    let first = shape.len() - axes;
    shape[first..].fill(points);
    let mut y = ArrayD::from_elem(IxDyn(&shape), Complex::new(0.0, 0.0));
    let (mut from, mut to) = (x.view(), y.view_mut());
    for axis in first..shape.len() {
        let kept = points.min(from.shape()[axis]);
        from.slice_axis_inplace(Axis(axis), (..kept).into());
        to.slice_axis_inplace(Axis(axis), (..kept).into());
    }
    to.assign(&from);
    y
}

/// A number of points is one that the accelerator's unit takes.
fn check_points(config: &Config, axes: usize, points: usize) -> Result<()> {
    let Some(fft) = &config.fft else { return Ok(()) };
    if fft.takes_line(points) || axes == 2 && fft.takes_tile(points) {
        return Ok(());
    }
    let smallest = if fft.any_size { 4 } else { fft.points };
    let tiles = if axes == 2 && fft.tiles { ", or the side of a tile" } else { "" };
    Err(usage(format!("--points {points}: expected a power of two from {smallest} to {}{tiles}", fft.points)))
}

fn read(args: &Args, config: &Config) -> Result<(String, ArrayD<Complex<f64>>)> {
    let axes = usize::from(args.axes);
    if let Some(points) = args.points {
        check_points(config, axes, points)?;
    }
    if let (Some(count), Some(points)) = (args.random, args.points) {
        let sides = [&[count], &vec![points; axes][..]].concat();
        entries(format!("--random {count} --points {points}"), &sides, MOST_SAMPLES)?;
        if !(args.amplitude > 0.0 && args.amplitude <= 1.0) {
            return Err(usage(format!("--amplitude {}: expected more than 0, at most 1", args.amplitude)));
        }
        let mut shape = vec![count];
        shape.resize(1 + axes, points);
        let philox = Philox4x32::new(args.seed);
        let mut flat = 0u32;
        let most = 1.0 - 2f64.powi(-16);
        // in single precision, as a file of complex64 would hold them
        let part = |r: u32| ((f64::from(r) / 2f64.powi(31) - 1.0) * args.amplitude).min(most) as f32;
        let part = |r: u32| f64::from(part(r));
        let x = ArrayD::from_shape_simple_fn(IxDyn(&shape), || {
            let r = philox.block([flat, 0, 0, 0x4646_5400]);
            flat = flat.wrapping_add(1);
            Complex::new(part(r[0]), part(r[1]))
        });
        return Ok(("random".into(), x));
    }
    let path = args.input.as_deref().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let x = npy::complex(path, MOST_SAMPLES)?;
    if x.ndim() < axes || x.is_empty() {
        return Err(usage(format!("{name}: shape {:?}: expected {axes} axes with entries", x.shape())));
    }
    if let Some(points) = args.points {
        let mut sides = x.shape().to_vec();
        let first = sides.len() - axes;
        sides[first..].fill(points);
        entries(format!("{name}, --points {points}"), &sides, MOST_SAMPLES)?;
    }
    Ok((name, resized(x, axes, args.points)))
}

/// The transform in double precision, `[transforms, points]`.
fn reference(x: ArrayView2<'_, Complex<i32>>, sides: &[usize], inverse: bool) -> Array2<Complex<f64>> {
    let mut planner = FftPlanner::<f64>::new();
    let mut y = x.mapv(|z| Complex::new(z.re.into(), z.im.into()));
    let mut shape = vec![x.nrows()];
    shape.extend(sides);
    let mut square =
        y.view_mut().into_shape_with_order(IxDyn(&shape)).expect("a transform has the product of its sides");
    for (axis, &side) in sides.iter().enumerate() {
        let plan = if inverse { planner.plan_fft_inverse(side) } else { planner.plan_fft_forward(side) };
        for mut lane in square.lanes_mut(Axis(axis + 1)) {
            let mut line = lane.to_vec();
            plan.process(&mut line);
            lane.assign(&ndarray::Array1::from(line));
        }
    }
    y
}

fn transform(
    device: &mut dyn Device,
    x: &Array2<Complex<i32>>,
    sides: &[usize],
    tiled: bool,
    args: &Args,
) -> Result<Spectra> {
    let scaling = match args.scaling {
        ScalingKind::Scaled => Scaling::Scaled,
        ScalingKind::Block => Scaling::Block,
    };
    // in steps of X; `scaled` spectra stay divided by the number of points
    let float = |z: &Complex<i32>, exponent: u8| {
        let unit = if scaling == Scaling::Scaled { 1.0 } else { 2f64.powi(exponent.into()) };
        Complex::new(f64::from(z.re) * unit, f64::from(z.im) * unit)
    };
    if sides.len() == 2 && !tiled {
        let mut all = Spectra { y: Array2::default(x.dim()), saturated: 0, cost: Cost::default() };
        for (image, mut to) in x.outer_iter().zip(all.y.outer_iter_mut()) {
            let image = image.into_shape_with_order((sides[0], sides[1])).expect("row-major");
            let done = fft_image(device, image, args.inverse, scaling)?;
            for (z, y) in done.y.iter().zip(&mut to) {
                *y = float(z, done.exponent);
            }
            all.saturated += done.saturated;
            all.cost += done.cost;
        }
        return Ok(all);
    }
    let points = if tiled { Points::Tile(sides[0]) } else { Points::Line(sides[0]) };
    let request = FftRequest { x: x.view(), points, inverse: args.inverse, scaling };
    let done = device.run(request.into())?.into_fft();
    let mut y = Array2::default(done.y.dim());
    for ((line, mut to), e) in done.y.outer_iter().zip(y.outer_iter_mut()).zip(&done.exponents) {
        to.assign(&line.mapv(|z| float(&z, *e)));
    }
    Ok(Spectra { y, saturated: done.saturated.iter().filter(|s| **s).count(), cost: done.cost })
}

/// 10·log10 of the power of `y` over that of its difference from `wanted`.
fn snr_db(y: &Array2<Complex<f64>>, wanted: &Array2<Complex<f64>>) -> f64 {
    let signal: f64 = wanted.iter().map(Complex::norm_sqr).sum();
    let noise: f64 = y.iter().zip(wanted).map(|(y, w)| (y - w).norm_sqr()).sum();
    10.0 * (signal / noise).log10()
}

/// Transforms, and compares with double precision.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let output = super::output(args.output.as_ref(), args.force)?;
    super::output(args.trace.as_ref(), args.force)?;
    let (name, x) = read(args, &config)?;
    let axes = usize::from(args.axes);
    let bits = config.fft.as_ref().map_or(16, |f| f.bits);
    let shape = x.shape().to_vec();
    let sides = shape[shape.len() - axes..].to_vec();
    let points: usize = sides.iter().product();
    let (x, input_clamped) = quantize(&name, &x, bits)?;
    let x = x.as_standard_layout().into_owned();
    let transforms = x.len() / points;
    let x = x.into_shape_with_order((transforms, points)).expect("row-major");
    let tiled =
        axes == 2 && sides[0] == sides[1] && config.fft.as_ref().is_some_and(|f| f.takes_tile(sides[0]));

    let mut device = engines::device(&args.engine, &config, args.trace.as_deref())?;
    let start = Instant::now();
    let Spectra { y, saturated, cost } = transform(&mut *device, &x, &sides, tiled, args)?;
    let wall = start.elapsed().as_secs_f64();

    let scale = if args.scaling == ScalingKind::Scaled { 1.0 / points as f64 } else { 1.0 };
    let wanted = reference(x.view(), &sides, args.inverse).mapv(|z| z * scale);
    let snr = snr_db(&y, &wanted);
    if let Some(output) = output {
        let steps = f64::from(1u32 << (bits - 1));
        let float = y.mapv(|z| Complex::new((z.re / steps) as f32, (z.im / steps) as f32));
        let float = float.into_shape_with_order(IxDyn(&shape)).expect("X's shape");
        let mut bytes = vec![];
        float.write_npy(&mut bytes)?;
        output.write(&bytes)?;
    }
    let kind = match (axes, tiled) {
        (1, _) => format!("{points} points"),
        (_, true) => format!("tiles of {}×{}", sides[0], sides[1]),
        _ => format!("images of {}×{}", sides[0], sides[1]),
    };
    let scaling = if args.scaling == ScalingKind::Scaled { "scaled" } else { "block" };
    let text = format!(
        "{transforms} transforms of {kind} on {} ({}, {scaling}): {} cycles ({} predicted), {} of them taking samples, \
         scale {scale}, SNR {snr:.1} dB, {saturated} clamped, {input_clamped} parts of X clamped below 1",
        config.name,
        device.name(),
        cost.cycles,
        cost.predicted_cycles,
        cost.compute_busy,
    );
    let json = serde_json::json!({
        "engine": device.name(), "transforms": transforms, "points": points, "axes": axes, "tile": tiled,
        "inverse": args.inverse, "scaling": scaling, "scale": scale, "snr_db": finite(snr), "saturated": saturated,
        "input_saturated": input_clamped,
        "cycles": cost.cycles, "predicted_cycles": cost.predicted_cycles,
        "load_busy": cost.load_busy, "compute_busy": cost.compute_busy, "store_busy": cost.store_busy,
        "span": cost.span, "instruction_words": cost.instruction_words, "link_words": cost.link_words,
        "wall_s": wall, "cycles_per_s": cost.cycles as f64 / wall,
        "link": args.engine.carried().as_ref().map(engines::carried_json),
    });
    if args.engine.is_cycle_exact() && cost.cycles != cost.predicted_cycles {
        return Err(check(text));
    }
    Ok(Report::new(text, json))
}

/// JSON has no infinity: an exact transform has no noise, a zero one no signal.
fn finite(v: f64) -> Option<f64> {
    v.is_finite().then_some(v)
}
