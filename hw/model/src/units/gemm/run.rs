//! A COMPUTE in time: what it has done before any given cycle.
//!
//! ```text
//! s_0 = t + 1                     step 0, t: the cycle in which the instruction is taken
//! e_0 = max(t + n, t' + D' + H)   last step of tile 0; t', D': last step and drain of the tile before
//! e_i = e_{i−1} + max(n, D_{i−1} + H),   s_i = e_{i−1} + 1
//! drain of tile i: cycles e_i + P + 1 + H … e_i + P + H + D_i
//! ```
//! A counter window cuts a run at any cycle; the tile that the cut falls into is found by bisection
//! over the closed form of e_i.

use super::tiles::Tiles;
use crate::units::{Progress, Span};
use tandem_spec::Timing;

/// A COMPUTE that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    tiles: Tiles,
    /// Cycle of step 0.
    start: u64,
    /// Last step of tile 0.
    first_end: u128,
    /// Last step of all.
    last_end: u128,
    skew: u64,
    /// From a tile's last step to its first drained word.
    delay: u64,
}

impl Run {
    /// Takes the instruction in cycle `taken`; the first tile's last step is not issued before `release`.
    pub(crate) fn new(tiles: Tiles, taken: u64, release: u64, timing: &Timing) -> Self {
        let first_end = (u128::from(taken) + tiles.steps).max(release.into());
        let last_end = first_end + tiles.elapsed(tiles.tiles - 1);
        let (skew, delay) = (timing.col_skew as u64, timing.drain_start as u64 + 1);
        Run { tiles, start: taken + 1, first_end, last_end, skew, delay }
    }

    fn last_drain(&self) -> u128 {
        self.tiles.drain(self.tiles.kind(self.tiles.tiles - 1))
    }

    /// Last step of tile `i`.
    fn end_of(&self, i: u128) -> u128 {
        self.first_end + self.tiles.elapsed(i)
    }

