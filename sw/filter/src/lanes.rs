//! One-dimensional filters along columns and rows, on many lines at once.
//!
//! ```text
//! image ─► blocks of LANES columns ─ pass down ─► blocks ─► bands of LANES rows, transposed ─ pass along ─► image
//! ```
//! A [`Pass`] sees a sequence of positions, each with [`LANES`] numbers that do not meet: LANES columns going down, or LANES rows
//! going along. So recurrences run on vector units, and what lies between the two passes stays in the cache of a core. A task is a
//! block or a band, whole, so that results do not depend on the number of threads.

use crate::Border;
use crate::image::Shape;
use crate::sample::Sample;
use multiversion::multiversion;
use rayon::prelude::*;

/// Lines that are filtered together.
pub(crate) const LANES: usize = 64;

/// A number of each line at one position.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub [f32; LANES]);

impl Lane {
    /// The same number in every line.
    pub const fn splat(v: f32) -> Self {
        Lane([v; LANES])
    }
}

/// Positions that a pass reads: `at[i]` is where position `i - before` lies.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    lanes: &'a [Lane],
    at: &'a [u32],
    channels: u32,
    channel: u32,
    outside: u32,
}

impl Source<'_> {
    /// The numbers at position `i - before`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> &Lane {
        let at = self.at[i];
        let at = if at == self.outside { at * self.channels } else { at * self.channels + self.channel };
        &self.lanes[at as usize]
    }
}

/// Where a pass writes: every `channels`-th lane from `channel` on.
pub(crate) struct Target<'a> {
    lanes: &'a mut [Lane],
    channels: usize,
    channel: usize,
}

impl Target<'_> {
    /// How many positions there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.lanes.len() / self.channels
    }

    /// The place of position `i`.
    #[inline(always)]
    pub fn get(&mut self, i: usize) -> &mut Lane {
        &mut self.lanes[i * self.channels + self.channel]
    }
}

/// A linear filter along one dimension.
pub(crate) trait Pass: Send + Sync {
    /// How many positions it looks at before and after its own.
    fn reach(&self) -> (usize, usize);
    /// What it makes of 1 everywhere.
    fn gain(&self) -> f32;
    /// Filters: reads positions −before … n + after − 1, writes 0 … n − 1.
    fn run(&self, source: Source<'_>, target: Target<'_>);
}

/// What is known of a pass before it runs.
struct Way<'a> {
    pass: &'a dyn Pass,
    at: Vec<u32>,
    n: usize,
}

impl<'a> Way<'a> {
    fn new(pass: &'a dyn Pass, border: Border, n: usize) -> Self {
        let (before, after) = pass.reach();
        Way { pass, at: border.indices(n, before, after), n }
    }

    fn run(&self, lanes: &[Lane], out: &mut [Lane], channels: usize) {
        for channel in 0..channels {
            let source = Source {
                lanes,
                at: &self.at,
                channels: channels as u32,
                channel: channel as u32,
                outside: self.n as u32,
            };
            self.pass.run(source, Target { lanes: out, channels, channel });
        }
    }
}

/// Filters the columns with `down`, then the rows with `along`, and hands each result to `finish`.
pub(crate) fn separable<T: Sample, U: Sample>(
    shape: Shape,
    samples: &[T],
    down: &dyn Pass,
    along: &dyn Pass,
    border: Border,
    finish: impl Fn(f32) -> U + Sync,
) -> Vec<U> {
    let (height, pitch) = (shape.height, shape.pitch());
    let middle = columns(shape, samples, down, border);
    let way = Way::new(along, border, shape.width);
    let outside = Lane::splat(border.outside() * down.gain());
    let mut out = vec![U::default(); samples.len()];
    let blank = || (vec![Lane::splat(0.0); pitch.next_multiple_of(LANES)], vec![Lane::splat(0.0); pitch]);
    out.par_chunks_mut(pitch * LANES).enumerate().for_each_init(blank, |(lanes, filtered), (band, out)| {
        let (y, rows) = (band * LANES, out.len() / pitch);
        lanes.resize(pitch.next_multiple_of(LANES), Lane::splat(0.0));
        for (block, lanes) in middle.chunks_exact(height).zip(lanes.chunks_exact_mut(LANES)) {
            let mut tile = [Lane::splat(0.0); LANES];
            tile[..rows].copy_from_slice(&block[y..y + rows]);
            transpose(&tile, lanes);
        }
        lanes.truncate(pitch);
        lanes.push(outside);
        way.run(lanes, filtered, shape.channels);
        for (b, block) in filtered.chunks(LANES).enumerate() {
            let mut tile = [Lane::splat(0.0); LANES];
            tile[..block.len()].copy_from_slice(block);
            let mut turned = [Lane::splat(0.0); LANES];
            transpose(&tile, &mut turned);
            for (row, lane) in out.chunks_exact_mut(pitch).zip(&turned) {
                let row = &mut row[b * LANES..][..block.len()];
                row.iter_mut().zip(&lane.0).for_each(|(out, v)| *out = finish(*v));
            }
        }
    });
    out
}

