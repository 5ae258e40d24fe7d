//! The series, tile by tile: down all columns, term by term; then along the rows, term by term, into the two sums.

use crate::Border;
use crate::image::Shape;
use crate::lanes::{LANES, Lane, Pass, run, transpose};
use crate::sample::Sample;
use crate::series::Series;
use multiversion::multiversion;
use rayon::prelude::*;

/// Results along a side of a tile, at least, and at least as many as this many times what lies around it.
const SIDE: usize = 256;
const AROUND: usize = 4;

/// The Gaussian in space.
pub(super) struct Spatial<'a> {
    pub pass: &'a dyn Pass,
    /// A pixel's own share of it.
    pub own: f32,
    /// What is taken from all values, so that angles are small.
    pub middle: f32,
}

/// Samples of a channel with what lies around them.
struct Plane<'a, T> {
    shape: Shape,
    samples: &'a [T],
    channel: usize,
    /// Indices of rows and columns from −halo on.
    at: [&'a [u32]; 2],
    outside: f32,
}

impl<T: Sample> Plane<'_, T> {
    /// The sample so many rows and columns after the first of the halo.
    #[inline(always)]
    fn get(&self, y: usize, x: usize) -> f32 {
        let (row, column) = (self.at[0][y] as usize, self.at[1][x] as usize);
        if row == self.shape.height || column == self.shape.width {
            return self.outside;
        }
        self.samples[(row * self.shape.width + column) * self.shape.channels + self.channel].to_f32()
    }
}

/// cos(kθ) and sin(kθ) of lanes of angles, for k = 1, 2, …
struct Wave {
    first: [Vec<Lane>; 2],
    now: [Vec<Lane>; 2],
}

impl Wave {
    /// k = 1 for lanes of values.
    fn new(values: &[Lane], middle: f32, omega: f32) -> Self {
        let mut first = [values.to_vec(), values.to_vec()];
        angles(&mut first, middle, omega);
        Wave { now: first.clone(), first }
    }

    /// The next k.
    fn turn(&mut self) {
        turn(&mut self.now, &self.first);
    }
}

