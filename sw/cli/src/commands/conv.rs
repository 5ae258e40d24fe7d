//! `tandem conv`.

use super::gemm::{Facts, save};
use super::{Force, SetAccelerator};
use crate::Report;
use crate::arguments::{MOST_ENTRIES, entries};
use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use crate::npy;
use crate::operands::{MOST_PRODUCTS, draw, parse_pattern};
use anyhow::Result;
use ndarray::{Array2, Array4, Ix4};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tandem_driver::conv::{ConvProduct, ConvRequest, ConvResult, Window, mismatches};
use tandem_driver::{Format, Operand, Pattern, RequestKind, ResultFormat, Sparsity};

/// Arguments of `conv`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "default")]
    config: String,
    /// Who computes.
    #[arg(long, default_value = "model")]
    engine: EngineKind,
    #[command(flatten)]
    set: SetAccelerator,
    /// Which product: forward takes X and W, the input gradient dY and W, the weight gradient X and dY.
    #[arg(long, value_enum, default_value = "forward")]
    product: Product,
    /// X [B, H, W, C], integer npy.
    #[arg(long, value_name = "X.npy", conflicts_with = "random")]
    x: Option<PathBuf>,
    /// W [KH, KW, C, O], integer npy.
    #[arg(long, value_name = "W.npy", conflicts_with = "random")]
    w: Option<PathBuf>,
    /// dY [B, OH, OW, O], integer npy.
    #[arg(long, value_name = "DY.npy", conflicts_with = "random")]
    dy: Option<PathBuf>,
    /// Random operands instead of files: images of H × W × C, O outputs.
    #[arg(long, num_args = 5, value_names = ["B", "H", "W", "C", "O"])]
    random: Option<Vec<usize>>,
    /// Kernel of random operands, and of the weight gradient: its side, or its height and width.
    #[arg(long, num_args = 1..=2, value_names = ["KH", "KW"])]
    kernel: Option<Vec<usize>>,
    /// Image of the input gradient (default: the smallest that dY, kernel, stride and padding allow).
    #[arg(long, num_args = 2, value_names = ["H", "W"])]
    image: Option<Vec<usize>>,
    /// Step between positions: one for both directions, or down and across.
    #[arg(long, num_args = 1..=2, value_names = ["S", "SX"], default_values_t = [1])]
    stride: Vec<usize>,
    /// Zeros around the image, fewer than the kernel: one for both directions, or above and below, left and right.
    #[arg(long, num_args = 1..=2, value_names = ["P", "PX"], default_values_t = [0])]
    padding: Vec<usize>,
    /// Seed of random operands.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width of X, 1 to 16.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    x_bits: u8,
    /// Width of W, 1 to 16.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    w_bits: u8,
    /// Width of dY, 1 to 16.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=16))]
    dy_bits: u8,
    /// X is unsigned.
    #[arg(long)]
    x_unsigned: bool,
    /// W is unsigned.
    #[arg(long)]
    w_unsigned: bool,
    /// Width of results: 32, or 16 or 8 with --shift.
    #[arg(long, default_value = "32", value_parser = ["32", "16", "8"])]
    result_bits: String,
    /// Results are divided by 2^shift, half to even, and saturated.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=31))]
    shift: u8,
    /// At most N of every M consecutive weights are kept: along the channels of a pixel (of a kernel's row, if M does not
    /// divide them), in the input gradient along the outputs, in the weight gradient of dW. Random weights are pruned to it.
    #[arg(long, value_name = "N:M", value_parser = parse_pattern)]
    pattern: Option<(usize, usize)>,
    /// Weights of the weight gradient that are kept: an integer npy [KH, KW, C, O] (default: drawn from --seed).
    #[arg(long, value_name = "KEPT.npy", requires = "pattern")]
    kept: Option<PathBuf>,
    /// Where to write the result: Y [B, OH, OW, O], dX [B, H, W, C] or dW [KH, KW, C, O] (int32 npy; int64 if sums may
    /// need it).
    #[arg(short, long, value_name = "OUT.npy")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Product {
    Forward,
    InputGradient,
    WeightGradient,
}

impl Product {
    fn of_convolution(self) -> ConvProduct {
        match self {
            Product::Forward => ConvProduct::Forward,
            Product::InputGradient => ConvProduct::InputGradient,
            Product::WeightGradient => ConvProduct::WeightGradient,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Product::Forward => "forward",
            Product::InputGradient => "input-gradient",
            Product::WeightGradient => "weight-gradient",
        }
    }

