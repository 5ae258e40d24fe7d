//! Levels that are sums of a few powers of two.
//!
//! ```text
//! magnitudes = γ·Σ_j p_j          each term p_j has 2 bits: 0 or one of three powers of two
//! b − 1 bits of magnitude beside the sign, b bits without one; an odd bit is a term of one power
//!   2 bits    0 1 2 4                                   3 bits    0 1 2 3 4 6 8 10
//!   4 bits    0 1 2 4 + 0 … : exponents alternate between the terms, as in the paper
//! ```
//!
//! Dense where weights are, and a product with a level is a few shifts. γ has the least squared error. Level 0 is always in it; of the
//! 2^b codes one is left over, the sign of 0. On a grid with room for them the levels are exact; else they are rounded to it.
//!
//! # Source   Li, Dong, Wang 2020, "Additive powers-of-two quantization: an efficient non-uniform discretization for neural networks",
//! equation 3; the exponents of an odd bit beyond 3 are ours

use super::coded::{Coded, Fit, Table, best_step};
use super::sorted::Sorted;
use super::{Clip, levels_of};

/// This quantizer under its name.
pub const CLIP: Clip = Clip { widths: (2, 8), ..Clip::coded("apot", levels_of, build) };

fn build(role: super::Role) -> Box<dyn super::Quantizer> {
    let levels = role.levels(levels_of);
    Box::new(Coded::new(role, levels, fit))
}

/// The magnitudes of `bits` bits as integers without a common factor.
fn magnitudes(bits: u32) -> Vec<i64> {
    let (pairs, odd) = (bits / 2, bits % 2);
    let exponents = 3 * pairs + odd;
    // The power of a term of one bit: the second smallest, as in the paper's table of 3 bits.
    let single = (odd == 1).then(|| u32::from(exponents > 1));
    let others: Vec<u32> = (0..exponents).filter(|e| Some(*e) != single).collect();
    let mut sums = vec![0i64];
    let term = |powers: &mut dyn Iterator<Item = u32>, sums: &[i64]| -> Vec<i64> {
        let powers: Vec<i64> = powers.map(|e| 1 << e).collect();
        let with =
            |sum: &i64| std::iter::once(*sum).chain(powers.iter().map(move |p| sum + p)).collect::<Vec<_>>();
        sums.iter().flat_map(with).collect()
    };
    for pair in 0..pairs {
        sums = term(&mut others.iter().copied().skip(pair as usize).step_by(pairs as usize), &sums);
    }
    if let Some(single) = single {
        sums = term(&mut std::iter::once(single), &sums);
    }
    sums.sort_unstable();
    sums.dedup();
    sums
}

fn fit(values: &Sorted, table: Table) -> Fit {
    let bits = table.codes.ilog2() - u32::from(table.format.signed);
    let positive = magnitudes(bits);
    let (shape, most) = (positive[positive.len() - 1], i64::from(table.largest()));
    let level = |m: i64| if shape <= most { m } else { (m * most + shape / 2) / shape } as i32;
    let mut levels: Vec<i32> = positive.iter().map(|&m| level(m)).collect();
    if table.format.signed {
        levels.extend(positive.iter().map(|&m| -level(m)));
    }
    levels.sort_unstable();
    best_step(values, &levels, table).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_driver::Format;

    #[test]
    fn magnitudes_are_those_of_the_paper() {
        assert_eq!(magnitudes(1), [0, 1]);
        assert_eq!(magnitudes(2), [0, 1, 2, 4]);
        assert_eq!(magnitudes(3), [0, 1, 2, 3, 4, 6, 8, 10]);
        // {0, 2^-1, 2^-3, 2^-5} + {0, 2^-2, 2^-4, 2^-6} in units of 2^-6
        let terms = |a: [i64; 4], b: [i64; 4]| {
            let mut sums: Vec<_> = a.iter().flat_map(|a| b.map(|b| a + b)).collect();
            sums.sort_unstable();
            sums
        };
        assert_eq!(magnitudes(4), terms([0, 32, 8, 2], [0, 16, 4, 1]));
        for bits in 1..=8 {
            assert_eq!(magnitudes(bits).len(), 1 << bits, "{bits}");
        }
    }

    #[test]
    fn values_of_the_table_are_exact() {
        let table = Table { codes: 8, zero: false, format: Format::signed(4) };
        let v = [-4.0f32, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0].map(|x| x * 0.3);
        let found = fit(&Sorted::new(v.into_iter()), table);
        assert_eq!(found.levels, [-4, -2, -1, 0, 1, 2, 4]);
        assert!((found.step - 0.3).abs() < 1e-6);
    }
}
