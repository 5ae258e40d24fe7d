//! Two real planes in one complex transform.
//!
//! ```text
//! z = a + i·b      A[f] = (Z[f] + conj Z[−f]) / 2      B[f] = (Z[f] − conj Z[−f]) / 2i
//! Z[f] = A[f] + i·B[f],  Z[−f] = conj A[f] + i·conj B[f]
//! ```
//!
//! Planes 2j and 2j + 1 of an example share a transform; a last one without a partner has it alone, so that no
//! example depends on its neighbours.
//!
//! Spectra are matrices, one a bin: `[rows, parts·channels]`, the real parts of all channels first.

use super::bins::{Bin, Bins};
use crate::tensor::blocks::for_blocks;
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use num_complex::Complex;
use rayon::prelude::*;
use rustfft::num_traits::Float;

/// One matrix `[rows, parts·channels]` a bin.
pub type Spectra<T> = Vec<Array2<T>>;

/// How many planes there are, and in which transforms they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Examples.
    pub examples: usize,
    /// Rows of an example.
    pub rows: usize,
    /// Channels of a row.
    pub channels: usize,
    /// Points of a plane.
    pub points: usize,
}

impl Layout {
    /// Planes of an example.
    pub const fn planes(&self) -> usize {
        self.rows * self.channels
    }

    /// Transforms of an example.
    pub const fn pairs(&self) -> usize {
        self.planes().div_ceil(2)
    }

    /// All transforms.
    pub const fn transforms(&self) -> usize {
        self.examples * self.pairs()
    }

    /// Transform of a plane, and whether it is the second one in it.
    fn place(&self, row: usize, channel: usize) -> (usize, bool) {
        let plane = row % self.rows * self.channels + channel;
        (row / self.rows * self.pairs() + plane / 2, plane % 2 == 1)
    }

    /// Pairs planes that `cut(example, planes)` fills, zero before.
    ///
    /// # Shape    → `[transforms, points]`
    pub fn pack<T: Copy + Default + Send + Sync>(
        &self,
        cut: impl Fn(usize, &mut [T]) + Sync,
    ) -> Array2<Complex<T>> {
        let mut z =
            Array2::from_elem((self.transforms(), self.points), Complex::new(T::default(), T::default()));
        let size = self.pairs() * self.points;
        for_blocks(slice_mut(&mut z), size, |start, z| {
            let mut planes = vec![T::default(); 2 * size];
            cut(start / size, &mut planes[..self.planes() * self.points]);
            for (z, pair) in z.chunks_exact_mut(self.points).zip(planes.chunks_exact(2 * self.points)) {
                let (a, b) = pair.split_at(self.points);
                z.iter_mut().zip(a.iter().zip(b)).for_each(|(z, (a, b))| *z = Complex::new(*a, *b));
            }
        });
        z
    }

    /// Hands the planes of each example, real and imaginary parts of its transforms, to `join(planes, result)`.
    ///
    /// # Shape    `[transforms, points]` → `[examples, features]`
    pub fn unpack<T: Copy + Default + Send + Sync, U: Copy + Send + Sync>(
        &self,
        z: &Array2<Complex<U>>,
        value: impl Fn(usize, U) -> T + Sync,
        result: &mut Array2<T>,
        join: impl Fn(&[T], &mut [T]) + Sync,
    ) {
        let (features, size) = (result.ncols(), self.pairs() * self.points);
        let z = slice(z);
        for_blocks(slice_mut(result), features, |start, result| {
            let example = start / features;
            let mut planes = vec![T::default(); 2 * size];
            let pairs = planes.chunks_exact_mut(2 * self.points);
            let transforms = z[example * size..][..size].chunks_exact(self.points);
            for (i, (pair, z)) in pairs.zip(transforms).enumerate() {
                let transform = example * self.pairs() + i;
                let (a, b) = pair.split_at_mut(self.points);
                for ((a, b), z) in a.iter_mut().zip(b).zip(z) {
                    (*a, *b) = (value(transform, z.re), value(transform, z.im));
                }
            }
            join(&planes[..self.planes() * self.points], result);
        });
    }

    /// Spectra of the planes in transforms `[transforms, points]`, whose values are `value(transform, part)`.
    ///
    /// Bins that are not `wanted` stay empty.
    pub fn separate<T: Float + Default + Send + Sync, U: Copy + Sync>(
        &self,
        bins: &Bins,
        z: &Array2<Complex<U>>,
        value: impl Fn(usize, U) -> T + Sync,
        wanted: impl Fn(usize) -> bool + Sync,
    ) -> Spectra<T> {
        let half = T::one() / (T::one() + T::one());
        let z = slice(z);
        let list: Vec<(usize, Bin)> = bins.iter().copied().enumerate().collect();
        let of = |&(i, bin): &(usize, Bin)| {
            if !wanted(i) {
                return Array2::default((0, 0));
            }
            let width = bin.parts() * self.channels;
            let mut spectrum = Array2::default((self.examples * self.rows, width));
            for (row, out) in slice_mut(&mut spectrum).chunks_exact_mut(width).enumerate() {
                for channel in 0..self.channels {
                    let (transform, second) = self.place(row, channel);
                    let at = |index: usize| {
                        let z = z[transform * self.points + index];
                        (value(transform, z.re), value(transform, z.im))
                    };
                    let ((re, im), (mirror_re, mirror_im)) = (at(bin.index), at(bin.mirror));
                    let (a, b) = match second {
                        false => (re + mirror_re, im - mirror_im),
                        true => (im + mirror_im, mirror_re - re),
                    };
                    out[channel] = a * half;
                    if !bin.is_real() {
                        out[self.channels + channel] = b * half;
                    }
                }
            }
            spectrum
        };
        list.par_iter().map(of).collect()
    }

    /// The transforms that have these spectra; the inverse of [`separate`](Self::separate). An empty matrix stands
    /// for zeros.
    ///
    /// # Shape    → `[transforms, points]`
    pub fn combine<T: Float + Default + Send + Sync>(
        &self,
        bins: &Bins,
        spectra: &Spectra<T>,
    ) -> Array2<Complex<T>> {
        let zero = Complex::new(T::zero(), T::zero());
        let mut z = Array2::from_elem((self.transforms(), self.points), zero);
        let size = self.pairs() * self.points;
        for_blocks(slice_mut(&mut z), size, |start, z| {
            let first = start / size * self.rows;
            for (bin, spectrum) in bins.iter().zip(spectra).filter(|(_, spectrum)| !spectrum.is_empty()) {
                let width = bin.parts() * self.channels;
                let rows = slice(spectrum)[first * width..][..self.rows * width].chunks_exact(width);
                for (plane, (re, im)) in rows
                    .flat_map(|row| {
                        let (re, im) = row.split_at(self.channels);
                        let im = im.iter().copied().chain(std::iter::repeat(T::zero()));
                        re.iter().copied().zip(im)
                    })
                    .enumerate()
                {
                    let pair = &mut z[plane / 2 * self.points..][..self.points];
                    // a, conj a for the first of a pair, i·b, i·conj b for the second
                    let (at, mirror) = match plane % 2 {
                        0 => (Complex::new(re, im), Complex::new(re, -im)),
                        _ => (Complex::new(-im, re), Complex::new(im, re)),
                    };
                    pair[bin.index] = pair[bin.index] + at;
                    if !bin.is_real() {
                        pair[bin.mirror] = pair[bin.mirror] + mirror;
                    }
                }
            }
        });
        z
    }
}
