//! Tiles of float products whose bits are those of the plain loop.
//!
//! ```text
//! c[i][o] += Σ_t a[i·row + t·step] · b[16·t + o]        8 rows × 16 columns, t rising, a product and a sum each, never fused
//! ```

#[cfg(target_arch = "x86_64")]
use crate::level::Units;
use crate::{COLUMNS, Level, ROWS};

/// The sums of a tile.
pub type FloatTile = [[f32; COLUMNS]; ROWS];

/// Adds as many terms as `b` has rows of 16.
///
/// # Panics   if A ends before the last term of the last row
#[inline]
pub fn add_products(level: Level, a: &[f32], [row, step]: [usize; 2], b: &[f32], c: &mut FloatTile) {
    let terms = b.len() / COLUMNS;
    if terms == 0 {
        return;
    }
    let last = (ROWS - 1) * row + (terms - 1) * step;
    assert!(last < a.len(), "the last term is {last} of {}", a.len());
    match level.units() {
        // SAFETY: the level is this machine's, the last term lies within `a`.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512(a, [row, step], b, c) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        Units::Avx2 => unsafe {
            let (upper, lower) = c.split_at_mut(ROWS / 2);
            avx2(a, [row, step], b, upper.try_into().expect("half of the rows"));
            avx2(&a[ROWS / 2 * row..], [row, step], b, lower.try_into().expect("half of the rows"));
        },
        _ => {
            for (t, b) in b.chunks_exact(COLUMNS).enumerate() {
                for (i, c) in c.iter_mut().enumerate() {
                    let a = a[i * row + t * step];
                    c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
                }
            }
        }
    }
}

/// # Safety   the machine has the feature, the last term lies within `a`
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(a: &[f32], [row, step]: [usize; 2], b: &[f32], c: &mut FloatTile) {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };
    // SAFETY: rows of `b` and `c` have 16 values, terms lie within `a`.
    unsafe {
        let mut sums = c.each_ref().map(|row| _mm512_loadu_ps(row.as_ptr()));
        let mut from = a.as_ptr();
        for b in b.chunks_exact(COLUMNS) {
            let b = _mm512_loadu_ps(b.as_ptr());
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_add_ps(*sum, _mm512_mul_ps(_mm512_set1_ps(*from.add(i * row)), b));
            }
            from = from.wrapping_add(step);
        }
        for (row, sum) in c.iter_mut().zip(sums) {
            _mm512_storeu_ps(row.as_mut_ptr(), sum);
        }
    }
}

/// # Safety   the machine has the feature, the last term lies within `a`
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(a: &[f32], [row, step]: [usize; 2], b: &[f32], c: &mut [[f32; COLUMNS]; ROWS / 2]) {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps,
    };
    // SAFETY: rows of `b` and `c` have 16 values, terms lie within `a`.
    unsafe {
        let mut sums = c.each_ref().map(|row| [0, 8].map(|at| _mm256_loadu_ps(row.as_ptr().add(at))));
        let mut from = a.as_ptr();
        for b in b.chunks_exact(COLUMNS) {
            let b = [0, 8].map(|at| _mm256_loadu_ps(b.as_ptr().add(at)));
            for (i, sum) in sums.iter_mut().enumerate() {
                let a = _mm256_set1_ps(*from.add(i * row));
                *sum = [0, 1].map(|half| _mm256_add_ps(sum[half], _mm256_mul_ps(a, b[half])));
            }
            from = from.wrapping_add(step);
        }
        for (row, sum) in c.iter_mut().zip(sums) {
            _mm256_storeu_ps(row.as_mut_ptr(), sum[0]);
            _mm256_storeu_ps(row.as_mut_ptr().add(8), sum[1]);
        }
    }
}
