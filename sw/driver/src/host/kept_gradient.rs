//! The weight gradient of a convolution of which few entries are wanted.
//!
//! ```text
//! dW[ky, kx, c, o] = Σ_{b, oy, ox} X[b, oy·s + ky − p, ox·s + kx − p, c] · dY[b, oy, ox, o]        for kept (ky, kx, c, o)
//! ```
//! X and dY are planes of the same pitch, dY with zeros where X has its border: an entry is the product of two vectors, X's from its tap on. Small images are
//! several in a vector.

use super::planes::Planes;
use super::{Formatted, Product, longest};
use crate::conv::Window;
use crate::entries::Entry;
use crate::integers::Integers;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use tandem_kernels::quads::{Quad, STRIDE, add_quads, prefers_quads};
use tandem_kernels::{Bytes, Element, Level};

/// Elements that a vector should have: shorter ones spend their time on adding up lanes.
const ENOUGH: usize = 512;
/// Where every entry is wanted, quads take this many times as long as tiles.
const SLOWER: f64 = 2.5;

/// The entries that are wanted, four of a row at a time.
pub(super) struct Kept {
    quads: Vec<(usize, [Option<usize>; 4])>,
}

impl Kept {
    /// Of dW; `None` if so many are wanted that the whole product is as fast.
    pub fn new(level: Level, kept: ArrayView2<'_, bool>) -> Option<Self> {
        if !prefers_quads(level) {
            return None;
        }
        let count =
            |row: ArrayView1<'_, bool>| row.iter().map(|kept| usize::from(*kept)).sum::<usize>().div_ceil(4);
        let quads: usize = kept.rows().into_iter().map(count).sum();
        if SLOWER * (4 * quads) as f64 > kept.len() as f64 {
            return None;
        }
        let mut all = Vec::with_capacity(quads);
        for (row, kept) in kept.rows().into_iter().enumerate() {
            let mut outputs = kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(o, _)| o);
            while let Some(first) = outputs.next() {
                let rest: [Option<usize>; 3] = std::array::from_fn(|_| outputs.next());
                all.push((row, [Some(first), rest[0], rest[1], rest[2]]));
            }
        }
        Some(Kept { quads: all })
    }
}

/// The sums of dW.
pub(super) fn sums<T: Entry>(
    level: Level,
    window: &Window,
    (x, x_format): Formatted<'_, T>,
    (dy, dy_format): Formatted<'_, T>,
    kept: &Kept,
) -> Product {
    let (places, outputs, features) = (window.places(), dy.cols, window.features());
    let images = x.data.len() / features;
    let lo = [x_format, dy_format].map(|format| format.range().0);
    // images whose sums 32 bits hold
    let most = (longest([x_format, dy_format]) / places).max(1);
    let each = images.div_ceil(4 * rayon::current_num_threads()).clamp(1, most);
    let enough = ENOUGH.div_ceil(Planes::new(window, 1, 1).area());
    let group = each.div_ceil((each / enough).max(1));
    let planes = Planes::new(window, group, STRIDE);
    let of_dy = planes.of_output(outputs);
    let rows = planes.rows();
    // a plane of zeros follows those of dY
    let start = |o: Option<usize>| of_dy.at(o.unwrap_or(outputs), 0, 0);
    let quads: Vec<_> =
        kept.quads.iter().map(|(row, outputs)| Quad { a: rows[*row], b: outputs.map(start) }).collect();
    let zero = Bytes::zero(lo[0]);
    let part = |first: usize| {
        let images = first..(first + each).min(images);
        let mut a = vec![
            Bytes::left(0, zero);
            rows.iter().max().map_or(0, |last| last + planes.pitch).max(planes.len())
        ];
        let mut space = vec![0; of_dy.len() + planes.pitch + STRIDE];
        let aligned = space.as_ptr().align_offset(STRIDE).min(STRIDE);
        let b = &mut space[aligned..];
        let mut sums = vec![[0; 4]; quads.len()];
        let mut ors = [0; 2];
        for from in images.clone().step_by(group) {
            let own = from..(from + group).min(images.end);
            if own.len() < group {
                b.fill(0);
            }
            for (image, at) in own.zip((0..).step_by(planes.area())) {
                let x = &x.data[image * features..][..features];
                let dy = &dy.data[image * places * outputs..][..places * outputs];
                level.run(
                    #[inline(always)]
                    || {
                        ors[0] |= planes.fill::<Bytes, T>(level, x, (lo[0], zero), &mut a[at..]);
                        ors[1] |= of_dy.fill::<Bytes, T>(level, dy, (lo[1], 0), &mut b[at..]);
                    },
                );
            }
            add_quads(level, &a, b, &quads, planes.pitch, &mut sums);
        }
        if zero != 0 {
            // modulo 2³², as the sums: only those without `zero` need to fit
            let dy = &dy.data[images.start * places * outputs..images.end * places * outputs];
            let mut totals = vec![0i32; outputs];
            for dy in dy.chunks_exact(outputs) {
                totals.iter_mut().zip(dy).for_each(|(total, v)| *total = total.wrapping_add((*v).into()));
            }
            for (sums, (_, outputs)) in sums.iter_mut().zip(&kept.quads) {
                for (sum, o) in sums.iter_mut().zip(outputs) {
                    *sum = sum.wrapping_sub(o.map_or(0, |o| totals[o].wrapping_mul(zero)));
                }
            }
        }
        let y: Vec<_> = sums.into_iter().map(|sums| sums.map(i64::from)).collect();
        (y, ors)
    };
    let none = || (vec![[0i64; 4]; quads.len()], [0; 2]);
    let add = |(mut y, a): (Vec<[i64; 4]>, [u32; 2]), (more, b): (Vec<[i64; 4]>, [u32; 2])| {
        y.as_flattened_mut().iter_mut().zip(more.as_flattened()).for_each(|(y, v)| *y += v);
        (y, [a[0] | b[0], a[1] | b[1]])
    };
    let firsts: Vec<_> = (0..images).step_by(each).collect();
    let (sums, ors) = firsts.into_par_iter().map(part).reduce(none, add);
    let mut y = Array2::zeros((rows.len(), outputs));
    for ((row, outputs), sums) in kept.quads.iter().zip(sums) {
        for (o, sum) in outputs.iter().zip(sums) {
            if let Some(o) = o {
                y[[*row, *o]] = sum;
            }
        }
    }
    Product { y: Integers::Long(y), ors, magnitude_or: None }
}