/// cos and sin of (values − middle)·ω, which lie within ±π, from Taylor's series of the half angle.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn angles([cosines, sines]: &mut [Vec<Lane>; 2], middle: f32, omega: f32) {
    for (c, s) in cosines.iter_mut().zip(sines) {
        for l in 0..LANES {
            let half = (c.0[l] - middle) * (0.5 * omega);
            let square = half * half;
            let (mut sine, mut cosine) = (-2.505_210_8e-8_f32, 2.087_675_7e-9_f32);
            for k in [2.755_731_9e-6, -1.984_127e-4, 8.333_333e-3, -1.666_666_7e-1, 1.0] {
                sine = sine * square + k;
            }
            for k in [-2.755_731_9e-7, 2.480_158_7e-5, -1.388_888_9e-3, 4.166_666_7e-2, -0.5, 1.0] {
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
fn add([sum, total]: &mut [Vec<Lane>; 2], wave: &[Vec<Lane>; 2], smooth: &[Vec<Lane>; 2], [slope, share]: [f32; 2]) {
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

/// Tiles along an axis: results and, with what lies around them, samples of each.
#[derive(Clone, Copy)]
struct Axis {
    results: usize,
    tiles: usize,
}

impl Axis {
    fn new(n: usize, halo: usize) -> Self {
        let most = SIDE.max(AROUND * halo);
        let tiles = n.div_ceil(most);
        Axis { results: n.div_ceil(tiles).next_multiple_of(LANES), tiles }
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
    let (down, along) = (Axis::new(shape.height, halo), Axis::new(shape.width, halo));
    let indices = |n: usize, axis: Axis| border.indices(n, halo, axis.tiles * axis.results - n + halo + LANES);
    let at = [indices(shape.height, down), indices(shape.width, along)];
    let jobs = down.tiles * along.tiles * shape.channels;
    let place = |i: usize| {
        let (tile, channel) = (i / shape.channels, i % shape.channels);
        (tile / along.tiles * down.results, tile % along.tiles * along.results, channel)
    };
    let tiles: Vec<Vec<T>> = (0..jobs)
        .into_par_iter()
        .map_init(Vec::new, |middle, i| {
            let (y, x, channel) = place(i);
            let at = [&at[0][y..], &at[1][x..]];
            let plane = Plane { shape, samples, channel, at, outside: border.outside() };
            tile(&plane, [down.results, along.results], spatial, series, middle)
        })
        .collect();
    let mut out = vec![T::default(); samples.len()];
    for (i, tile) in tiles.iter().enumerate() {
        let (y, x, channel) = place(i);
        let columns = along.results.min(shape.width.saturating_sub(x));
        for (row, from) in (y..shape.height).zip(tile.chunks_exact(along.results)) {
            let to = out[row * shape.pitch()..][..shape.pitch()][channel..].iter_mut().step_by(shape.channels);
            to.skip(x).zip(&from[..columns]).for_each(|(to, v)| *to = *v);
        }
    }
    out
}

/// A tile's results, row-major. `middle` is room for what lies between the two directions.
fn tile<T: Sample>(
    plane: &Plane<'_, T>,
    [rows, columns]: [usize; 2],
    spatial: &Spatial<'_>,
    series: &Series,
    middle: &mut Vec<Lane>,
) -> Vec<T> {
    let (halo, omega, terms) = (spatial.pass.reach().0, series.omega as f32, series.waves.len());
    let (height, width) = (rows + 2 * halo, (columns + 2 * halo).next_multiple_of(LANES));
    let none = Lane::splat(0.0);
    // [term][cos, sin][block of columns][row]
    middle.resize(terms * 2 * width / LANES * rows, none);
    let place = |k: usize, part: usize, block: usize| ((k * 2 + part) * width / LANES + block) * rows;
    let mut values = vec![none; height];
    for block in 0..width / LANES {
        for (y, lane) in values.iter_mut().enumerate() {
            *lane = Lane(std::array::from_fn(|l| plane.get(y, block * LANES + l)));
        }
        let mut wave = Wave::new(&values, spatial.middle, omega);
        for k in 0..terms {
            for part in 0..2 {
                run(spatial.pass, &wave.now[part], &mut middle[place(k, part, block)..][..rows]);
            }
            wave.turn();
        }
    }
    let mut out = vec![T::default(); rows * columns];
    let mut lanes = vec![none; width];
    let mut smooth = [vec![none; columns], vec![none; columns]];
    for (group, out) in out.chunks_exact_mut(LANES * columns).enumerate() {
        let mut values: Vec<Lane> = (0..columns)
            .map(|x| Lane(std::array::from_fn(|l| plane.get(halo + group * LANES + l, halo + x))))
            .collect();
        let mut wave = Wave::new(&values, spatial.middle, omega);
        let mut sums = [vec![none; columns], vec![Lane::splat(series.mean as f32); columns]];
        for k in 0..terms {
            for (part, smooth) in smooth.iter_mut().enumerate() {
                for (block, lanes) in lanes.chunks_exact_mut(LANES).enumerate() {
                    let from = &middle[place(k, part, block) + group * LANES..][..LANES];
                    transpose(from.first_chunk().expect("a tile's lanes"), lanes);
                }
                run(spatial.pass, &lanes[..columns + 2 * halo], smooth);
            }
            let weights = [series.derivative(k + 1) as f32, series.waves[k] as f32];
            add(&mut sums, &wave.now, &smooth, weights);
            wave.turn();
        }
        finish(&mut values, &sums, spatial.own);
        for (x, lane) in values.iter().enumerate() {
            for (l, v) in lane.0.iter().enumerate() {
                out[l * columns + x] = T::from_f32(*v);
            }
        }
    }
    out
}
