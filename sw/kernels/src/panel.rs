//! B, in the order in which tiles read it.
//!
//! ```text
//! words    block of 16 columns │ segment │ group │ column       zeros where there is no column and no element
//! sums     Σ over all elements of each column: what an offset of A has to be taken back by
//! ```

use crate::picks::Picks;
use crate::{COLUMNS, Element, Level};
use std::marker::PhantomData;

/// Rows of A that save more than finding zeros of B takes.
const MANY: usize = 512;

/// Groups of 16 columns from rows of them, with `zero` added to all values; `None` if a row that a group takes is shorter.
#[inline(always)]
fn interleaved<E: Element, T: Copy + Into<i32>>(rows: [&[T]; 4], zero: i32) -> Option<[u32; COLUMNS]> {
    let rows: [Option<&[T; COLUMNS]>; 4] = rows.map(|row| row.first_chunk());
    let value = |v: T| v.into().wrapping_add(zero);
    match rows {
        [Some(a), Some(b), Some(c), Some(d)] if E::GROUP == 4 => {
            Some(std::array::from_fn(|o| E::word([value(a[o]), value(b[o]), value(c[o]), value(d[o])])))
        }
        [Some(a), Some(b), ..] if E::GROUP == 2 => {
            Some(std::array::from_fn(|o| E::word([value(a[o]), value(b[o]), 0, 0])))
        }
        _ => None,
    }
}

/// B of tiles that all have the same segments.
#[derive(Clone, Debug)]
pub struct Panel<E> {
    /// The elements of a group, the first lowest.
    words: Vec<u32>,
    sums: Vec<i32>,
    /// Of each block, where tiles pass over zeros.
    picks: Vec<Option<Picks>>,
    segments: Vec<usize>,
    /// Elements of a segment.
    length: usize,
    groups: usize,
    columns: usize,
    /// Elements of A from the first of a row to the end of what is read.
    reach: usize,
    element: PhantomData<E>,
}

impl<E: Element> Panel<E> {
    /// Columns `0 … columns` of zeros, in segments of `length` elements that begin at `segments` in A.
    ///
    /// A is read in whole groups: elements after a segment are multiplied by 0, and must be there.
    pub fn zeros(segments: Vec<usize>, length: usize, columns: usize) -> Self {
        let groups = length.div_ceil(E::GROUP);
        let blocks = columns.div_ceil(COLUMNS);
        let reach = segments.iter().max().map_or(0, |last| last + groups * E::GROUP);
        Panel {
            words: vec![0; blocks * segments.len() * groups * COLUMNS],
            sums: vec![0; blocks * COLUMNS],
            picks: vec![],
            segments,
            length,
            groups,
            columns,
            reach,
            element: PhantomData,
        }
    }

    /// The same with `value(s, i, o)` as B.
    pub fn new(
        segments: Vec<usize>,
        length: usize,
        columns: usize,
        value: impl Fn(usize, usize, usize) -> i32,
    ) -> Self {
        let mut panel = Panel::zeros(segments, length, columns);
        let mut row = vec![0; length * columns];
        for segment in 0..panel.segments.len() {
            for (at, to) in row.iter_mut().enumerate() {
                *to = value(segment, at / columns, at % columns);
            }
            panel.fill(segment, &row);
        }
        panel.add_up();
        panel
    }

