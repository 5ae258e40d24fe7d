//! Power spectra of the maps that enter a layer, and what is left of them behind its weights.
//!
//! ```text
//! S_c(f) = mean over images of Σ_tiles |X̂_c(f)|²        R_c = F⁻¹(S_c), R_c(0) = mean of ‖x_c‖²        channel c alone
//! in space      R w = F⁻¹(S ⊙ Ŵ): (R w)_i = Σ_j R(i − j)·w_j
//! of bins       R is diagonal: (R Ŵ)_f = p/N·S(f)·|Ŵ_f|                p = 2 for a bin and its mirror image, 1 for real bins
//! E = Σ_i w_i·(R w)_i = Σ_f |Ŵ_f|²·S(f)/N                   the energy behind a kernel, of N points with circular borders
//! ```
//!
//! Maps of a layer in space are cut into tiles of F×F points that do not overlap, zero beyond the map's end; F is the power
//! of two from 4 that is at least 2k − 1, so that no two weights of a kernel of k points meet in two ways. The borders of a
//! tile are taken as circular. Layers whose kernels have one point, linear ones among them, have F = 1: S is R(0), and no transform is
//! needed. A spectral layer has X̂ of its own tiles or blocks.
//!
//! # Shape    S `[bins, channels]`, a half of each spectrum; X `[B, h·w·c]`
//! # Numeric  on a device: integers of X, shifted up to 16 bits, through the FFT unit in block floating point; |X̂|² and its sums
//! in f64, in order. Without such a unit, of points that it does not take, and on the float engine: X̂ in f64, by the host
//! # Source   Wiener–Khinchin; deviation: cross spectra of channels are left out

use super::bins::{Bin, Bins};
use super::frame::{Frame, Tiles};
use super::hermitian::Spectra;
use super::quantize::{forward_steps, unit_shift};
use super::transform::Transform;
use crate::backend::{Pass, Product, ProductError};
use crate::layers::prunable::Groups;
use crate::quant::Quantized;
use crate::tensor::{Shape, slice};
use ndarray::{Array2, s};
use num_complex::Complex;
use tandem_driver::{FftProblem, Points};

/// The smallest tile that is transformed.
const SMALLEST: usize = 4;

/// Power spectra of the maps of all channels.
#[derive(Clone, Debug)]
pub struct Power {
    bins: Bins,
    /// Sums over images, `[bins, channels]`.
    sums: Array2<f64>,
    images: usize,
}

impl Power {
    /// Of spectra of so many images, all rows of them; no power where a spectrum is empty.
    pub fn of_spectra(bins: Bins, spectra: &Spectra<f64>, channels: usize, images: usize) -> Self {
        let mut sums = Array2::zeros((bins.len(), channels));
        for (mut sums, spectrum) in sums.rows_mut().into_iter().zip(spectra) {
            for row in spectrum.rows() {
                row.iter().enumerate().for_each(|(i, v)| sums[i % channels] += v * v);
            }
        }
        Power { bins, sums, images }
    }

    /// Of the input of a layer in space whose kernels have this height and width. `x` is what the layer made of its input
    /// in the last forward pass, and is not looked at on the float engine.
    ///
    /// # Errors   a transform that failed: as for spectral layers, the unit has to have 16 bits and block floating point
    pub fn of_maps(
        shape: Shape,
        kernel: [usize; 2],
        (input, x): (&Array2<f32>, &Quantized),
        pass: &mut Pass<'_>,
    ) -> Result<Self, ProductError> {
        let reach = 2 * kernel[0].max(kernel[1]) - 1;
        let side = if reach == 1 { 1 } else { reach.next_power_of_two().max(SMALLEST) };
        let frame = Frame::Tiles(Tiles { input: shape, output: shape, kernel: 1, padding: 0, side });
        let (images, features) = input.dim();
        let (points, bins, layout) = (frame.points(), frame.bins(), frame.input_layout(images));
        let problem = FftProblem { transforms: layout.transforms(), points };
        let spectra = if side > 1 && pass.predict(&problem.into()).is_some() {
            let (integers, shift) = (x.integers(), unit_shift(x.format()));
            let integers = slice(&integers);
            let z = layout.pack(|e, planes| {
                frame.cut_input(&integers[e * features..][..features], planes);
                planes.iter_mut().for_each(|v| *v <<= shift);
            });
            let result = pass.transform(Product::Forward, z.view(), points, false)?;
            let steps = forward_steps(&result.exponents, x.scales().one(), shift);
            let value = |transform: usize, v: i32| f64::from(v) * f64::from(steps[transform]);
            layout.separate(&bins, &result.y, value, |_| true)
        } else {
            let maps = match pass.is_float() {
                true => input.mapv(f64::from),
                false => {
                    let scale = f64::from(x.scales().one());
                    x.integers().mapv(|v| f64::from(v) * scale)
                }
            };
            let mut z = layout.pack(|e, planes| {
                frame.cut_input(&slice(&maps)[e * features..][..features], planes);
            });
            Transform::new(points).forward(&mut z);
            layout.separate(&bins, &z, |_, v| v, |_| true)
        };
        Ok(Power::of_spectra(bins, &spectra, shape.c, images))
    }

