//! A square window that slides over an image: convolution and pooling share its geometry.
//!
//! ```text
//! position (oy, ox), offset (ky, kx)  →  pixel (oy·stride + ky − padding, ox·stride + kx − padding)
//! out = ⌊(in + 2·padding − kernel) / stride⌋ + 1
//! im2col: row (oy, ox) of an image = its pixels in the order (ky, kx, c), 0 outside
//! ```

use crate::tensor::Shape;
use crate::tensor::blocks::for_blocks;
use std::ops::{AddAssign, Range};

/// Input, kernel, stride and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The image.
    pub input: Shape,
    /// Side of the window.
    pub kernel: usize,
    /// Step between positions.
    pub stride: usize,
    /// Zeros around the image, fewer than the kernel: every position then sees a pixel.
    pub padding: usize,
}

impl Window {
    /// Number of positions along height and width, if the window fits.
    pub fn positions(&self) -> Option<(usize, usize)> {
        let along = |n: usize| {
            let room = (n + 2 * self.padding).checked_sub(self.kernel)?;
            Some(room / self.stride + 1)
        };
        Some((along(self.input.h)?, along(self.input.w)?))
    }

    /// Values in the window, `kernel²·c`.
    pub fn volume(&self) -> usize {
        self.kernel * self.kernel * self.input.c
    }

    /// For one position along an axis of `n` pixels: the first pixel, and the offsets inside.
    fn span(&self, position: usize, n: usize) -> (usize, Range<usize>) {
        let first = position * self.stride;
        let lo = self.padding.saturating_sub(first).min(self.kernel);
        let hi = (n + self.padding).saturating_sub(first).clamp(lo, self.kernel);
        ((first + lo).saturating_sub(self.padding), lo..hi)
    }

    /// Calls `f(range in the image, range in the row, row)` for each run of pixels that is contiguous
    /// in both the image and a row of im2col.
    #[inline(always)]
    fn for_runs(&self, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let Shape { h, w, c } = self.input;
        let (out_h, out_w) = self.positions().expect("a window that fits");
        for oy in 0..out_h {
            let (y, ky) = self.span(oy, h);
            for ox in 0..out_w {
                let (x, kx) = self.span(ox, w);
                let length = kx.len() * c;
                for (i, ky) in ky.clone().enumerate() {
                    let image = ((y + i) * w + x) * c;
                    let row = (ky * self.kernel + kx.start) * c;
                    f(oy * out_w + ox, image..image + length, row..row + length);
                }
            }
        }
    }

    /// Rows of pixels, image by image.
    ///
    /// # Shape    `[B, h·w·c]` → `[B·out_h·out_w, kernel²·c]`
    pub fn im2col<T: Copy + Default + Send + Sync>(&self, images: &[T], rows: &mut [T]) {
        let (out_h, out_w) = self.positions().expect("a window that fits");
        let volume = self.volume();
        let features = self.input.features();
        let per_image = out_h * out_w * volume;
        for_blocks(rows, per_image, |start, rows| {
            let image = &images[start / per_image * features..][..features];
            if self.padding > 0 {
                rows.fill(T::default());
            }
            self.for_runs(|position, from, to| {
                let row = &mut rows[position * volume..][..volume];
                for (to, from) in row[to].iter_mut().zip(&image[from]) {
                    *to = *from;
                }
            });
        });
    }

    /// The transpose of [`im2col`](Self::im2col): adds rows into images, then converts.
    ///
    /// # Shape    `[B·out_h·out_w, kernel²·c]` → `[B, h·w·c]`
    /// # Numeric  sums in the order of positions, in `T`
    pub fn col2im<T: Copy + Default + Send + Sync + AddAssign, U: Send>(
        &self,
        rows: &[T],
        images: &mut [U],
        convert: impl Fn(T) -> U + Sync,
    ) {
        let (out_h, out_w) = self.positions().expect("a window that fits");
        let volume = self.volume();
        let features = self.input.features();
        let per_image = out_h * out_w * volume;
        for_blocks(images, features, |start, image| {
            let rows = &rows[start / features * per_image..][..per_image];
            let mut sums = vec![T::default(); features];
            self.for_runs(|position, to, from| {
                let row = &rows[position * volume..][..volume];
                for (to, from) in sums[to].iter_mut().zip(&row[from]) {
                    *to += *from;
                }
            });
            image.iter_mut().zip(sums).for_each(|(to, sum)| *to = convert(sum));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows() -> impl Strategy<Value = Window> {
        (1usize..8, 1usize..8, 1usize..4, 1usize..5, 1usize..4, 0usize..4)
            .prop_map(|(h, w, c, kernel, stride, padding)| Window {
                input: Shape { h, w, c },
                kernel,
                stride,
                padding,
            })
            .prop_filter("padding is narrower than the kernel", |w| w.padding < w.kernel)
            .prop_filter("the window fits", |w| w.positions().is_some())
    }

    proptest! {
        #[test]
        fn im2col_is_its_definition(window in windows(), batch in 1usize..4) {
            let Shape { h, w, c } = window.input;
            let images: Vec<i32> = (1..=(batch * h * w * c) as i32).collect();
            let (out_h, out_w) = window.positions().unwrap();
            let volume = window.volume();
            let mut rows = vec![-1; batch * out_h * out_w * volume];
            window.im2col(&images, &mut rows);
            for (i, &got) in rows.iter().enumerate() {
                let (row, at) = (i / volume, i % volume);
                let (image, oy, ox) = (row / (out_h * out_w), row / out_w % out_h, row % out_w);
                let (ky, kx, channel) = (at / c / window.kernel, at / c % window.kernel, at % c);
                let y = (oy * window.stride + ky).checked_sub(window.padding).filter(|&y| y < h);
                let x = (ox * window.stride + kx).checked_sub(window.padding).filter(|&x| x < w);
                let expected = match (y, x) {
                    (Some(y), Some(x)) => images[((image * h + y) * w + x) * c + channel],
                    _ => 0,
                };
                prop_assert_eq!(got, expected, "row {}, offset {}", row, at);
            }
        }

        /// ⟨im2col(a), b⟩ = ⟨a, col2im(b)⟩ for all a and b: exact in integers below 2^24.
        #[test]
        fn col2im_is_the_transpose(window in windows(), salt in 0usize..1000) {
            let number = |i: usize| ((i * 7919 + salt) % 13) as i64 - 6;
            let features = window.input.features();
            let (out_h, out_w) = window.positions().unwrap();
            let a: Vec<i64> = (0..2 * features).map(number).collect();
            let b: Vec<i64> = (0..2 * out_h * out_w * window.volume()).map(|i| number(3 * i)).collect();
            let mut rows = vec![0; b.len()];
            window.im2col(&a, &mut rows);
            let mut images = vec![0.0; a.len()];
            window.col2im(&b, &mut images, |sum: i64| sum as f32);
            let left: i64 = rows.iter().zip(&b).map(|(x, y)| x * y).sum();
            let right: i64 = a.iter().zip(&images).map(|(x, &y)| x * y as i64).sum();
            prop_assert_eq!(left, right);
        }
    }
}
