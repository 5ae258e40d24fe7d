//! Median of a square window.
//!
//! | window | samples | how |
//! |---|---|---|
//! | 3×3, 5×5 | any | minima and maxima of whole rows at a time, in a network that leaves the middle one |
//! | larger | u8 | histograms of columns, added and taken away as the window moves: cost independent of the size |
//! | larger | u16, f32 | selection in each window |
//! # Source   Perreault, Hébert 2007 (histograms of columns); deviation: all 256 classes are moved at each step, which vector units do in a
//! few instructions, instead of those that are looked at.

use crate::bands::{Band, Reach, bands};
use crate::exact::{self, Exact};
use crate::image::{Image, Samples};
use crate::parameter::{Parameter, Values, refused};
use crate::sample::Sample;
use crate::{Border, Filter, FilterError, Kind};
use multiversion::multiversion;

pub(crate) const KIND: Kind =
    Kind { name: "median", about: "the median of a square window", parameters: &[SIZE], build };

const SIZE: Parameter =
    Parameter { name: "size", value: "N", default: Some("3"), help: "pixels along the window's sides: odd, 1 to 255" };

/// Counts of a window have 16 bits.
const MOST_SIDE: usize = 255;

struct Median {
    size: usize,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let size = values.whole(&SIZE, 1..=MOST_SIDE)?;
    if size % 2 == 0 {
        return Err(refused("size", &size.to_string(), "an odd number"));
    }
    Ok(Box::new(Median { size }))
}

impl Filter for Median {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let reach = Reach::of(self.size, self.size);
        let (shape, size, channels) = (image.shape(), self.size, image.shape().channels);
        let samples = match image.samples() {
            _ if size == 1 => image.samples().clone(),
            Samples::U8(v) if size > 5 => {
                Samples::U8(bands((shape, v), reach, border, |v| v, |band: &Band<u8>, out| {
                    let mut columns = vec![NONE; band.row(0).len()];
                    for i in 0..size - 1 {
                        count(&mut columns, band.row(i), 1);
                    }
                    for (i, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
                        count(&mut columns, band.row(i + size - 1), 1);
                        by_histogram(&columns, size, channels, out);
                        count(&mut columns, band.row(i), u16::MAX);
                    }
                }))
            }
            Samples::U8(v) => Samples::U8(filter::<u8, 64>(image, v, size, border)),
            Samples::U16(v) => Samples::U16(filter::<u16, 32>(image, v, size, border)),
            Samples::F32(v) => Samples::F32(filter::<f32, 16>(image, v, size, border)),
        };
        Ok(Image::made(shape, samples))
    }

    fn exact(&self) -> Box<dyn Filter> {
        let radius = (self.size / 2).cast_signed();
        Box::new(Exact(move |image: &Image, border| {
            Ok(exact::each_sample(image, border, |around| {
                let side = -radius..=radius;
                let mut window: Vec<f64> =
                    side.clone().flat_map(|y| side.clone().map(move |x| around.at(y, x))).collect();
                window.sort_by(f64::total_cmp);
                window[window.len() / 2]
            }))
        }))
    }
}

/// Networks and selection.
fn filter<T: Sample, const N: usize>(image: &Image, samples: &[T], size: usize, border: Border) -> Vec<T> {
    let (shape, channels) = (image.shape(), image.shape().channels);
    bands((shape, samples), Reach::of(size, size), border, |v| v, |band: &Band<T>, out| {
        let mut window = vec![T::default(); size * size];
        for (y, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
            match size {
                3 => of_nine::<T, N>(band, y, channels, out),
                5 => of_twenty_five::<T, N>(band, y, channels, out),
                _ => {
                    for (x, out) in out.iter_mut().enumerate() {
                        for (i, row) in window.chunks_exact_mut(size).enumerate() {
                            let from = band.row(y + i)[x..].iter().step_by(channels);
                            row.iter_mut().zip(from).for_each(|(to, v)| *to = *v);
                        }
                        let order = |a: &T, b: &T| a.partial_cmp(b).expect("samples are finite");
                        *out = *window.select_nth_unstable_by(size * size / 2, order).1;
                    }
                }
            }
        }
    })
}

/// Results that are found together: what a vector register of 64 bytes holds.
type Chunk<T, const N: usize> = [T; N];

#[inline(always)]
fn min<T: Sample, const N: usize>(a: &Chunk<T, N>, b: &Chunk<T, N>) -> Chunk<T, N> {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(a, b)| *a = if *b < *a { *b } else { *a });
    out
}