    /// Options of its two operands.
    fn operands(self) -> [&'static str; 2] {
        match self {
            Product::Forward => ["--x", "--w"],
            Product::InputGradient => ["--dy", "--w"],
            Product::WeightGradient => ["--x", "--dy"],
        }
    }
}

/// Operands in memory.
struct Operands {
    product: ConvProduct,
    window: Window,
    /// Images that are walked over, `[B, values]`, and the other operand, as [`ConvRequest`] takes them.
    x: Array2<i32>,
    w: Array2<i32>,
    formats: [Format; 2],
    result: ResultFormat,
    pattern: Option<Pattern>,
    kept: Option<Array2<bool>>,
}

/// Reads a four-dimensional npy file of any integer type.
fn load(path: &Path) -> Result<Array4<i32>> {
    let a = npy::integers(path, MOST_ENTRIES)?;
    let shape = a.shape().to_vec();
    a.into_dimensionality::<Ix4>()
        .map_err(|_| usage(format!("{}: shape {shape:?}: expected four dimensions", path.display())))
}

/// An array with the first so many dimensions as rows.
fn flat(a: Array4<i32>, rows: usize) -> Array2<i32> {
    let (d0, d1, d2, d3) = a.dim();
    let all = [d0, d1, d2, d3];
    let shape = (all[..rows].iter().product::<usize>(), all[rows..].iter().product::<usize>());
    let values: Vec<_> = a.iter().copied().collect();
    Array2::from_shape_vec(shape, values).expect("as many values")
}

/// Both directions of one or two numbers.
fn pair(numbers: &[usize]) -> [usize; 2] {
    [numbers[0], numbers[numbers.len() - 1]]
}

/// Numbers as they are given.
fn numbers(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
}

/// Shapes of a convolution.
struct Shapes {
    window: Window,
    images: usize,
    outputs: usize,
}

impl Args {
    fn kernel(&self) -> Option<[usize; 2]> {
        self.kernel.as_deref().map(pair)
    }

    fn window(&self, image: [usize; 2], channels: usize, kernel: [usize; 2]) -> Result<Window> {
        let (stride, padding) = (pair(&self.stride), pair(&self.padding));
        let window = Window { image, channels, kernel, stride, padding };
        if stride.contains(&0) {
            return Err(usage(format!("--stride {}: expected at least 1", numbers(&self.stride))));
        }
        if (0..2).any(|axis| padding[axis] >= kernel[axis]) {
            let ([h, w], padding) = (kernel, numbers(&self.padding));
            return Err(usage(format!("--padding {padding}: expected less than the kernel, {h} × {w}")));
        }
        if image.contains(&0) || channels == 0 || window.positions().is_none() {
            let ([h, w], [kh, kw]) = (image, kernel);
            return Err(usage(format!(
                "an image of {h} × {w} × {channels} has no place for a kernel of {kh} × {kw}"
            )));
        }
        Ok(window)
    }

