//! The FFT unit's core: against the page's integer mathematics, the discrete Fourier transform in double precision,
//! the timing table, and its own Verilog.
mod common;
use common::{Random, described, lint};
use std::f64::consts::PI;
use tandem_rtl::hdl::trace::Trace;
use tandem_rtl::units::fft::Shape;
use tandem_rtl::units::fft::core::Core;
use tandem_spec::Config;

type Complex = (i64, i64);

/// What a transform is asked for.
#[derive(Clone, Copy, Debug)]
struct Request {
    log_points: usize,
    block: bool,
    tile: bool,
}

/// Parts of the results, exponent, whether a part was clamped.
#[derive(Clone, Debug, PartialEq)]
struct Spectrum {
    y: Vec<Complex>,
    exponent: i64,
    clamped: bool,
}

/// Half to even.
fn rhe(x: i64, bits: u32) -> i64 {
    let unit = 1i64 << bits;
    let (floor, rest) = (x.div_euclid(unit), x.rem_euclid(unit));
    floor + i64::from(2 * rest > unit || (2 * rest == unit && floor % 2 != 0))
}

/// `w(e, L)` as (c, d).
fn twiddle(e: usize, length: usize) -> Complex {
    let angle = 2.0 * PI * e as f64 / length as f64;
    ((65536.0 * angle.cos()).round() as i64, (65536.0 * angle.sin()).round() as i64)
}

fn halvings(stages: usize) -> u32 {
    stages.saturating_sub(6) as u32
}

fn times_minus_i(z: Complex) -> Complex {
    (z.1, -z.0)
}

fn add(a: Complex, b: Complex) -> Complex {
    (a.0 + b.0, a.1 + b.1)
}

fn sub(a: Complex, b: Complex) -> Complex {
    (a.0 - b.0, a.1 - b.1)
}

/// `RHE(z · w(e, L) / 2^(16 + s))`.
fn turn(z: Complex, (c, d): Complex, s: u32) -> Complex {
    (rhe(z.0 * c + z.1 * d, 16 + s), rhe(z.1 * c - z.0 * d, 16 + s))
}

/// One pass over blocks of `length` (radix 4 or 2) of elements `stride` apart, starting at `base`.
fn pass(v: &mut [Complex], base: usize, stride: usize, length: usize, radix: usize, s: u32) {
    let at = |i: usize| base + i * stride;
    let q = length / radix;
    for n in 0..q {
        if radix == 2 {
            let (a, b) = (v[at(n)], v[at(n + q)]);
            v[at(n)] = turn(add(a, b), twiddle(0, length), s);
            v[at(n + q)] = turn(sub(a, b), twiddle(n, length), s);
        } else {
            let [a, b, c, d] = [0, 1, 2, 3].map(|j| v[at(n + j * q)]);
            let (even, odd) = (add(a, c), add(b, d));
            let (diff, turned) = (sub(a, c), times_minus_i(sub(b, d)));
            let z = [add(even, odd), sub(even, odd), add(diff, turned), sub(diff, turned)];
            for (j, e) in [0, 2 * n, n, 3 * n].into_iter().enumerate() {
                v[at(n + j * q)] = turn(z[j], twiddle(e, length), s);
            }
        }
    }
}

/// A list of passes of one dimension: (block length, radix).
fn radices(log: usize) -> Vec<(usize, usize)> {
    let (mut list, mut left) = (vec![], log);
    while left > 0 {
        let stages = if left % 2 == 1 { 1 } else { 2 };
        list.push((1 << left, 1 << stages));
        left -= stages;
    }
    list
}

fn reverse(p: usize, bits: usize) -> usize {
    (0..bits).fold(0, |r, i| r | (p >> i & 1) << (bits - 1 - i))
}

