//! The compute engine's sequencer: takes a COMPUTE from its queue and issues its steps.
//!
//! ```text
//! levels 0 … L−1 │ row planes │ column planes       (outermost … innermost: "turns" 0 … V−1)
//! carry[v]: turns v and all inside are at their end; turn v moves on when carry[v+1]
//! ```
//! Every turn keeps the addresses at which it stands; the one that moves adds its stride and hands
//! the sum to all inside it. Turns are numbered from 1, and a register says whether one is the last: the
//! long way is from there to who moves.

use super::pe::{Widths, optional};
use crate::field::field;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::isa::compute;
use tandem_spec::{Config, Timing};

/// 16-bit halves of a COMPUTE that are kept (the last one is its checksum).
pub const HALVES: usize = 31;

/// See docs/accelerator.md, "COMPUTE" and "Timing".
///
/// # Timing  taken in cycle t, step 0 in t+1; a tile's last step waits for the drain
#[derive(LogicBlock)]
pub struct Sequencer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The queue has a head.
    pub available: Signal<In, Bit>,
    /// The head's 16-bit halves.
    pub half: Vec<Sig<In>>,
    /// A token from the load engine is there.
    pub load_token: Signal<In, Bit>,
    /// A token from the store engine is there.
    pub store_token: Signal<In, Bit>,
    /// The head is taken.
    pub take: Signal<Out, Bit>,
    /// … with a token from the load engine.
    pub pop_load: Signal<Out, Bit>,
    /// … with a token from the store engine.
    pub pop_store: Signal<Out, Bit>,
    /// Nothing runs.
    pub idle: Signal<Out, Bit>,
    /// Idle, and the head lacks a token.
    pub wait_token: Signal<Out, Bit>,
    /// The last step of a tile is held back.
    pub wait_drain: Signal<Out, Bit>,
    /// A step is issued.
    pub step: Signal<Out, Bit>,
    /// It starts a sum.
    pub first: Signal<Out, Bit>,
    /// It ends a tile that is drained.
    pub last: Signal<Out, Bit>,
    /// Flat row address.
    pub row: Sig<Out>,
    /// Column address.
    pub col: Sig<Out>,
    /// Index address.
    pub index: Sig<Out>,
    /// Indices belong to rows (none without selection).
    pub held: Vec<Sig<Out>>,
    /// M − 1 of the step, 0 without selection.
    pub mask: Sig<Out>,
    /// Row digits are signed.
    pub row_top: Signal<Out, Bit>,
    /// Column digits are signed.
    pub col_top: Signal<Out, Bit>,
    /// Weight of the digit product, in digits.
    pub shift: Sig<Out>,
    /// A tile ends in this cycle.
    pub tile: Signal<Out, Bit>,
    /// Its valid rows.
    pub tile_rows: Sig<Out>,
    /// Its valid columns.
    pub tile_cols: Sig<Out>,
    /// Result words in each of its rows.
    pub tile_groups: Sig<Out>,
    /// It is the first of its instruction: results go to `result_base` from here on.
    pub tile_starts: Signal<Out, Bit>,
    /// Result address of the instruction.
    pub result_base: Sig<Out>,
    /// It is the last of an instruction that gives the load engine a token.
    pub push_load: Signal<Out, Bit>,
    /// … the store engine.
    pub push_store: Signal<Out, Bit>,
    /// The step is the first that chooses from its windows.
    pub opens: Signal<Out, Bit>,
    /// The step chooses from the windows of the one before.
    pub reuses: Signal<Out, Bit>,
    ready: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    busy: Reg,
    kept: Vec<Reg>,
    turn: Vec<Reg>,
    ends: Vec<Reg>,
    single: Vec<Reg>,
    inner: Vec<Reg>,
    tile_ends: Reg,
    will_end: Vec<Sig<Local>>,
    will_sum: Vec<Sig<Local>>,
    after: Vec<Sig<Local>>,
    head_count: Vec<Sig<Local>>,
    row_at: Vec<Reg>,
    col_at: Vec<Reg>,
    index_delta: Reg,
    tile_index: Reg,
    window_turn: Sig<Local>,
    first_step: Reg,
    first_tile: Reg,
    drain_wait: Reg,
    waiting: Reg,
    count: Vec<Sig<Local>>,
    row_stride: Vec<Sig<Local>>,
    col_stride: Vec<Sig<Local>>,
    at_end: Vec<Signal<Local, Bit>>,
    carry: Vec<Signal<Local, Bit>>,
    tile_end: Signal<Local, Bit>,
    next_row: Sig<Local>,
    next_col: Sig<Local>,
    rows_kept: Reg,
    groups_kept: Reg,
    fresh: Reg,
    several: Signal<Local, Bit>,
    waits: Signal<Local, Bit>,
    head_pop_prev: Slice,
    head_pop_next: Slice,
    head_row_planes: Slice,
    head_tiles: Slice,
    head_col_planes: Slice,
    keep: Slice,
    hold: Slice,
    push_prev: Slice,
    push_next: Slice,
    row_signed: Slice,
    col_signed: Slice,
    rows: Slice,
    rows_last: Slice,
    row_edge: Slice,
    cols: Slice,
    cols_last: Slice,
    col_edge: Slice,
    row_planes: Slice,
    col_planes: Slice,
    tiles: Slice,
    select: Slice,
    by_row: Slice,
    halves: Dim,
    levels: Dim,
    turns: Dim,
    tile_choices: Dim,
    row_weight: Dim,
    col_weight: Dim,
    log_drain: Dim,
    drain: Dim,
    skew: Dim,
    log_banks: Dim,
    selects: Dim,
}

