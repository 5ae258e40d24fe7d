//! A window that slides over an image: convolution and pooling share its geometry.
//!
//! ```text
//! position (oy, ox), offset (ky, kx)  →  pixel (oy·stride + ky − padding, ox·stride + kx − padding)
//! out = ⌊(in + 2·padding − kernel) / stride⌋ + 1        an axis; each has its own kernel, stride and padding
//! im2col: row (oy, ox) of an image = its pixels in the order (ky, kx, c), 0 outside
//! ```

use rayon::prelude::*;
use std::ops::{AddAssign, Range};

/// Values of rows and images that one thread works on at a time.
const TILE: usize = 1 << 15;

/// Input, kernel, stride and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Height and width of the image.
    pub image: [usize; 2],
    /// Its channels.
    pub channels: usize,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Step between positions, down and across.
    pub stride: [usize; 2],
    /// Zeros above and below, left and right of the image, fewer than the kernel on that axis: every position then sees a pixel.
    pub padding: [usize; 2],
}

impl Window {
    /// Positions along an axis, 0 for height and 1 for width, if the window fits.
    pub fn along(&self, axis: usize) -> Option<usize> {
        let room = (self.image[axis] + 2 * self.padding[axis]).checked_sub(self.kernel[axis])?;
        Some(room / self.stride[axis] + 1)
    }

    /// Number of positions along height and width, if the window fits.
    pub fn positions(&self) -> Option<(usize, usize)> {
        Some((self.along(0)?, self.along(1)?))
    }

    /// Number of positions.
    ///
    /// # Panics   if the window does not fit
    pub fn places(&self) -> usize {
        let (h, w) = self.positions().expect("a window that fits");
        h * w
    }

    /// Offsets of the window.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Values in the window.
    pub const fn volume(&self) -> usize {
        self.taps() * self.channels
    }

    /// Pixels of an image.
    pub const fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Values of an image.
    pub const fn features(&self) -> usize {
        self.pixels() * self.channels
    }

    /// For one position along an axis: the first pixel, and the offsets inside.
    fn span(&self, position: usize, axis: usize) -> (usize, Range<usize>) {
        let (first, kernel, padding) = (position * self.stride[axis], self.kernel[axis], self.padding[axis]);
        let lo = padding.saturating_sub(first).min(kernel);
        let hi = (self.image[axis] + padding).saturating_sub(first).clamp(lo, kernel);
        ((first + lo).saturating_sub(padding), lo..hi)
    }

    /// Calls `f(position, range in the image, range in the row)` for each run of pixels that is contiguous
    /// in both the image and a row of im2col.
    #[inline(always)]
    fn for_runs(&self, positions: Range<usize>, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let (_, out_w) = self.positions().expect("a window that fits");
        let (c, w) = (self.channels, self.image[1]);
        let (mut oy, mut ox) = (positions.start / out_w, positions.start % out_w);
        let (mut y, mut ky) = self.span(oy, 0);
        for position in positions {
            let (x, kx) = self.span(ox, 1);
            let length = kx.len() * c;
            for (i, ky) in ky.clone().enumerate() {
                let image = ((y + i) * w + x) * c;
                let row = (ky * self.kernel[1] + kx.start) * c;
                f(position, image..image + length, row..row + length);
            }
            ox += 1;
            if ox == out_w {
                (ox, oy) = (0, oy + 1);
                (y, ky) = self.span(oy, 0);
            }
        }
    }

    /// Some rows of im2col of a batch of images, converted.
    ///
    /// # Shape    images `[B, h·w·c]`, rows of all their positions counted through → `[rows, volume]`
    pub fn rows<T: Copy, U: Copy>(
        &self,
        images: &[T],
        rows: Range<usize>,
        zero: U,
        convert: impl Fn(T) -> U,
        out: &mut [U],
    ) {
        let (places, volume, features) = (self.places(), self.volume(), self.features());
        if self.padding != [0, 0] {
            out[..rows.len() * volume].fill(zero);
        }
        let mut at = rows.start;
        while at < rows.end {
            let (image, first) = (at / places, at % places);
            let count = (places - first).min(rows.end - at);
            let (pixels, to) =
                (&images[image * features..][..features], &mut out[(at - rows.start) * volume..]);
            self.for_runs(first..first + count, |position, from, row| {
                let to = &mut to[(position - first) * volume..][..volume];
                for (to, from) in to[row].iter_mut().zip(&pixels[from]) {
                    *to = convert(*from);
                }
            });
            at += count;
        }
    }