/// The page, "Arithmetic", in integers.
fn expected(x: &[Complex], r: Request, bits: u32) -> Spectrum {
    let (points, log) = (x.len(), r.log_points);
    let mut v: Vec<Complex> = x.iter().map(|x| if r.block { *x } else { (4 * x.0, 4 * x.1) }).collect();
    let mut done = 0;
    let mut shift = |stages: usize| {
        done += stages;
        if r.block { halvings(done) - halvings(done - stages) } else { stages as u32 }
    };
    if r.tile {
        let (f, side) = (log / 2, 1 << (log / 2));
        if f == 3 {
            // radix 4 along r; radix 2 along r and along c, rounded once; radix 4 along c
            let s = shift(2);
            (0..side).for_each(|c| pass(&mut v, c, side, side, 4, s));
            let s = shift(2);
            let mut sums = v.clone();
            for (row, c) in (0..side).step_by(2).flat_map(|row| (0..side).map(move |c| (row, c))) {
                let (a, b) = (row * side + c, (row + 1) * side + c);
                (sums[a], sums[b]) = (add(v[a], v[b]), sub(v[a], v[b]));
            }
            for (row, n) in (0..side).flat_map(|row| (0..4).map(move |n| (row, n))) {
                let (a, b) = (row * side + n, row * side + n + 4);
                v[a] = turn(add(sums[a], sums[b]), twiddle(0, 8), s);
                v[b] = turn(sub(sums[a], sums[b]), twiddle(n, 8), s);
            }
            let s = shift(2);
            (0..points).step_by(4).for_each(|base| pass(&mut v, base, 1, 4, 4, s));
        } else {
            for (length, radix) in radices(f) {
                let s = shift(2);
                for (c, start) in (0..side).flat_map(|c| (0..side).step_by(length).map(move |b| (c, b))) {
                    pass(&mut v, start * side + c, side, length, radix, s);
                }
            }
            for (length, radix) in radices(f) {
                let s = shift(2);
                (0..points).step_by(length).for_each(|base| pass(&mut v, base, 1, length, radix, s));
            }
        }
    } else {
        for (length, radix) in radices(log) {
            let s = shift(radix.trailing_zeros() as usize);
            (0..points).step_by(length).for_each(|base| pass(&mut v, base, 1, length, radix, s));
        }
    }
    let parts = |v: &Complex| [v.0, v.1];
    let magnitude = v.iter().flat_map(parts).fold(0, |m, p| m | if p < 0 { !p } else { p });
    let (q, exponent) = if r.block {
        let q = (64 - magnitude.leading_zeros()).saturating_sub(bits - 1);
        (q, halvings(log) + q)
    } else {
        (2, log as u32)
    };
    let (least, greatest) = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
    let mut clamped = false;
    let mut y = vec![(0, 0); points];
    for (p, v) in v.iter().enumerate() {
        let k = if r.tile {
            let f = log / 2;
            reverse(p >> f, f) << f | reverse(p & ((1 << f) - 1), f)
        } else {
            reverse(p, log)
        };
        let exact = (rhe(v.0, q), rhe(v.1, q));
        y[k] = (exact.0.clamp(least, greatest), exact.1.clamp(least, greatest));
        clamped |= y[k] != exact;
    }
    Spectrum { y, exponent: exponent.into(), clamped }
}

/// X[k] in double precision, of a tile in two dimensions.
fn reference(x: &[Complex], tile: bool) -> Vec<(f64, f64)> {
    let points = x.len();
    let side = if tile { 1 << (points.trailing_zeros() / 2) } else { points };
    let angle = |n: usize, k: usize| {
        let turns = (n % side * (k % side)) as f64 / side as f64
            + if tile { (n / side * (k / side)) as f64 / side as f64 } else { 0.0 };
        -2.0 * PI * turns.fract()
    };
    (0..points)
        .map(|k| {
            x.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
                let (sin, cos) = angle(n, k).sin_cos();
                let (a, b) = (x.0 as f64, x.1 as f64);
                (re + a * cos - b * sin, im + a * sin + b * cos)
            })
        })
        .collect()
}

struct Bench {
    shape: Shape,
    unit: Core,
    trace: Trace,
}

impl Bench {
    fn new(fft: &str) -> Self {
        let text = format!(
            "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\n[memory]\nrow_depth=4\ncol_depth=4\n\
             result_depth=32768\n[fft]\n{fft}\n"
        );
        let config = Config::from_toml("test.toml", &text).unwrap();
        let shape = Shape::new(&config.fft.unwrap());
        Bench { shape, unit: Core::new(&shape), trace: Trace::new() }
    }