/// The columns filtered: blocks of LANES columns, each from top to bottom.
fn columns<T: Sample>(shape: Shape, samples: &[T], pass: &dyn Pass, border: Border) -> Vec<Lane> {
    let (height, pitch) = (shape.height, shape.pitch());
    let way = Way::new(pass, border, height);
    let mut out = vec![Lane::splat(0.0); pitch.div_ceil(LANES) * height];
    let blank = || vec![Lane::splat(border.outside()); height + 1];
    out.par_chunks_mut(height).enumerate().for_each_init(blank, |lanes, (block, out)| {
        let x = block * LANES;
        let count = LANES.min(pitch - x);
        for (row, lane) in samples.chunks_exact(pitch).zip(lanes.iter_mut()) {
            lane.0[..count].iter_mut().zip(&row[x..x + count]).for_each(|(to, v)| *to = v.summand());
        }
        way.run(lanes, out, 1);
    });
    out
}

/// Filters lanes that have what lies around them: results are as many fewer as the pass looks at.
pub(crate) fn run(pass: &dyn Pass, lanes: &[Lane], out: &mut [Lane]) {
    let at: Vec<u32> = (0..lanes.len() as u32).collect();
    let source = Source { lanes, at: &at, channels: 1, channel: 0, outside: u32::MAX };
    pass.run(source, Target { lanes: out, channels: 1, channel: 0 });
}

/// Three rounds in which rows i and i + 4 are interleaved transpose eight.
#[inline(always)]
fn transpose_eight(from: &[Lane], x: usize, to: &mut [Lane], y: usize) {
    let mut m = [[0.0f32; 8]; 8];
    for (row, lane) in m.iter_mut().zip(from) {
        row.copy_from_slice(&lane.0[x..x + 8]);
    }
    for _ in 0..3 {
        let mut next = [[0.0f32; 8]; 8];
        for i in 0..4 {
            for j in 0..4 {
                next[2 * i][2 * j] = m[i][j];
                next[2 * i][2 * j + 1] = m[i + 4][j];
                next[2 * i + 1][2 * j] = m[i][j + 4];
                next[2 * i + 1][2 * j + 1] = m[i + 4][j + 4];
            }
        }
        m = next;
    }
    for (row, lane) in m.iter().zip(to) {
        lane.0[y..y + 8].copy_from_slice(row);
    }
}

/// `to[j][i] = from[i][j]`.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn transpose(from: &[Lane; LANES], to: &mut [Lane]) {
    for y in (0..LANES).step_by(8) {
        for x in (0..LANES).step_by(8) {
            transpose_eight(&from[y..y + 8], x, &mut to[x..x + 8], y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_transposed() {
        let from: [Lane; LANES] =
            std::array::from_fn(|i| Lane(std::array::from_fn(|j| (i * LANES + j) as f32)));
        let mut to = [Lane::splat(-1.0); LANES];
        transpose(&from, &mut to);
        for (i, lane) in to.iter().enumerate() {
            for (j, v) in lane.0.iter().enumerate() {
                assert_eq!(*v, (j * LANES + i) as f32);
            }
        }
    }
}
