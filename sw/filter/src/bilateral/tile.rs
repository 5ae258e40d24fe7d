//! The series, tile by tile: down all columns, term by term; then along the rows, term by term, into the two sums.

use crate::Border;
use crate::image::Shape;
use crate::lanes::{LANES, Lane, Pass, run, transpose};
use crate::sample::Sample;
use crate::series::Series;
use multiversion::multiversion;
use rayon::prelude::*;

/// Rows and columns of results in a tile, at least, and at least so many times what lies around it.
const ROWS: usize = 256;
const COLUMNS: usize = 448;
const AROUND: usize = 4;

/// The Gaussian in space.
pub(super) struct Spatial<'a> {
    pub pass: &'a dyn Pass,
    /// A pixel's own share of it.
    pub own: f32,
    /// What is taken from all values, so that angles are small.
    pub middle: f32,
}

/// A channel, with the indices of rows and columns from −halo on.
struct Plane<'a, T> {
    shape: Shape,
    samples: &'a [T],
    channel: usize,
    at: [&'a [u32]; 2],
    outside: f32,
}

impl<T: Sample> Plane<'_, T> {
    /// Copies rows of `width` samples.
    fn copy(&self, width: usize, to: &mut [f32]) {
        let Shape { height, width: most, channels } = self.shape;
        let columns = &self.at[1][..width];
        // columns of the image as they follow each other
        let first = columns.iter().zip(&columns[1..]).position(|(a, b)| a + 1 == *b && (*b as usize) < most);
        let first = first.unwrap_or(width);
        let count = 1 + columns[first..]
            .windows(2)
            .take_while(|w| w[0] + 1 == w[1] && (w[1] as usize) < most)
            .count();
        let whole = first..(first + count).min(width);
        for (row, to) in self.at[0].iter().zip(to.chunks_exact_mut(width)) {
            let row = *row as usize;
            if row == height {
                to.fill(self.outside);
                continue;
            }
            let from = &self.samples[row * self.shape.pitch()..][..self.shape.pitch()];
            let get = |x: u32| from[x as usize * channels + self.channel].summand();
            for x in (0..whole.start).chain(whole.end..width) {
                to[x] = if columns[x] as usize == most { self.outside } else { get(columns[x]) };
            }
            if let Some(x) = columns.get(whole.start) {
                let from = &from[*x as usize * channels + self.channel..];
                let from = from.iter().step_by(channels);
                to[whole.clone()].iter_mut().zip(from).for_each(|(to, v)| *to = v.summand());
            }
        }
    }
}

/// cos(kθ) and sin(kθ) of lanes of angles, for k = 1, 2, …
#[derive(Default)]
struct Wave {
    first: [Vec<Lane>; 2],
    now: [Vec<Lane>; 2],
}

impl Wave {
    /// k = 1 for lanes of values.
    fn start(&mut self, values: &[Lane], middle: f32, omega: f32) {
        for lanes in self.first.iter_mut().chain(&mut self.now) {
            lanes.resize(values.len(), Lane::splat(0.0));
        }
        angles(values, &mut self.first, middle, omega);
        for (now, first) in self.now.iter_mut().zip(&self.first) {
            now.copy_from_slice(first);
        }
    }

    /// The next k.
    fn turn(&mut self) {
        turn(&mut self.now, &self.first);
    }
}

/// cos and sin of (values − middle)·ω, which lie within ±π, from Taylor's series of the half angle.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn angles(values: &[Lane], [cosines, sines]: &mut [Vec<Lane>; 2], middle: f32, omega: f32) {
    for ((value, c), s) in values.iter().zip(cosines).zip(sines) {
        for l in 0..LANES {
            let half = (value.0[l] - middle) * (0.5 * omega);
            let square = half * half;
            let (mut sine, mut cosine) = (-2.505_210_8e-8_f32, 2.087_675_7e-9_f32);
            for k in [2.755_731_9e-6, -1.984_127e-4, 8.333_333e-3, -1.666_666_7e-1, 1.0] {
                sine = sine * square + k;
            }
            for k in [-2.755_732e-7, 2.480_158_7e-5, -1.388_888_9e-3, 4.166_666_7e-2, -0.5, 1.0] {
                cosine = cosine * square + k;
            }
            sine *= half;
            c.0[l] = 1.0 - 2.0 * sine * sine;
            s.0[l] = 2.0 * sine * cosine;
        }
    }
}

