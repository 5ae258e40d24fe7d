//! Bands of rows with what lies around them, for filters that look at a rectangle of pixels.

use crate::Border;
use crate::image::Shape;
use crate::sample::Sample;
use rayon::prelude::*;

/// Rows of a band, at least.
const ROWS: usize = 32;

/// How far a filter looks from a pixel.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    /// Rows above and below.
    pub rows: (usize, usize),
    /// Columns to the left and right.
    pub columns: (usize, usize),
}

impl Reach {
    /// Around the middle of so many rows and columns, the lower and right one of two.
    pub fn of(rows: usize, columns: usize) -> Self {
        let sides = |n: usize| (n / 2, n - 1 - n / 2);
        Reach { rows: sides(rows), columns: sides(columns) }
    }
}

/// Rows of a band and of its surroundings, each with its surroundings.
pub(crate) struct Band<P> {
    data: Vec<P>,
    stride: usize,
}

impl<P> Band<P> {
    /// Row `i − above` of the band: sample `j` is sample `j − left·channels` of the image's row.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &[P] {
        &self.data[i * self.stride..][..self.stride]
    }
}

/// Hands each band to `work`, with its rows of the result. `outside` is the border's constant, converted.
pub(crate) fn bands<T: Sample, P: Copy + Send + Sync, U: Sample>(
    (shape, samples): (Shape, &[T]),
    reach: Reach,
    (border, outside): (Border, P),
    convert: impl Fn(T) -> P + Sync,
    work: impl Fn(&Band<P>, &mut [U]) + Sync,
) -> Vec<U> {
    let Shape { height, width, channels } = shape;
    let pitch = shape.pitch();
    let rows = border.indices(height, reach.rows.0, reach.rows.1);
    let columns = border.indices(width, reach.columns.0, reach.columns.1);
    let stride = columns.len() * channels;
    let left = reach.columns.0 * channels;
    let count = ROWS.max(reach.rows.0 + reach.rows.1);
    let mut out = vec![U::default(); samples.len()];
    let blank = || Band { data: vec![outside; (count + reach.rows.0 + reach.rows.1) * stride], stride };
    out.par_chunks_mut(pitch * count).enumerate().for_each_init(blank, |band, (i, out)| {
        let needed = out.len() / pitch + reach.rows.0 + reach.rows.1;
        for (to, row) in band.data.chunks_exact_mut(stride).zip(&rows[i * count..][..needed]) {
            let row = *row as usize;
            if row == height {
                to.fill(outside);
                continue;
            }
            let from = &samples[row * pitch..][..pitch];
            to[left..left + pitch].iter_mut().zip(from).for_each(|(to, v)| *to = convert(*v));
            let around = (0..reach.columns.0).chain(reach.columns.0 + width..columns.len());
            for x in around {
                let column = columns[x] as usize;
                for c in 0..channels {
                    let inside = column < width;
                    to[x * channels + c] =
                        if inside { convert(from[column * channels + c]) } else { outside };
                }
            }
        }
        work(band, out);
    });
    out
}
