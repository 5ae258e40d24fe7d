//! Operands of a product: read from files, or drawn from a seed.

use crate::arguments::{MOST_ENTRIES, entries};
use crate::failure::usage;
use crate::npy;
use anyhow::Result;
use ndarray::{Array2, Ix2};
use std::path::{Path, PathBuf};
use tandem_driver::{Codebook, Format, GemmRequest, Operand, Pattern, ResultFormat, Sparsity};
use tandem_nn::random::philox::Philox4x32;

/// Most multiplications of a product.
pub const MOST_PRODUCTS: u128 = 1 << 40;

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
    /// W holds codes: code c stands for number c of these rising levels, integers of --w-bits. An accelerator with a
    /// codebook stores and moves the codes where that is faster.
    #[arg(long, value_name = "L,L,…", value_delimiter = ',', allow_hyphen_values = true)]
    pub w_levels: Option<Vec<i32>>,
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
pub fn parse_pattern(text: &str) -> Result<(usize, usize), String> {
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
    codebook: Option<Codebook>,
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
        let codebook = a.w_levels.clone().map(|levels| Codebook::new(levels, w_format)).transpose();
        let codebook = codebook.map_err(|e| usage(format!("--w-levels: {e}")))?;
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
                let w = match &codebook {
                    None => draw(a.seed, 1, (s[1], s[2]), w_format),
                    Some(book) => {
                        let levels = book.levels();
                        let drawn = draw(a.seed, 1, (s[1], s[2]), Format::unsigned(16));
                        drawn.mapv(|v| levels[v as usize % levels.len()])
                    }
                };
                (draw(a.seed, 0, (s[0], s[1]), x_format), w)
            }
            (None, Some(x), Some(w)) => (load(x)?, decode(w, load(w)?, codebook.as_ref())?),
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
        if let (Some(_), PatternOf::W, Some(book)) = (pattern, a.pattern_of, &codebook)
            && book.code(0).is_none()
        {
            let levels = book.levels();
            return Err(usage(format!(
                "--w-levels {levels:?}: expected 0 among them, which pruned weights are"
            )));
        }
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
        Ok(Operands { x, w, x_format, w_format, codebook, result, pattern, kept })
    }

    /// M, K, N.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.x.nrows(), self.x.ncols(), self.w.ncols())
    }

    /// The request.
    pub fn request(&self) -> GemmRequest<'_> {
        GemmRequest {
            x: Operand::new(self.x.view(), self.x_format),
            w: Operand { codebook: self.codebook.as_ref(), ..Operand::new(self.w.view(), self.w_format) },
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }
}

/// Levels, from the codes in a file.
fn decode(path: &Path, w: Array2<i32>, codebook: Option<&Codebook>) -> Result<Array2<i32>> {
    let Some(book) = codebook else { return Ok(w) };
    let levels = book.levels();
    let level = |code: i32| usize::try_from(code).ok().and_then(|code| levels.get(code).copied());
    if let Some(((i, j), code)) = w.indexed_iter().find(|(_, code)| level(**code).is_none()) {
        let (file, last) = (path.display(), levels.len() - 1);
        return Err(usage(format!(
            "{file}: code [{i}, {j}] = {code}: expected 0 to {last}, the levels of --w-levels"
        )));
    }
    Ok(w.mapv(|code| level(code).expect("just checked")))
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