/// Turns each pair by its first angle.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn turn([cosines, sines]: &mut [Vec<Lane>; 2], [c1, s1]: &[Vec<Lane>; 2]) {
    for (((c, s), c1), s1) in cosines.iter_mut().zip(sines).zip(c1).zip(s1) {
        for l in 0..LANES {
            let (cosine, sine) = (c.0[l], s.0[l]);
            c.0[l] = cosine * c1.0[l] - sine * s1.0[l];
            s.0[l] = sine * c1.0[l] + cosine * s1.0[l];
        }
    }
}

/// Adds a term: σ²·a·ω·(cos·G[sin] − sin·G[cos]) and a·(cos·G[cos] + sin·G[sin]).
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn add(
    [sum, total]: &mut [Vec<Lane>; 2],
    wave: &[Vec<Lane>; 2],
    smooth: &[Vec<Lane>; 2],
    [slope, share]: [f32; 2],
) {
    for (i, (sum, total)) in sum.iter_mut().zip(total).enumerate() {
        let (c, s, gc, gs) = (&wave[0][i], &wave[1][i], &smooth[0][i], &smooth[1][i]);
        for l in 0..LANES {
            sum.0[l] += slope * (c.0[l] * gs.0[l] - s.0[l] * gc.0[l]);
            total.0[l] += share * (c.0[l] * gc.0[l] + s.0[l] * gs.0[l]);
        }
    }
}

/// value + sum / max(total, own).
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn finish(values: &mut [Lane], [sum, total]: &[Vec<Lane>; 2], own: f32) {
    for ((value, sum), total) in values.iter_mut().zip(sum).zip(total) {
        for l in 0..LANES {
            value.0[l] += sum.0[l] / total.0[l].max(own);
        }
    }
}

pub(super) fn filter<T: Sample>(
    shape: Shape,
    samples: &[T],
    spatial: &Spatial<'_>,
    series: &Series,
    border: Border,
) -> Vec<T> {
    let (halo, _) = spatial.pass.reach();
    let rows = ROWS.max(AROUND * halo).next_multiple_of(LANES);
    // with what lies around them, whole blocks
    let columns = (COLUMNS.max(AROUND * halo) + 2 * halo).next_multiple_of(LANES) - 2 * halo;
    let (tiles_down, tiles_along) = (shape.height.div_ceil(rows), shape.width.div_ceil(columns));
    let at =
        [border.indices(shape.height, halo, halo + LANES), border.indices(shape.width, halo, halo + LANES)];
    let place = |i: usize| {
        let (tile, channel) = (i / shape.channels, i % shape.channels);
        (tile / tiles_along * rows, tile % tiles_along * columns, channel)
    };
    let tiles: Vec<Vec<T>> = (0..tiles_down * tiles_along * shape.channels)
        .into_par_iter()
        .map_init(Room::default, |room, i| {
            let (y, x, channel) = place(i);
            let plane =
                Plane { shape, samples, channel, at: [&at[0][y..], &at[1][x..]], outside: border.outside() };
            let sides = [rows.min(shape.height - y), columns.min(shape.width - x)];
            tile(&plane, sides, spatial, series, room)
        })
        .collect();
    let mut out = vec![T::default(); samples.len()];
    for (i, tile) in tiles.iter().enumerate() {
        let (y, x, channel) = place(i);
        let columns = columns.min(shape.width - x);
        for (row, from) in (y..shape.height).zip(tile.chunks_exact(columns)) {
            let to =
                out[row * shape.pitch()..][..shape.pitch()][channel..].iter_mut().step_by(shape.channels);
            to.skip(x).zip(from).for_each(|(to, v)| *to = *v);
        }
    }
    out
}