    /// Adds the power of other images.
    ///
    /// # Panics   if the shapes differ
    pub fn add(&mut self, other: &Power) {
        self.sums += &other.sums;
        self.images += other.images;
    }

    /// S of a bin and channel.
    pub fn at(&self, bin: usize, channel: usize) -> f64 {
        self.sums[[bin, channel]] / self.images.max(1) as f64
    }

    /// R(0) of a channel: the mean of ‖x‖².
    pub fn variance(&self, channel: usize) -> f64 {
        let points = self.bins.points().count() as f64;
        self.bins.iter().enumerate().map(|(i, bin)| bin.parts() as f64 * self.at(i, channel)).sum::<f64>()
            / points
    }

    /// R_x·w of weights in space.
    ///
    /// # Shape    `[K, N]` of `groups` → the same
    pub fn filtered(&self, w: &Array2<f64>, groups: Groups) -> Array2<f64> {
        let points = self.bins.points();
        let Points::Tile(side) = points else { unreachable!("maps are cut into tiles") };
        let transform = Transform::new(points);
        let Groups { width, channels, outputs, blocks, .. } = groups;
        let place = |position: usize| position / width * side + position % width;
        let positions = groups.contraction() / channels;
        let mut result = Array2::zeros(w.dim());
        for channel in 0..channels * blocks {
            let (block, c) = (channel / channels, channel % channels);
            let columns = block * outputs / blocks..(block + 1) * outputs / blocks;
            let kernels = w.slice(s![.., columns.clone()]);
            let mut z = Array2::from_elem((columns.len(), points.count()), Complex::new(0.0, 0.0));
            for position in 0..positions {
                for (o, w) in kernels.row(position * channels + c).iter().enumerate() {
                    z[[o, place(position)]] = Complex::new(*w, 0.0);
                }
            }
            transform.forward(&mut z);
            for (i, Bin { index, mirror, .. }) in self.bins.iter().enumerate() {
                let power = self.at(i, channel);
                z.column_mut(*index).mapv_inplace(|v| v * power);
                if index != mirror {
                    z.column_mut(*mirror).mapv_inplace(|v| v * power);
                }
            }
            transform.inverse(&mut z);
            for position in 0..positions {
                let mut row = result.slice_mut(s![position * channels + c, columns.clone()]);
                row.iter_mut().zip(z.column(place(position))).for_each(|(out, z)| *out = z.re);
            }
        }
        result
    }

    /// R_x·Ŵ of magnitudes of coefficients, a bin with its mirror image.
    ///
    /// # Shape    `[bins·channels, outputs]` → the same
    pub fn filtered_bins(&self, magnitudes: &Array2<f64>) -> Array2<f64> {
        let (channels, points) = (self.sums.ncols(), self.bins.points().count() as f64);
        let parts: Vec<usize> = self.bins.iter().map(Bin::parts).collect();
        Array2::from_shape_fn(magnitudes.dim(), |(row, output)| {
            let (bin, channel) = (row / channels, row % channels);
            parts[bin] as f64 / points * self.at(bin, channel) * magnitudes[[row, output]]
        })
    }

    /// White maps with the same R(0).
    pub fn white(&self) -> Self {
        let variance = |channel| self.variance(channel) * self.images as f64;
        let sums = Array2::from_shape_fn(self.sums.dim(), |(_, channel)| variance(channel));
        Power { sums, ..self.clone() }
    }
}
