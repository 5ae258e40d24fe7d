//! Median of a square window.
//!
//! | window | samples | how |
//! |---|---|---|
//! | 3×3, 5×5 | any | columns sorted once, then minima and maxima that leave the middle one, whole rows at a time |
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

pub(crate) const KIND: Kind = Kind {
    name: "median",
    about: "the median of a square window",
    parameters: &[SIZE],
    build,
    correlation: None,
};

const SIZE: Parameter = Parameter {
    name: "size",
    value: "N",
    default: Some("3"),
    help: "pixels along the window's sides: odd, 1 to 255",
};

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
            Samples::U8(v) if size > 5 => Samples::U8(bands(
                (shape, v),
                reach,
                (border, u8::from_f32(border.outside())),
                |v| v,
                |band: &Band<u8>, out| {
                    let mut columns = vec![NONE; band.row(0).len()];
                    for i in 0..size - 1 {
                        count(&mut columns, band.row(i), 1);
                    }
                    for (i, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
                        count(&mut columns, band.row(i + size - 1), 1);
                        by_histogram(&columns, size, channels, out);
                        count(&mut columns, band.row(i), u16::MAX);
                    }
                },
            )),
            Samples::U8(v) => Samples::U8(filter(image, v, size, border)),
            Samples::U16(v) => Samples::U16(filter(image, v, size, border)),
            Samples::F32(v) => Samples::F32(filter(image, v, size, border)),
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

/// A whole number in the order of the sample that it stands for: vector units compare whole numbers at once.
trait Key: Sample {
    type Whole: Copy + Default + Ord + Send + Sync;
    fn key(self) -> Self::Whole;
    fn of(key: Self::Whole) -> Self;
}

macro_rules! whole {
    ($T:ty) => {
        impl Key for $T {
            type Whole = $T;

            #[inline(always)]
            fn key(self) -> $T {
                self
            }

            #[inline(always)]
            fn of(key: $T) -> $T {
                key
            }
        }
    };
}

whole!(u8);
whole!(u16);

impl Key for f32 {
    type Whole = i32;

    #[inline(always)]
    fn key(self) -> i32 {
        // negative numbers: the larger their bits, the smaller they are
        let bits = self.to_bits().cast_signed();
        bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
    }

