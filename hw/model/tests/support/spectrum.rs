//! A second reading of docs/fft.md, "Arithmetic": sample by sample, with every width that the page claims
//! asserted.

use std::cmp::Ordering;
use std::f64::consts::PI;
use tandem_spec::engine::TransformKind;

/// Real and imaginary part.
pub type Sample = (i64, i64);

/// A transform and what was seen on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spectrum {
    pub y: Vec<Sample>,
    pub exponent: u32,
    pub clamped: bool,
    /// Largest magnitude of a part between two passes.
    pub peak: i64,
}

struct Reading {
    v: Vec<Sample>,
    block: bool,
    /// Parts between passes have fewer bits than this, without their sign.
    width: u32,
    /// T: radix-2 stages done.
    stages: u32,
    peak: i64,
}

/// H(T).
fn dropped(stages: u32) -> u32 {
    stages.saturating_sub(6)
}

/// RHE(a / 2^k).
fn rhe(a: i128, k: u32) -> i64 {
    let unit = 1i128 << k;
    let (whole, rest) = (a.div_euclid(unit), a.rem_euclid(unit));
    let up = match (2 * rest).cmp(&unit) {
        Ordering::Less => 0,
        Ordering::Equal => whole & 1,
        Ordering::Greater => 1,
    };
    i64::try_from(whole + up).expect("a part")
}

fn reversed(v: usize, bits: u32) -> usize {
    (0..bits).filter(|b| v >> b & 1 == 1).map(|b| 1 << (bits - 1 - b)).sum()
}

impl Reading {
    /// s of a pass of so many stages.
    fn shift(&self, stages: u32) -> u32 {
        match self.block {
            true => dropped(self.stages + stages) - dropped(self.stages),
            false => stages,
        }
    }

    /// v[at] = RHE(z·w(e, length) / 2^(16 + s)).
    fn put(&mut self, at: usize, z: Sample, e: usize, length: usize, s: u32) {
        for part in [z.0, z.1] {
            assert!(part.abs() < 1 << (self.width + 2), "{part} inside a pass");
        }
        let angle = 2.0 * PI * e as f64 / length as f64;
        let (c, d) = ((65536.0 * angle.cos()).round() as i128, (65536.0 * angle.sin()).round() as i128);
        let (re, im) = (i128::from(z.0), i128::from(z.1));
        let y = (rhe(re * c + im * d, 16 + s), rhe(im * c - re * d, 16 + s));
        self.peak = self.peak.max(y.0.abs()).max(y.1.abs());
        assert!(self.peak < 1 << self.width, "{y:?} between passes");
        self.v[at] = y;
    }

