//! `tandem gemm`.

use super::{Force, SetAccelerator};
use crate::arguments::{MOST_ENTRIES, entries};
use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use crate::{Report, npy};
use anyhow::Result;
use ndarray::{Array2, Ix2};
use ndarray_npy::WriteNpyExt;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tandem_driver::{Format, GemmRequest, GemmResult, Operand, Pattern, ResultFormat, Sparsity, mismatches};
use tandem_files::Output;
use tandem_nn::random::philox::Philox4x32;
use tandem_spec::Config;

/// Most multiplications of a product.
const MOST_PRODUCTS: u128 = 1 << 40;

/// Arguments of `gemm`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "default")]
    pub config: String,
    /// Who computes.
    #[arg(long, default_value = "model")]
    pub engine: EngineKind,
    #[command(flatten)]
    set: SetAccelerator,
    #[command(flatten)]
    pub operands: OperandArgs,
    /// Where to write Y (int32 npy; int64 if sums may need it).
    #[arg(short, long, value_name = "Y.npy")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// Operands and formats, shared with `run record`.
#[derive(clap::Args)]
pub struct OperandArgs {
    /// X [M, K], integer npy.
    #[arg(long, value_name = "X.npy", requires = "w", conflicts_with = "random")]
    pub x: Option<PathBuf>,
    /// W [K, N], integer npy.
    #[arg(long, value_name = "W.npy", requires = "x")]
    pub w: Option<PathBuf>,
    /// Random operands of this shape instead of files.
    #[arg(long, num_args = 3, value_names = ["M", "K", "N"], required_unless_present = "x")]
    pub random: Option<Vec<usize>>,
    /// Seed of random operands.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Width of X, 1 to 16.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub x_bits: u8,
    /// Width of W, 1 to 16.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub w_bits: u8,
    /// X is unsigned.
    #[arg(long)]
    pub x_unsigned: bool,
    /// W is unsigned.
    #[arg(long)]
    pub w_unsigned: bool,
    /// Width of results: 32, or 16 or 8 with --shift.
    #[arg(long, default_value = "32", value_parser = ["32", "16", "8"])]
    pub result_bits: String,
    /// Results are divided by 2^shift, half to even, and saturated.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=31))]
    pub shift: u8,
    /// At most N of every M consecutive entries are kept: of W (random ones are pruned to it, by magnitude)
    /// or of Y.
    #[arg(long, value_name = "N:M", value_parser = parse_pattern)]
    pub pattern: Option<(usize, usize)>,
    /// What the pattern is one of.
    #[arg(long, value_enum, default_value = "w", requires = "pattern")]
    pub pattern_of: PatternOf,
    /// Groups start anew after so many entries, e.g. channels of a kernel position (default: never).
    #[arg(long, value_name = "ENTRIES", requires = "pattern")]
    pub pattern_run: Option<usize>,
    /// Entries of Y that are kept: an integer npy [M, N], not zero where kept (default: drawn from --seed).
    #[arg(long, value_name = "KEPT.npy", requires = "pattern")]
    pub kept: Option<PathBuf>,
}

/// What a pattern is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PatternOf {
    /// W, along K: forward product and input gradient.
    W,
    /// Y, along M: only the kept entries are computed, as in the weight gradient.
    Y,
}

/// N:M, as in `1:4`.
fn parse_pattern(text: &str) -> Result<(usize, usize), String> {
    let numbers = text.split_once(':').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
    match numbers {
        Some((n, m @ (1 | 2 | 4 | 8 | 16))) if (1..=m).contains(&n) => Ok((n, m)),
        _ => Err("expected N:M with M of 1, 2, 4, 8 or 16 and N of 1 to M".into()),
    }
}

/// Operands in memory.
pub struct Operands {
    x: Array2<i32>,
    w: Array2<i32>,
    x_format: Format,
    w_format: Format,
    result: ResultFormat,
    pattern: Option<Pattern>,
    /// Marks of the results that are kept.
    kept: Option<Array2<bool>>,
}

impl Operands {
    /// Reads or draws the operands.
    pub fn new(a: &OperandArgs) -> Result<Self> {
        let x_format = Format { bits: a.x_bits, signed: !a.x_unsigned };
        let w_format = Format { bits: a.w_bits, signed: !a.w_unsigned };
        let bits: u8 = a.result_bits.parse()?;
        let result = match (bits, a.shift) {
            (32, 0) => ResultFormat::Full,
            (32, s) => return Err(usage(format!("--shift {s}: needs --result-bits 16 or 8"))),
            (bits, shift) => ResultFormat::Narrow { bits, shift },
        };
        let (x, mut w) = match (&a.random, &a.x, &a.w) {
            (Some(s), ..) => {
                if s.contains(&0) {
                    return Err(usage(format!(
                        "--random {} {} {}: every size must be at least 1",
                        s[0], s[1], s[2]
                    )));
                }
                check_size(s[0], s[1], s[2])
                    .map_err(|e| usage(format!("--random {} {} {}: {e}", s[0], s[1], s[2])))?;
                (draw(a.seed, 0, (s[0], s[1]), x_format), draw(a.seed, 1, (s[1], s[2]), w_format))
            }
            (None, Some(x), Some(w)) => (load(x)?, load(w)?),
            _ => return Err(usage("give --x and --w, or --random M K N")),
        };
        if x.ncols() != w.nrows() {
            return Err(usage(format!(
                "X is {:?} and W is {:?}: the inner sizes differ",
                x.shape(),
                w.shape()
            )));
        }
        let (m, k, n) = (x.nrows(), x.ncols(), w.ncols());
        check_size(m, k, n)?;
        let pattern = a.pattern.map(|(n, of)| {
            let along = if a.pattern_of == PatternOf::W { k } else { m };
            Pattern { n, m: of, run: a.pattern_run.unwrap_or(along) }
        });
        let along = if a.pattern_of == PatternOf::W { k } else { m };
        if let Some(p) = pattern.filter(|p| p.run == 0 || !along.is_multiple_of(p.run)) {
            return Err(usage(format!("--pattern-run {}: expected a divisor of {along}", p.run)));
        }
        let kept = match (pattern, a.pattern_of) {
            (Some(p), PatternOf::W) => {
                if a.random.is_some() {
                    p.project(&mut w);
                }
                None
            }
            (Some(p), PatternOf::Y) => Some(match &a.kept {
                Some(path) => load(path)?.mapv(|v| v != 0),
                None => p.project(&mut draw(a.seed, 2, (m, n), Format::signed(16))),
            }),
            (None, _) => None,
        };
        if let (Some(path), None) = (&a.kept, &kept) {
            return Err(usage(format!("--kept {}: needs --pattern-of y", path.display())));
        }
        Ok(Operands { x, w, x_format, w_format, result, pattern, kept })
    }

