//! A second reading of docs/gaussian.md, "Arithmetic": all of a line's past, exact quotients.

use tandem_spec::Smooth;

/// A line since it began: its pixels, and what a step leaves to the next.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pixels: Vec<i128>,
    u: i128,
    s: i128,
    /// D and Z of each cosine.
    waves: [(i128, i128); 4],
}

/// The number of `bits` bits that is `v` modulo 2^bits.
fn wrapped(v: i128, bits: u32) -> i128 {
    let all = 1 << bits;
    let rest = v.rem_euclid(all);
    if rest < all / 2 { rest } else { rest - all }
}

/// ⌊(v + 2^(k − 1)) / 2^k⌋.
fn nearest(v: i128, k: u32) -> i128 {
    (v + (1 << (k - 1))).div_euclid(1 << k)
}

impl Line {
    /// y of the next pixel.
    pub fn step(&mut self, i: &Smooth, p: i128) -> i32 {
        let (m, w) = (self.pixels.len(), 2 * usize::from(i.radius) + 1);
        self.pixels.push(p);
        let u = if m < w { p } else { p - self.pixels[m - w] };
        let delta = u - self.u;
        self.u = u;
        self.s = wrapped(self.s + u, 25);
        let pairs = [(i.turn_1, i.edge_1), (i.turn_2, i.edge_2), (i.turn_3, i.edge_3), (i.turn_4, i.edge_4)];
        let mut y = nearest(i128::from(i.mean) * self.s, 18);
        for ((d, z), (turn, edge)) in self.waves.iter_mut().zip(pairs) {
            *d = wrapped(*d - nearest(i128::from(turn) * *z, 30) + nearest(i128::from(edge) * delta, 18), 30);
            *z = wrapped(*z + *d, 30);
            y += *z;
        }
        wrapped(y, 32) as i32
    }
}
