//! FIR filters of any size by products of spectra, tile by tile (overlap-save).
//!
//! ```text
//! tile, T×T, with what lies around ─► FFT ─► · conj(FFT(kernel)) ─► inverse ─► its (T − k + 1)² results
//! ```
//! Two tiles go through one complex transform, one as real and one as imaginary part: the kernel is real.
//! # Numeric  f64 without the CPU's vector units, so that bits do not depend on it

use crate::Border;
use crate::image::{Image, Samples, Shape};
use crate::sample::Sample;
use num_complex::Complex;
use rayon::prelude::*;
use rustfft::{Fft, FftDirection, FftPlannerScalar};
use std::sync::Arc;

/// Sides of tiles are at least this many times the kernel's, unless the whole image is smaller.
const OVERLAP: usize = 4;
/// Sides below which transforms cost more than they save.
const LEAST_TILE: usize = 128;

/// A correlation with a kernel, in the frequency domain.
pub(crate) struct Spectral {
    kernel: Vec<f64>,
    rows: usize,
    columns: usize,
}

/// Along one axis: points of a transform and results of each.
#[derive(Clone, Copy)]
struct Axis {
    points: usize,
    results: usize,
    tiles: usize,
}

impl Axis {
    fn new(n: usize, taps: usize) -> Self {
        let whole = smooth_size(n + taps - 1);
        let points = whole.min(smooth_size((OVERLAP * taps).max(LEAST_TILE)));
        let results = points - taps + 1;
        Axis { points, results, tiles: n.div_ceil(results) }
    }
}

/// The smallest 2^a·3^b·5^c that is at least `n`.
fn smooth_size(n: usize) -> usize {
    let is_smooth = |n: &usize| {
        let without =
            |n: usize, p: usize| std::iter::successors(Some(n), |n| (n % p == 0).then(|| n / p)).last();
        [2, 3, 5].into_iter().fold(*n, |n, p| without(n, p).unwrap_or(n)) == 1
    };
    (n..).find(is_smooth).expect("a power of two")
}

/// Transforms of a tile; columns are transformed as rows of the transposed tile.
struct Tile {
    height: usize,
    width: usize,
    forward: [Arc<dyn Fft<f64>>; 2],
    inverse: [Arc<dyn Fft<f64>>; 2],
}

impl Tile {
    fn new(height: usize, width: usize) -> Self {
        let mut planner = FftPlannerScalar::new();
        let mut plans = |direction| [width, height].map(|n| planner.plan_fft(n, direction));
        Tile { height, width, forward: plans(FftDirection::Forward), inverse: plans(FftDirection::Inverse) }
    }

    /// The spectrum, transposed.
    fn forward(&self, tile: &mut [Complex<f64>]) -> Vec<Complex<f64>> {
        self.forward[0].process(tile);
        let mut turned = transposed(tile, self.width);
        self.forward[1].process(&mut turned);
        turned
    }

    fn inverse(&self, spectrum: &mut [Complex<f64>]) -> Vec<Complex<f64>> {
        self.inverse[1].process(spectrum);
        let mut tile = transposed(spectrum, self.height);
        self.inverse[0].process(&mut tile);
        tile
    }
}

fn transposed(v: &[Complex<f64>], width: usize) -> Vec<Complex<f64>> {
    const BLOCK: usize = 16;
    let height = v.len() / width;
    let mut out = vec![Complex::default(); v.len()];
    for y in (0..height).step_by(BLOCK) {
        for x in (0..width).step_by(BLOCK) {
            for i in y..height.min(y + BLOCK) {
                for j in x..width.min(x + BLOCK) {
                    out[j * height + i] = v[i * width + j];
                }
            }
        }
    }
    out
}

impl Spectral {
    /// A kernel of so many columns, row-major; its centre is the middle, the right or lower one of two.
    pub fn new(kernel: Vec<f64>, columns: usize) -> Self {
        Spectral { rows: kernel.len() / columns, columns, kernel }
    }