    /// The request.
    pub fn request(&self) -> GemmRequest<'_> {
        GemmRequest {
            x: Operand { values: self.x.view(), format: self.x_format },
            w: Operand { values: self.w.view(), format: self.w_format },
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }
}

/// Uniform integers of a format; `which` tells the operands of one seed apart.
pub fn draw(seed: u64, which: u32, shape: (usize, usize), format: Format) -> Array2<i32> {
    let philox = Philox4x32::new(seed);
    let (low, high) = format.range();
    let span = (i64::from(high) - i64::from(low) + 1) as u64;
    let mut flat = 0u64;
    Array2::from_shape_simple_fn(shape, || {
        let r = philox.block([flat as u32, (flat >> 32) as u32, which, 0])[0];
        flat += 1;
        (i64::from(low) + (u64::from(r) % span) as i64) as i32
    })
}

/// Reads a two-dimensional npy file of any integer type.
fn load(path: &Path) -> Result<Array2<i32>> {
    let a = npy::integers(path, MOST_ENTRIES)?;
    let shape = a.shape().to_vec();
    a.into_dimensionality::<Ix2>()
        .map_err(|_| usage(format!("{}: shape {shape:?}: expected two dimensions", path.display())))
}

/// The product of these sizes is one that the twin computes in minutes, and whose matrices fit memory.
fn check_size(m: usize, k: usize, n: usize) -> Result<()> {
    let name = format!("a product of {m} × {k} × {n}");
    for sides in [[m, k], [k, n], [m, n]] {
        entries(&name, &sides, MOST_ENTRIES)?;
    }
    if m as u128 * k as u128 * n as u128 > MOST_PRODUCTS {
        return Err(usage(format!("{name}: expected at most {MOST_PRODUCTS} multiplications")));
    }
    Ok(())
}

fn save(output: &Output, y: &Array2<i64>) -> Result<()> {
    let mut bytes = vec![];
    if y.iter().all(|v| i32::try_from(*v).is_ok()) {
        y.mapv(|v| v as i32).write_npy(&mut bytes)?;
    } else {
        y.write_npy(&mut bytes)?;
    }
    Ok(output.write(&bytes)?)
}

/// Share of the multipliers that worked, from the first to the last product.
pub fn utilisation(config: &Config, products: u64, span: u64) -> f64 {
    let a = &config.array;
    products as f64 / ((a.rows * a.cols * a.lanes) as f64 * span.max(1) as f64)
}

/// Computes the product and checks it against plain integers.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let operands = Operands::new(&args.operands)?;
    let output = super::output(args.output.as_ref(), args.force)?;
    super::output(args.trace.as_ref(), args.force)?;
    let mut device = engines::device(&args.engine, &config, args.trace.as_deref())?;
    let request = operands.request();
    let start = Instant::now();
    let GemmResult { y, cost, magnitude_or, saturated } = device.gemm(&request)?;
    let wall = start.elapsed().as_secs_f64();
    let wrong = mismatches(&request, y.view());
    if let Some(output) = output {
        save(&output, &y)?;
    }
    let utilisation = utilisation(&config, cost.products, cost.span);
    let (m, k, n) = (operands.x.nrows(), operands.x.ncols(), operands.w.ncols());
    let text = format!(
        "{m}×{k}×{n} on {} ({}): {} cycles ({} predicted), utilisation {:.1} %, {} digit products, \
         {:.2} % of link words are instructions, {wrong} mismatches",
        config.name,
        device.name(),
        cost.cycles,
        cost.predicted_cycles,
        100.0 * utilisation,
        cost.products,
        100.0 * cost.instruction_words as f64 / cost.link_words.max(1) as f64,
    );
    let json = serde_json::json!({
        "engine": device.name(), "m": m, "k": k, "n": n,
        "cycles": cost.cycles, "predicted_cycles": cost.predicted_cycles,
        "load_busy": cost.load_busy, "compute_busy": cost.compute_busy, "store_busy": cost.store_busy,
        "wait_drain": cost.wait_drain,
        "span": cost.span, "products": cost.products, "skipped": cost.skipped, "utilisation": utilisation,
        "instruction_words": cost.instruction_words, "link_words": cost.link_words,
        "magnitude_or": magnitude_or, "saturated": saturated,
        "mismatches": wrong, "wall_s": wall, "cycles_per_s": cost.cycles as f64 / wall,
        "link": args.engine.carried().as_ref().map(engines::carried_json),
    });
    if wrong > 0 || (args.engine.is_cycle_exact() && cost.cycles != cost.predicted_cycles) {
        return Err(check(text));
    }
    Ok(Report::new(text, json))
}
