//! Pixels of channels to planes of pixels, in bytes.
//!
//! ```text
//! out[c·pitch + x] = row[x, c] + offset mod 256
//! ```

use crate::Level;
#[cfg(target_arch = "x86_64")]
use crate::level::Units;

/// Writes a row of pixels, `[pixels, channels]`, into the planes of its channels, which begin `pitch` bytes apart.
///
/// # Panics   if a row ends outside a plane
pub fn spread(level: Level, row: &[i8], channels: usize, offset: u8, out: &mut [u8], pitch: usize) {
    let pixels = row.len() / channels;
    assert!(pixels <= pitch && (channels - 1) * pitch + pixels <= out.len(), "planes for each channel");
    let from = match level.units() {
        // SAFETY: the level is this machine's, planes have room.
        #[cfg(target_arch = "x86_64")]
        Units::Avx512 => unsafe { avx512::spread(row, channels, offset, out, pitch) },
        _ => 0,
    };
    for c in from..channels {
        let plane = &mut out[c * pitch..][..pixels];
        for (to, v) in plane.iter_mut().zip(row.iter().skip(c).step_by(channels)) {
            *to = (*v as u8).wrapping_add(offset);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    /// Channels and pixels of a block.
    const SIDE: usize = 16;

    /// Blocks of channels, as long as there are whole ones; returns the first channel that is left.
    ///
    /// # Safety   the machine has the features, planes have room for as many pixels
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub unsafe fn spread(row: &[i8], channels: usize, offset: u8, out: &mut [u8], pitch: usize) -> usize {
        let (pixels, whole) = (row.len() / channels, channels / SIDE * SIDE);
        let offset = _mm512_set1_epi8(offset as i8);
        for x in (0..pixels).step_by(SIDE) {
            let count = SIDE.min(pixels - x);
            for c in (0..whole).step_by(SIDE) {
                // SAFETY: a block's pixels, the last again where there are fewer, have 16 channels from `c` on; a plane has room for `count`.
                unsafe {
                    let pixel = |i: usize| {
                        _mm_loadu_si128(row.as_ptr().add((x + i.min(count - 1)) * channels + c).cast())
                    };
                    let block = transposed(pixel, offset);
                    for (quarter, planes) in block.into_iter().enumerate() {
                        let first = out.as_mut_ptr().add((c + 4 * quarter) * pitch + x);
                        let lanes = [
                            _mm512_castsi512_si128(planes),
                            _mm512_extracti32x4_epi32::<1>(planes),
                            _mm512_extracti32x4_epi32::<2>(planes),
                            _mm512_extracti32x4_epi32::<3>(planes),
                        ];
                        for (i, lane) in lanes.into_iter().enumerate() {
                            let to = first.add(i * pitch);
                            match count {
                                SIDE => _mm_storeu_si128(to.cast(), lane),
                                8 => _mm_storel_epi64(to.cast(), lane),
                                _ => {
                                    let mut bytes = [0u8; SIDE];
                                    _mm_storeu_si128(bytes.as_mut_ptr().cast(), lane);
                                    to.copy_from_nonoverlapping(bytes.as_ptr(), count);
                                }
                            }
                        }
                    }
                }
            }
        }
        whole
    }

    /// Four times the planes of four channels, from 16 pixels of 16 channels.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn transposed(pixel: impl Fn(usize) -> __m128i, offset: __m512i) -> [__m512i; 4] {
        // lane l: pixel 4l + i
        let every_fourth = |i: usize| {
            let v = _mm512_castsi128_si512(pixel(i));
            let v = _mm512_inserti32x4::<1>(v, pixel(i + 4));
            let v = _mm512_inserti32x4::<2>(v, pixel(i + 8));
            _mm512_add_epi8(_mm512_inserti32x4::<3>(v, pixel(i + 12)), offset)
        };
        let [a, b, c, d] = [every_fourth(0), every_fourth(1), every_fourth(2), every_fourth(3)];
        // lane l, channel by channel: pixels 4l, 4l + 1 …
        let (ab, cd) = (
            [_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)],
            [_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d)],
        );
        let fours = [
            _mm512_unpacklo_epi16(ab[0], cd[0]),
            _mm512_unpackhi_epi16(ab[0], cd[0]),
            _mm512_unpacklo_epi16(ab[1], cd[1]),
            _mm512_unpackhi_epi16(ab[1], cd[1]),
        ];
        // [lane, channel] to [channel, lane]
        let turn = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        fours.map(|four| _mm512_permutexvar_epi32(turn, four))
    }
}
