//! B, in the order in which tiles read it.
//!
//! ```text
//! values   block of 16 columns │ segment │ group │ column │ element of the group       zeros where there is no column and no element
//! sums     Σ over all elements of each column: what an offset of A has to be taken back by
//! ```

use crate::{COLUMNS, Element};

/// B of tiles that all have the same segments.
#[derive(Clone, Debug)]
pub struct Panel<E: Element> {
    values: Vec<E::Right>,
    sums: Vec<i32>,
    segments: Vec<usize>,
    groups: usize,
    columns: usize,
    /// Elements of A from the first of a row to the end of what is read.
    reach: usize,
}

impl<E: Element> Panel<E> {
    /// Columns `0 … columns`, in segments of `length` elements that begin at `segments` in A; `value(s, i, o)` is B.
    ///
    /// A is read in whole groups: elements after a segment are multiplied by 0, and must be there.
    pub fn new(
        segments: Vec<usize>,
        length: usize,
        columns: usize,
        value: impl Fn(usize, usize, usize) -> i32,
    ) -> Self {
        let groups = length.div_ceil(E::GROUP);
        let blocks = columns.div_ceil(COLUMNS);
        let reach = segments.iter().max().map_or(0, |last| last + groups * E::GROUP);
        let mut panel = Panel {
            values: vec![E::Right::default(); blocks * segments.len() * groups * COLUMNS * E::GROUP],
            sums: vec![0; blocks * COLUMNS],
            segments,
            groups,
            columns,
            reach,
        };
        panel.fill(length, value);
        panel
    }

    /// The same with other values.
    pub fn fill(&mut self, length: usize, value: impl Fn(usize, usize, usize) -> i32) {
        assert_eq!(self.groups, length.div_ceil(E::GROUP), "elements of a segment");
        self.sums.fill(0);
        let size = self.segments.len() * self.groups * COLUMNS * E::GROUP;
        for (block, values) in self.values.chunks_exact_mut(size.max(1)).enumerate() {
            let first = block * COLUMNS;
            let count = COLUMNS.min(self.columns - first);
            let sums = &mut self.sums[first..first + count];
            for (at, group) in values.chunks_exact_mut(COLUMNS * E::GROUP).enumerate() {
                let (segment, from) = (at / self.groups, at % self.groups * E::GROUP);
                for (o, (column, sum)) in group.chunks_exact_mut(E::GROUP).zip(&mut *sums).enumerate() {
                    for (i, to) in (from..length).zip(column) {
                        let v = value(segment, i, first + o);
                        *sum = sum.wrapping_add(v);
                        *to = E::right(v);
                    }
                }
            }
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

    /// The values of 16 columns.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize) -> &[E::Right] {
        let size = self.segments.len() * self.groups * COLUMNS * E::GROUP;
        &self.values[block * size..(block + 1) * size]
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
    pub fn start(&self, block: usize, zero: i32) -> [i32; COLUMNS] {
        let sums = &self.sums[block * COLUMNS..][..COLUMNS];
        std::array::from_fn(|o| sums[o].wrapping_mul(-zero))
    }
}