    /// One cycle; the clock comes after it.
    fn cycle(&mut self) {
        self.trace.cycle(&mut self.unit, |u, level| u.clock.next = level.into());
    }

    /// Batches of `lanes` transforms, one after the other without a gap; also checks the page's cycles.
    fn run(&mut self, r: Request, batches: &[Vec<Vec<Complex>>]) -> Vec<Vec<Spectrum>> {
        let (points, lanes) = (1 << r.log_points, self.shape.lanes);
        let passes = r.log_points.div_ceil(2);
        self.unit.mode.log_points.set(r.log_points as i128);
        self.unit.mode.block.next = r.block;
        self.unit.mode.tile.next = r.tile;
        // they stand a cycle before the first group enters
        self.unit.start.next = false;
        self.cycle();
        let empty = Spectrum { y: vec![], exponent: 0, clamped: false };
        let mut found = vec![vec![empty; lanes]; batches.len()];
        // group 0 enters in cycle 0
        let begin = 2 * points + 5 * passes + 1;
        for cycle in 0..begin + batches.len() * points {
            self.unit.start.next = cycle == 0;
            let entering = Some(cycle).filter(|n| *n < batches.len() * points);
            for (l, parts) in self.unit.samples.chunks_exact_mut(2).enumerate() {
                let x = entering.map_or((1, -1), |n| batches[n / points][l][n % points]);
                parts[0].set(x.0.into());
                parts[1].set(x.1.into());
            }
            // outputs come from registers: those of this cycle are there before the clock
            assert!(rust_hdl::prelude::simulate(&mut self.unit, 1000));
            assert_eq!(self.unit.starts.val(), cycle == begin, "{r:?}, cycle {cycle}");
            if let Some(n) = cycle.checked_sub(begin) {
                for (l, s) in found[n / points].iter_mut().enumerate() {
                    let part = |p: usize| self.unit.spectrum.part[p].val().get() as i64;
                    s.y.push((part(2 * l), part(2 * l + 1)));
                    s.clamped |= self.unit.spectrum.clamped[l].val();
                    let exponent = self.unit.spectrum.exponent[l].val().get() as i64;
                    assert!(n % points == 0 || s.exponent == exponent, "{r:?}, cycle {cycle}");
                    s.exponent = exponent;
                }
            }
            self.cycle();
        }
        found
    }

    /// The Verilog does what the model did.
    fn confirm(&mut self) {
        lint(&described(&mut self.unit, &self.trace));
    }

    /// Signals that reach the limits: noise, full scale, a line, an impulse, silence.
    fn samples(&self, r: Request, random: &mut Random, kind: usize) -> Vec<Complex> {
        let (points, top) = (1usize << r.log_points, (1i64 << (self.shape.bits - 1)) - 1);
        let noise = |random: &mut Random, scale: i64| random.below(2 * scale as usize + 1) as i64 - scale;
        (0..points)
            .map(|n| match kind % 6 {
                0 => (noise(random, top), noise(random, top)),
                1 => (noise(random, 3), noise(random, 3)),
                2 => (
                    if n * 8 / points % 2 == 0 { top } else { -top - 1 },
                    if n % 2 == 0 { top } else { -top - 1 },
                ),
                3 => (-top - 1, -top - 1),
                4 => {
                    let angle = 2.0 * PI * (n * 3) as f64 / points as f64;
                    ((top as f64 * angle.cos()) as i64, (top as f64 * angle.sin()) as i64)
                }
                _ => {
                    if n == 1 {
                        (top, -top - 1)
                    } else {
                        (0, 0)
                    }
                }
            })
            .collect()
    }

