//! Accelerators, products and the program that the suites share.

#![allow(dead_code, reason = "each suite uses a part")]

pub mod command;
pub mod faulty;
pub mod sweeps;

use ndarray::Array2;
use std::path::{Path, PathBuf};
use tandem_driver::{Format, GemmRequest, Operand, Pattern, ResultFormat, Sparsity};
use tandem_spec::Config;

pub use tandem_stimuli::Random;

/// Accelerators from 1×1×1 to 16×16×16: all digit widths, all links, pipelined operands (hop < rows).
/// `array | memory | link`.
const CONFIGS: &[(&str, &str)] = &[
    (
        "unit",
        "rows=1\ncols=1\nlanes=1\nrow_digit=1\ncol_digit=1\n|row_depth=64\ncol_depth=32\nresult_depth=8\n|16",
    ),
    (
        "tiny",
        "rows=2\ncols=3\nlanes=2\nrow_digit=2\ncol_digit=4\nacc_bits=18\nhop=1\n|row_depth=16\ncol_depth=8\nresult_depth=2\n|8",
    ),
    (
        "narrow-acc",
        "rows=3\ncols=2\nlanes=4\nrow_digit=8\ncol_digit=8\nacc_bits=16\ndrain=1\n|row_depth=8\ncol_depth=16\nresult_depth=4\n|32",
    ),
    (
        "select",
        "rows=6\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=2\nselect=8\nhop=2\npipeline=9\ndrain=2\n|row_depth=16\ncol_depth=64\nresult_depth=64\n|64",
    ),
    (
        "few-bits",
        "rows=4\ncols=6\nlanes=16\nrow_digit=4\ncol_digit=1\nrow_bits=4\ncol_bits=2\nhop=2\n|row_depth=32\ncol_depth=32\nresult_depth=32\n|128",
    ),
    (
        "wide",
        "rows=16\ncols=16\nlanes=16\nrow_digit=8\ncol_digit=8\nhop=3\npipeline=9\ndrain=4\n|row_depth=64\ncol_depth=64\nresult_depth=256\n|64",
    ),
    (
        "packed",
        "rows=3\ncols=6\nlanes=4\nrow_digit=4\ncol_digit=4\nselect=4\ndrain=4\n|row_depth=32\ncol_depth=64\nresult_depth=64\n|32\n[control]\npack=true",
    ),
];

/// One of the accelerators above, or one of configs/accelerators/.
pub fn config(name: &str) -> Config {
    let Some((_, text)) = CONFIGS.iter().find(|c| c.0 == name) else {
        return Config::from_file(&repository().join(format!("configs/accelerators/{name}.toml")))
            .expect("valid");
    };
    let parts: Vec<_> = text.split('|').collect();
    let text =
        format!("name = \"{name}\"\n[array]\n{}[memory]\n{}[link]\nbits={}\n", parts[0], parts[1], parts[2]);
    Config::from_toml(name, &text).expect("valid")
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program `tandem`, built beside this test: `target/<profile>/deps/<test>` → `target/<profile>/tandem`.
pub fn tandem() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let program = test.ancestors().nth(2).expect("target/<profile>").join("tandem");
    assert!(program.is_file(), "{}: build it first: cargo build --release -p tandem", program.display());
    program
}

/// A product.
pub struct Case {
    /// Left operand.
    pub x: Array2<i32>,
    /// Right operand.
    pub w: Array2<i32>,
    /// Their formats.
    pub formats: [Format; 2],
    /// How results leave.
    pub result: ResultFormat,
    /// N:M of W, or of the results if `kept` is set.
    pub pattern: Option<Pattern>,
    /// Marks of the results that are kept.
    pub kept: Option<Array2<bool>>,
}

impl Case {
    /// Random operands of shape (M, K, N).
    pub fn new(
        random: &mut Random,
        (m, k, n): (usize, usize, usize),
        formats: [Format; 2],
        result: ResultFormat,
    ) -> Self {
        let (x, w) = (random.matrix((m, k), formats[0].range()), random.matrix((k, n), formats[1].range()));
        Case { x, w, formats, result, pattern: None, kept: None }
    }

    /// The same product with W pruned to a pattern.
    pub fn prune_weights(mut self, pattern: Pattern) -> Self {
        pattern.project(&mut self.w);
        self.pattern = Some(pattern);
        self
    }

    /// The same product of which only random entries in a pattern are kept, in some groups one fewer.
    pub fn keep_results(mut self, random: &mut Random, pattern: Pattern) -> Self {
        let mut kept =
            pattern.project(&mut random.matrix((self.x.nrows(), self.w.ncols()), Format::signed(16).range()));
        kept.iter_mut().for_each(|kept| *kept &= random.below(8) > 0);
        (self.pattern, self.kept) = (Some(pattern), Some(kept));
        self
    }

    /// As a request.
    pub fn request(&self) -> GemmRequest<'_> {
        GemmRequest {
            x: Operand::new(self.x.view(), self.formats[0]),
            w: Operand::new(self.w.view(), self.formats[1]),
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }

    /// What it is, for messages.
    pub fn name(&self) -> String {
        let ((m, k), n) = (self.x.dim(), self.w.ncols());
        let of = if self.kept.is_some() { "Y" } else { "W" };
        let pattern = self.pattern.map_or_else(String::new, |p| format!(", {p:?} of {of}"));
        format!("{m}×{k}×{n}, {:?}, {:?}{pattern}", self.formats, self.result)
    }
}