    /// A pass on blocks, each the places of its samples in order.
    fn pass(&mut self, radix: usize, blocks: impl Iterator<Item = Vec<usize>>) {
        let stages = radix.ilog2();
        let s = self.shift(stages);
        for block in blocks {
            let (length, q) = (block.len(), block.len() / radix);
            for n in 0..q {
                let at = |i: usize| block[n + i * q];
                if radix == 2 {
                    let (a, b) = (self.v[at(0)], self.v[at(1)]);
                    self.put(at(0), (a.0 + b.0, a.1 + b.1), 0, length, s);
                    self.put(at(1), (a.0 - b.0, a.1 - b.1), n, length, s);
                } else {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.v[at(i)]);
                    let z = [
                        (a.0 + b.0 + c.0 + d.0, a.1 + b.1 + c.1 + d.1),
                        (a.0 - b.0 + c.0 - d.0, a.1 - b.1 + c.1 - d.1),
                        // −i·b = (b.1, −b.0), i·d = (−d.1, d.0)
                        (a.0 + b.1 - c.0 - d.1, a.1 - b.0 - c.1 + d.0),
                        (a.0 - b.1 - c.0 + d.1, a.1 + b.0 - c.1 - d.0),
                    ];
                    for (i, (z, e)) in z.into_iter().zip([0, 2 * n, n, 3 * n]).enumerate() {
                        self.put(at(i), z, e, length, s);
                    }
                }
            }
        }
        self.stages += stages;
    }

    fn line(&mut self, n: usize) {
        let mut length = n;
        while length > 1 {
            let radix = if length.ilog2() % 2 == 1 { 2 } else { 4 };
            self.pass(radix, (0..n / length).map(|k| (k * length..(k + 1) * length).collect()));
            length /= radix;
        }
    }

    /// A pass on blocks of `length` of a tile's rows (the same column), or of its columns.
    fn tile_pass(&mut self, side: usize, along_rows: bool, length: usize) {
        let blocks = (0..side).flat_map(|other| (0..side).step_by(length).map(move |first| (other, first)));
        let place = |i: usize, other: usize| if along_rows { side * i + other } else { side * other + i };
        self.pass(4, blocks.map(|(other, first)| (first..first + length).map(|i| place(i, other)).collect()));
    }

    /// Radix 2 along r (L = 2), then radix 2 along c (L = 8), one rounding.
    fn middle_of_eight(&mut self) {
        let s = self.shift(2);
        for r in (0..8).step_by(2) {
            for c in 0..4 {
                let at = |i: usize, j: usize| 8 * (r + i) + c + 4 * j;
                let column = |v: &[Sample], j: usize| {
                    let (a, b) = (v[at(0, j)], v[at(1, j)]);
                    [(a.0 + b.0, a.1 + b.1), (a.0 - b.0, a.1 - b.1)]
                };
                let (left, right) = (column(&self.v, 0), column(&self.v, 1));
                for i in 0..2 {
                    let (a, b) = (left[i], right[i]);
                    self.put(at(i, 0), (a.0 + b.0, a.1 + b.1), 0, 8, s);
                    self.put(at(i, 1), (a.0 - b.0, a.1 - b.1), c, 8, s);
                }
            }
        }
        self.stages += 2;
    }

    fn tile(&mut self, side: usize) {
        match side {
            4 => {
                self.tile_pass(4, true, 4);
                self.tile_pass(4, false, 4);
            }
            8 => {
                self.tile_pass(8, true, 8);
                self.middle_of_eight();
                self.tile_pass(8, false, 4);
            }
            _ => {
                for along_rows in [true, false] {
                    self.tile_pass(16, along_rows, 16);
                    self.tile_pass(16, along_rows, 4);
                }
            }
        }
    }
}

/// The transform of samples whose parts have `b` bits.
pub fn transform(b: u32, kind: &TransformKind, x: &[Sample]) -> Spectrum {
    let n = x.len();
    assert_eq!(n, 1 << kind.log_points);
    let low = |part: i64| {
        let part = part.rem_euclid(1 << b);
        if part >= 1 << (b - 1) { part - (1 << b) } else { part }
    };
    let exchanged = |z: Sample| if kind.inverse { (z.1, z.0) } else { z };
    let guard = if kind.block { 1 } else { 4 };
    let v = x.iter().map(|z| exchanged((guard * low(z.0), guard * low(z.1)))).collect();
    let width = if kind.block { b + 6 } else { b + 2 };
    let mut reading = Reading { v, block: kind.block, width, stages: 0, peak: 0 };
    let side = 1 << (kind.log_points / 2);
    if kind.tile {
        reading.tile(side);
    } else {
        reading.line(n);
    }
    let Reading { v, stages, peak, .. } = reading;
    assert_eq!(stages, u32::from(kind.log_points));
    let (q, exponent) = if kind.block {
        let m = v.iter().flat_map(|z| [z.0, z.1]).fold(0, |m, v| m | if v < 0 { !v } else { v });
        let bits: u32 = (0..63).find(|bits| m >> bits == 0).expect("a part's bits");
        let q = bits.saturating_sub(b - 1);
        (q, dropped(stages) + q)
    } else {
        (2, stages)
    };
    let half = 1i64 << (b - 1);
    let mut clamped = false;
    let mut out = |v: i64| {
        let y = rhe(v.into(), q);
        clamped |= y < -half || y >= half;
        y.max(-half).min(half - 1)
    };
    let place = |k: usize| match kind.tile {
        true => side * reversed(k / side, side.ilog2()) + reversed(k % side, side.ilog2()),
        false => reversed(k, kind.log_points.into()),
    };
    let y = (0..n).map(|k| exchanged((out(v[place(k)].0), out(v[place(k)].1)))).collect();
    Spectrum { y, exponent, clamped, peak }
}
