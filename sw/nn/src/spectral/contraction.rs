//! The product of one bin, complex and as the real product of twice the size.

use super::bins::Bin;
use ndarray::Array2;
use num_complex::Complex;
use std::ops::{Add, Neg, Sub};

/// Channels that arrive and leave, and whether A is conj(Ŵ) or Ŵ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contraction {
    /// Channels that arrive.
    pub channels: usize,
    /// Channels that leave.
    pub outputs: usize,
    /// A = conj(Ŵ).
    pub conjugate: bool,
}

impl Contraction {
    fn sign<T: Neg<Output = T>>(&self, w: Complex<T>) -> Complex<T> {
        if self.conjugate { Complex::new(w.re, -w.im) } else { w }
    }

    /// A as a real matrix.
    ///
    /// # Shape    rows of Ŵ `[channels·outputs]` → `[parts·channels, parts·outputs]`
    pub fn real<T: Copy + Default + Neg<Output = T>>(&self, bin: &Bin, w: &[Complex<T>]) -> Array2<T> {
        let (c, o) = (self.channels, self.outputs);
        Array2::from_shape_fn((bin.parts() * c, bin.parts() * o), |(k, n)| {
            let a = self.sign(w[k % c * o + n % o]);
            match (k / c, n / o) {
                (0, 0) | (1, 1) => a.re,
                (0, _) => a.im,
                _ => -a.im,
            }
        })
    }

    /// The entries of the real matrix that belong to kept coefficients.
    ///
    /// # Shape    `[channels·outputs]` → `[parts·channels, parts·outputs]`
    pub fn real_mask(&self, bin: &Bin, mask: &[bool]) -> Array2<bool> {
        let (c, o) = (self.channels, self.outputs);
        Array2::from_shape_fn((bin.parts() * c, bin.parts() * o), |(k, n)| mask[k % c * o + n % o])
    }

    /// ∂L/∂Ŵ from [Re X | Im X]ᵀ·[Re dY | Im dY].
    ///
    /// # Shape    `[parts·channels, parts·outputs]` → `[channels·outputs]`
    pub fn gradient<T>(&self, bin: &Bin, g: &Array2<T>, out: &mut [Complex<T>])
    where
        T: Copy + Default + Neg<Output = T> + Add<Output = T> + Sub<Output = T>,
    {
        let (c, o) = (self.channels, self.outputs);
        for (i, out) in out.iter_mut().enumerate() {
            let (k, n) = (i / o, i % o);
            let da = match bin.is_real() {
                true => Complex::new(g[[k, n]], T::default()),
                false => Complex::new(g[[k, n]] + g[[c + k, o + n]], g[[k, o + n]] - g[[c + k, n]]),
            };
            *out = self.sign(da);
        }
    }
}
