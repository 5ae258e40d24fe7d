//! Accelerators and products that the tests share.

#![allow(dead_code)]

use ndarray::Array2;
use tandem_driver::{Format, GemmRequest, Operand, Pattern, ResultFormat, Sparsity};
use tandem_spec::Config;
pub use tandem_stimuli::Random;

/// Accelerators from one element to 16×16×16, all digit widths, all links.
pub const CONFIGS: &[(&str, &str)] = &[
    (
        "1x1x1-d1",
        "rows=1\ncols=1\nlanes=1\nrow_digit=1\ncol_digit=1\n|row_depth=64\ncol_depth=32\nresult_depth=8\n|8",
    ),
    (
        "tiny",
        "rows=2\ncols=3\nlanes=2\nrow_digit=2\ncol_digit=4\nacc_bits=18\n|row_depth=16\ncol_depth=8\nresult_depth=2\n|16",
    ),
    (
        "narrow-acc",
        "rows=3\ncols=2\nlanes=4\nrow_digit=8\ncol_digit=8\nacc_bits=16\ndrain=1\n|row_depth=8\ncol_depth=16\nresult_depth=4\n|32",
    ),
    (
        "select",
        "rows=5\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=2\nselect=8\ndrain=2\n|row_depth=16\ncol_depth=64\nresult_depth=64\n|64",
    ),
    (
        "tall",
        "rows=7\ncols=3\nlanes=2\nrow_digit=2\ncol_digit=2\nselect=4\nhop=3\n|row_depth=32\ncol_depth=64\nindex_depth=32\nresult_depth=64\n|32",
    ),
    (
        "peer",
        "rows=8\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\n|row_depth=4096\ncol_depth=4096\nresult_depth=512\n|128",
    ),
    (
        "default",
        "rows=8\ncols=8\nlanes=8\nrow_digit=4\ncol_digit=4\nselect=4\n|row_depth=1024\ncol_depth=2048\nresult_depth=2048\n|128",
    ),
    (
        "few-bits",
        "rows=4\ncols=6\nlanes=16\nrow_digit=4\ncol_digit=1\nrow_bits=4\ncol_bits=2\nhop=2\n|row_depth=32\ncol_depth=32\nresult_depth=32\n|128",
    ),
    (
        "wide",
        "rows=16\ncols=16\nlanes=16\nrow_digit=8\ncol_digit=8\nhop=3\ndrain=4\n|row_depth=64\ncol_depth=64\nresult_depth=256\n|64",
    ),
    (
        "lanes-32",
        "rows=3\ncols=2\nlanes=32\nrow_digit=1\ncol_digit=8\nselect=2\n|row_depth=32\ncol_depth=16\nresult_depth=16\n|8",
    ),
    (
        "packed",
        "rows=8\ncols=8\nlanes=8\nrow_digit=4\ncol_digit=4\nselect=4\n|row_depth=1024\ncol_depth=2048\nresult_depth=2048\n|128\n[control]\npack=true",
    ),
    (
        "packed-drain",
        "rows=5\ncols=6\nlanes=2\nrow_digit=4\ncol_digit=2\nselect=8\npipeline=9\nacc_bits=24\ndrain=4\n|row_depth=16\ncol_depth=64\nresult_depth=64\n|32\n[control]\npack=true",
    ),
];

/// One of [`CONFIGS`].
pub fn config(name: &str) -> Config {
    let (_, text) = CONFIGS.iter().find(|c| c.0 == name).expect("a known configuration");
    let parts: Vec<_> = text.split('|').collect();
    let text = format!("[array]\n{}[memory]\n{}[link]\nbits={}\n", parts[0], parts[1], parts[2]);
    Config { name: name.into(), ..Config::from_toml(name, &text).expect("a valid configuration") }
}

/// A configuration file of the repository.
pub fn shipped(name: &str) -> Config {
    let path = format!("{}/../../configs/accelerators/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Config::from_file(path.as_ref()).expect("a valid file")
}

/// Any format.
pub fn any_format(random: &mut Random) -> Format {
    Format { bits: 1 + random.below(16) as u8, signed: random.below(2) == 1 }
}

/// Values of the format, every eighth one an extreme.
fn values(random: &mut Random, rows: usize, cols: usize, format: Format) -> Array2<i32> {
    let (lo, hi) = format.range();
    Array2::from_shape_simple_fn((rows, cols), || match random.below(16) {
        0 => lo,
        1 => hi,
        _ => lo + (random.any() % (i64::from(hi) - i64::from(lo) + 1) as u64) as i32,
    })
}

/// A product and its operands.
#[derive(Debug)]
pub struct Case {
    pub x: Array2<i32>,
    pub w: Array2<i32>,
    pub formats: [Format; 2],
    pub result: ResultFormat,
    pub pattern: Option<Pattern>,
    /// Marks of the results that are kept; without, a pattern is one of W.
    pub kept: Option<Array2<bool>>,
}

impl Case {
    pub fn new(random: &mut Random, (m, k, n): (usize, usize, usize), formats: [Format; 2]) -> Self {
        // Either operand may come as a transposed view.
        let matrix = |random: &mut Random, rows, cols, format| {
            if random.below(2) == 0 {
                values(random, rows, cols, format)
            } else {
                values(random, cols, rows, format).reversed_axes()
            }
        };
        let x = matrix(random, m, k, formats[0]);
        let w = matrix(random, k, n, formats[1]);
        Case { x, w, formats, result: ResultFormat::Full, pattern: None, kept: None }
    }

    /// A product with a random pattern of W or of its results that the accelerator can select.
    pub fn sparse(
        random: &mut Random,
        shape: (usize, usize, usize),
        formats: [Format; 2],
        most: usize,
    ) -> Self {
        let mut case = Case::new(random, shape, formats);
        let m = 2 << random.below(most.trailing_zeros() as usize);
        let n = 1 + random.below(m - 1);
        let of_results = random.below(2) == 1;
        let along = if of_results { shape.0 } else { shape.1 };
        let divisors: Vec<_> = (1..=along).filter(|d| along.is_multiple_of(*d)).collect();
        let pattern = Pattern { n, m, run: divisors[random.below(divisors.len())] };
        case.pattern = Some(pattern);
        if of_results {
            let mut scores = values(random, shape.0, shape.2, Format::signed(8));
            let mut kept = pattern.project(&mut scores);
            // groups may keep fewer
            kept.iter_mut().for_each(|kept| *kept &= random.below(8) > 0);
            case.kept = Some(kept);
        } else {
            case.w = case.w.as_standard_layout().into_owned();
            pattern.project(&mut case.w);
            if random.below(2) == 1 {
                case.w = case.w.t().as_standard_layout().into_owned().reversed_axes();
            }
        }
        case
    }

    pub fn request(&self) -> GemmRequest<'_> {
        let operand = |values, format| Operand::new(values, format);
        GemmRequest {
            x: operand(self.x.view(), self.formats[0]),
            w: operand(self.w.view(), self.formats[1]),
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }
}
