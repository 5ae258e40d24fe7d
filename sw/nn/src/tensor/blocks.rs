//! Loops over fixed blocks: parallel, and yet the same bits for every number of threads.
//!
//! ```text
//! v[0 … len)  ─►  block 0 │ block 1 │ …  ─►  partial results  ─►  combined in block order
//! ```
//!
//! Block boundaries depend on lengths only, never on the number of threads. Inside a block elements
//! are visited in index order; partial sums are `f64` and are added in the order of their blocks.
//! A loop of one block stays on the calling thread. Bodies are compiled for the vector units of the machine
//! ([`Level::run`]), which changes no bit.

use rayon::prelude::*;
use std::ops::Range;
use tandem_kernels::Level;

/// Elements in a block of an elementwise loop or a sum.
pub const BLOCK: usize = 1 << 13;

/// Rows in a block of a sum over rows.
pub const BLOCK_ROWS: usize = 1 << 10;

/// Calls `f(offset, block)` for every block of `out`.
pub fn for_blocks<T: Send>(out: &mut [T], block: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let level = Level::current();
    let run = |(i, chunk): (usize, &mut [T])| {
        level.run(
            #[inline(always)]
            || f(i * block, chunk),
        )
    };
    if out.len() <= block {
        run((0, out));
    } else {
        out.par_chunks_mut(block).enumerate().for_each(run);
    }
}

/// Calls `f(i, block of a, block of b)` for every pair of blocks of `size_a` and `size_b` elements.
///
/// # Panics   if the slices do not have the same number of blocks
pub fn for_block_pairs<A: Send, B: Send>(
    (a, size_a): (&mut [A], usize),
    (b, size_b): (&mut [B], usize),
    f: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    assert_eq!(a.len().div_ceil(size_a), b.len().div_ceil(size_b));
    let level = Level::current();
    let run = |(i, (a, b)): (usize, (&mut [A], &mut [B]))| {
        level.run(
            #[inline(always)]
            || f(i, a, b),
        )
    };
    if a.len() <= size_a {
        run((0, (a, b)));
    } else {
        a.par_chunks_mut(size_a).zip(b.par_chunks_mut(size_b)).enumerate().for_each(run);
    }
}

/// The partial results `f(block)` for the blocks of `0 … len`, in block order.
pub fn map_blocks<R: Send>(len: usize, block: usize, f: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
    let level = Level::current();
    let run = |i: usize| {
        level.run(
            #[inline(always)]
            || f(i * block..((i + 1) * block).min(len)),
        )
    };
    let count = len.div_ceil(block);
    if count <= 1 { (0..count).map(run).collect() } else { (0..count).into_par_iter().map(run).collect() }
}

/// The sum of the partial sums `f(block)` over blocks of [`BLOCK`] elements of `0 … len`.
pub fn sum(len: usize, f: impl Fn(Range<usize>) -> f64 + Sync + Send) -> f64 {
    map_blocks(len, BLOCK, f).into_iter().sum()
}

/// Blocks whose sums are added at the same time.
const CHAINS: usize = 8;
/// Parts that are found before they are added.
const STRIP: usize = 64;

/// Does `part(a, b)` with each pair of values, and returns the sum of what it returns, by blocks of [`BLOCK`].
///
/// # Numeric  as [`sum`]: sums in a block wait for one another, so eight blocks are added in turn
///
/// # Panics   if the lengths differ
pub fn update_and_sum(a: &[f32], b: &mut [f32], part: impl Fn(f32, &mut f32) -> f64 + Sync) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut partial = vec![0.0f64; b.len().div_ceil(BLOCK)];
    for_block_pairs(
        (b, CHAINS * BLOCK),
        (&mut partial, CHAINS),
        #[inline(always)]
        |at, b, totals| {
            let a = &a[at * CHAINS * BLOCK..];
            let mut parts = [[0.0; CHAINS]; STRIP];
            for strip in (0..BLOCK).step_by(STRIP) {
                parts.fill([0.0; CHAINS]);
                let mut most = 0;
                for (chain, (a, b)) in a.chunks(BLOCK).zip(b.chunks_mut(BLOCK)).enumerate() {
                    let range = strip..b.len().min(strip + STRIP);
                    let (Some(a), Some(b)) = (a.get(range.clone()), b.get_mut(range)) else { continue };
                    most = most.max(b.len());
                    for ((a, b), parts) in a.iter().zip(b).zip(&mut parts) {
                        parts[chain] = part(*a, b);
                    }
                }
                let mut sums = [0.0; CHAINS];
                sums[..totals.len()].copy_from_slice(totals);
                for parts in &parts[..most] {
                    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
                }
                totals.copy_from_slice(&sums[..totals.len()]);
            }
        },
    );
    partial.into_iter().sum()
}

