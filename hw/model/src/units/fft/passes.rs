//! Passes over a line or a tile, in place.
//!
//! A pass works on blocks; in a block, element n of a butterfly lies `n · stride` after the first. A tile's passes along
//! its rows' index see the columns as `inner` independent lines.

use super::rounded;
use super::twiddles::{FRACTION, twiddle};
use num_complex::Complex;

/// One pass: butterflies of 2 or 4 elements, twiddles, one rounding.
#[derive(Debug)]
pub(super) struct Pass {
    radix: Radix,
    /// Elements from one operand of a butterfly to the next.
    stride: usize,
    /// Twiddle of every output of every butterfly of a block, `[n][output]`, n below `stride`; that of output 0 is 1.
    twiddles: Vec<[Complex<i64>; 4]>,
    /// All twiddles are 1: nothing is multiplied.
    plain: bool,
}

/// What a butterfly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Radix {
    Two,
    Four,
    /// Two radix-2 stages of different dimensions: no −i between them.
    TwoByTwo,
}

impl Pass {
    /// A pass whose output `o` of butterfly n has twiddle exponent `exponent(n)[o]` of `length`.
    fn new(radix: Radix, stride: usize, length: usize, exponent: impl Fn(usize) -> [usize; 4]) -> Self {
        let twiddles: Vec<_> = (0..stride).map(|n| exponent(n).map(|e| twiddle(e, length))).collect();
        let plain = twiddles.iter().flatten().all(|w| *w == twiddle(0, length));
        Pass { radix, stride, twiddles, plain }
    }

    /// Radix-2 stages.
    pub(super) fn stages(&self) -> usize {
        if self.radix == Radix::Two { 1 } else { 2 }
    }

    /// Runs over all blocks; results are divided by 2^shift.
    pub(super) fn run(&self, v: &mut [Complex<i64>], shift: u32) {
        let q = self.stride;
        let radix = if self.radix == Radix::Two { 2 } else { 4 };
        let times = |z, w| if self.plain { cut(z, shift) } else { times(z, w, shift) };
        for block in v.chunks_exact_mut(radix * q) {
            for (n, w) in self.twiddles.iter().enumerate() {
                match self.radix {
                    Radix::Two => {
                        let (a, b) = (block[n], block[n + q]);
                        block[n] = cut(a + b, shift);
                        block[n + q] = times(a - b, w[1]);
                    }
                    Radix::Four => {
                        let [a, b, c, d] = [0, 1, 2, 3].map(|i| block[n + i * q]);
                        let (even, odd) = ((a + c, a - c), (b + d, turned(b - d)));
                        block[n] = cut(even.0 + odd.0, shift);
                        block[n + q] = times(even.0 - odd.0, w[1]);
                        block[n + 2 * q] = times(even.1 + odd.1, w[2]);
                        block[n + 3 * q] = times(even.1 - odd.1, w[3]);
                    }
                    Radix::TwoByTwo => {
                        let [a, b, c, d] = [0, 1, 2, 3].map(|i| block[n + i * q]);
                        block[n] = cut(a + c + b + d, shift);
                        block[n + q] = times(a + c - b - d, w[1]);
                        block[n + 2 * q] = times(a - c + b - d, w[2]);
                        block[n + 3 * q] = times(a - c - b + d, w[3]);
                    }
                }
            }
        }
    }
}

/// −i·z.
fn turned(z: Complex<i64>) -> Complex<i64> {
    Complex::new(z.im, -z.re)
}

/// z / 2^shift, rounded.
fn cut(z: Complex<i64>, shift: u32) -> Complex<i64> {
    Complex::new(rounded(z.re, shift), rounded(z.im, shift))
}

/// z·w / 2^(16 + shift), rounded once.
fn times(z: Complex<i64>, w: Complex<i64>, shift: u32) -> Complex<i64> {
    cut(z * w, FRACTION + shift)
}

/// The passes of 2^log points, as a line or as a tile.
pub(super) fn passes(log: usize, tile: bool) -> Vec<Pass> {
    if !tile {
        return along(log, 1);
    }
    let side = 1 << (log / 2);
    if log != 6 {
        // all of the row index, each column by itself, then all of the column index
        return along(log / 2, side).into_iter().chain(along(log / 2, 1)).collect();
    }
    // 8 = 4·2 rows, then 2·4 columns: the odd stages of the two dimensions share a pass
    let rows = Pass::new(Radix::Four, 2 * side, 8, |n| {
        let r = n / side;
        [0, 2 * r, r, 3 * r]
    });
    let both = Pass::new(Radix::TwoByTwo, 4, 8, |c| [0, c, 0, c]);
    let cols = Pass::new(Radix::Four, 1, 4, |_| [0; 4]);
    vec![rows, both, cols]
}

/// The passes along an index of 2^log values that are `inner` elements apart.
fn along(log: usize, inner: usize) -> Vec<Pass> {
    let mut length = 1usize << log;
    let mut all = vec![];
    if log % 2 == 1 {
        let whole = length;
        length /= 2;
        all.push(Pass::new(Radix::Two, length * inner, whole, |n| [0, n / inner, 0, 0]));
    }
    while length > 1 {
        let whole = length;
        length /= 4;
        all.push(Pass::new(Radix::Four, length * inner, whole, |n| {
            let n = n / inner;
            [0, 2 * n, n, 3 * n]
        }));
    }
    all
}
