//! A COMPUTE as numbers: how many tiles of which size, in closed form.
//!
//! ```text
//! n = Π_{l ≥ tiles} count_l · row_planes · col_planes       steps of every tile
//! N = Π_{l < tiles} count_l                                 tiles
//! D = rv·⌈cv / drain⌉, 1 with `hold`                        cycles that draining one takes
//! e_i = e_0 + Σ_{j < i} max(n, D_j + H)                     last step of tile i
//! ```
//! A tile's size depends on two facts, "last turn of `row_edge`" and "last turn of `col_edge`"; its
//! share of `skipped` may depend on a third, "turn 0 of the level that keeps a window". A [`Census`] counts the
//! tiles of each of the eight kinds among the first m; the sums above are weighted counts, whatever
//! the order of the tiles. Among the first m, digits of m in the mixed radix of the tile levels:
//!
//! ```text
//! {i < m} = ⋃_l { digits above l as in m, digit l smaller than m's, digits below free }
//! ```
//! Everything is in 128 bits, since counts multiply up to 65535^7 tiles.

use tandem_spec::config::MAX_LOOPS;
use tandem_spec::{Compute, Config};

const ROW_LAST: usize = 1;
const COL_LAST: usize = 2;
const TURN_0: usize = 4;

/// Tiles of each kind: an index is an OR of `ROW_LAST`, `COL_LAST` and `TURN_0`.
pub(crate) type Census = [u128; 8];

/// What all tiles of a COMPUTE have in common.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    counts: [u128; MAX_LOOPS],
    levels: usize,
    row_edge: usize,
    col_edge: usize,
    /// The level whose turn 0 begins a window, if it is a tile level: the innermost one, or with `held`
    /// the innermost tile level.
    window: Option<usize>,
    /// Turns of that level if it is not.
    window_turns: u128,
    planes: u128,
    select: u32,
    hold: bool,
    skew: u128,
    /// Valid elements and drained words by `ROW_LAST | COL_LAST`.
    area: [u128; 4],
    words: [u128; 4],
    /// N.
    pub(crate) tiles: u128,
    /// n.
    pub(crate) steps: u128,
}

impl Tiles {
    /// The tiles of `c` on `config`. Counts of 0, which no valid instruction has, count as 1.
    pub(crate) fn new(c: &Compute, config: &Config, skew: usize) -> Self {
        let counts = c.loops.map(|l| u128::from(l.count.max(1)));
        let levels = usize::from(c.tiles).min(config.loops);
        let innermost = config.loops - 1;
        let (window, window_turns) = match (c.held, levels) {
            (true, 0) => (None, 1),
            (true, _) => (Some(levels - 1), 1),
            (false, _) if levels > innermost => (Some(innermost), 1),
            (false, _) => (None, counts[innermost]),
        };
        let rows = [c.rows, c.rows_last].map(usize::from);
        let cols = [c.cols, c.cols_last].map(usize::from);
        let planes = u128::from(c.row_planes.max(1)) * u128::from(c.col_planes.max(1));
        let side = |kind: usize| (rows[kind & 1], cols[kind >> 1]);
        Tiles {
            counts,
            levels,
            row_edge: c.row_edge.into(),
            col_edge: c.col_edge.into(),
            window,
            window_turns,
            planes,
            select: c.select.into(),
            hold: c.hold,
            skew: skew as u128,
            area: std::array::from_fn(|k| (side(k).0 * side(k).1) as u128),
            words: std::array::from_fn(|k| (side(k).0 * side(k).1.div_ceil(config.array.drain)) as u128),
            tiles: counts[..levels].iter().product(),
            steps: counts[levels..config.loops].iter().product::<u128>() * planes,
        }
    }

    /// Adds level `l` with its digit in `0..below` to the digits counted so far.
    fn spread(&self, census: Census, l: usize, below: u128) -> Census {
        let last =
            if l == self.row_edge { ROW_LAST } else { 0 } | if l == self.col_edge { COL_LAST } else { 0 };
        let zero = if self.window == Some(l) { TURN_0 } else { 0 };
        if last | zero == 0 || below == 0 {
            return census.map(|n| n * below);
        }
        let turns = self.counts[l];
        let mut out = [0; 8];
        let mut put = |flags: usize, times: u128| {
            for (kind, n) in census.iter().enumerate() {
                out[kind | flags] += n * times;
            }
        };
        let whole = u128::from(below == turns);
        if turns == 1 {
            put(zero | last, 1);
        } else {
            put(zero, 1);
            put(0, below - 1 - whole);
            put(last, whole);
        }
        out
    }