    #[inline(always)]
    fn of(key: i32) -> f32 {
        f32::from_bits((key ^ ((key >> 31).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
    }
}

/// Networks and selection.
fn filter<T: Key>(image: &Image, samples: &[T], size: usize, border: Border) -> Vec<T> {
    let (shape, channels) = (image.shape(), image.shape().channels);
    let outside = T::from_f32(border.outside()).key();
    bands((shape, samples), Reach::of(size, size), (border, outside), T::key, |band, out| {
        let mut window = vec![T::Whole::default(); size * size];
        let mut columns = [(); 5].map(|()| vec![T::Whole::default(); band.row(0).len()]);
        for (y, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
            match size {
                3 => of_nine(band, y, channels, out),
                5 => of_twenty_five(band, y, channels, &mut columns, out),
                _ => {
                    for (x, out) in out.iter_mut().enumerate() {
                        for (i, row) in window.chunks_exact_mut(size).enumerate() {
                            let from = band.row(y + i)[x..].iter().step_by(channels);
                            row.iter_mut().zip(from).for_each(|(to, v)| *to = *v);
                        }
                        *out = T::of(*window.select_nth_unstable(size * size / 2).1);
                    }
                }
            }
        }
    })
}

/// What lies in a window of `size` rows and columns around each sample of a row of `n`: a slice for each of its places.
#[inline(always)]
fn places<W, const PLACES: usize>(
    band: &Band<W>,
    y: usize,
    size: usize,
    channels: usize,
    n: usize,
) -> [&[W]; PLACES] {
    std::array::from_fn(|i| &band.row(y + i / size)[i % size * channels..][..n])
}

#[inline(always)]
fn median_of_three<W: Copy + Ord>(a: W, b: W, c: W) -> W {
    a.min(b).max(a.max(b).min(c))
}

/// The smallest, the middle and the largest.
#[inline(always)]
fn sorted<W: Copy + Ord>(a: W, b: W, c: W) -> [W; 3] {
    let (low, high) = (a.min(b), a.max(b));
    let middle = high.min(c);
    [low.min(middle), low.max(middle), high.max(c)]
}

/// Pixels whose medians are made together, in registers.
const CHUNK: usize = 64;

/// Of three columns sorted: the median of the largest minimum, the middle median and the smallest maximum.
#[inline(always)]
fn middle_of_nine<W: Copy + Ord>(get: impl Fn(usize) -> W) -> W {
    let column = |i: usize| sorted(get(i), get(i + 3), get(i + 6));
    let [[a, b, c], [d, e, f], [g, h, i]] = [column(0), column(1), column(2)];
    median_of_three(a.max(d).max(g), median_of_three(b, e, h), c.min(f).min(i))
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn of_nine<T: Key>(band: &Band<T::Whole>, y: usize, channels: usize, out: &mut [T]) {
    let window: [_; 9] = places(band, y, 3, channels, out.len());
    let (chunks, rest) = out.as_chunks_mut::<CHUNK>();
    let blank = [T::Whole::default(); CHUNK];
    for (i, out) in chunks.iter_mut().enumerate() {
        let mut own = [&blank; 9];
        for (chunk, row) in own.iter_mut().zip(window) {
            *chunk = row[i * CHUNK..].first_chunk().expect("a chunk");
        }
        for x in 0..CHUNK {
            out[x] = T::of(middle_of_nine(|i| own[i][x]));
        }
    }
    let done = CHUNK * chunks.len();
    for (x, out) in rest.iter_mut().enumerate() {
        *out = T::of(middle_of_nine(|i| window[i][done + x]));
    }
}

/// Columns of five, sorted, once for all windows that they are in; then the middle of each window.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn of_twenty_five<T: Key>(
    band: &Band<T::Whole>,
    y: usize,
    channels: usize,
    columns: &mut [Vec<T::Whole>; 5],
    out: &mut [T],
) {
    let [a, b, c, d, e] = columns;
    sort_columns(places(band, y, 1, 0, a.len()), a, b, c, d, e);
    let sorted = [&**a, b, c, d, e];
    let (chunks, rest) = out.as_chunks_mut::<CHUNK>();
    let blank = [T::Whole::default(); CHUNK];
    for (i, out) in chunks.iter_mut().enumerate() {
        // loops: a closure over arrays of arrays is not inlined, and takes as long as the medians
        let mut window = [[&blank; 5]; 5];
        for (column, window) in window.iter_mut().enumerate() {
            for (chunk, row) in window.iter_mut().zip(sorted) {
                *chunk = row[i * CHUNK + column * channels..].first_chunk().expect("a chunk");
            }
        }
        for x in 0..CHUNK {
            out[x] = T::of(middle_of_sorted(|row, column| window[column][row][x]));
        }
    }
    let done = CHUNK * chunks.len();
    for (x, out) in rest.iter_mut().enumerate() {
        *out = T::of(middle_of_sorted(|row, column| sorted[row][done + x + column * channels]));
    }
}

/// Columns of five rows, from the smallest to the largest.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn sort_columns<W: Copy + Ord>(
    rows: [&[W]; 5],
    a: &mut [W],
    b: &mut [W],
    c: &mut [W],
    d: &mut [W],
    e: &mut [W],
) {
    let n = a.len();
    let (b, c, d, e) = (&mut b[..n], &mut c[..n], &mut d[..n], &mut e[..n]);
    for x in 0..n {
        [a[x], b[x], c[x], d[x], e[x]] = sorted_five(std::array::from_fn(|i| rows[i][x]));
    }
}

/// From the smallest to the largest.
#[inline(always)]
fn sorted_five<W: Copy + Ord>(mut v: [W; 5]) -> [W; 5] {
    for (i, j) in [(0, 1), (3, 4), (2, 4), (2, 3), (1, 4), (0, 3), (0, 2), (1, 3), (1, 2)] {
        exchange(&mut v, i, j);
    }
    v
}

/// The middle of 25 in five sorted columns. With the rows sorted, too, place (i, j) has (i+1)(j+1) − 1 before it and (5−i)(5−j) − 1 behind it,
/// so that only 13 can be the middle one: the two largest of the first row, the three largest of the second, … As many are dropped
/// below as above.
#[inline(always)]
fn middle_of_sorted<W: Copy + Ord>(get: impl Fn(usize, usize) -> W) -> W {
    let mut rows: [[W; 5]; 5] = std::array::from_fn(|row| std::array::from_fn(|column| get(row, column)));
    let [first, second, third, fourth, fifth] = &mut rows;
    drop_smallest::<W, 5, 5>(first);
    drop_smallest::<W, 5, 4>(first);
    drop_smallest::<W, 5, 3>(first);
    drop_smallest::<W, 5, 5>(second);
    drop_smallest::<W, 5, 4>(second);
    drop_ends::<W, 5, 5>(third);
    drop_largest::<W, 5, 5>(fourth);
    drop_largest::<W, 5, 4>(fourth);
    drop_largest::<W, 5, 5>(fifth);
    drop_largest::<W, 5, 4>(fifth);
    drop_largest::<W, 5, 3>(fifth);
    // the middle of 13: among eight, the smallest and the largest cannot be it; each is dropped, and another taken in
    let mut open = [first[0], first[1], second[0], second[1], second[2], third[0], third[1], third[2]];
    drop_ends::<W, 8, 8>(&mut open);
    open[6] = fourth[0];
    drop_ends::<W, 8, 7>(&mut open);
    open[5] = fourth[1];
    drop_ends::<W, 8, 6>(&mut open);
    open[4] = fourth[2];
    drop_ends::<W, 8, 5>(&mut open);
    open[3] = fifth[0];
    drop_ends::<W, 8, 4>(&mut open);
    open[2] = fifth[1];
    drop_ends::<W, 8, 3>(&mut open);
    open[0]
}

/// Puts the smaller of two into the first place.
#[inline(always)]
fn exchange<W: Copy + Ord>(open: &mut [W], i: usize, j: usize) {
    (open[i], open[j]) = (open[i].min(open[j]), open[i].max(open[j]));
}

/// Drops the smallest of N: those left are in the first N − 1 places.
#[inline(always)]
fn drop_smallest<W: Copy + Ord, const M: usize, const N: usize>(open: &mut [W; M]) {
    for i in 0..N - 1 {
        exchange(open, N - 1, i);
    }
}

/// Drops the largest of N: those left are in the first N − 1 places.
#[inline(always)]
fn drop_largest<W: Copy + Ord, const M: usize, const N: usize>(open: &mut [W; M]) {
    for i in 0..N - 1 {
        exchange(open, i, N - 1);
    }
}

/// Drops the smallest and the largest of N: those left are in the first N − 2 places.
#[inline(always)]
fn drop_ends<W: Copy + Ord, const M: usize, const N: usize>(open: &mut [W; M]) {
    // the smallest is among the smaller ones of pairs, the largest among the larger ones
    for i in 0..N / 2 {
        exchange(open, i, N - 1 - i);
    }
    for i in 1..N.div_ceil(2) {
        exchange(open, 0, i);
    }
    for i in N / 2..N - 1 {
        exchange(open, i, N - 1);
    }
    open[0] = open[N - 2];
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
        for inputs in (0..1u32 << 25).step_by(37) {
            let columns: [[u8; 5]; 5] = std::array::from_fn(|j| {
                sorted_five(std::array::from_fn(|i| ((inputs >> (5 * i + j)) & 1) as u8))
            });
            let median = middle_of_sorted(|row, column| columns[column][row]);
            assert_eq!(u32::from(median), u32::from(inputs.count_ones() > 12), "{inputs:b}");
        }
    }
}
