//! The weight gradient of a convolution.
//!
//! ```text
//! dW[ky, kx, c, o] = Σ_{b, oy, ox} X[b, oy·s + ky − p, ox·s + kx − p, c] · dY[b, oy, ox, o]
//! ```
//! The sum runs over positions, so X is stored as planes; a row of a tile is (ky, kx, c), a segment is a row of positions, and dY of an image is the panel.

use super::planes::Planes;
use super::{Formatted, Product, longest};
use crate::conv::Window;
use crate::entries::Entry;
use crate::integers::Integers;
use ndarray::Array2;
use rayon::prelude::*;
use tandem_kernels::{COLUMNS, Element, Level, Panel, ROWS, Tile};

/// The sums of dW.
pub(super) fn sums<E: Element, T: Entry>(
    level: Level,
    window: &Window,
    (x, x_format): Formatted<'_, T>,
    (dy, dy_format): Formatted<'_, T>,
) -> Product {
    let (places, outputs, features) = (window.places(), dy.cols, window.features());
    let images = x.data.len() / features;
    let planes = Planes::new(window, 1, 1);
    let rows = planes.rows();
    let (lo, zero) = (x_format.range().0, E::zero(x_format.range().0));
    let dy_lo = dy_format.range().0;
    // images whose sums 32 bits hold
    let most = (longest([x_format, dy_format]) / places).max(1);
    let each = images.div_ceil(4 * rayon::current_num_threads()).clamp(1, most);
    let part = |first: usize| {
        let mut sums = Partial::<E>::new(window, &planes, &rows, outputs, zero);
        for image in first..(first + each).min(images) {
            let (x, dy) = (&x.data[image * features..][..features], &dy.data[image * places * outputs..]);
            level.run(
                #[inline(always)]
                || sums.add(level, (x, lo), (&dy[..places * outputs], dy_lo)),
            );
        }
        sums.finish()
    };
    let none = || (vec![0i64; rows.len() * outputs], [0; 2]);
    let add = |(mut y, a): (Vec<i64>, [u32; 2]), (more, b): (Vec<i64>, [u32; 2])| {
        y.iter_mut().zip(&more).for_each(|(y, v)| *y += v);
        (y, [a[0] | b[0], a[1] | b[1]])
    };
    let firsts: Vec<_> = (0..images).step_by(each).collect();
    let (y, ors) = firsts.into_par_iter().map(part).reduce(none, add);
    let y = Array2::from_shape_vec((rows.len(), outputs), y).expect("a row a tap and channel");
    Product { y: Integers::Long(y), ors, magnitude_or: None }
}

/// Sums over some images.
struct Partial<'a, E: Element> {
    planes: &'a Planes,
    /// Where each row of dW begins.
    rows: &'a [usize],
    /// Positions of a row.
    out_w: usize,
    outputs: usize,
    zero: i32,
    a: Vec<E::Left>,
    panel: Panel<E>,
    /// `[blocks of outputs, rows of tiles]`
    tiles: Vec<Tile>,
    ors: [u32; 2],
}

impl<'a, E: Element> Partial<'a, E> {
    fn new(window: &Window, planes: &'a Planes, rows: &'a [usize], outputs: usize, zero: i32) -> Self {
        let (out_h, out_w) = window.positions().expect("a window that fits");
        let panel = Panel::zeros((0..out_h).map(|oy| oy * planes.size[1]).collect(), out_w, outputs);
        let last = rows.iter().max().copied().unwrap_or(0);
        let a = vec![E::left(0, zero); planes.len().max(last + panel.reach())];
        let tiles = vec![[[0; COLUMNS]; ROWS]; panel.blocks() * rows.len().div_ceil(ROWS)];
        Partial { planes, rows, out_w, outputs, zero, a, panel, tiles, ors: [0; 2] }
    }

    #[inline(always)]
    fn add<T: Entry>(&mut self, level: Level, (x, lo): (&[T], i32), (dy, dy_lo): (&[T], i32)) {
        self.ors[0] |= self.planes.fill::<E, T>(level, x, (lo, self.zero), &mut self.a);
        self.ors[1] |= T::or_above(dy, dy_lo);
        for (oy, row) in dy.chunks_exact(self.out_w * self.outputs).enumerate() {
            self.panel.fill(oy, row);
        }
        if self.zero != 0 {
            self.panel.add_up();
        }
        let count = self.rows.len().div_ceil(ROWS);
        for (block, tiles) in self.tiles.chunks_exact_mut(count).enumerate() {
            let start = self.panel.start(block, self.zero);
            for (rows, c) in self.rows.chunks(ROWS).zip(tiles) {
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
        let (rows, outputs) = (self.rows.len(), self.outputs);
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
