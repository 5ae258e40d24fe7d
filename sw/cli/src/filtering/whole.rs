//! Kernels as whole numbers of few bits: weight = number / 2^shift.
//!
//! Weights that are whole numbers over a power of two are taken as they are. Others are rounded to N bits by the largest power of two that
//! leaves them room, and so that their sum stays what it is: a constant picture stays one.

use tandem_driver::Format;
use tandem_filter::Weights;

/// Most bits of an operand of the array.
pub const MOST_BITS: u8 = 16;

/// A kernel of whole numbers, times 2^-shift.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The numbers.
    pub weights: Integers,
    /// Places behind the binary point; less than none for multiples of powers of two.
    pub shift: i32,
}

/// As [`Weights`], in whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Integers {
    /// Row-major.
    Plane(Plane<i32>),
    /// down·alongᵀ.
    Lines {
        /// Down a column.
        down: Vec<i32>,
        /// Along a row.
        along: Vec<i32>,
    },
}

impl Integers {
    /// Rows and columns.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Integers::Plane(plane) => [plane.rows(), plane.columns],
            Integers::Lines { down, along } => [down.len(), along.len()],
        }
    }
}

/// Rows of so many columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane<T> {
    /// Row-major.
    pub values: Vec<T>,
    /// Columns.
    pub columns: usize,
}

impl<T: Copy> Plane<T> {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Columns as rows.
    pub fn transposed(&self) -> Plane<T> {
        let (rows, columns) = (self.rows(), self.columns);
        let values = (0..self.values.len()).map(|i| self.values[i % rows * columns + i / rows]);
        Plane { values: values.collect(), columns: rows }
    }
}

/// The smallest format that holds both ends.
pub fn holding(low: i64, high: i64) -> Option<Format> {
    let formats = (1..=MOST_BITS).flat_map(|bits| [Format::unsigned(bits), Format::signed(bits)]);
    formats.into_iter().find(|f| {
        let (least, most) = f.range();
        i64::from(least) <= low && high <= i64::from(most)
    })
}

/// The smallest format of some numbers.
pub fn format_of<'a>(values: impl IntoIterator<Item = &'a i32>) -> Option<Format> {
    let wider = |(low, high): (i64, i64), v: &i32| (low.min((*v).into()), high.max((*v).into()));
    let ends = values.into_iter().fold((0, 0), wider);
    holding(ends.0, ends.1)
}

/// A kernel with at most so many bits a weight, rounded if it must be; without a number of bits it has to be one of whole numbers.
///
/// # Errors   what the kernel would have to be
pub fn whole(kernel: &Weights, bits: Option<u8>) -> Result<Whole, String> {
    match kernel {
        Weights::Plane { weights, columns } => {
            let (values, shift) = line(weights, bits)?;
            Ok(Whole { weights: Integers::Plane(Plane { values, columns: *columns }), shift })
        }
        Weights::Lines { down, along } => {
            let ((down, first), (along, second)) = (line(down, bits)?, line(along, bits)?);
            let weights = Integers::Lines { down: trimmed(down), along: trimmed(along) };
            Ok(Whole { weights, shift: first + second })
        }
    }
}

/// Weights without zeros at both ends, around the same centre.
fn trimmed(mut w: Vec<i32>) -> Vec<i32> {
    while w.len() > 2 && w[0] == 0 && w[w.len() - 1] == 0 {
        w = w[1..w.len() - 1].to_vec();
    }
    w
}

fn line(weights: &[f64], bits: Option<u8>) -> Result<(Vec<i32>, i32), String> {
    let most = bits.unwrap_or(MOST_BITS);
    let exact = exact(weights).filter(|(w, _)| format_of(w).is_some_and(|f| f.bits <= most));
    match (exact, bits) {
        (Some(found), _) => Ok(found),
        (None, Some(bits)) => {
            rounded(weights, bits).ok_or_else(|| format!("has no weights of {bits} bits: expected more bits"))
        }
        (None, None) => Err(format!(
            "has weights that are no whole numbers of at most {MOST_BITS} bits over a power of two: expected --kernel-bits N, which rounds them"
        )),
    }
}

/// Numbers and shift with weight = number / 2^shift, the numbers as small as can be.
fn exact(weights: &[f64]) -> Option<(Vec<i32>, i32)> {
    // the exponent of a number's lowest bit
    let lowest = |w: &f64| {
        let (bits, biased) = (w.to_bits(), (w.to_bits() >> 52 & 0x7ff) as i32);
        let mantissa = bits & ((1 << 52) - 1) | if biased > 0 { 1 << 52 } else { 0 };
        (mantissa != 0).then(|| biased.max(1) - 1075 + mantissa.trailing_zeros().cast_signed())
    };
    let shift = -weights.iter().filter_map(lowest).min().unwrap_or(0);
    let unit = 2f64.powi(shift);
    let number = |w: &f64| {
        let v = w * unit;
        (v.abs() <= f64::from(1u32 << MOST_BITS)).then_some(v as i32)
    };
    Some((weights.iter().map(number).collect::<Option<_>>()?, shift))
}

