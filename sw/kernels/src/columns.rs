//! Sums over the rows of a matrix, for each column, in f64.
//!
//! ```text
//! sums[c] += Σ_row f(x[row, c], …)        rows in order, one term after the other
//! ```
//! A column's terms wait for one another; columns are what is computed side by side. [`Level`] changes no bit.

use crate::Level;
#[cfg(target_arch = "x86_64")]
use crate::level::Units;

/// A batch's values as batch normalization reads them backwards.
#[derive(Clone, Copy, Debug)]
pub struct Backward<'a> {
    /// The input.
    pub x: &'a [f32],
    /// The gradient of the output.
    pub dy: &'a [f32],
    /// Where this is not above 0 the gradient counts as 0.
    pub gate: Option<&'a [f32]>,
    /// μ of each column.
    pub mean: &'a [f32],
    /// 1/σ of each column.
    pub inverse: &'a [f32],
}

/// Adds Σ x.
///
/// # Panics   if there are no whole rows of as many columns as sums
pub fn add(level: Level, x: &[f32], sums: &mut [f64]) {
    assert!(x.len().is_multiple_of(sums.len()), "whole rows");
    match level.units() {
        // SAFETY: the level is this machine's, rows are whole.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512::add(x, sums) },
        _ => {
            for row in x.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
            }
        }
    }
}

/// Adds Σ (x − μ)².
///
/// # Panics   if there are no whole rows of as many columns as sums and means
pub fn add_squares(level: Level, x: &[f32], mean: &[f64], sums: &mut [f64]) {
    assert!(x.len().is_multiple_of(sums.len()) && mean.len() == sums.len(), "whole rows");
    match level.units() {
        // SAFETY: the level is this machine's, rows are whole, a mean is there for each column.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512::add_squares(x, mean, sums) },
        _ => {
            for row in x.chunks_exact(sums.len()) {
                for ((s, &x), mean) in sums.iter_mut().zip(row).zip(mean) {
                    let d = f64::from(x) - mean;
                    *s += d * d;
                }
            }
        }
    }
}

