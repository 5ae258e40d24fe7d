//! The weight gradient of a convolution.
//!
//! ```text
//! dW[ky, kx, c, o] = Σ_{b, oy, ox} X[b, oy·s + ky − p, ox·s + kx − p, c] · dY[b, oy, ox, o]
//! ```
//! The sum runs over positions, so X is stored as planes, one a channel and phase of the stride, in which neighbouring positions are neighbours;
//! a row of a tile is (ky, kx, c), a segment is a row of positions, and dY of an image is the panel.

use super::{Formatted, Product, longest};
use crate::conv::Window;
use crate::entries::Entry;
use crate::integers::Integers;
use ndarray::Array2;
use rayon::prelude::*;
use tandem_kernels::{COLUMNS, Element, Level, Panel, ROWS, Tile, interleaved};

/// The sums of dW.
pub(super) fn sums<E: Element, T: Entry>(
    level: Level,
    window: &Window,
    (x, x_format): Formatted<'_, T>,
    (dy, dy_format): Formatted<'_, T>,
) -> Product {
    let (places, outputs, features) = (window.places(), dy.cols, window.features());
    let images = x.data.len() / features;
    let planes = Planes::new(window);
    let (lo, zero) = (x_format.range().0, E::zero(x_format.range().0));
    let dy_lo = dy_format.range().0;
    // images whose sums 32 bits hold
    let most = (longest([x_format, dy_format]) / places).max(1);
    let each = images.div_ceil(4 * rayon::current_num_threads()).clamp(1, most);
    let part = |first: usize| {
        let mut sums = Partial::<E>::new(&planes, outputs, zero);
        for image in first..(first + each).min(images) {
            let (x, dy) = (&x.data[image * features..][..features], &dy.data[image * places * outputs..]);
            level.run(
                #[inline(always)]
                || sums.add(level, (x, lo), (&dy[..places * outputs], dy_lo)),
            );
        }
        sums.finish()
    };
    let none = || (vec![0i64; planes.rows.len() * outputs], [0; 2]);
    let add = |(mut y, a): (Vec<i64>, [u32; 2]), (more, b): (Vec<i64>, [u32; 2])| {
        y.iter_mut().zip(&more).for_each(|(y, v)| *y += v);
        (y, [a[0] | b[0], a[1] | b[1]])
    };
    let firsts: Vec<_> = (0..images).step_by(each).collect();
    let (y, ors) = firsts.into_par_iter().map(part).reduce(none, add);
    let y = Array2::from_shape_vec((planes.rows.len(), outputs), y).expect("a row a tap and channel");
    Product { y: Integers::Long(y), ors, magnitude_or: None }
}

/// Where planes lie.
struct Planes {
    window: Window,
    /// Rows and columns of a plane: every stride-th pixel across.
    size: [usize; 2],
    /// Where each row of dW begins.
    rows: Vec<usize>,
    /// Where each row of positions begins from there.
    segments: Vec<usize>,
}

impl Planes {
    fn new(window: &Window) -> Self {
        let ([h, w], [kh, kw]) = (window.image, window.kernel);
        let ([sy, sx], [py, px]) = (window.stride, window.padding);
        let size = [h + 2 * py, (w + 2 * px).div_ceil(sx)];
        let mut planes = Planes { window: *window, size, rows: vec![], segments: vec![] };
        let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx)));
        let rows = taps.flat_map(|(ky, kx)| (0..window.channels).map(move |c| (ky, kx, c)));
        planes.rows = rows.map(|(ky, kx, c)| planes.at(c, ky, kx)).collect();
        let (out_h, _) = window.positions().expect("a window that fits");
        planes.segments = (0..out_h).map(|oy| oy * sy * size[1]).collect();
        planes
    }

    /// Elements of all planes.
    fn len(&self) -> usize {
        self.window.channels * self.window.stride[1] * self.size[0] * self.size[1]
    }

    /// Where pixel (y, x) of a channel is, counted with its padding.
    fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        let phases = self.window.stride[1];
        ((channel * phases + x % phases) * self.size[0] + y) * self.size[1] + x / phases
    }

    /// Writes an image into planes whose border is set; returns the OR of (v − `lo`).
    #[inline(always)]
    fn fill<E: Element, T: Entry>(&self, image: &[T], (lo, zero): (i32, i32), out: &mut [E::Left]) -> u32 {
        let Window { image: [_, w], channels, padding: [py, px], .. } = self.window;
        let phases = self.window.stride[1];
        let mut or = 0;
        for (y, row) in image.chunks_exact(w * channels).enumerate() {
            or |= row.iter().fold(0, |or, v| or | (*v).into().wrapping_sub(lo) as u32);
            let groups = if phases == 1 { w / E::GROUP } else { 0 };
            let whole = groups * E::GROUP;
            for (group, pixels) in row.chunks_exact(E::GROUP * channels).take(groups).enumerate() {
                let pixels: [&[T]; 4] = std::array::from_fn(|i| {
                    let from = i.min(E::GROUP - 1) * channels;
                    &pixels[from..from + channels]
                });
                let first = self.at(0, y + py, group * E::GROUP + px);
                let mut planes = out[first..].chunks_mut(self.size[0] * self.size[1]);
                let mut from = 0;
                while let Some(words) = interleaved::<E, T>(pixels.map(|pixel| &pixel[from..]), zero) {
                    words.into_iter().zip(&mut planes).for_each(|(word, plane)| E::write(word, plane));
                    from += COLUMNS;
                }
                for (c, plane) in (from..channels).zip(planes) {
                    let value = |pixel: &[T]| pixel[c].into().wrapping_add(zero);
                    E::write(E::word(pixels.map(value)), plane);
                }
            }
            for (x, pixel) in row.chunks_exact(channels).enumerate().skip(whole) {
                for (c, v) in pixel.iter().enumerate() {
                    out[self.at(c, y + py, x + px)] = E::left((*v).into(), zero);
                }
            }
        }
        or
    }
}