    /// Tiles whose last step is issued before `cycle`.
    fn tiles_before(&self, cycle: u128) -> u128 {
        if cycle > self.last_end {
            return self.tiles.tiles;
        }
        let (mut low, mut high) = (0, self.tiles.tiles);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.end_of(middle) < cycle { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn drained_before(&self, x: u128) -> u128 {
        let delay = u128::from(self.delay);
        let started = if x > delay { self.tiles_before(x - delay) } else { 0 };
        if started == 0 {
            return 0;
        }
        let last = started - 1;
        let begun = self.end_of(last) + delay;
        self.tiles.words(last) + (x - begun).min(self.tiles.written(self.tiles.kind(last)))
    }
}

impl Span for Run {
    fn idle(&self) -> u64 {
        u64::try_from(self.last_end + 1).unwrap_or(u64::MAX)
    }

    fn release(&self) -> u64 {
        u64::try_from(self.last_end + self.last_drain() + u128::from(self.skew)).unwrap_or(u64::MAX)
    }

    fn quiet(&self) -> u64 {
        self.release().saturating_add(self.delay - self.skew)
    }

    fn before(&self, cycle: u64) -> Progress {
        let x = u128::from(cycle);
        if cycle <= self.start {
            return Progress::default();
        }
        let (n, all) = (self.tiles.steps, self.tiles.tiles);
        let m = self.tiles_before(x);
        let inside = if m == all {
            0
        } else {
            let first = if m == 0 { u128::from(self.start) } else { self.end_of(m - 1) + 1 };
            x.saturating_sub(first).min(n - 1)
        };
        let steps = m * n + inside;
        let (products, skipped) = self.tiles.work(m, inside);
        let issuing = x.min(self.last_end + 1) - u128::from(self.start);
        let drained = if cycle >= self.quiet() { self.tiles.words(all) } else { self.drained_before(x) };
        Progress { steps, held_back: issuing - steps, drained, products, skipped }
    }

    fn issue_of(&self, step: u128) -> u64 {
        let (tile, inside) = (step / self.tiles.steps, step % self.tiles.steps);
        let at = if inside + 1 == self.tiles.steps {
            self.end_of(tile)
        } else if tile == 0 {
            u128::from(self.start) + inside
        } else {
            self.end_of(tile - 1) + 1 + inside
        };
        u64::try_from(at).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tandem_spec::{Compute, Config, Loop, Tokens};

    fn config() -> Config {
        let toml = "[array]\nrows=4\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=4\nselect=4\nhop=1\ndrain=2\n\
                    [memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n";
        Config::from_toml("t", toml).unwrap()
    }

    fn computes() -> impl Strategy<Value = Compute> {
        let sides = (1u8..5, 1u8..5, 1u8..5, 1u8..5);
        let planes = (1u8..3, 1u8..3);
        let shape = (0u8..6, prop::collection::vec(1u16..4, 5), 0u8..6, 0u8..6);
        (sides, planes, shape, any::<bool>(), (0u8..3, any::<bool>())).prop_map(
            |(sides, planes, shape, hold, select)| {
                let (select, held) = select;
                let edge = |e: u8| if e < shape.0 { e } else { 7 };
                let mut loops = [Loop::default(); 7];
                for (l, count) in shape.1.iter().enumerate() {
                    loops[l].count = *count;
                }
                Compute {
                    tokens: Tokens::default(),
                    keep: false,
                    hold,
                    row_signed: false,
                    col_signed: false,
                    row_base: 0,
                    col_base: 0,
                    index_base: 0,
                    result_base: 0,
                    rows: sides.0,
                    rows_last: sides.1,
                    row_edge: edge(shape.2),
                    cols: sides.2,
                    cols_last: sides.3,
                    col_edge: edge(shape.3),
                    coded: false,
                    row_planes: planes.0,
                    col_planes: planes.1,
                    tiles: shape.0,
                    select,
                    held,
                    row_plane_stride: 0,
                    col_plane_stride: 0,
                    loops,
                }
            },
        )
    }

    /// Turns of all levels in order.
    fn turns(c: &Compute) -> Vec<[u16; 5]> {
        let mut all = vec![[0; 5]];
        for l in 0..5 {
            all = all
                .iter()
                .flat_map(|t| {
                    (0..c.loops[l].count).map(move |i| {
                        let mut t = *t;
                        t[l] = i;
                        t
                    })
                })
                .collect();
        }
        all
    }

    proptest! {
        #[test]
        fn every_prefix_is_that_of_stepping(c in computes(), stages in 5usize..10, taken in 0u64..4, release in 0u64..90) {
            let config = config();
            let skew = 3usize;
            let timing = Timing { col_skew: skew, drain_start: stages + skew, ..Timing::new(&config) };
            let run = Run::new(Tiles::new(&c, &config, skew), taken, release, &timing);
            let planes = u64::from(c.row_planes) * u64::from(c.col_planes);
            let per_tile: u64 =
                c.loops[c.tiles.into()..5].iter().map(|l| u64::from(l.count)).product::<u64>() * planes;
            let (mut cycle, mut release, mut log) = (taken, release, vec![]);
            let mut words = vec![];
            for (i, turn) in turns(&c).iter().flat_map(|t| (0..planes).map(move |_| t)).enumerate() {
                let last = |edge: u8| edge < 7 && turn[edge as usize] + 1 == c.loops[edge as usize].count;
                let rv = if last(c.row_edge) { c.rows_last } else { c.rows };
                let cv = if last(c.col_edge) { c.cols_last } else { c.cols };
                cycle += 1;
                if (i as u64 + 1).is_multiple_of(per_tile) {
                    cycle = cycle.max(release);
                    let d = u64::from(rv) * u64::from(cv.div_ceil(2));
                    let counted = if c.hold { 1 } else { d };
                    release = cycle + counted + skew as u64;
                    words.extend((0..if c.hold { 0 } else { d }).map(|j| cycle + 1 + (stages + skew) as u64 + j));
                }
                let window_turn = match (c.held, c.tiles) {
                    (true, 0) => 0,
                    (true, tiles) => turn[usize::from(tiles) - 1],
                    (false, _) => turn[4],
                };
                let area = i64::from(rv) * i64::from(cv);
                let gain = if c.select == 0 { 0 } else if window_turn == 0 { (1 << c.select) - 1 } else { -1 };
                log.push((cycle, area, area * gain));
            }
            prop_assert_eq!(run.idle(), cycle + 1);
            prop_assert_eq!(run.release(), release);
            prop_assert_eq!(run.quiet(), release + 1 + stages as u64);
            for x in taken..run.quiet() + 3 {
                let done: Vec<_> = log.iter().filter(|e| e.0 < x).collect();
                let issuing = x.min(cycle + 1).saturating_sub(taken + 1);
                let expected = Progress {
                    steps: done.len() as u128,
                    held_back: u128::from(issuing) - done.len() as u128,
                    drained: words.iter().filter(|w| **w < x).count() as u128,
                    products: done.iter().map(|e| e.1).sum::<i64>() as u32,
                    skipped: done.iter().map(|e| e.2).sum::<i64>() as u32,
                };
                prop_assert_eq!(run.before(x), expected, "before {}", x);
            }
            for (step, e) in log.iter().enumerate() {
                prop_assert_eq!(run.issue_of(step as u128), e.0);
            }
        }
    }
}