/// Adds Σ dy and Σ dy·x̂, x̂ = (x − μ)/σ in f32.
///
/// # Panics   if shapes disagree
pub fn add_backward(level: Level, of: Backward<'_>, dy_sums: &mut [f64], products: &mut [f64]) {
    let columns = dy_sums.len();
    assert!(of.x.len().is_multiple_of(columns), "whole rows");
    let rows = [Some(of.x), Some(of.dy), of.gate].into_iter().flatten().all(|all| all.len() == of.x.len());
    assert!(rows && [of.mean.len(), of.inverse.len(), products.len()] == [columns; 3], "equal shapes");
    match level.units() {
        // SAFETY: the level is this machine's, shapes are equal.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512::add_backward(of, dy_sums, products) },
        _ => {
            for (i, (x, dy)) in of.x.chunks_exact(columns).zip(of.dy.chunks_exact(columns)).enumerate() {
                let gate = of.gate.map_or(x, |gate| &gate[i * columns..][..columns]);
                for c in 0..columns {
                    let dy = if of.gate.is_none() || gate[c] > 0.0 { dy[c] } else { 0.0 };
                    let normal = (x[c] - of.mean[c]) * of.inverse[c];
                    dy_sums[c] += f64::from(dy);
                    products[c] += f64::from(dy) * f64::from(normal);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::Backward;
    use std::arch::x86_64::*;

    const WIDTH: usize = 16;

    /// The lanes of the columns from `first` on.
    fn lanes(first: usize, columns: usize) -> __mmask16 {
        let count = WIDTH.min(columns - first);
        (((1u32 << count) - 1) & 0xffff) as u16
    }

    /// 16 values as two halves in f64.
    #[target_feature(enable = "avx512f,avx512dq")]
    fn wide(x: __m512) -> [__m512d; 2] {
        [_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x))]
    }

    /// The values of 16 columns, in two halves.
    #[target_feature(enable = "avx512f")]
    unsafe fn load(all: &[f64], first: usize, mask: __mmask16) -> [__m512d; 2] {
        // SAFETY: masked lanes are columns.
        unsafe {
            let from = all.as_ptr().add(first);
            [
                _mm512_maskz_loadu_pd(mask as u8, from),
                _mm512_maskz_loadu_pd((mask >> 8) as u8, from.wrapping_add(8)),
            ]
        }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn store(all: &mut [f64], first: usize, mask: __mmask16, values: [__m512d; 2]) {
        // SAFETY: masked lanes are columns.
        unsafe {
            let to = all.as_mut_ptr().add(first);
            _mm512_mask_storeu_pd(to, mask as u8, values[0]);
            _mm512_mask_storeu_pd(to.wrapping_add(8), (mask >> 8) as u8, values[1]);
        }
    }

    /// # Safety   the machine has the features, rows are whole
    #[target_feature(enable = "avx512f,avx512dq")]
    pub unsafe fn add(x: &[f32], sums: &mut [f64]) {
        let columns = sums.len();
        for first in (0..columns).step_by(WIDTH) {
            let mask = lanes(first, columns);
            // SAFETY: masked lanes are columns of a row.
            unsafe {
                let mut own = load(sums, first, mask);
                for at in (first..x.len()).step_by(columns) {
                    let x = wide(_mm512_maskz_loadu_ps(mask, x.as_ptr().add(at)));
                    own = [_mm512_add_pd(own[0], x[0]), _mm512_add_pd(own[1], x[1])];
                }
                store(sums, first, mask, own);
            }
        }
    }

    /// # Safety   the machine has the features, rows are whole, means are as many as sums
    #[target_feature(enable = "avx512f,avx512dq")]
    pub unsafe fn add_squares(x: &[f32], mean: &[f64], sums: &mut [f64]) {
        let columns = sums.len();
        for first in (0..columns).step_by(WIDTH) {
            let mask = lanes(first, columns);
            // SAFETY: masked lanes are columns of a row.
            unsafe {
                let mean = load(mean, first, mask);
                let mut own = load(sums, first, mask);
                for at in (first..x.len()).step_by(columns) {
                    let x = wide(_mm512_maskz_loadu_ps(mask, x.as_ptr().add(at)));
                    for half in 0..2 {
                        let d = _mm512_sub_pd(x[half], mean[half]);
                        own[half] = _mm512_add_pd(own[half], _mm512_mul_pd(d, d));
                    }
                }
                store(sums, first, mask, own);
            }
        }
    }

    /// # Safety   the machine has the features, shapes are equal
    #[target_feature(enable = "avx512f,avx512dq")]
    pub unsafe fn add_backward(of: Backward<'_>, dy_sums: &mut [f64], products: &mut [f64]) {
        let columns = dy_sums.len();
        for first in (0..columns).step_by(WIDTH) {
            let mask = lanes(first, columns);
            // SAFETY: masked lanes are columns of a row.
            unsafe {
                let row = |all: &[f32], at: usize| _mm512_maskz_loadu_ps(mask, all.as_ptr().add(at));
                let (mean, inverse) = (row(of.mean, first), row(of.inverse, first));
                let (mut sums, mut own) = (load(dy_sums, first, mask), load(products, first, mask));
                for at in (first..of.x.len()).step_by(columns) {
                    let mut dy = row(of.dy, at);
                    if let Some(gate) = of.gate {
                        let open = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(row(gate, at), _mm512_setzero_ps());
                        dy = _mm512_maskz_mov_ps(open, dy);
                    }
                    let normal = _mm512_mul_ps(_mm512_sub_ps(row(of.x, at), mean), inverse);
                    let (dy, normal) = (wide(dy), wide(normal));
                    for half in 0..2 {
                        sums[half] = _mm512_add_pd(sums[half], dy[half]);
                        own[half] = _mm512_add_pd(own[half], _mm512_mul_pd(dy[half], normal[half]));
                    }
                }
                store(dy_sums, first, mask, sums);
                store(products, first, mask, own);
            }
        }
    }
}
