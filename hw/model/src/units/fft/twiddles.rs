//! e^(−2πi·e/L) in steps of 2^−16.

use num_complex::Complex;
use std::f64::consts::PI;

/// A twiddle factor's steps in one.
pub(super) const FRACTION: u32 = 16;

/// 2^16·e^(−2πi·e/length), both parts rounded to the nearest integer.
pub(super) fn twiddle(e: usize, length: usize) -> Complex<i64> {
    let angle = 2.0 * PI * (e % length) as f64 / length as f64;
    let one = f64::from(1 << FRACTION);
    Complex::new((one * angle.cos()).round() as i64, -(one * angle.sin()).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrants_are_exact() {
        let quarter = [0, 2, 4, 6].map(|e| twiddle(e, 8));
        assert_eq!(
            quarter,
            [(65536, 0), (0, -65536), (-65536, 0), (0, 65536)].map(|(r, i)| Complex::new(r, i))
        );
        assert_eq!(twiddle(1, 8), Complex::new(46341, -46341));
    }

    /// Whatever sine is used, its error is far below the distance from a tie.
    #[test]
    fn no_twiddle_is_near_a_tie() {
        let nearest = (0..16384)
            .map(|e| 65536.0 * (2.0 * PI * f64::from(e) / 16384.0).cos())
            .map(|c| (c.abs().fract() - 0.5).abs())
            .fold(1.0, f64::min);
        assert!(nearest > 1e-6, "{nearest}");
    }
}