impl Sequencer {
    /// The sequencer of `c`.
    pub fn new(c: &Config) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let (levels, turns) = (c.loops, c.loops + 2);
        let bits = |n: usize| (0..n).map(|_| Signal::default()).collect::<Vec<_>>();
        let at = c.address_bits;
        // counts of the levels, then of the planes
        let counts = || {
            let planes = [c.row_planes(a.row_bits), c.col_planes(a.col_bits)].map(bits_for);
            std::iter::repeat_n(at, levels).chain(planes)
        };
        let most_words = a.rows * a.cols.div_ceil(a.drain);
        Sequencer {
            clock: Default::default(),
            available: Default::default(),
            half: Sig::vec(HALVES, 16, false),
            load_token: Default::default(),
            store_token: Default::default(),
            take: Default::default(),
            pop_load: Default::default(),
            pop_store: Default::default(),
            idle: Default::default(),
            wait_token: Default::default(),
            wait_drain: Default::default(),
            step: Default::default(),
            first: Default::default(),
            last: Default::default(),
            row: Sig::unsigned(at),
            col: Sig::unsigned(at),
            index: Sig::unsigned(at),
            held: optional(usize::from(w.pick > 0), 1),
            mask: Sig::unsigned(index_bits(a.select)),
            row_top: Default::default(),
            col_top: Default::default(),
            shift: Sig::unsigned(w.shift),
            tile: Default::default(),
            tile_rows: Sig::unsigned(bits_for(a.rows)),
            tile_cols: Sig::unsigned(bits_for(a.cols)),
            tile_groups: Sig::unsigned(bits_for(a.cols.div_ceil(a.drain))),
            tile_starts: Default::default(),
            result_base: Sig::unsigned(index_bits(c.memory.result)),
            push_load: Default::default(),
            push_store: Default::default(),
            opens: Default::default(),
            reuses: Default::default(),
            ready: Default::default(),
            advance: Default::default(),
            busy: Reg::unsigned(1),
            kept: Reg::vec(HALVES, 16, false),
            turn: counts().map(Reg::unsigned).collect(),
            ends: Reg::vec(turns, 1, false),
            single: Reg::vec(turns, 1, false),
            inner: Reg::vec(levels, 1, false),
            tile_ends: Reg::unsigned(1),
            will_end: Sig::vec(turns, 1, false),
            will_sum: Sig::vec(levels, 1, false),
            after: counts().map(|bits| Sig::unsigned(bits + 1)).collect(),
            head_count: counts().map(Sig::unsigned).collect(),
            row_at: Reg::vec(turns, at, false),
            col_at: Reg::vec(turns, at, false),
            index_delta: Reg::unsigned(at),
            tile_index: Reg::unsigned(at),
            window_turn: Sig::unsigned(at),
            first_step: Reg::unsigned(1),
            first_tile: Reg::unsigned(1),
            drain_wait: Reg::unsigned(bits_for(most_words + Timing::new(c).col_skew)),
            waiting: Reg::unsigned(1),
            count: counts().map(Sig::unsigned).collect(),
            row_stride: Sig::vec(turns, at, false),
            col_stride: Sig::vec(turns, at, false),
            at_end: bits(turns),
            carry: bits(turns + 1),
            tile_end: Default::default(),
            next_row: Sig::unsigned(at),
            next_col: Sig::unsigned(at),
            rows_kept: Reg::unsigned(bits_for(a.rows)),
            groups_kept: Reg::unsigned(bits_for(a.cols.div_ceil(a.drain))),
            fresh: Reg::unsigned(1),
            several: Default::default(),
            waits: Default::default(),
            head_pop_prev: field(compute::POP_PREV, 0),
            head_pop_next: field(compute::POP_NEXT, 0),
            head_row_planes: field(compute::ROW_PLANES, 7),
            head_tiles: field(compute::TILES, 7),
            head_col_planes: field(compute::COL_PLANES, 7),
            keep: field(compute::KEEP, 0),
            hold: field(compute::HOLD, 0),
            push_prev: field(compute::PUSH_PREV, 0),
            push_next: field(compute::PUSH_NEXT, 0),
            row_signed: field(compute::ROW_SIGNED, 0),
            col_signed: field(compute::COL_SIGNED, 0),
            rows: field(compute::ROWS, 5),
            rows_last: field(compute::ROWS_LAST, 5),
            row_edge: field(compute::ROW_EDGE, 5),
            cols: field(compute::COLS, 6),
            cols_last: field(compute::COLS_LAST, 6),
            col_edge: field(compute::COL_EDGE, 6),
            row_planes: field(compute::ROW_PLANES, 7),
            col_planes: field(compute::COL_PLANES, 7),
            tiles: field(compute::TILES, 7),
            select: field(compute::SELECT, 7),
            by_row: field(compute::HELD, 5),
            halves: Dim::new(HALVES),
            levels: Dim::new(levels),
            turns: Dim::new(turns),
            tile_choices: Dim::new(levels + 1),
            row_weight: Dim::new(a.row_digit / w.unit),
            col_weight: Dim::new(a.col_digit / w.unit),
            log_drain: Dim::new(a.drain.trailing_zeros() as usize),
            drain: Dim::new(a.drain),
            skew: Dim::new(Timing::new(c).col_skew),
            log_banks: Dim::new(w.pick),
            selects: Dim::new(usize::from(w.pick > 0)),
        }
    }
}

