//! Sums of products of whole vectors, of pairs that are chosen one by one.
//!
//! ```text
//! sums[q][j] += Σ_{i < length} A[quads[q].a + i] · B[quads[q].b[j] + i]        j = 0 … 3
//! ```
//! A's vector is read once for four of B's; sixteen sums are lanes that are added up at the end. So a product of which a quarter is wanted takes
//! not much more than a quarter of the time, whatever the pattern. Vectors may overlap and begin anywhere.

use crate::Level;
use crate::level::Units;

/// A vector of A, and four of B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quad {
    /// Where A's begins.
    pub a: usize,
    /// Where those of B begin.
    pub b: [usize; 4],
}

/// Bytes that are multiplied at a time: lengths are multiples of it.
pub const STRIDE: usize = 64;

/// Whether [`add_quads`] is faster at a level than a tile whose entries are not all wanted.
pub fn prefers_quads(level: Level) -> bool {
    level.units() == Units::Avx512
}

/// Adds the sums of quads; of bytes, A unsigned, B signed.
///
/// # Numeric  exact modulo 2³²
/// # Panics   if `length` is no multiple of [`STRIDE`], there are not as many sums, or a vector ends outside
pub fn add_quads(level: Level, a: &[u8], b: &[u8], quads: &[Quad], length: usize, sums: &mut [[i32; 4]]) {
    assert!(length.is_multiple_of(STRIDE), "whole strides");
    assert_eq!(quads.len(), sums.len(), "sums of each quad");
    let ends = |quad: &Quad| {
        let last = quad.b.iter().fold(0, |last, b| last.max(*b));
        quad.a + length <= a.len() && last + length <= b.len()
    };
    assert!(quads.iter().all(ends), "vectors end inside");
    match level.units() {
        // SAFETY: the level is this machine's, and vectors end inside.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512::add(a, b, quads, length, sums) },
        _ => {
            for (quad, sums) in quads.iter().zip(sums) {
                let a = &a[quad.a..][..length];
                for (from, sum) in quad.b.iter().zip(sums) {
                    let products =
                        a.iter().zip(&b[*from..][..length]).map(|(a, b)| i32::from(*a) * i32::from(*b as i8));
                    *sum = products.fold(*sum, i32::wrapping_add);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{Quad, STRIDE};
    use std::arch::x86_64::*;

    /// Quads at a time: as many sums as a register has lanes.
    const SIDE: usize = 4;

    /// # Safety   the machine has the features, and vectors end inside
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub unsafe fn add(a: &[u8], b: &[u8], quads: &[Quad], length: usize, sums: &mut [[i32; 4]]) {
        for (quads, sums) in quads.chunks(SIDE).zip(sums.chunks_mut(SIDE)) {
            // the last ones again where there are fewer
            let each: [&Quad; SIDE] = std::array::from_fn(|q| &quads[q.min(quads.len() - 1)]);
            let mut own = [[_mm512_setzero_si512(); 4]; SIDE];
            for at in (0..length).step_by(STRIDE) {
                for (own, quad) in own.iter_mut().zip(each) {
                    // SAFETY: the vectors' `length` bytes are inside.
                    unsafe {
                        let x = _mm512_loadu_si512(a.as_ptr().add(quad.a + at).cast());
                        for (own, from) in own.iter_mut().zip(quad.b) {
                            *own = _mm512_dpbusd_epi32(
                                *own,
                                x,
                                _mm512_loadu_si512(b.as_ptr().add(from + at).cast()),
                            );
                        }
                    }
                }
            }
            let mut all = [[0i32; 4]; SIDE];
            // SAFETY: `all` has 64 bytes.
            unsafe { _mm512_storeu_si512(all.as_mut_ptr().cast(), across(own)) };
            for (sums, own) in sums.iter_mut().zip(all) {
                sums.iter_mut().zip(own).for_each(|(sum, own)| *sum = sum.wrapping_add(own));
            }
        }
    }

    /// The sums of the lanes of each, in their order.
    #[target_feature(enable = "avx512f")]
    fn across(all: [[__m512i; 4]; SIDE]) -> __m512i {
        let quarters = all.map(|[a, b, c, d]| {
            let pair = |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
            let (ab, cd) = (pair(a, b), pair(c, d));
            _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd))
        });
        let even_and_odd =
            |a, b| _mm512_add_epi32(_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let [a, b, c, d] = quarters;
        even_and_odd(even_and_odd(a, b), even_and_odd(c, d))
    }
}