    /// The kernel down·alongᵀ.
    pub fn separable(down: &[f64], along: &[f64]) -> Self {
        let kernel = down.iter().flat_map(|d| along.iter().map(move |a| d * a)).collect();
        Spectral::new(kernel, along.len())
    }

    /// Filters.
    pub fn apply(&self, image: &Image, border: Border) -> Image {
        let samples = match image.samples() {
            Samples::U8(v) => Samples::U8(self.filter(image.shape(), v, border, 0.0)),
            Samples::U16(v) => Samples::U16(self.filter(image.shape(), v, border, 0.0)),
            Samples::F32(v) => Samples::F32(self.filter(image.shape(), v, border, 0.0)),
        };
        Image::made(image.shape(), samples)
    }

    /// Filters samples, and adds `offset`.
    pub fn filter<T: Sample>(&self, shape: Shape, samples: &[T], border: Border, offset: f32) -> Vec<T> {
        let (down, along) = (Axis::new(shape.height, self.rows), Axis::new(shape.width, self.columns));
        let tile = Tile::new(down.points, along.points);
        let kernel = self.spectrum(&tile);
        let channels = shape.channels;
        let at = [
            border.indices(shape.height, self.rows / 2, down.points + down.tiles * down.results),
            border.indices(shape.width, self.columns / 2, along.points + along.tiles * along.results),
        ];
        let place = |i: usize| {
            let (tile, channel) = (i / channels, i % channels);
            (tile / along.tiles * down.results, tile % along.tiles * along.results, channel)
        };
        let gather = |i: usize, mut put: Box<dyn FnMut(usize, f64) + '_>| {
            let (y, x, channel) = place(i);
            for (j, row) in at[0][y..y + down.points].iter().enumerate() {
                for (k, column) in at[1][x..x + along.points].iter().enumerate() {
                    let (row, column) = (*row as usize, *column as usize);
                    let inside = row < shape.height && column < shape.width;
                    let sample = || samples[row * shape.pitch() + column * channels + channel].to_f32();
                    put(j * along.points + k, f64::from(if inside { sample() } else { border.outside() }));
                }
            }
        };
        let items = down.tiles * along.tiles * channels;
        let pairs: Vec<Vec<Complex<f64>>> = (0..items.div_ceil(2))
            .into_par_iter()
            .map(|pair| {
                let mut v = vec![Complex::default(); down.points * along.points];
                gather(2 * pair, Box::new(|i, value| v[i].re = value));
                if 2 * pair + 1 < items {
                    gather(2 * pair + 1, Box::new(|i, value| v[i].im = value));
                }
                let mut spectrum = tile.forward(&mut v);
                spectrum.iter_mut().zip(&kernel).for_each(|(s, k)| *s *= k);
                tile.inverse(&mut spectrum)
            })
            .collect();
        let mut out = vec![T::default(); samples.len()];
        for i in 0..items {
            let (y, x, channel) = place(i);
            for j in 0..down.results.min(shape.height - y) {
                let row = &mut out[(y + j) * shape.pitch()..][..shape.pitch()];
                for k in 0..along.results.min(shape.width - x) {
                    let z = pairs[i / 2][j * along.points + k];
                    row[(x + k) * channels + channel] =
                        T::from_f64(if i % 2 == 0 { z.re } else { z.im } + f64::from(offset));
                }
            }
        }
        out
    }

    /// conj(FFT(kernel)) / points, transposed as spectra of tiles are.
    fn spectrum(&self, tile: &Tile) -> Vec<Complex<f64>> {
        let mut v = vec![Complex::default(); tile.height * tile.width];
        for (from, to) in self.kernel.chunks_exact(self.columns).zip(v.chunks_exact_mut(tile.width)) {
            from.iter().zip(to).for_each(|(k, z)| z.re = *k);
        }
        let points = v.len() as f64;
        tile.forward(&mut v).iter().map(|z| z.conj() / points).collect()
    }
}
