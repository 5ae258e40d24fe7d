//! What a mask may look like.
//!
//! ```text
//! unstructured       any
//! bins               whole positions: frequency bins of a spectral layer
//! N:M                at most N of every M consecutive inputs, of each output and run of inputs
//! transposable N:M   and at most N of every M consecutive outputs, of each input
//! ```
//!
//! Groups of inputs start anew at each kernel position, or at each row of the kernel if M does not divide the channels
//! ([`Groups::run`]); the last one of inputs or outputs may be shorter.

use crate::layers::prunable::{Groups, MaskPattern};
use crate::tensor::Mask;
use std::fmt;
use std::str::FromStr;

/// The sizes of a group that the hardware selects from.
pub const GROUP_SIZES: [usize; 4] = [2, 4, 8, 16];

/// The form of a layer's masks, without how many weights they keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Structure {
    /// Any weights.
    Unstructured,
    /// Whole frequency bins of a spectral layer: a bin and its mirror image, for all channels.
    Bins,
    /// Groups of `m`.
    Grouped {
        /// Weights of a group: one of [`GROUP_SIZES`].
        m: usize,
        /// Both directions.
        transposable: bool,
    },
}

impl Structure {
    /// The pattern that keeps `n` of a group; `None` if there are no groups.
    pub fn pattern(self, n: usize) -> Option<MaskPattern> {
        match self {
            Structure::Unstructured | Structure::Bins => None,
            Structure::Grouped { m, transposable } => Some(MaskPattern { n, m, transposable }),
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Structure::Unstructured => write!(f, "unstructured"),
            Structure::Bins => write!(f, "bins"),
            Structure::Grouped { m, transposable } => write!(f, "{}N:{m}", prefix(*transposable)),
        }
    }
}

/// A structure, and N if it is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatternSpec {
    /// The structure.
    pub structure: Structure,
    /// N; open if the budget decides.
    pub n: Option<usize>,
}

impl PatternSpec {
    /// What is allowed.
    pub const ALLOWED: &str = "must be `unstructured`, `bins`, `n:m` or `transposable n:m`, with m 2, 4, 8 or 16 and n from 1 to m                                or `N`, which leaves it to the budget";

    /// Groups of `m`, of which `n` are kept.
    ///
    /// # Errors   `m` is none of [`GROUP_SIZES`], or `n` is not from 1 to `m`
    pub fn grouped(n: Option<usize>, m: usize, transposable: bool) -> Result<Self, &'static str> {
        let fits = GROUP_SIZES.contains(&m) && n.is_none_or(|n| (1..=m).contains(&n));
        let structure = Structure::Grouped { m, transposable };
        fits.then_some(PatternSpec { structure, n }).ok_or(Self::ALLOWED)
    }
}

impl FromStr for PatternSpec {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unstructured" {
            return Ok(PatternSpec { structure: Structure::Unstructured, n: None });
        }
        if text == "bins" {
            return Ok(PatternSpec { structure: Structure::Bins, n: None });
        }
        let (transposable, sizes) = match text.strip_prefix("transposable ") {
            Some(sizes) => (true, sizes),
            None => (false, text),
        };
        let (n, m) = sizes.split_once(':').ok_or(Self::ALLOWED)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| Self::ALLOWED);
        let n = if n == "N" { None } else { Some(number(n)?) };
        Self::grouped(n, number(m)?, transposable)
    }
}

fn prefix(transposable: bool) -> &'static str {
    if transposable { "transposable " } else { "" }
}

impl fmt::Display for PatternSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n.and_then(|n| self.structure.pattern(n)) {
            Some(pattern) => write!(f, "{pattern}"),
            None => write!(f, "{}", self.structure),
        }
    }
}

impl fmt::Display for MaskPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", prefix(self.transposable), self.n, self.m)
    }
}

/// A group with too many kept weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern}: {kept} kept in the group of {along} that starts at row {row}, column {column}")]
pub struct Violation {
    /// The pattern.
    pub pattern: MaskPattern,
    /// Weights kept in the group.
    pub kept: usize,
    /// "inputs" or "outputs".
    pub along: &'static str,
    /// Row of the group's first weight.
    pub row: usize,
    /// Column of the group's first weight.
    pub column: usize,
}

/// Checks every group of a mask.
///
/// # Shape    `[K, N]` of `groups`
/// # Errors   the first group, row by row, in which more than `pattern.n` weights are kept
pub fn check(mask: &Mask, groups: Groups, pattern: MaskPattern) -> Result<(), Violation> {
    let (run, outputs, own) = (groups.run(pattern), groups.outputs, groups.outputs / groups.blocks);
    let MaskPattern { n, m, transposable } = pattern;
    let violation = |kept, along, row, column| Violation { pattern, kept, along, row, column };
    for row in 0..groups.contraction() {
        let channel = row % run;
        for column in 0..outputs {
            if channel % m == 0 {
                let end = row + m.min(run - channel);
                let kept = (row..end).filter(|&row| mask[[row, column]]).count();
                if kept > n {
                    return Err(violation(kept, "inputs", row, column));
                }
            }
            let output = column % own;
            if transposable && output % m == 0 {
                let end = column + m.min(own - output);
                let kept = (column..end).filter(|&column| mask[[row, column]]).count();
                if kept > n {
                    return Err(violation(kept, "outputs", row, column));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn patterns_are_read_as_they_are_written() {
        for (text, n) in
            [("1:4", Some(1)), ("transposable 3:8", Some(3)), ("N:16", None), ("unstructured", None)]
        {
            let spec: PatternSpec = text.parse().expect(text);
            assert_eq!(spec.n, n);
            let written = match (spec.n, spec.structure) {
                (Some(n), structure) => structure.pattern(n).expect("grouped").to_string(),
                (None, structure) => structure.to_string(),
            };
            assert_eq!(written, text);
        }
        for text in ["", "0:4", "5:4", "1:3", "1:32", "n:4", "1:4 transposable", "transposable", "-1:4"] {
            assert!(text.parse::<PatternSpec>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_violation_names_the_group() {
        let groups = Groups { height: 2, width: 1, channels: 3, outputs: 4, blocks: 1 };
        let pattern = MaskPattern { n: 1, m: 2, transposable: true };
        let mut mask = Array2::from_elem((6, 4), false);
        // Rows 2 and 3 lie in different rows of the kernel, rows 3 and 4 in one group.
        (mask[[2, 1]], mask[[3, 1]]) = (true, true);
        assert_eq!(check(&mask, groups, pattern), Ok(()));
        mask[[4, 1]] = true;
        let error = check(&mask, groups, pattern).unwrap_err();
        assert_eq!((error.kept, error.along, error.row, error.column), (2, "inputs", 3, 1));
        mask[[4, 1]] = false;
        mask[[3, 0]] = true;
        let error = check(&mask, groups, pattern).unwrap_err().to_string();
        let expected = "transposable 1:2: 2 kept in the group of outputs that starts at row 3, column 0";
        assert_eq!(error, expected);
        assert_eq!(check(&mask, groups, MaskPattern { transposable: false, ..pattern }), Ok(()));
        // In one row of the kernel they are a group.
        let wide = Groups { height: 1, width: 2, ..groups };
        let error = check(&mask, wide, MaskPattern { transposable: false, ..pattern }).unwrap_err();
        assert_eq!((error.kept, error.row, error.column), (2, 2, 1));
    }
}