    /// The kinds of the first `m` tiles, m ≤ N.
    pub(crate) fn census(&self, m: u128) -> Census {
        let start = |kind: usize| std::array::from_fn(|k| u128::from(k == kind));
        let rest = |census: Census, l: usize| {
            (l..self.levels).fold(census, |census, l| self.spread(census, l, self.counts[l]))
        };
        if m == self.tiles {
            return rest(start(0), 0);
        }
        let (mut unit, mut left, mut prefix, mut sum) = (self.tiles, m, 0, [0; 8]);
        for l in 0..self.levels {
            unit /= self.counts[l];
            let digit = left / unit;
            left %= unit;
            let part = rest(self.spread(start(prefix), l, digit), l + 1);
            sum = std::array::from_fn(|k| sum[k] + part[k]);
            prefix |= self.kind_of_digit(l, digit);
        }
        sum
    }

    fn kind_of_digit(&self, l: usize, digit: u128) -> usize {
        let on = |condition: bool, flag: usize| if condition { flag } else { 0 };
        let last = digit + 1 == self.counts[l];
        on(last && l == self.row_edge, ROW_LAST)
            | on(last && l == self.col_edge, COL_LAST)
            | on(digit == 0 && self.window == Some(l), TURN_0)
    }

    /// Kind of tile `i`.
    pub(crate) fn kind(&self, i: u128) -> usize {
        let (mut left, mut kind) = (i, 0);
        for l in (0..self.levels).rev() {
            kind |= self.kind_of_digit(l, left % self.counts[l]);
            left /= self.counts[l];
        }
        kind
    }

    /// D of a tile: the cycles that the drain is given for it.
    pub(crate) fn drain(&self, kind: usize) -> u128 {
        if self.hold { 1 } else { self.words[kind & 3] }
    }

    /// Result words that a tile writes.
    pub(crate) fn written(&self, kind: usize) -> u128 {
        if self.hold { 0 } else { self.words[kind & 3] }
    }

    /// max(n, D + H): cycles from a tile's last step to the next tile's.
    fn pace(&self, kind: usize) -> u128 {
        self.steps.max(self.drain(kind) + self.skew)
    }

    /// Σ of a tile's number over a census.
    fn weigh(census: &Census, weight: impl Fn(usize) -> u128) -> u128 {
        census.iter().enumerate().fold(0, |s, (kind, n)| if *n == 0 { s } else { s + n * weight(kind) })
    }

    /// Cycles from the last step of tile 0 to the last step of tile `m`, m < N.
    pub(crate) fn elapsed(&self, m: u128) -> u128 {
        if m + 1 == self.tiles {
            let all = Self::weigh(&self.census(self.tiles), |kind| self.pace(kind));
            return all - self.pace(self.kind(m));
        }
        Self::weigh(&self.census(m), |kind| self.pace(kind))
    }

    /// Result words of the first `m` tiles.
    pub(crate) fn words(&self, m: u128) -> u128 {
        Self::weigh(&self.census(m), |kind| self.written(kind))
    }

    /// `products` and `skipped` of the first `m` tiles and `k` steps of the next, modulo 2^32.
    pub(crate) fn work(&self, m: u128, k: u128) -> (u32, u32) {
        let mut census = self.census(m);
        let mut sum = self.work_of(&census, self.steps);
        if k > 0 {
            census = std::array::from_fn(|kind| u128::from(kind == self.kind(m)));
            let part = self.work_of(&census, k);
            sum = (sum.0.wrapping_add(part.0), sum.1.wrapping_add(part.1));
        }
        sum
    }

    /// The work of the first `k` steps of each tile of a census.
    ///
    /// ```text
    /// skipped = Σ rv·cv·(z·2^select − k)      z: those of the k steps with turn 0 of the innermost level
    /// ```
    fn work_of(&self, census: &Census, k: u128) -> (u32, u32) {
        let period = self.window_turns * self.planes;
        let in_turn_0 = k / period * self.planes + (k % period).min(self.planes);
        let (mut products, mut skipped) = (0u32, 0u32);
        for (kind, n) in census.iter().enumerate() {
            let elements = (*n as u32).wrapping_mul(self.area[kind & 3] as u32);
            let zero = match self.window {
                Some(_) if kind & TURN_0 == 0 => 0,
                Some(_) => k,
                None => in_turn_0,
            };
            products = products.wrapping_add(elements.wrapping_mul(k as u32));
            if self.select > 0 {
                let gain = ((zero as u32) << self.select).wrapping_sub(k as u32);
                skipped = skipped.wrapping_add(elements.wrapping_mul(gain));
            }
        }
        (products, skipped)
    }
}
