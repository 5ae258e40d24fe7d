//! The loop levels of a COMPUTE as address offsets.

use tandem_spec::Loop;

/// What a turn adds to the base addresses: row address, column and index address. 16 bits, wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Added to the row address.
    pub(crate) row: i16,
    /// Added to the column and the index address.
    pub(crate) col: i16,
}

/// The turns of nested loops, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    loops: &'a [Loop],
    at: [u16; tandem_spec::config::MAX_LOOPS],
    next: Option<Turn>,
}

impl<'a> Walk<'a> {
    /// All turns of `loops`; one if there are none.
    pub(crate) fn new(loops: &'a [Loop]) -> Self {
        Walk { loops, at: Default::default(), next: Some(Turn::default()) }
    }

    /// Number of turns; `usize::MAX` if beyond.
    pub(crate) fn turns(loops: &[Loop]) -> usize {
        loops.iter().fold(1usize, |n, l| n.saturating_mul(l.count.into()))
    }

    /// Whether the turn that comes next is the last one of level `level`; never if there is no such level.
    pub(crate) fn in_last_turn(&self, level: usize) -> bool {
        self.loops.get(level).is_some_and(|l| self.at[level] + 1 == l.count)
    }

    /// Whether no turn comes any more.
    pub(crate) fn done(&self) -> bool {
        self.next.is_none()
    }
}

impl Iterator for Walk<'_> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        let turn = self.next?;
        let mut after = turn;
        self.next = None;
        for (l, i) in self.loops.iter().zip(&mut self.at).rev() {
            *i += 1;
            if *i < l.count {
                after.row = after.row.wrapping_add(l.row_stride);
                after.col = after.col.wrapping_add(l.col_stride);
                self.next = Some(after);
                break;
            }
            let back = i.wrapping_sub(1) as i16;
            *i = 0;
            after.row = after.row.wrapping_sub(l.row_stride.wrapping_mul(back));
            after.col = after.col.wrapping_sub(l.col_stride.wrapping_mul(back));
        }
        Some(turn)
    }
}