    /// A request with so many batches of changing signals: the page's integers, and double precision.
    fn compare(&mut self, r: Request, batches: usize, random: &mut Random) {
        let lanes = self.shape.lanes;
        let x: Vec<Vec<Vec<Complex>>> =
            (0..batches).map(|f| (0..lanes).map(|l| self.samples(r, random, f + l)).collect()).collect();
        let found = self.run(r, &x);
        for (f, l) in (0..batches).flat_map(|f| (0..lanes).map(move |l| (f, l))) {
            let want = expected(&x[f][l], r, self.shape.bits as u32);
            assert_eq!(found[f][l], want, "{r:?}, batch {f}, lane {l}");
            if r.log_points <= 8 && !want.clamped {
                near(&found[f][l], &reference(&x[f][l], r.tile), r);
            }
        }
    }
}

/// Each pass rounds a part by at most 1/2 (of 1/4 output step if scaled, then halved per stage; of 2^H steps in
/// `block`, then at most doubled per stage), the output by 1/2; twiddles are off by 2^−17 of a magnitude a pass.
fn near(found: &Spectrum, exact: &[(f64, f64)], r: Request) {
    let scale = 2f64.powi(found.exponent as i32);
    let passes = r.log_points.div_ceil(2) as f64;
    let largest = exact.iter().map(|x| x.0.hypot(x.1)).fold(0.0, f64::max);
    let power = exact.iter().map(|x| x.0 * x.0 + x.1 * x.1).sum::<f64>();
    // Σ|x| bounds every intermediate value; √(N·Σ|x|²) = √(Σ|X|²) bounds Σ|x|
    let twiddles = passes * power.sqrt() / 65536.0;
    // a rounding of a part of every sample of a block: √2/2 each, summed over the outputs it reaches
    let inner: f64 = (0..passes as i32)
        .map(|p| {
            let after = (r.log_points as f64 - 2.0 * f64::from(p + 1)).max(0.0);
            let step = if r.block {
                2f64.powi(halvings((r.log_points as f64 - after) as usize) as i32)
            } else {
                2f64.powf(r.log_points as f64 - after) / 4.0
            };
            step * 2f64.powf(after) * 0.71
        })
        .sum();
    let bound = 0.71 * scale + inner + twiddles + largest / 65536.0;
    for (k, (y, x)) in found.y.iter().zip(exact).enumerate() {
        let error = (y.0 as f64 * scale - x.0).hypot(y.1 as f64 * scale - x.1);
        assert!(error <= bound, "{r:?}: X[{k}] is off by {error}, at most {bound}");
    }
}

#[test]
fn every_size_mode_and_tile_of_256_points() {
    let mut bench = Bench::new("points = 256\ndepth = 256");
    let mut random = Random::new(1);
    for log_points in 2..=8 {
        for block in [false, true] {
            bench.compare(Request { log_points, block, tile: false }, 4, &mut random);
            if [4, 6, 8].contains(&log_points) {
                bench.compare(Request { log_points, block, tile: true }, 3, &mut random);
            }
        }
    }
    bench.confirm();
}

#[test]
fn an_odd_largest_size_and_lockstep() {
    let mut bench = Bench::new("points = 32\nsamples = 4\nbits = 11\ndepth = 256");
    let mut random = Random::new(2);
    for log_points in [5, 2, 3, 4] {
        for block in [true, false] {
            bench.compare(Request { log_points, block, tile: log_points == 4 && block }, 7, &mut random);
        }
    }
    bench.confirm();
}

#[test]
fn single_sizes_without_options() {
    for (log_points, samples) in [(2, 2), (3, 1), (6, 1), (7, 1)] {
        let fft = format!(
            "points = {}\nsamples = {samples}\ndepth = 256\nblock = false\ntiles = false\nsizes = \"largest\"",
            1 << log_points
        );
        let mut bench = Bench::new(&fft);
        let mut random = Random::new(3);
        bench.compare(Request { log_points, block: false, tile: false }, 6, &mut random);
        bench.confirm();
    }
}

#[test]
fn long_transforms() {
    let mut bench = Bench::new("points = 4096\ndepth = 4096");
    let mut random = Random::new(4);
    for (log_points, block) in [(12, true), (9, true), (11, false), (10, true)] {
        bench.compare(Request { log_points, block, tile: false }, 2, &mut random);
    }
}