impl Logic for Sequencer {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            busy,
            index_delta,
            tile_index,
            first_step,
            first_tile,
            drain_wait,
            rows_kept,
            groups_kept,
            fresh,
            waiting,
            tile_ends
        );
        for i in 0..self.halves.val() {
            self.kept[i].clock.next = self.clock.val();
            self.kept[i].d.next = self.kept[i].q.val();
        }
        for l in 0..self.levels.val() {
            self.inner[l].clock.next = self.clock.val();
            self.will_sum[l].next = self.inner[l].q.val();
        }
        for v in 0..self.turns.val() {
            self.turn[v].clock.next = self.clock.val();
            self.ends[v].clock.next = self.clock.val();
            self.single[v].clock.next = self.clock.val();
            self.will_end[v].next = self.ends[v].q.val();
            self.single[v].d.next = self.single[v].q.val();
            self.row_at[v].clock.next = self.clock.val();
            self.col_at[v].clock.next = self.clock.val();
            self.turn[v].d.next = self.turn[v].q.val();
            self.row_at[v].d.next = self.row_at[v].q.val();
            self.col_at[v].d.next = self.col_at[v].q.val();
        }
        // fields of the instruction at work
        self.keep.x.next = self.kept[0].q.val();
        self.hold.x.next = self.kept[0].q.val();
        self.push_prev.x.next = self.kept[0].q.val();
        self.push_next.x.next = self.kept[0].q.val();
        self.row_signed.x.next = self.kept[0].q.val();
        self.col_signed.x.next = self.kept[0].q.val();
        self.rows.x.next = self.kept[5].q.val();
        self.rows_last.x.next = self.kept[5].q.val();
        self.row_edge.x.next = self.kept[5].q.val();
        self.cols.x.next = self.kept[6].q.val();
        self.cols_last.x.next = self.kept[6].q.val();
        self.col_edge.x.next = self.kept[6].q.val();
        self.row_planes.x.next = self.kept[7].q.val();
        self.col_planes.x.next = self.kept[7].q.val();
        self.tiles.x.next = self.kept[7].q.val();
        self.select.x.next = self.kept[7].q.val();
        self.by_row.x.next = self.kept[5].q.val();
        for l in 0..self.levels.val() {
            self.count[l].next = self.kept[10 + 3 * l].q.val();
            self.row_stride[l].next = self.kept[11 + 3 * l].q.val();
            self.col_stride[l].next = self.kept[12 + 3 * l].q.val();
        }
        self.count[self.levels.val()].next = self.row_planes.y.val();
        self.row_stride[self.levels.val()].next = self.kept[8].q.val();
        self.col_stride[self.levels.val()].next = 0.into();
        self.count[self.levels.val() + 1].next = self.col_planes.y.val();
        self.row_stride[self.levels.val() + 1].next = 0.into();
        self.col_stride[self.levels.val() + 1].next = self.kept[9].q.val();
        // who is at its end, and who moves
        for v in 0..self.turns.val() {
            self.at_end[v].next = self.ends[v].q.val().any();
            self.after[v].next = self.turn[v].q.val() + 1;
        }
        self.carry[self.turns.val()].next = true;
        for i in 0..self.turns.val() {
            self.carry[self.turns.val() - 1 - i].next =
                self.carry[self.turns.val() - i].val() & self.at_end[self.turns.val() - 1 - i].val();
        }
        self.tile_end.next = self.tile_ends.q.val().any();
        self.next_row.next = 0.into();
        self.next_col.next = 0.into();
        for v in 0..self.turns.val() {
            if self.carry[v + 1].val() & !self.at_end[v].val() {
                self.next_row.next = self.row_at[v].q.val() + self.row_stride[v].val();
                self.next_col.next = self.col_at[v].q.val() + self.col_stride[v].val();
            }
        }
        // the drain that is under way: its words are multiplied in the cycle after its tile's last step
        self.several.next =
            (self.skew.val() > 0) | (self.rows_kept.q.val() > 1) | (self.groups_kept.q.val() > 1);
        self.waits.next = self.waiting.q.val().any();
        if self.fresh.q.val().any() {
            self.waits.next = self.several.val();
        }
        // the step
        self.wait_drain.next = self.busy.q.val().any() & self.tile_end.val() & self.waits.val();
        self.advance.next = self.busy.q.val().any() & !self.wait_drain.val();
        self.step.next = self.advance.val();
        self.first.next = self.first_step.q.val().any() & !self.keep.y.val().any();
        self.last.next = self.tile_end.val();
        self.row.next = self.row_at[self.levels.val() + 1].q.val();
        self.col.next = self.col_at[self.levels.val() + 1].q.val();
        self.index.next = self.col_at[self.levels.val() - 1].q.val() + self.index_delta.q.val();
        self.row_top.next = self.row_signed.y.val().any() & self.at_end[self.levels.val()].val();
        self.col_top.next = self.col_signed.y.val().any() & self.at_end[self.levels.val() + 1].val();
        self.shift.next = (self.turn[self.levels.val()].q.val() - 1) * self.row_weight.val()
            + (self.turn[self.levels.val() + 1].q.val() - 1) * self.col_weight.val();
        // the tile
        self.tile.next = self.advance.val() & self.tile_end.val();
        self.tile_rows.next = self.rows.y.val();
        self.tile_cols.next = self.cols.y.val();
        for l in 0..self.levels.val() {
            if self.at_end[l].val() & (self.row_edge.y.val() == l) {
                self.tile_rows.next = self.rows_last.y.val();
            }
            if self.at_end[l].val() & (self.col_edge.y.val() == l) {
                self.tile_cols.next = self.cols_last.y.val();
            }
        }
        self.tile_groups.next = (self.tile_cols.val() + self.drain.val() - 1) >> self.log_drain.val();
        self.tile_starts.next = self.first_tile.q.val().any();
        self.result_base.next = self.kept[4].q.val();
        self.push_load.next = self.carry[0].val() & self.push_prev.y.val().any();
        self.push_store.next = self.carry[0].val() & self.push_next.y.val().any();
        if self.hold.y.val().any() {
            self.last.next = false;
        }
        // selection: the level that goes on choosing from the same windows
        self.window_turn.next = self.turn[self.levels.val() - 1].q.val();
        if self.by_row.y.val().any() {
            self.index.next = self.tile_index.q.val();
            self.window_turn.next = 1.into();
            for t in 1..self.tile_choices.val() {
                if self.tiles.y.val() == t {
                    self.window_turn.next = self.turn[t - 1].q.val();
                }
            }
        }
        self.mask.next = 0.into();
        self.opens.next = false;
        self.reuses.next = false;
        for s in 0..self.selects.val() {
            for b in 0..self.log_banks.val() {
                if self.select.y.val() > b {
                    self.mask.next = self.mask.val() * 2 + 1;
                }
            }
            self.held[s].next = self.by_row.y.val();
            if self.select.y.val().any() {
                self.opens.next = self.window_turn.val() == 1;
                self.reuses.next = self.window_turn.val() != 1;
            }
        }
        // moving on
        if self.drain_wait.q.val().any() {
            self.drain_wait.d.next = self.drain_wait.q.val() - 1;
        }
        self.fresh.d.next = 0.into();
        if self.fresh.q.val().any() {
            self.drain_wait.d.next = 0.into();
            if self.several.val() {
                self.drain_wait.d.next =
                    self.rows_kept.q.val() * self.groups_kept.q.val() + self.skew.val() - 2;
            }
        }
        self.waiting.d.next = self.drain_wait.d.val().any().into();
        if self.advance.val() {
            self.first_step.d.next = self.tile_end.val().into();
            if self.tile_end.val() {
                self.fresh.d.next = 1.into();
                self.rows_kept.d.next = self.tile_rows.val();
                self.groups_kept.d.next = self.tile_groups.val();
                if self.hold.y.val().any() {
                    self.rows_kept.d.next = 1.into();
                    self.groups_kept.d.next = 1.into();
                }
                self.first_tile.d.next = 0.into();
                self.tile_index.d.next = self.tile_index.q.val() + 1;
            }
            for v in 0..self.turns.val() {
                if self.carry[v + 1].val() {
                    self.row_at[v].d.next = self.next_row.val();
                    self.col_at[v].d.next = self.next_col.val();
                    self.turn[v].d.next = self.after[v].val();
                    self.will_end[v].next = (self.after[v].val() == self.count[v].val()).into();
                    if self.at_end[v].val() {
                        self.turn[v].d.next = 1.into();
                        self.will_end[v].next = self.single[v].q.val();
                    }
                }
            }
            if self.carry[0].val() {
                self.busy.d.next = 0.into();
            }
        }
        // taking the head
        self.head_row_planes.x.next = self.half[7].val();
        self.head_tiles.x.next = self.half[7].val();
        self.head_col_planes.x.next = self.half[7].val();
        for l in 0..self.levels.val() {
            self.head_count[l].next = self.half[10 + 3 * l].val();
        }
        self.head_count[self.levels.val()].next = self.head_row_planes.y.val();
        self.head_count[self.levels.val() + 1].next = self.head_col_planes.y.val();
        self.head_pop_prev.x.next = self.half[0].val();
        self.head_pop_next.x.next = self.half[0].val();
        self.ready.next = (self.load_token.val() | !self.head_pop_prev.y.val().any())
            & (self.store_token.val() | !self.head_pop_next.y.val().any());
        self.idle.next = !self.busy.q.val().any();
        self.take.next = self.available.val() & self.ready.val() & !self.busy.q.val().any();
        self.wait_token.next = self.available.val() & !self.ready.val() & !self.busy.q.val().any();
        self.pop_load.next = self.take.val() & self.head_pop_prev.y.val().any();
        self.pop_store.next = self.take.val() & self.head_pop_next.y.val().any();
        if self.take.val() {
            self.busy.d.next = 1.into();
            self.first_step.d.next = 1.into();
            self.first_tile.d.next = 1.into();
            self.tile_index.d.next = self.half[3].val();
            self.index_delta.d.next = self.half[3].val() - self.half[2].val();
            for i in 0..self.halves.val() {
                self.kept[i].d.next = self.half[i].val();
            }
            for l in 0..self.levels.val() {
                self.will_sum[l].next = (self.head_tiles.y.val() <= l).into();
            }
            for v in 0..self.turns.val() {
                self.turn[v].d.next = 1.into();
                self.single[v].d.next = (self.head_count[v].val() == 1).into();
                self.will_end[v].next = (self.head_count[v].val() == 1).into();
                self.row_at[v].d.next = self.half[1].val();
                self.col_at[v].d.next = self.half[2].val();
            }
        }
        // a tile ends with the last turn of all that is summed over
        self.tile_ends.d.next =
            self.will_end[self.levels.val()].val() & self.will_end[self.levels.val() + 1].val();
        for l in 0..self.levels.val() {
            self.inner[l].d.next = self.will_sum[l].val();
            if self.will_sum[l].val().any() & !self.will_end[l].val().any() {
                self.tile_ends.d.next = 0.into();
            }
        }
        for v in 0..self.turns.val() {
            self.ends[v].d.next = self.will_end[v].val();
        }
    }
}
