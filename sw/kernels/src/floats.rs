//! Tiles of float products whose bits are those of the plain loop.
//!
//! ```text
//! c[i][o] += Σ_r Σ_t a[rows[i] + runs[r] + t·step] · b[16·(r·length + t) + o]        8 rows × 16 columns, r and t rising
//! ```
//! A product and a sum each, never fused. Terms are added to c one by one, or those of a run among themselves, and their sum to c.

#[cfg(target_arch = "x86_64")]
use crate::level::Units;
use crate::{COLUMNS, Level, ROWS};

/// The sums of a tile.
pub type FloatTile = [[f32; COLUMNS]; ROWS];

/// Where the terms of a tile's rows lie in A.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The first term of each row.
    pub rows: [usize; ROWS],
    /// How far from there each run of terms begins.
    pub runs: &'a [usize],
    /// Terms of a run.
    pub length: usize,
    /// Distance of its terms.
    pub step: usize,
    /// Whether each run is summed by itself before it is added.
    pub apart: bool,
}

/// Adds the terms of all runs, of which `b` has rows of 16.
///
/// # Panics   if A ends before the last term of a row, or B has fewer terms
#[inline]
pub fn add_products(level: Level, a: &[f32], terms: Terms<'_>, b: &[f32], c: &mut FloatTile) {
    let Terms { rows, runs, length, step, apart } = terms;
    let (Some(row), Some(run)) = (rows.iter().max(), runs.iter().max()) else { return };
    if length == 0 {
        return;
    }
    let last = row + run + (length - 1) * step;
    assert!(last < a.len(), "the last term is {last} of {}", a.len());
    let b = &b[..runs.len() * length * COLUMNS];
    match level.units() {
        // SAFETY: the level is this machine's, the last term lies within `a`, `b` has as many.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512(a, terms, b, c) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        Units::Avx2 => unsafe {
            let (upper, lower) = c.split_at_mut(ROWS / 2);
            avx2(a, terms, b, 0, upper.try_into().expect("half of the rows"));
            avx2(a, terms, b, ROWS / 2, lower.try_into().expect("half of the rows"));
        },
        _ => {
            for (run, b) in runs.iter().zip(b.chunks_exact(length * COLUMNS)) {
                let mut sums = if apart { FloatTile::default() } else { *c };
                for (t, b) in b.chunks_exact(COLUMNS).enumerate() {
                    for (row, sums) in rows.iter().zip(&mut sums) {
                        let a = a[row + run + t * step];
                        sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
                    }
                }
                if apart {
                    let all = c.as_flattened_mut().iter_mut();
                    all.zip(sums.as_flattened()).for_each(|(c, sum)| *c += sum);
                } else {
                    *c = sums;
                }
            }
        }
    }
}

/// # Safety   the machine has the feature, all terms lie within `a`, `b` has as many
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(a: &[f32], terms: Terms<'_>, b: &[f32], c: &mut FloatTile) {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: rows of `b` and `c` have 16 values, terms lie within `a`.
    unsafe {
        let mut sums = c.each_ref().map(|row| _mm512_loadu_ps(row.as_ptr()));
        let mut b = b.as_ptr();
        for run in terms.runs {
            if terms.apart {
                sums = [_mm512_setzero_ps(); ROWS];
            }
            let from = terms.rows.map(|row| a.as_ptr().add(row + run));
            for t in 0..terms.length {
                let values = _mm512_loadu_ps(b);
                for (sum, from) in sums.iter_mut().zip(from) {
                    *sum =
                        _mm512_add_ps(*sum, _mm512_mul_ps(_mm512_set1_ps(*from.add(t * terms.step)), values));
                }
                b = b.wrapping_add(COLUMNS);
            }
            if terms.apart {
                for (row, sum) in c.iter_mut().zip(sums) {
                    _mm512_storeu_ps(row.as_mut_ptr(), _mm512_add_ps(_mm512_loadu_ps(row.as_ptr()), sum));
                }
            }
        }
        if !terms.apart {
            for (row, sum) in c.iter_mut().zip(sums) {
                _mm512_storeu_ps(row.as_mut_ptr(), sum);
            }
        }
    }
}

/// Half of the rows, from `first` on.
///
/// # Safety   the machine has the feature, all terms lie within `a`, `b` has as many
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(a: &[f32], terms: Terms<'_>, b: &[f32], first: usize, c: &mut [[f32; COLUMNS]; ROWS / 2]) {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    // SAFETY: rows of `b` and `c` have 16 values, terms lie within `a`.
    unsafe {
        let mut sums = c.each_ref().map(|row| [0, 8].map(|at| _mm256_loadu_ps(row.as_ptr().add(at))));
        let mut b = b.as_ptr();
        for run in terms.runs {
            if terms.apart {
                sums = [[_mm256_setzero_ps(); 2]; ROWS / 2];
            }
            let from: [_; ROWS / 2] = std::array::from_fn(|i| a.as_ptr().add(terms.rows[first + i] + run));
            for t in 0..terms.length {
                let values = [0, 8].map(|at| _mm256_loadu_ps(b.add(at)));
                for (sum, from) in sums.iter_mut().zip(from) {
                    let a = _mm256_set1_ps(*from.add(t * terms.step));
                    *sum = [0, 1].map(|half| _mm256_add_ps(sum[half], _mm256_mul_ps(a, values[half])));
                }
                b = b.wrapping_add(COLUMNS);
            }
            if terms.apart {
                for (row, sum) in c.iter_mut().zip(sums) {
                    for (half, sum) in row.chunks_exact_mut(8).zip(sum) {
                        _mm256_storeu_ps(
                            half.as_mut_ptr(),
                            _mm256_add_ps(_mm256_loadu_ps(half.as_ptr()), sum),
                        );
                    }
                }
            }
        }
        if !terms.apart {
            for (row, sum) in c.iter_mut().zip(sums) {
                _mm256_storeu_ps(row.as_mut_ptr(), sum[0]);
                _mm256_storeu_ps(row.as_mut_ptr().add(8), sum[1]);
            }
        }
    }
}