    fn operand<'a>(&self, option: &str, path: &'a Option<PathBuf>) -> Result<&'a Path> {
        let product = self.product.name();
        path.as_deref()
            .ok_or_else(|| usage(format!("{option}: --product {product} needs it, or --random B H W C O")))
    }

    /// Operands and shapes from files.
    fn read(&self) -> Result<(Shapes, Array4<i32>, Array4<i32>)> {
        let [first, second] = self.product.operands();
        let of = |option: &str| match option {
            "--x" => &self.x,
            "--w" => &self.w,
            _ => &self.dy,
        };
        for option in ["--x", "--w", "--dy"] {
            if ![first, second].contains(&option) && of(option).is_some() {
                return Err(usage(format!(
                    "{option}: --product {} takes {first} and {second}",
                    self.product.name()
                )));
            }
        }
        let a = load(self.operand(first, of(first))?)?;
        let b = load(self.operand(second, of(second))?)?;
        let differ = |what: &str, x: usize, y: usize| {
            let text = format!(
                "{first} is {:?} and {second} is {:?}: {what} differ, {x} and {y}",
                a.shape(),
                b.shape()
            );
            if x == y { Ok(()) } else { Err(usage(text)) }
        };
        let (images, h, w, c) = a.dim();
        let (kh, kw, channels, outputs) = b.dim();
        let shapes = match self.product {
            Product::Forward => {
                differ("channels", c, channels)?;
                Shapes { window: self.window([h, w], c, [kh, kw])?, images, outputs }
            }
            Product::InputGradient => {
                differ("outputs", c, outputs)?;
                let (stride, padding) = (pair(&self.stride), pair(&self.padding));
                let along = |axis: usize, positions: usize, kernel: usize| {
                    let all = positions.saturating_sub(1) * stride[axis] + kernel;
                    all.saturating_sub(2 * padding[axis])
                };
                let least = [along(0, h, kh), along(1, w, kw)];
                let image = self.image.as_ref().map_or(least, |image| [image[0], image[1]]);
                let window = self.window(image, channels, [kh, kw])?;
                if window.positions() != Some((h, w)) {
                    let found = window.positions().unwrap_or_default();
                    return Err(usage(format!(
                        "--image {} {}: has {} × {} positions, {first} is {:?}",
                        image[0],
                        image[1],
                        found.0,
                        found.1,
                        a.shape()
                    )));
                }
                Shapes { window, images, outputs }
            }
            Product::WeightGradient => {
                // dY is [B, OH, OW, O].
                differ("images", images, kh)?;
                let Some(kernel) = self.kernel() else {
                    return Err(usage("--kernel: the weight gradient needs it"));
                };
                let window = self.window([h, w], c, kernel)?;
                let (oh, ow) = window.positions().unwrap_or_default();
                differ("rows of positions", oh, kw)?;
                differ("columns of positions", ow, channels)?;
                Shapes { window, images, outputs }
            }
        };
        Ok((shapes, a, b))
    }

    /// Random operands of the shapes that were asked for.
    fn drawn(&self, sizes: &[usize], formats: [Format; 2]) -> Result<(Shapes, Array2<i32>, Array2<i32>)> {
        let [images, h, w, c, outputs] = sizes[..] else { return Err(usage("--random: expected B H W C O")) };
        if sizes.contains(&0) {
            return Err(usage(format!(
                "--random {images} {h} {w} {c} {outputs}: every size must be at least 1"
            )));
        }
        let window = self.window([h, w], c, self.kernel().unwrap_or([3, 3]))?;
        let shapes = Shapes { window, images, outputs };
        shapes.check("--random")?;
        let places = window.places();
        let (x, w) = match self.product {
            Product::Forward => ((images, window.features()), (window.volume(), outputs)),
            Product::InputGradient => ((images, places * outputs), (window.volume(), outputs)),
            Product::WeightGradient => ((images, window.features()), (images * places, outputs)),
        };
        Ok((shapes, draw(self.seed, 0, x, formats[0]), draw(self.seed, 1, w, formats[1])))
    }

    fn formats(&self) -> [Format; 2] {
        let x = Format { bits: self.x_bits, signed: !self.x_unsigned };
        let w = Format { bits: self.w_bits, signed: !self.w_unsigned };
        let dy = Format::signed(self.dy_bits);
        match self.product {
            Product::Forward => [x, w],
            Product::InputGradient => [dy, w],
            Product::WeightGradient => [x, dy],
        }
    }

    fn operands(&self) -> Result<Operands> {
        let formats = self.formats();
        let bits: u8 = self.result_bits.parse()?;
        let result = match (bits, self.shift) {
            (32, 0) => ResultFormat::Full,
            (32, s) => return Err(usage(format!("--shift {s}: needs --result-bits 16 or 8"))),
            (bits, shift) => ResultFormat::Narrow { bits, shift },
        };
        let (shapes, x, mut w) = match &self.random {
            Some(sizes) => self.drawn(sizes, formats)?,
            None => {
                let (shapes, a, b) = self.read()?;
                shapes.check(self.product.operands()[0])?;
                (shapes, flat(a, 1), flat(b, 3))
            }
        };
        let Shapes { window, outputs, .. } = shapes;
        let pattern = self.pattern.map(|(n, m)| Pattern {
            n,
            m,
            run: match self.product {
                Product::InputGradient => outputs,
                _ if window.channels.is_multiple_of(m) => window.channels,
                _ => window.channels * window.kernel[1],
            },
        });
        let mut kept = None;
        match (pattern, self.product) {
            (Some(p), Product::WeightGradient) => {
                let shape = (window.volume(), outputs);
                kept = Some(match &self.kept {
                    Some(path) => {
                        let marks = flat(load(path)?, 3).mapv(|v| v != 0);
                        if marks.dim() != shape {
                            let ([kh, kw], c) = (window.kernel, window.channels);
                            let path = path.display();
                            return Err(usage(format!(
                                "--kept {path}: expected the shape [{kh}, {kw}, {c}, {outputs}]"
                            )));
                        }
                        marks
                    }
                    None => p.project(&mut draw(self.seed, 2, shape, Format::signed(16))),
                });
            }
            (Some(p), Product::Forward) if self.random.is_some() => drop(p.project(&mut w)),
            (Some(p), Product::InputGradient) if self.random.is_some() => {
                let mut turned = w.t().as_standard_layout().into_owned();
                p.project(&mut turned);
                w = turned.t().as_standard_layout().into_owned();
            }
            _ => {}
        }
        if let (Some(path), None) = (&self.kept, &kept) {
            return Err(usage(format!("--kept {}: needs --product weight-gradient", path.display())));
        }
        Ok(Operands { product: self.product.of_convolution(), window, x, w, formats, result, pattern, kept })
    }
}

