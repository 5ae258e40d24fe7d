//! The dense product of two panels.
//!
//! ```text
//! acc[r][c] += Σ_k x[r][k] · w[c][k]      modulo 2^32
//! ```

use super::panel::Operand;

/// Columns that share a pass over a row.
const COLS: usize = 4;

/// Adds the product of `x` (rows of length `k`) and `w` (columns of length `k`) to the accumulators,
/// whose rows are `stride` apart.
pub(crate) fn multiply<T: Operand>(acc: &mut [i32], stride: usize, x: &[T], w: &[T], k: usize) {
    for (row, x) in acc.chunks_mut(stride).zip(x.chunks_exact(k)) {
        let mut groups = w.chunks_exact(COLS * k);
        let mut c = 0;
        for group in &mut groups {
            let sums = dot_4(x, std::array::from_fn(|i| &group[i * k..(i + 1) * k]));
            for (a, s) in row[c..].iter_mut().zip(sums) {
                *a = a.wrapping_add(s);
            }
            c += COLS;
        }
        for w in groups.remainder().chunks_exact(k) {
            row[c] = row[c].wrapping_add(dot(x, w));
            c += 1;
        }
    }
}

/// Adds the product of windows and columns, of which element (r, c) meets the bank `pick(r, c)`.
///
/// `x` is `[row][turn][bank][lane]`, `w` is `[column][turn][lane]`.
pub(crate) fn multiply_picked<T: Operand, const L: usize>(
    (acc, stride): (&mut [i32], usize),
    (x, w): (&[T], &[T]),
    window: usize,
    turns: usize,
    pick: impl Fn(usize, usize) -> usize,
) {
    for (r, (row, x)) in acc.chunks_mut(stride).zip(x.chunks_exact(turns * window * L)).enumerate() {
        for (c, (acc, w)) in row.iter_mut().zip(w.chunks_exact(turns * L)).enumerate() {
            let bank = pick(r, c) * L;
            for (x, w) in x.chunks_exact(window * L).zip(w.chunks_exact(L)) {
                *acc = acc.wrapping_add(dot(&x[bank..bank + L], w));
            }
        }
    }
}

fn dot<T: Operand>(x: &[T], w: &[T]) -> i32 {
    x.iter().zip(w).fold(0i32, |s, (x, w)| s.wrapping_add(x.times(*w)))
}

fn dot_4<T: Operand>(x: &[T], w: [&[T]; COLS]) -> [i32; COLS] {
    let w = w.map(|w| &w[..x.len()]);
    let mut sums = [0i32; COLS];
    for (k, x) in x.iter().enumerate() {
        for (s, w) in sums.iter_mut().zip(w) {
            *s = s.wrapping_add(x.times(w[k]));
        }
    }
    sums
}