    /// Rows of pixels, image by image.
    ///
    /// # Shape    `[B, h·w·c]` → `[B·out_h·out_w, volume]`
    pub fn im2col<T: Copy + Default + Send + Sync>(&self, images: &[T], rows: &mut [T]) {
        let (volume, per_image) = (self.volume(), self.places() * self.volume());
        let fill = |(i, rows): (usize, &mut [T])| {
            let first = i * per_image / volume;
            self.rows(images, first..first + rows.len() / volume, T::default(), |v| v, rows);
        };
        if rows.len() <= TILE {
            fill((0, rows));
        } else {
            rows.par_chunks_mut(per_image).enumerate().for_each(fill);
        }
    }

    /// The transpose of [`im2col`](Self::im2col): adds rows into images, then converts.
    ///
    /// # Shape    `[B·out_h·out_w, volume]` → `[B, h·w·c]`
    /// # Numeric  sums in the order of positions, in `T`
    pub fn col2im<T: Copy + Default + Send + Sync + AddAssign, U: Send>(
        &self,
        rows: &[T],
        images: &mut [U],
        convert: impl Fn(T) -> U + Sync,
    ) {
        let (features, per_image) = (self.features(), self.places() * self.volume());
        let gather = |(i, image): (usize, &mut [U])| {
            let mut sums = vec![T::default(); features];
            self.add_rows(&rows[i * per_image..][..per_image], 0..self.places(), &mut sums);
            image.iter_mut().zip(sums).for_each(|(to, sum)| *to = convert(sum));
        };
        if rows.len() <= TILE {
            images.chunks_mut(features).enumerate().for_each(gather);
        } else {
            images.par_chunks_mut(features).enumerate().for_each(gather);
        }
    }

    /// Adds the rows of some positions of one image to the image.
    pub fn add_rows<T: Copy + AddAssign>(&self, rows: &[T], positions: Range<usize>, image: &mut [T]) {
        let (volume, first) = (self.volume(), positions.start);
        self.for_runs(positions, |position, to, from| {
            let row = &rows[(position - first) * volume..][..volume];
            for (to, from) in image[to].iter_mut().zip(&row[from]) {
                *to += *from;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows() -> impl Strategy<Value = Window> {
        let pair = |range: Range<usize>| [range.clone(), range];
        (pair(1..8), 1usize..4, pair(1..5), pair(1..4), pair(0..4))
            .prop_map(|(image, channels, kernel, stride, padding)| Window {
                image,
                channels,
                kernel,
                stride,
                padding,
            })
            .prop_filter("padding is narrower than the kernel", |w| {
                (0..2).all(|i| w.padding[i] < w.kernel[i])
            })
            .prop_filter("the window fits", |w| w.positions().is_some())
    }

    proptest! {
        #[test]
        fn im2col_is_its_definition(window in windows(), batch in 1usize..4) {
            let ([h, w], c) = (window.image, window.channels);
            let images: Vec<i32> = (1..=(batch * h * w * c) as i32).collect();
            let (out_h, out_w) = window.positions().unwrap();
            let volume = window.volume();
            let mut rows = vec![-1; batch * out_h * out_w * volume];
            window.im2col(&images, &mut rows);
            for (i, &got) in rows.iter().enumerate() {
                let (row, at) = (i / volume, i % volume);
                let (image, oy, ox) = (row / (out_h * out_w), row / out_w % out_h, row % out_w);
                let (ky, kx, channel) = (at / c / window.kernel[1], at / c % window.kernel[1], at % c);
                let y = (oy * window.stride[0] + ky).checked_sub(window.padding[0]).filter(|&y| y < h);
                let x = (ox * window.stride[1] + kx).checked_sub(window.padding[1]).filter(|&x| x < w);
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
            let features = window.features();
            let a: Vec<i64> = (0..2 * features).map(number).collect();
            let b: Vec<i64> = (0..2 * window.places() * window.volume()).map(|i| number(3 * i)).collect();
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