/// Sums over rows: `f(rows, sums)` adds the given rows to its block's `columns` sums.
pub fn column_sums(
    rows: usize,
    columns: usize,
    f: impl Fn(Range<usize>, &mut [f64]) + Sync + Send,
) -> Vec<f64> {
    let partial = map_blocks(
        rows,
        BLOCK_ROWS,
        #[inline(always)]
        |range| {
            let mut sums = vec![0.0; columns];
            f(range, &mut sums);
            sums
        },
    );
    let mut total = vec![0.0; columns];
    for sums in partial {
        total.iter_mut().zip(sums).for_each(|(t, s)| *t += s);
    }
    total
}

/// The largest magnitude, 0 for an empty slice. NaN does not count.
pub fn max_abs(v: &[f32]) -> f32 {
    const LANES: usize = 16;
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let partial = map_blocks(
        v.len(),
        BLOCK,
        #[inline(always)]
        |range| {
            let mut lanes = [0.0f32; LANES];
            let mut chunks = v[range].chunks_exact(LANES);
            for chunk in &mut chunks {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    *lane = larger(x.abs(), *lane);
                }
            }
            let rest = chunks.remainder().iter().map(|x| x.abs());
            lanes.into_iter().chain(rest).fold(0.0, |m, x| larger(x, m))
        },
    );
    partial.into_iter().fold(0.0, larger)
}

/// The largest magnitude of each column. NaN does not count.
pub fn column_maxima(v: &[f32], columns: usize) -> Vec<f32> {
    let larger = |a: &mut f32, b: f32| *a = if b > *a { b } else { *a };
    let partial = map_blocks(
        v.len() / columns,
        BLOCK_ROWS,
        #[inline(always)]
        |rows| {
            let mut maxima = vec![0.0f32; columns];
            for row in v[rows.start * columns..rows.end * columns].chunks_exact(columns) {
                maxima.iter_mut().zip(row).for_each(|(m, x)| larger(m, x.abs()));
            }
            maxima
        },
    );
    let mut maxima = vec![0.0f32; columns];
    for part in partial {
        maxima.iter_mut().zip(part).for_each(|(m, x)| larger(m, x));
    }
    maxima
}

/// `values` repeated to a length that loops vectorise over, at least 256.
pub fn tile(values: &[f32]) -> Vec<f32> {
    let times = 256usize.div_ceil(values.len());
    values.repeat(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_threads() {
        let v: Vec<f32> = (0..100_000).map(|i| ((i * 7919) % 10_007) as f32 * 1e-3).collect();
        let total = || sum(v.len(), |r| v[r].iter().map(|&x| f64::from(x) * 0.1).sum());
        let columns = || {
            column_sums(v.len() / 10, 10, |rows, sums| {
                for row in rows {
                    for (c, s) in sums.iter_mut().enumerate() {
                        *s += f64::from(v[row * 10 + c]) * 0.1;
                    }
                }
            })
        };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| (total().to_bits(), columns()))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    }

    /// The plain loop over blocks, bit for bit.
    #[test]
    fn sums_of_updates_are_those_of_blocks() {
        for len in [0, 1, 63, 65, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK + 77] {
            let a: Vec<f32> = (0..len).map(|i| ((i * 7919) % 10_007) as f32 * 1e-3 - 4.0).collect();
            let mut b: Vec<f32> = a.iter().rev().copied().collect();
            let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            let total = sum(len, |r| r.map(|i| f64::from(a[i]) * f64::from(b[i])).sum());
            let found = update_and_sum(&a, &mut b, |a, b| {
                let part = f64::from(a) * f64::from(*b);
                *b = a - *b;
                part
            });
            assert_eq!((found, b), (total, expected), "{len}");
        }
    }

    #[test]
    fn max_abs_finds_the_only_extreme_anywhere() {
        for len in [1, 15, 16, 17, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            for at in [0, len / 2, len - 1] {
                let mut v = vec![0.25f32; len];
                v[at] = -2.0;
                assert_eq!(max_abs(&v), 2.0, "length {len}, position {at}");
            }
        }
        assert_eq!(max_abs(&[]), 0.0);
    }

    #[test]
    fn pairs_of_blocks_line_up() {
        let (mut a, mut b) = (vec![0usize; 10], vec![0usize; 30]);
        for_block_pairs((&mut a, 2), (&mut b, 6), |i, a, b| {
            a.fill(i);
            b.fill(i);
        });
        assert_eq!(a, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        assert!(b.iter().enumerate().all(|(i, &x)| x == i / 6));
    }
}
