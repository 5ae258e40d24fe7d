//! Elements of 16 bits, both signed.

use crate::level::Units;
use crate::{COLUMNS, Element, Level, Panel, ROWS, Tile, check};

/// A and B signed, of 16 bits.
#[derive(Clone, Copy, Debug)]
pub struct Words;

impl Element for Words {
    type Left = i16;
    const GROUP: usize = 2;

    #[inline(always)]
    fn zero(_: i32) -> i32 {
        0
    }

    #[inline(always)]
    fn left(v: i32, zero: i32) -> i16 {
        v.wrapping_add(zero) as i16
    }

    #[inline(always)]
    fn word([a, b, ..]: [i32; 4]) -> u32 {
        a as u32 & 0xffff | (b as u32) << 16
    }

    #[inline(always)]
    fn sum(word: u32) -> i32 {
        i32::from(word as i16) + i32::from((word >> 16) as i16)
    }

    #[inline(always)]
    fn tile(level: Level, a: &[i16], rows: &[usize; ROWS], panel: &Panel<Self>, block: usize, c: &mut Tile) {
        check(a, rows, panel);
        match level.units() {
            // SAFETY: the level is this machine's, and rows end within `a`.
            #[cfg(target_arch = "x86_64")]
            Units::Avx2 | Units::Avx512 => unsafe {
                for half in 0..2 {
                    let rows = rows[half * HALF..][..HALF].try_into().expect("half of a tile");
                    let c = (&mut c[half * HALF..][..HALF]).try_into().expect("half of a tile");
                    avx2(a, rows, panel.segments(), panel.groups(), panel.block(block), c);
                }
            },
            _ => portable(a, rows, panel, block, c),
        }
    }
}

fn portable(a: &[i16], rows: &[usize; ROWS], panel: &Panel<Words>, block: usize, c: &mut Tile) {
    let b = panel.block(block).chunks_exact(COLUMNS);
    let starts = panel.segments().iter().flat_map(|s| (0..panel.groups()).map(move |g| s + g * Words::GROUP));
    for (at, b) in starts.zip(b) {
        for (row, c) in rows.iter().zip(&mut *c) {
            let [first, second] = [0, 1].map(|i| i32::from(a[row + at + i]));
            for (c, b) in c.iter_mut().zip(b) {
                let [low, high] = [*b as i16, (b >> 16) as i16].map(i32::from);
                let products = (first * low).wrapping_add(second * high);
                *c = c.wrapping_add(products);
            }
        }
    }
}

/// Rows whose sums are in registers at a time.
#[cfg(target_arch = "x86_64")]
const HALF: usize = ROWS / 2;

/// # Safety   the machine has the feature, and the largest row, segment and `2·groups` end within `a`
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(
    a: &[i16],
    rows: &[usize; HALF],
    segments: &[usize],
    groups: usize,
    b: &[u32],
    c: &mut [[i32; COLUMNS]; HALF],
) {
    use std::arch::x86_64::{
        _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_storeu_si256,
    };
    assert_eq!(b.len(), segments.len() * groups * COLUMNS, "a block of the panel");
    // SAFETY: `b` has 16 words for each group of each segment, rows end within `a`, a row of `c` has 64 bytes.
    unsafe {
        let mut sums =
            c.each_ref().map(|row| [0, 8].map(|at| _mm256_loadu_si256(row.as_ptr().add(at).cast())));
        let mut b = b.as_ptr();
        for segment in segments {
            let from = rows.map(|row| a.as_ptr().add(row + segment));
            for group in 0..groups {
                let w = [0, 8].map(|at| _mm256_loadu_si256(b.add(at).cast()));
                b = b.add(COLUMNS);
                for (sum, from) in sums.iter_mut().zip(&from) {
                    let x = _mm256_set1_epi32(from.add(2 * group).cast::<i32>().read_unaligned());
                    for (sum, w) in sum.iter_mut().zip(w) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, w));
                    }
                }
            }
        }
        for (row, sum) in c.iter_mut().zip(sums) {
            _mm256_storeu_si256(row.as_mut_ptr().cast(), sum[0]);
            _mm256_storeu_si256(row.as_mut_ptr().add(8).cast(), sum[1]);
        }
    }
}
