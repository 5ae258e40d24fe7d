//! Products of matrices of any layout.

use super::frame::convert;
use super::sweep::Sweep;
use super::{Formatted, Product, SMALL, over_chunks};
use crate::entries::Entry;
use crate::integers::Integers;
use ndarray::Array2;
use tandem_kernels::{Element, Level, Panel, ROWS};

/// Values of X and Y that one thread works on at a time, so that they stay in its cache.
const TILE: usize = 1 << 15;

/// X · W.
pub(super) fn product<E: Element, T: Entry>(
    level: Level,
    (x, x_format): Formatted<'_, T>,
    (w, w_format): Formatted<'_, T>,
) -> Product {
    let (m, k, n) = (x.rows, x.cols, w.cols);
    let length = k.next_multiple_of(E::GROUP);
    let mut panel = Panel::<E>::zeros(vec![0], k, n);
    level.run(
        #[inline(always)]
        || {
            if w.is_row_major() {
                panel.fill(0, &w.data)
            } else {
                panel.fill_columns(0, &w.data)
            }
            panel.add_up();
        },
    );
    panel.skip_zeros(level, m);
    let parallel = m * k * n >= SMALL;
    let share = if parallel { m.div_ceil(4 * rayon::current_num_threads()) } else { m };
    let most = (TILE / (k + n).max(1)).max(ROWS);
    let rows = share.min(most).next_multiple_of(ROWS).min(m.max(1));
    let sweep = |rows: usize, panel: &Panel<E>| Sweep {
        panel: panel.clone(),
        from: (0..rows).map(|i| i * length).collect(),
        to: (0..rows).collect(),
    };
    let whole = sweep(rows, &panel);
    let rest = (!m.is_multiple_of(rows)).then(|| sweep(m % rows, &panel));
    let (lo, zero) = (x_format.range().0, E::zero(x_format.range().0));
    let mut y = Array2::zeros((m, n));
    let block = |a: &mut Vec<E::Left>, (i, y): (usize, &mut [i32])| {
        let (first, count) = (i * rows, y.len() / n.max(1));
        let or = level.run(
            #[inline(always)]
            || {
                if x.is_row_major() {
                    let mut or = 0;
                    for (row, to) in (first..first + count).zip(a.chunks_exact_mut(length.max(1))) {
                        or |= convert::<E, T>(&x.data[row * x.row_stride..][..k], (lo, zero), &mut to[..k]);
                    }
                    return or;
                }
                let mut or = 0;
                for column in 0..k {
                    let from = &x.data[column * x.col_stride + first..][..count];
                    for (v, to) in from.iter().zip(a[column..].iter_mut().step_by(length)) {
                        let v: i32 = (*v).into();
                        or |= v.wrapping_sub(lo) as u32;
                        *to = E::left(v, zero);
                    }
                }
                or
            },
        );
        let sweep = if count == rows { &whole } else { rest.as_ref().expect("rows that are left") };
        [or, sweep.run(level, a, zero, y)]
    };
    let scratch = || vec![E::left(0, zero); rows * length + E::GROUP];
    let all = y.as_slice_mut().expect("just made");
    let [or, magnitudes] = over_chunks((all, rows * n), parallel, scratch, block);
    let w_or = w.or_above(w_format.range().0);
    Product { y: Integers::Short(y), ors: [or, w_or], magnitude_or: Some(magnitudes.into()) }
}