    /// Writes a segment, `[length, columns]`. [`add_up`](Self::add_up) must follow.
    ///
    /// # Panics   if there are not as many values
    #[inline(always)]
    pub fn fill<T: Copy + Into<i32>>(&mut self, segment: usize, values: &[T]) {
        let (columns, groups) = (self.columns, self.groups);
        assert_eq!(values.len(), self.length * columns, "values of a segment");
        self.picks.clear();
        let size = self.segments.len() * groups * COLUMNS;
        for (block, words) in self.words.chunks_exact_mut(size.max(1)).enumerate() {
            let first = block * COLUMNS;
            let count = COLUMNS.min(columns - first);
            let words = words[segment * groups * COLUMNS..][..groups * COLUMNS].chunks_exact_mut(COLUMNS);
            for (words, rows) in words.zip(values.chunks(E::GROUP * columns)) {
                let rows: [&[T]; 4] =
                    std::array::from_fn(|i| rows.get(i * columns + first..).unwrap_or_default());
                let whole = if count == COLUMNS { interleaved::<E, T>(rows, 0) } else { None };
                match whole {
                    Some(whole) => words.copy_from_slice(&whole),
                    _ => {
                        let own = |i: usize| i < E::GROUP;
                        for (o, word) in words[..count].iter_mut().enumerate() {
                            let value =
                                |i: usize| rows[i].get(o).filter(|_| own(i)).map_or(0, |v| (*v).into());
                            *word = E::word([0, 1, 2, 3].map(value));
                        }
                    }
                }
            }
        }
    }

    /// Writes a segment that lies column after column, `[columns, length]`. [`add_up`](Self::add_up) must follow.
    ///
    /// # Panics   if there are not as many values
    #[inline(always)]
    pub fn fill_columns<T: Copy + Into<i32>>(&mut self, segment: usize, values: &[T]) {
        let (columns, groups, length) = (self.columns, self.groups, self.length);
        assert_eq!(values.len(), length * columns, "values of a segment");
        self.picks.clear();
        let size = self.segments.len() * groups * COLUMNS;
        for (column, values) in values.chunks_exact(length.max(1)).enumerate() {
            let at = column / COLUMNS * size + segment * groups * COLUMNS + column % COLUMNS;
            let words = self.words[at..].iter_mut().step_by(COLUMNS);
            for (word, group) in words.zip(values.chunks(E::GROUP)) {
                let value = |i: usize| group.get(i).map_or(0, |v| (*v).into());
                *word = E::word([value(0), value(1), value(2), value(3)]);
            }
        }
    }

    /// Finds the sums of columns.
    #[inline(always)]
    pub fn add_up(&mut self) {
        let size = self.segments.len() * self.groups * COLUMNS;
        let blocks = self.words.chunks_exact(size.max(1)).zip(self.sums.chunks_exact_mut(COLUMNS));
        for (words, sums) in blocks {
            let mut all = [0i32; COLUMNS];
            for words in words.chunks_exact(COLUMNS) {
                for (sum, word) in all.iter_mut().zip(words) {
                    *sum = sum.wrapping_add(E::sum(*word));
                }
            }
            sums.copy_from_slice(&all);
        }
    }

    /// Lets tiles pass over zeros, where the level can, there are enough, and so many rows of A are worth looking for them. Filling a
    /// segment ends it.
    pub fn skip_zeros(&mut self, level: Level, rows: usize) {
        if rows >= MANY && E::skips_zeros(level) {
            self.picks = (0..self.blocks()).map(|block| Picks::new(self.block(block), self.groups)).collect();
        }
    }

    /// Where segments begin.
    #[inline(always)]
    pub(crate) fn segments(&self) -> &[usize] {
        &self.segments
    }

    /// Groups of a segment.
    #[inline(always)]
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// The words of 16 columns.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize) -> &[u32] {
        let size = self.segments.len() * self.groups * COLUMNS;
        &self.words[block * size..(block + 1) * size]
    }

    /// What 16 columns take, if they pass over zeros.
    #[inline(always)]
    pub(crate) fn picks(&self, block: usize) -> Option<&Picks> {
        self.picks.get(block)?.as_ref()
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Blocks of 16 columns.
    pub fn blocks(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// Elements of A from the first of a row to the end of what is read.
    #[inline(always)]
    pub fn reach(&self) -> usize {
        self.reach
    }

    /// The sums of 16 columns times −`zero`: what they begin from if A has `zero` added to all elements.
    #[inline(always)]
    pub fn start(&self, block: usize, zero: i32) -> [i32; COLUMNS] {
        let sums = &self.sums[block * COLUMNS..][..COLUMNS];
        std::array::from_fn(|o| sums[o].wrapping_mul(-zero))
    }
}