/// What a tile's work needs beside its results.
#[derive(Default)]
struct Room {
    plane: Vec<f32>,
    /// What lies between the two directions: [term][cos, sin][block of columns][row].
    middle: Vec<Lane>,
    values: Vec<Lane>,
    wave: Wave,
    lanes: Vec<Lane>,
    smooth: [Vec<Lane>; 2],
    sums: [Vec<Lane>; 2],
}

/// A tile's results, row-major: so many rows and columns.
fn tile<T: Sample>(
    plane: &Plane<'_, T>,
    [wanted, columns]: [usize; 2],
    spatial: &Spatial<'_>,
    series: &Series,
    room: &mut Room,
) -> Vec<T> {
    let (halo, omega, terms) = (spatial.pass.reach().0, series.omega as f32, series.waves.len());
    let rows = wanted.next_multiple_of(LANES);
    let (height, width) = (rows + 2 * halo, (columns + 2 * halo).next_multiple_of(LANES));
    let none = Lane::splat(0.0);
    let Room { plane: samples, middle, values, wave, lanes, smooth, sums } = room;
    samples.resize(height * width, 0.0);
    plane.copy(width, samples);
    middle.resize(terms * 2 * width / LANES * rows, none);
    let place = |k: usize, part: usize, block: usize| ((k * 2 + part) * width / LANES + block) * rows;
    values.resize(height, none);
    for block in 0..width / LANES {
        for (lane, row) in values.iter_mut().zip(samples.chunks_exact(width)) {
            lane.0.copy_from_slice(&row[block * LANES..][..LANES]);
        }
        wave.start(values, spatial.middle, omega);
        for k in 0..terms {
            for part in 0..2 {
                run(spatial.pass, &wave.now[part], &mut middle[place(k, part, block)..][..rows]);
            }
            if k + 1 < terms {
                wave.turn();
            }
        }
    }
    let mut out = vec![T::default(); wanted * columns];
    lanes.resize(width, none);
    smooth.iter_mut().for_each(|smooth| smooth.resize(columns, none));
    for (group, out) in out.chunks_mut(LANES * columns).enumerate() {
        values.clear();
        for x in (0..columns).step_by(LANES) {
            let (count, mut tile, mut turned) = (LANES.min(columns - x), [none; LANES], [none; LANES]);
            let rows = samples.chunks_exact(width).skip(halo + group * LANES);
            for (lane, row) in tile.iter_mut().zip(rows) {
                lane.0[..count].copy_from_slice(&row[halo + x..][..count]);
            }
            transpose(&tile, &mut turned);
            values.extend_from_slice(&turned[..count]);
        }
        wave.start(values, spatial.middle, omega);
        for (sum, first) in sums.iter_mut().zip([0.0, series.mean as f32]) {
            sum.clear();
            sum.resize(columns, Lane::splat(first));
        }
        for k in 0..terms {
            for (part, smooth) in smooth.iter_mut().enumerate() {
                for (block, lanes) in lanes.chunks_exact_mut(LANES).enumerate() {
                    let from = &middle[place(k, part, block) + group * LANES..];
                    transpose(from.first_chunk().expect("a tile's lanes"), lanes);
                }
                run(spatial.pass, &lanes[..columns + 2 * halo], smooth);
            }
            add(sums, &wave.now, smooth, [series.derivative(k + 1) as f32, series.waves[k] as f32]);
            if k + 1 < terms {
                wave.turn();
            }
        }
        finish(values, sums, spatial.own);
        for (block, lanes) in values.chunks(LANES).enumerate() {
            let (mut tile, mut turned) = ([none; LANES], [none; LANES]);
            tile[..lanes.len()].copy_from_slice(lanes);
            transpose(&tile, &mut turned);
            for (out, lane) in out.chunks_exact_mut(columns).zip(&turned) {
                let out = &mut out[block * LANES..][..lanes.len()];
                out.iter_mut().zip(&lane.0).for_each(|(out, v)| *out = T::from_f32(*v));
            }
        }
    }
    out
}
