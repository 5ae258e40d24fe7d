//! Elements of 8 bits: A unsigned, B signed.
//!
//! A signed A has its smallest value taken away: the columns' sums times that are taken back ([`Panel::start`]).

use crate::level::Units;
use crate::picks::{CHUNK, Picks};
use crate::{COLUMNS, Element, Level, Panel, ROWS, Tile, check, spread};

/// A unsigned, B signed, both of 8 bits.
#[derive(Clone, Copy, Debug)]
pub struct Bytes;

impl Element for Bytes {
    type Left = u8;
    const GROUP: usize = 4;

    #[cfg(target_arch = "x86_64")]
    fn skips_zeros(level: Level) -> bool {
        level.units() == Units::Avx512 && is_x86_feature_detected!("avx512vbmi")
    }

    #[inline(always)]
    fn zero(lo: i32) -> i32 {
        -lo
    }

    #[inline(always)]
    fn left(v: i32, zero: i32) -> u8 {
        v.wrapping_add(zero) as u8
    }

    #[inline(always)]
    fn word(values: [i32; 4]) -> u32 {
        let [a, b, c, d] = values.map(|v| v as u32 & 0xff);
        a | b << 8 | c << 16 | d << 24
    }

    #[inline(always)]
    fn sum(word: u32) -> i32 {
        let each = |i: u32| (word << (24 - 8 * i)) as i32 >> 24;
        each(0) + each(1) + each(2) + each(3)
    }

    #[inline(always)]
    fn spread(level: Level, row: &[i8], channels: usize, zero: i32, out: &mut [u8], pitch: usize) {
        spread::spread(level, row, channels, zero as u8, out, pitch);
    }

    #[inline(always)]
    fn tile(level: Level, a: &[u8], rows: &[usize; ROWS], panel: &Panel<Self>, block: usize, c: &mut Tile) {
        check(a, rows, panel);
        match level.units() {
            // SAFETY: the level is this machine's, which has VBMI if there are picks, and rows end within `a`.
            #[cfg(target_arch = "x86_64")]
            Units::Avx512 => unsafe {
                let (segments, groups) = (panel.segments(), panel.groups());
                match panel.picks(block) {
                    Some(picks) => avx512_picks(a, rows, segments, groups, picks, c),
                    None => avx512(a, rows, segments, groups, panel.block(block), c),
                }
            },
            _ => portable(a, rows, panel, block, c),
        }
    }
}

fn portable(a: &[u8], rows: &[usize; ROWS], panel: &Panel<Bytes>, block: usize, c: &mut Tile) {
    let b = panel.block(block).chunks_exact(COLUMNS);
    let starts = panel.segments().iter().flat_map(|s| (0..panel.groups()).map(move |g| s + g * Bytes::GROUP));
    for (at, b) in starts.zip(b) {
        for (row, c) in rows.iter().zip(&mut *c) {
            let a: &[u8; 4] = a[row + at..][..4].try_into().expect("a group");
            for (c, b) in c.iter_mut().zip(b) {
                for (a, b) in a.iter().zip(b.to_le_bytes()) {
                    *c = c.wrapping_add(i32::from(*a) * i32::from(b as i8));
                }
            }
        }
    }
}

/// # Safety   the machine has the features, and the largest row, segment and `4·groups` end within `a`
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
unsafe fn avx512(a: &[u8], rows: &[usize; ROWS], segments: &[usize], groups: usize, b: &[u32], c: &mut Tile) {
    use std::arch::x86_64::{
        _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_storeu_si512,
    };
    assert_eq!(b.len(), segments.len() * groups * COLUMNS, "a block of the panel");
    // SAFETY: `b` has 16 words for each group of each segment, rows end within `a`, a row of `c` has 64 bytes.
    unsafe {
        let mut sums = c.each_ref().map(|row| _mm512_loadu_si512(row.as_ptr().cast()));
        let mut b = b.as_ptr();
        for segment in segments {
            let from = rows.map(|row| a.as_ptr().add(row + segment));
            for group in 0..groups {
                let w = _mm512_loadu_si512(b.cast());
                b = b.add(COLUMNS);
                for (sum, from) in sums.iter_mut().zip(&from) {
                    let x = from.add(4 * group).cast::<i32>().read_unaligned();
                    *sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi32(x), w);
                }
            }
        }
        for (row, sum) in c.iter_mut().zip(sums) {
            _mm512_storeu_si512(row.as_mut_ptr().cast(), sum);
        }
    }
}

/// # Safety   as [`avx512`]
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
#[inline]
unsafe fn avx512_picks(
    a: &[u8],
    rows: &[usize; ROWS],
    segments: &[usize],
    groups: usize,
    picks: &Picks,
    c: &mut Tile,
) {
    use std::arch::x86_64::{
        _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_permutexvar_epi8,
        _mm512_storeu_si512,
    };
    let chunks = groups.div_ceil(CHUNK);
    assert_eq!(picks.passes.len(), segments.len() * chunks, "picks of the panel");
    assert_eq!(picks.words.len(), picks.passes.iter().sum::<usize>() * 2 * COLUMNS, "words of all passes");
    // SAFETY: `words` has 32 of each pass, rows end within `a` and bytes after them are masked, a row of `c` has 64 bytes.
    unsafe {
        let mut sums = c.each_ref().map(|row| _mm512_loadu_si512(row.as_ptr().cast()));
        let (mut passes, mut words) = (picks.passes.iter(), picks.words.as_ptr());
        for segment in segments {
            let from = rows.map(|row| a.as_ptr().add(row + segment));
            for (chunk, passes) in (0..chunks).zip(&mut passes) {
                let bytes = 4 * CHUNK.min(groups - chunk * CHUNK);
                let mask = u64::MAX >> (64 - bytes);
                let x = from.map(|from| _mm512_maskz_loadu_epi8(mask, from.add(4 * CHUNK * chunk).cast()));
                for _ in 0..*passes {
                    let places = _mm512_loadu_si512(words.cast());
                    let w = _mm512_loadu_si512(words.add(COLUMNS).cast());
                    words = words.add(2 * COLUMNS);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = _mm512_dpbusd_epi32(*sum, _mm512_permutexvar_epi8(places, x), w);
                    }
                }
            }
        }
        for (row, sum) in c.iter_mut().zip(sums) {
            _mm512_storeu_si512(row.as_mut_ptr().cast(), sum);
        }
    }
}
