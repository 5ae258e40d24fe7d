//! Tiles over all rows of a frame.

use tandem_kernels::{COLUMNS, Element, Level, Panel, ROWS, Tile};

/// Rows of A, as places in a frame, times a panel.
pub(super) struct Sweep<E: Element> {
    pub panel: Panel<E>,
    /// Where each row begins in A.
    pub from: Vec<usize>,
    /// The row of the answer that it is.
    pub to: Vec<usize>,
}

impl<E: Element> Sweep<E> {
    /// Writes rows of `out`, `[rows, columns]`, and returns the OR of the magnitudes of their values.
    ///
    /// `zero` is what elements of A have in addition.
    pub fn run(&self, level: Level, a: &[E::Left], zero: i32, out: &mut [i32]) -> u32 {
        level.run(
            #[inline(always)]
            || self.tiles(level, a, zero, out),
        )
    }

    #[inline(always)]
    fn tiles(&self, level: Level, a: &[E::Left], zero: i32, out: &mut [i32]) -> u32 {
        let columns = self.panel.columns();
        let mut or = [0; COLUMNS];
        for block in 0..self.panel.blocks() {
            let start = self.panel.start(block, zero);
            let first = block * COLUMNS;
            let width = COLUMNS.min(columns - first);
            for (from, to) in self.from.chunks(ROWS).zip(self.to.chunks(ROWS)) {
                // a short tile repeats its last row
                let rows = std::array::from_fn(|i| from[i.min(from.len() - 1)]);
                let mut c: Tile = [start; ROWS];
                E::tile(level, a, &rows, &self.panel, block, &mut c);
                for (to, c) in to.iter().zip(&c) {
                    let at = to * columns + first;
                    or.iter_mut().zip(c).for_each(|(or, v)| *or |= v.unsigned_abs());
                    match out[at..at + width].first_chunk_mut() {
                        Some(whole) => *whole = *c,
                        None => out[at..at + width].copy_from_slice(&c[..width]),
                    }
                }
            }
        }
        or.into_iter().fold(0, |or, v| or | v)
    }
}