impl Shapes {
    /// The product is one that the twin computes in minutes, and whose arrays fit memory.
    fn check(&self, option: &str) -> Result<()> {
        let Shapes { window, images, outputs } = self;
        let places = window.places();
        for sides in
            [[*images, window.features(), 1], [window.volume(), *outputs, 1], [*images, places, *outputs]]
        {
            entries(option, &sides, MOST_ENTRIES)?;
        }
        let products =
            [*images, places, window.volume(), *outputs].iter().map(|n| *n as u128).product::<u128>();
        if products > MOST_PRODUCTS {
            return Err(usage(format!(
                "{option}: {products} multiplications: expected at most {MOST_PRODUCTS}"
            )));
        }
        Ok(())
    }
}

impl Operands {
    fn request(&self) -> ConvRequest<'_> {
        ConvRequest {
            product: self.product,
            window: self.window,
            x: Operand::new(self.x.view(), self.formats[0]),
            w: Operand::new(self.w.view(), self.formats[1]),
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }

    /// Shape of the answer, as it is written.
    fn answer(&self, outputs: usize) -> (usize, usize, usize, usize) {
        let ([h, w], [kh, kw], c) = (self.window.image, self.window.kernel, self.window.channels);
        let (oh, ow) = self.window.positions().unwrap_or_default();
        match self.product {
            ConvProduct::Forward => (self.x.nrows(), oh, ow, outputs),
            ConvProduct::InputGradient => (self.x.nrows(), h, w, c),
            ConvProduct::WeightGradient => (kh, kw, c, outputs),
        }
    }
}

/// Computes the product and checks it against plain integers.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let operands = args.operands()?;
    let output = super::output(args.output.as_ref(), args.force)?;
    super::output(args.trace.as_ref(), args.force)?;
    let mut device = engines::device(&args.engine, &config, args.trace.as_deref())?;
    let request = operands.request();
    let start = Instant::now();
    let ConvResult { y, cost, magnitude_or, saturated } = device.run(request.into())?.into_conv();
    let wall = start.elapsed().as_secs_f64();
    let wrong = mismatches(&request, &y);
    let y = y.into_long();
    let problem = request.problem()?;
    let (window, images, outputs) = (operands.window, problem.images, problem.outputs);
    if let Some(output) = output {
        let y = y.into_shape_with_order(operands.answer(outputs)).expect("as many results");
        save(&output, &y)?;
    }
    let ([h, w], [kh, kw], c) = (window.image, window.kernel, window.channels);
    let (oh, ow) = window.positions().unwrap_or_default();
    let what = format!(
        "{} of {images} images of {h}×{w}×{c}, kernel {kh}×{kw}, stride {}, padding {}, {outputs} outputs",
        args.product.name(),
        numbers(&args.stride),
        numbers(&args.padding)
    );
    let facts =
        Facts { config: &config, engine: &args.engine, device: &mut *device, cost: &cost, wrong, wall };
    let (text, mut json) = facts.report(&what, &problem.into());
    let own = serde_json::json!({
        "product": args.product.name(), "images": images, "height": h, "width": w, "channels": c, "outputs": outputs,
        "kernel": window.kernel, "stride": window.stride, "padding": window.padding, "positions": [oh, ow],
        "magnitude_or": magnitude_or, "saturated": saturated,
    });
    json.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
    if wrong > 0 || (args.engine.is_cycle_exact() && cost.cycles != cost.predicted_cycles) {
        return Err(check(text));
    }
    Ok(Report::new(text, json))
}