#[inline(always)]
fn max<T: Sample, const N: usize>(a: &Chunk<T, N>, b: &Chunk<T, N>) -> Chunk<T, N> {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(a, b)| *a = if *a < *b { *b } else { *a });
    out
}

#[inline(always)]
fn median_of_three<T: Sample, const N: usize>([a, b, c]: [&Chunk<T, N>; 3]) -> Chunk<T, N> {
    max(&min(a, b), &min(&max(a, b), c))
}

/// The smallest, the middle and the largest.
#[inline(always)]
fn sorted<T: Sample, const N: usize>([a, b, c]: [&Chunk<T, N>; 3]) -> [Chunk<T, N>; 3] {
    let (low, high) = (min(a, b), max(a, b));
    let (middle, most) = (min(&high, c), max(&high, c));
    [min(&low, &middle), max(&low, &middle), most]
}

/// Runs `each` on chunks of a row of results: the last one overlaps the one before.
#[inline(always)]
fn chunks<T: Sample, const N: usize>(out: &mut [T], each: impl Fn(usize, usize) -> Chunk<T, N>) {
    let mut x = 0;
    while x < out.len() {
        let count = N.min(out.len() - x);
        out[x..x + count].copy_from_slice(&each(x, count)[..count]);
        x += count;
    }
}

/// `count` samples from `x` on.
#[inline(always)]
fn load<T: Sample, const N: usize>(row: &[T], x: usize, count: usize) -> Chunk<T, N> {
    let mut chunk = [T::default(); N];
    if count == N {
        chunk.copy_from_slice(&row[x..x + N]);
    } else {
        chunk[..count].copy_from_slice(&row[x..x + count]);
    }
    chunk
}

/// The middle of three columns sorted: the median of the largest minimum, the middle median and the smallest maximum.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn of_nine<T: Sample, const N: usize>(band: &Band<T>, y: usize, channels: usize, out: &mut [T]) {
    let rows = [band.row(y), band.row(y + 1), band.row(y + 2)];
    chunks::<T, N>(out, |x, count| {
        let column = |i: usize| {
            let [a, b, c] = rows.map(|row| load::<T, N>(row, x + i * channels, count));
            sorted([&a, &b, &c])
        };
        let [[a, b, c], [d, e, f], [g, h, i]] = [column(0), column(1), column(2)];
        let low = max(&max(&a, &d), &g);
        let middle = median_of_three([&b, &e, &h]);
        let high = min(&min(&c, &f), &i);
        median_of_three([&low, &middle, &high])
    });
}

/// The middle of 25: among 14, the smallest and the largest cannot be it; each is dropped, and another taken in.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn of_twenty_five<T: Sample, const N: usize>(band: &Band<T>, y: usize, channels: usize, out: &mut [T]) {
    chunks::<T, N>(out, |x, count| {
        let get = |i: usize| load(band.row(y + i / 5), x + i % 5 * channels, count);
        let mut open: [Chunk<T, N>; 14] = std::array::from_fn(get);
        drop_ends::<T, N, 14>(&mut open);
        drop_ends_after::<T, N, 13>(&mut open, get(14));
        drop_ends_after::<T, N, 12>(&mut open, get(15));
        drop_ends_after::<T, N, 11>(&mut open, get(16));
        drop_ends_after::<T, N, 10>(&mut open, get(17));
        drop_ends_after::<T, N, 9>(&mut open, get(18));
        drop_ends_after::<T, N, 8>(&mut open, get(19));
        drop_ends_after::<T, N, 7>(&mut open, get(20));
        drop_ends_after::<T, N, 6>(&mut open, get(21));
        drop_ends_after::<T, N, 5>(&mut open, get(22));
        drop_ends_after::<T, N, 4>(&mut open, get(23));
        drop_ends_after::<T, N, 3>(&mut open, get(24));
        open[0]
    });
}

/// Takes one in and drops the smallest and the largest of then OPEN: those left are in the first OPEN − 2 places.
#[inline(always)]
fn drop_ends_after<T: Sample, const N: usize, const OPEN: usize>(open: &mut [Chunk<T, N>; 14], next: Chunk<T, N>) {
    open[OPEN - 1] = next;
    drop_ends::<T, N, OPEN>(open);
}