/// Sums over some images.
struct Partial<'a, E: Element> {
    planes: &'a Planes,
    outputs: usize,
    zero: i32,
    a: Vec<E::Left>,
    panel: Panel<E>,
    /// `[blocks of outputs, rows of tiles]`
    tiles: Vec<Tile>,
    ors: [u32; 2],
}

impl<'a, E: Element> Partial<'a, E> {
    fn new(planes: &'a Planes, outputs: usize, zero: i32) -> Self {
        let (_, out_w) = planes.window.positions().expect("a window that fits");
        let panel = Panel::zeros(planes.segments.clone(), out_w, outputs);
        let last = planes.rows.iter().max().copied().unwrap_or(0);
        let a = vec![E::left(0, zero); planes.len().max(last + panel.reach())];
        let tiles = vec![[[0; COLUMNS]; ROWS]; panel.blocks() * planes.rows.len().div_ceil(ROWS)];
        Partial { planes, outputs, zero, a, panel, tiles, ors: [0; 2] }
    }

    #[inline(always)]
    fn add<T: Entry>(&mut self, level: Level, (x, lo): (&[T], i32), (dy, dy_lo): (&[T], i32)) {
        let (_, out_w) = self.planes.window.positions().expect("a window that fits");
        self.ors[0] |= self.planes.fill::<E, T>(x, (lo, self.zero), &mut self.a);
        self.ors[1] |= dy.iter().fold(0, |or, v| or | (*v).into().wrapping_sub(dy_lo) as u32);
        for (oy, row) in dy.chunks_exact(out_w * self.outputs).enumerate() {
            self.panel.fill(oy, row);
        }
        if self.zero != 0 {
            self.panel.add_up();
        }
        let count = self.planes.rows.len().div_ceil(ROWS);
        for (block, tiles) in self.tiles.chunks_exact_mut(count).enumerate() {
            let start = self.panel.start(block, self.zero);
            for (rows, c) in self.planes.rows.chunks(ROWS).zip(tiles) {
                let rows = std::array::from_fn(|i| rows[i.min(rows.len() - 1)]);
                if self.zero != 0 {
                    let each = c.iter_mut().flat_map(|row| row.iter_mut().zip(&start));
                    each.for_each(|(c, start)| *c = c.wrapping_add(*start));
                }
                E::tile(level, &self.a, &rows, &self.panel, block, c);
            }
        }
    }

    /// dW, row-major, and the ORs.
    fn finish(self) -> (Vec<i64>, [u32; 2]) {
        let (rows, outputs) = (self.planes.rows.len(), self.outputs);
        let count = rows.div_ceil(ROWS);
        let mut y = vec![0; rows * outputs];
        for (row, y) in y.chunks_exact_mut(outputs).enumerate() {
            for (o, y) in y.iter_mut().enumerate() {
                *y = self.tiles[o / COLUMNS * count + row / ROWS][row % ROWS][o % COLUMNS].into();
            }
        }
        (y, self.ors)
    }
}
