//! An image as planes, one a channel and phase of the stride, in which neighbouring positions are neighbours.

use crate::conv::Window;
use crate::entries::Entry;
use tandem_kernels::{Element, Level};

/// Where pixels lie. Images of a group lie one after another within each plane.
pub(super) struct Planes {
    window: Window,
    /// Rows and columns of a plane: every stride-th pixel down and across.
    pub size: [usize; 2],
    /// From one plane to the next.
    pub pitch: usize,
}

impl Planes {
    /// Of the input of a window, for groups of so many images, planes a multiple of `unit` apart.
    pub fn new(window: &Window, images: usize, unit: usize) -> Self {
        let ([h, w], [py, px], [sy, sx]) = (window.image, window.padding, window.stride);
        let size = [(h + 2 * py).div_ceil(sy), (w + 2 * px).div_ceil(sx)];
        Planes { window: *window, size, pitch: (images * size[0] * size[1]).next_multiple_of(unit) }
    }

    /// Of its output, each position where that of the input's first tap lies.
    pub fn of_output(&self, outputs: usize) -> Self {
        let image = self.window.positions().expect("a window that fits").into();
        let window = Window { image, channels: outputs, kernel: [1; 2], stride: [1; 2], padding: [0; 2] };
        Planes { window, ..*self }
    }

    /// From an image of a group to the next.
    pub fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Elements of all planes.
    pub fn len(&self) -> usize {
        let [sy, sx] = self.window.stride;
        self.window.channels * sy * sx * self.pitch
    }

    /// Where pixel (y, x) of a channel is, counted with its padding.
    pub fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        let [sy, sx] = self.window.stride;
        ((channel * sy + y % sy) * sx + x % sx) * self.pitch + y / sy * self.size[1] + x / sx
    }

    /// Where each row of dW begins: (ky, kx, c).
    pub fn rows(&self) -> Vec<usize> {
        let [kh, kw] = self.window.kernel;
        let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx)));
        taps.flat_map(|(ky, kx)| (0..self.window.channels).map(move |c| self.at(c, ky, kx))).collect()
    }

    /// Writes an image into planes whose border is set; returns the OR of (v − `lo`).
    #[inline(always)]
    pub fn fill<E: Element, T: Entry>(
        &self,
        level: Level,
        image: &[T],
        (lo, zero): (i32, i32),
        out: &mut [E::Left],
    ) -> u32 {
        let Window { image: [_, w], channels, padding: [py, px], stride, .. } = self.window;
        for (y, row) in image.chunks_exact(w * channels).enumerate() {
            if let Some(row) = T::bytes(row).filter(|_| stride == [1; 2]) {
                let first = self.at(0, y + py, px);
                E::spread(level, row, channels, zero, &mut out[first..], self.pitch);
                continue;
            }
            for (x, pixel) in row.chunks_exact(channels).enumerate() {
                for (c, v) in pixel.iter().enumerate() {
                    out[self.at(c, y + py, x + px)] = E::left((*v).into(), zero);
                }
            }
        }
        T::or_above(image, lo)
    }
}