/// Weights rounded to so many bits.
fn rounded(weights: &[f64], bits: u8) -> Option<(Vec<i32>, i32)> {
    let is_signed = weights.iter().any(|w| *w < 0.0);
    let (low, high) = if is_signed { Format::signed(bits) } else { Format::unsigned(bits) }.range();
    let largest = weights.iter().fold(0.0f64, |most, w| most.max(w.abs()));
    let first = (f64::from(1u32 << bits) / largest).log2().ceil() as i32;
    // below, all are zero
    (first - i32::from(bits) - 2..=first).rev().find_map(|shift| {
        let numbers = sum_kept(weights, 2f64.powi(shift));
        let fits = numbers.iter().all(|v| (low..=high).contains(v)) && numbers.iter().any(|v| *v != 0);
        fits.then_some((numbers, shift))
    })
}

/// Weights times `unit`, rounded to the nearest, then as few moved by one as make up the rounded sum: those that were rounded the farthest, and
/// of a symmetric kernel both of a pair.
fn sum_kept(weights: &[f64], unit: f64) -> Vec<i32> {
    let n = weights.len();
    let mut numbers: Vec<i32> = weights.iter().map(|w| (w * unit).round_ties_even() as i32).collect();
    let sum = (weights.iter().sum::<f64>() * unit).round_ties_even() as i32;
    let mut rest = sum - numbers.iter().sum::<i32>();
    let is_symmetric = (0..n / 2).all(|i| weights[i] == weights[n - 1 - i]);
    let mut groups: Vec<Vec<usize>> = if is_symmetric {
        (0..n.div_ceil(2)).map(|i| if i == n - 1 - i { vec![i] } else { vec![i, n - 1 - i] }).collect()
    } else {
        (0..n).map(|i| vec![i]).collect()
    };
    while rest != 0 {
        let step = rest.signum();
        let short =
            |group: &Vec<usize>| (weights[group[0]] * unit - f64::from(numbers[group[0]])) * f64::from(step);
        let open = groups.iter().enumerate().filter(|(_, group)| group.len() <= rest.unsigned_abs() as usize);
        let Some((i, _)) = open.max_by(|a, b| short(a.1).total_cmp(&short(b.1))) else { break };
        for at in groups.swap_remove(i) {
            numbers[at] += step;
            rest -= step;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(weights: &[f64], bits: Option<u8>) -> Result<(Vec<i32>, i32), String> {
        line(weights, bits)
    }

    #[test]
    fn weights_over_powers_of_two_stay_what_they_are() {
        assert_eq!(lines(&[1.0, 2.0, 1.0], None), Ok((vec![1, 2, 1], 0)));
        assert_eq!(lines(&[0.25, -0.5, 0.125], None), Ok((vec![2, -4, 1], 3)));
        assert_eq!(lines(&[1024.0, -3072.0], None), Ok((vec![1, -3], -10)));
        assert_eq!(lines(&[0.0, 0.0], None), Ok((vec![0, 0], 0)));
        assert_eq!(lines(&[65535.0, 1.0], None), Ok((vec![65535, 1], 0)));
        for wide in [&[65536.0, 1.0][..], &[-32769.0, 0.0], &[0.1], &[1e300, 1.0], &[1.0, 5e-324]] {
            assert!(lines(wide, None).unwrap_err().contains("--kernel-bits"), "{wide:?}");
        }
        assert_eq!(lines(&[-32768.0, 32767.0], None), Ok((vec![-32768, 32767], 0)));
    }

    #[test]
    fn rounded_weights_keep_their_sum_and_their_symmetry() {
        for bits in 2..=12 {
            for sigma in [0.5f64, 1.0, 2.0, 5.0, 8.0] {
                let radius = (4.0 * sigma).ceil() as i32;
                let g: Vec<f64> =
                    (-radius..=radius).map(|i| (-0.5 * (f64::from(i) / sigma).powi(2)).exp()).collect();
                let sum: f64 = g.iter().sum();
                let g: Vec<f64> = g.iter().map(|w| w / sum).collect();
                let (numbers, shift) = lines(&g, Some(bits)).unwrap();
                assert_eq!(numbers.iter().sum::<i32>(), 1 << shift, "{bits} bits, sigma {sigma}");
                assert!(
                    numbers.iter().eq(numbers.iter().rev())
                        && numbers.iter().all(|v| (0..1 << bits).contains(v))
                );
                // one more place behind the point would not fit
                assert!(*numbers.iter().max().unwrap() * 2 + 2 >= 1 << bits, "{numbers:?}");
                let unit = 2f64.powi(shift);
                assert!(
                    numbers.iter().zip(&g).all(|(v, w)| (f64::from(*v) - w * unit).abs() < 1.6),
                    "{numbers:?}"
                );
            }
        }
        let (numbers, shift) = lines(&[0.1, -0.7, 0.3, 0.3], Some(4)).unwrap();
        assert_eq!((numbers.iter().sum::<i32>(), shift), (0, 3), "{numbers:?}");
    }

    #[test]
    fn zeros_at_the_ends_are_left_out() {
        assert_eq!(trimmed(vec![0, 0, 1, 2, 0, 0, 0]), [1, 2, 0]);
        assert_eq!(trimmed(vec![0, 1, 0]), [1]);
        assert_eq!(trimmed(vec![0, 0, 0]), [0]);
        assert_eq!(trimmed(vec![0, 3, 4, 0]), [3, 4]);
    }

    #[test]
    fn formats_hold_their_ends() {
        assert_eq!(holding(0, 255), Some(Format::unsigned(8)));
        assert_eq!(holding(0, 1), Some(Format::unsigned(1)));
        assert_eq!(holding(-3, 255), Some(Format::signed(9)));
        assert_eq!(holding(-32768, 32767), Some(Format::signed(16)));
        assert_eq!((holding(-1, 65535), holding(0, 65536)), (None, None));
    }
}
