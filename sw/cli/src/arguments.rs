//! Values of options, judged before anything is made of them.

use crate::failure::usage;
use anyhow::Result;
use std::fmt::Display;

/// Most entries of a matrix: its 32-bit values take 1 GiB.
pub const MOST_ENTRIES: usize = 1 << 28;

/// A whole number from 1 to `MOST`: the parser of counts, as of threads (`up_to::<1024>`).
pub fn up_to<const MOST: usize>(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| format!("expected 1 to {MOST}"))
}

/// The entries of an array with these sides.
///
/// # Errors   naming `option`: they are more than `most`
pub fn entries(option: impl Display, sides: &[usize], most: usize) -> Result<usize> {
    let product = sides.iter().try_fold(1usize, |n, side| n.checked_mul(*side));
    product.filter(|n| *n <= most).ok_or_else(|| {
        let sides: Vec<String> = sides.iter().map(ToString::to_string).collect();
        usage(format!("{option}: an array of {}: expected at most {most} entries", sides.join(" × ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_and_bounded() {
        for good in ["1", "7", "1024"] {
            assert_eq!(up_to::<1024>(good).unwrap().to_string(), good);
        }
        for bad in ["0", "-1", "1025", "5000", "18446744073709551616", "1.5", "", "many"] {
            assert_eq!(up_to::<1024>(bad).unwrap_err(), "expected 1 to 1024", "{bad}");
        }
    }

    #[test]
    fn products_that_overflow_are_too_many_entries() {
        assert_eq!(entries("--a", &[3, 5], 15).unwrap(), 15);
        assert_eq!(entries("--a", &[0, usize::MAX], 15).unwrap(), 0);
        for sides in [&[3, 6][..], &[usize::MAX, usize::MAX], &[1 << 32, 1 << 32]] {
            let text = entries("--a", sides, 15).unwrap_err().to_string();
            assert!(text.starts_with("--a: an array of ") && text.contains(&sides[1].to_string()), "{text}");
        }
    }
}