/// Drops the smallest and the largest of OPEN: those left are in the first OPEN − 2 places.
#[inline(always)]
fn drop_ends<T: Sample, const N: usize, const OPEN: usize>(open: &mut [Chunk<T, N>; 14]) {
    // halves of pairs: the smallest is among the first, the largest among the second
    let half = OPEN / 2;
    for i in 0..half {
        let (a, b) = (open[i], open[OPEN - 1 - i]);
        open[i] = min(&a, &b);
        open[OPEN - 1 - i] = max(&a, &b);
    }
    let (first, last) = (OPEN.div_ceil(2), half);
    for i in 1..first {
        let (a, b) = (open[0], open[i]);
        open[0] = min(&a, &b);
        open[i] = max(&a, &b);
    }
    for i in last..OPEN - 1 {
        let (a, b) = (open[OPEN - 1], open[i]);
        open[OPEN - 1] = max(&a, &b);
        open[i] = min(&a, &b);
    }
    // the smallest goes: what is in the middle moves to its place
    open[0] = open[OPEN - 2];
}

/// How often each value occurs, and each sixteen values.
#[derive(Clone, Copy)]
struct Histogram {
    fine: [u16; 256],
    coarse: [u16; 16],
}

const NONE: Histogram = Histogram { fine: [0; 256], coarse: [0; 16] };

/// Adds `by` (mod 2^16) to the count of each column's sample.
fn count(columns: &mut [Histogram], row: &[u8], by: u16) {
    for (column, v) in columns.iter_mut().zip(row) {
        let fine = &mut column.fine[usize::from(*v)];
        *fine = fine.wrapping_add(by);
        let coarse = &mut column.coarse[usize::from(*v / 16)];
        *coarse = coarse.wrapping_add(by);
    }
}

#[inline(always)]
fn slide<const N: usize>(window: &mut [u16; N], new: &[u16; N], gone: &[u16; N]) {
    for ((w, new), gone) in window.iter_mut().zip(new).zip(gone) {
        *w = w.wrapping_add(*new).wrapping_sub(*gone);
    }
}

/// The first class with which more than `before` are passed, and how many are passed before it.
#[inline(always)]
fn passed(counts: &[u16], mut sum: u16, before: u16) -> (usize, u16) {
    let mut class = 0;
    while sum + counts[class] <= before {
        sum += counts[class];
        class += 1;
    }
    (class, sum)
}

/// Medians of windows of `size` columns.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn by_histogram(columns: &[Histogram], size: usize, channels: usize, out: &mut [u8]) {
    let before = (size * size / 2) as u16;
    for channel in 0..channels {
        let mut window = NONE;
        let column = |x: usize| &columns[x * channels + channel];
        for x in 0..size {
            slide(&mut window.fine, &column(x).fine, &NONE.fine);
            slide(&mut window.coarse, &column(x).coarse, &NONE.coarse);
        }
        for (x, out) in out[channel..].iter_mut().step_by(channels).enumerate() {
            if x > 0 {
                let (new, gone) = (column(x + size - 1), column(x - 1));
                slide(&mut window.fine, &new.fine, &gone.fine);
                slide(&mut window.coarse, &new.coarse, &gone.coarse);
            }
            let (class, sum) = passed(&window.coarse, 0, before);
            let (within, _) = passed(&window.fine[16 * class..], sum, before);
            *out = (16 * class + within) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network is right for all numbers if it is for zeros and ones.
    #[test]
    fn the_network_leaves_the_middle_one() {
        for start in (0..1u32 << 25).step_by(64) {
            // 64 inputs at once: input i's bit j
            let get = |i: usize| -> Chunk<u8, 64> { std::array::from_fn(|j| ((start + j as u32) >> i & 1) as u8) };
            if start / 64 % 37 != 0 {
                continue;
            }
            let mut open: [Chunk<u8, 64>; 14] = std::array::from_fn(get);
            drop_ends::<u8, 64, 14>(&mut open);
            drop_ends_after::<u8, 64, 13>(&mut open, get(14));
            drop_ends_after::<u8, 64, 12>(&mut open, get(15));
            drop_ends_after::<u8, 64, 11>(&mut open, get(16));
            drop_ends_after::<u8, 64, 10>(&mut open, get(17));
            drop_ends_after::<u8, 64, 9>(&mut open, get(18));
            drop_ends_after::<u8, 64, 8>(&mut open, get(19));
            drop_ends_after::<u8, 64, 7>(&mut open, get(20));
            drop_ends_after::<u8, 64, 6>(&mut open, get(21));
            drop_ends_after::<u8, 64, 5>(&mut open, get(22));
            drop_ends_after::<u8, 64, 4>(&mut open, get(23));
            drop_ends_after::<u8, 64, 3>(&mut open, get(24));
            for (j, median) in open[0].iter().enumerate() {
                assert_eq!(u32::from(*median), u32::from((start + j as u32).count_ones() > 12), "{start} + {j}");
            }
        }
    }
}
