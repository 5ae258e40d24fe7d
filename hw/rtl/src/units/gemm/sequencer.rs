//! The compute engine's sequencer: takes a COMPUTE from its queue and issues its steps.
//!
//! ```text
//! levels 0 … L−1 │ row planes │ column planes       (outermost … innermost: "turns" 0 … V−1)
//! carry[v]: turns v and all inside are at their end; turn v moves on when carry[v+1]
//! ```
//! Every turn keeps the addresses at which it stands; the one that moves adds its stride and hands
//! the sum to all inside it. Turns are numbered from 1, and a register says whether one is the last: the
//! long way is from there to who moves.

use super::drain::Tile;
use super::pe::Widths;
use super::step::{Control, Operands};
use crate::counters::StepEvents;
use crate::field::halves;
use crate::fields;
use crate::hdl::prelude::*;
use crate::units::engine::Request;
use rust_hdl::prelude::*;
use tandem_spec::isa::Opcode;
use tandem_spec::{Config, Timing};

fields! {
    /// What taking a COMPUTE looks at.
    struct Head of "COMPUTE": pop_prev, pop_next, row_base, col_base, index_base, row_planes, col_planes, tiles; levels count
}

fields! {
    /// What executing it looks at.
    struct Work of "COMPUTE": keep, hold, push_prev, push_next, row_signed, col_signed, result_base, rows, rows_last, row_edge,
        held, cols, cols_last, col_edge, coded, row_planes, col_planes, tiles, select, row_plane_stride, col_plane_stride;
        levels count, row_stride, col_stride
}

unit! {
    /// See docs/accelerator.md, "COMPUTE" and "Timing".
    ///
    /// # Timing  taken in cycle t, step 0 in t+1; a tile's last step waits for the drain
    pub struct Sequencer(c: &Config) {
        let halves = halves(Opcode::named("COMPUTE"));
        let (a, w) = (&c.array, Widths::new(c));
        let (levels, turns) = (c.loops, c.loops + 2);
        let at = c.address_bits;
        // counts of the levels, then of the planes
        let counts = || {
            let planes = [c.row_planes(a.row_bits), c.col_planes(a.col_bits)].map(bits_for);
            std::iter::repeat_n(at, levels).chain(planes)
        };
        let most_words = a.rows * a.cols.div_ceil(a.drain);

        clock,
        /// A COMPUTE.
        pub request: Request<In> = Request::new(halves),
        /// Nothing runs.
        pub idle: Signal<Out, Bit>,
        /// A step.
        pub control: Control<Out> = Control::new(c),
        /// Where it takes its operands.
        pub operands: Operands<Out> = Operands::new(c),
        /// A tile that ends.
        pub tile: Tile<Out> = Tile::new(c),
        /// What is to be counted.
        pub events: StepEvents<Out> = StepEvents::new(c),
        head: Head = Head::new(levels),
        work: Work = Work::new(levels),
        ready: Signal<Local, Bit>,
        advance: Signal<Local, Bit>,
        busy: Reg = Reg::unsigned(1),
        kept: Vec<Reg> = Reg::vec(halves, 16, false),
        turn: Vec<Reg> = counts().map(Reg::unsigned).collect(),
        ends: Vec<Reg> = Reg::vec(turns, 1, false),
        single: Vec<Reg> = Reg::vec(turns, 1, false),
        inner: Vec<Reg> = Reg::vec(levels, 1, false),
        tile_ends: Reg = Reg::unsigned(1),
        will_end: Vec<Sig<Local>> = Sig::vec(turns, 1, false),
        will_sum: Vec<Sig<Local>> = Sig::vec(levels, 1, false),
        after: Vec<Sig<Local>> = counts().map(|bits| Sig::unsigned(bits + 1)).collect(),
        head_count: Vec<Sig<Local>> = counts().map(Sig::unsigned).collect(),
        row_at: Vec<Reg> = Reg::vec(turns, at, false),
        col_at: Vec<Reg> = Reg::vec(turns, at, false),
        index_delta: Reg = Reg::unsigned(at),
        tile_index: Reg = Reg::unsigned(at),
        window_turn: Sig<Local> = Sig::unsigned(at),
        first_step: Reg = Reg::unsigned(1),
        first_tile: Reg = Reg::unsigned(1),
        drain_wait: Reg = Reg::unsigned(bits_for(most_words + Timing::new(c).col_skew)),
        waiting: Reg = Reg::unsigned(1),
        count: Vec<Sig<Local>> = counts().map(Sig::unsigned).collect(),
        row_stride: Vec<Sig<Local>> = Sig::vec(turns, at, false),
        col_stride: Vec<Sig<Local>> = Sig::vec(turns, at, false),
        at_end: Vec<Signal<Local, Bit>> = wire::bits(turns),
        carry: Vec<Signal<Local, Bit>> = wire::bits(turns + 1),
        tile_end: Signal<Local, Bit>,
        next_row: Sig<Local> = Sig::unsigned(at),
        next_col: Sig<Local> = Sig::unsigned(at),
        rows_kept: Reg = Reg::unsigned(bits_for(a.rows)),
        groups_kept: Reg = Reg::unsigned(bits_for(a.cols.div_ceil(a.drain))),
        fresh: Reg = Reg::unsigned(1),
        several: Signal<Local, Bit>,
        waits: Signal<Local, Bit>,
        halves: Dim = Dim::new(halves),
        levels: Dim = Dim::new(levels),
        turns: Dim = Dim::new(turns),
        tile_choices: Dim = Dim::new(levels + 1),
        row_weight: Dim = Dim::new(a.row_digit / w.unit),
        col_weight: Dim = Dim::new(a.col_digit / w.unit),
        log_drain: Dim = Dim::new(a.drain.trailing_zeros() as usize),
        drain: Dim = Dim::new(a.drain),
        skew: Dim = Dim::new(Timing::new(c).col_skew),
        log_banks: Dim = Dim::new(w.pick),
        selects: Dim = Dim::new(usize::from(w.pick > 0)),
        codebooks: Dim = Dim::new(usize::from(c.codebook.is_some())),
        several_digits: Dim = Dim::new(usize::from(c.level_digits() > 1)),
    }
}

impl Logic for Sequencer {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for l in 0..self.levels.val() {
            self.will_sum[l].next = self.inner[l].q.val();
        }
        for v in 0..self.turns.val() {
            self.will_end[v].next = self.ends[v].q.val();
        }
        // fields of the instruction at work
        for i in 0..self.halves.val() {
            self.head.half[i].next = self.request.queue.half[i].val();
            self.work.half[i].next = self.kept[i].q.val();
        }
        for l in 0..self.levels.val() {
            self.count[l].next = self.work.count[l].val();
            self.row_stride[l].next = self.work.row_stride[l].val();
            self.col_stride[l].next = self.work.col_stride[l].val();
        }
        self.count[self.levels.val()].next = self.work.row_planes.val();
        self.row_stride[self.levels.val()].next = self.work.row_plane_stride.val();
        self.col_stride[self.levels.val()].next = 0.into();
        self.count[self.levels.val() + 1].next = self.work.col_planes.val();
        self.row_stride[self.levels.val() + 1].next = 0.into();
        self.col_stride[self.levels.val() + 1].next = self.work.col_plane_stride.val();
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
        self.events.wait_drain.next = self.busy.q.val().any() & self.tile_end.val() & self.waits.val();
        self.advance.next = self.busy.q.val().any() & !self.events.wait_drain.val();
        self.control.step.next = self.advance.val();
        self.control.first.next = self.first_step.q.val().any() & !self.work.keep.val().any();
        self.control.last.next = self.tile_end.val();
        self.operands.row.address.next = self.row_at[self.levels.val() + 1].q.val();
        self.operands.col.address.next = self.col_at[self.levels.val() + 1].q.val();
        self.operands.row.top.next = self.work.row_signed.val().any() & self.at_end[self.levels.val()].val();
        self.operands.col.top.next =
            self.work.col_signed.val().any() & self.at_end[self.levels.val() + 1].val();
        self.control.shift.next = (self.turn[self.levels.val()].q.val() - 1) * self.row_weight.val()
            + (self.turn[self.levels.val() + 1].q.val() - 1) * self.col_weight.val();
        // the tile
        self.tile.ends.next = self.advance.val() & self.tile_end.val();
        self.tile.rows.next = self.work.rows.val();
        self.tile.cols.next = self.work.cols.val();
        for l in 0..self.levels.val() {
            if self.at_end[l].val() & (self.work.row_edge.val() == l) {
                self.tile.rows.next = self.work.rows_last.val();
            }
            if self.at_end[l].val() & (self.work.col_edge.val() == l) {
                self.tile.cols.next = self.work.cols_last.val();
            }
        }
        self.tile.groups.next = (self.tile.cols.val() + self.drain.val() - 1) >> self.log_drain.val();
        self.tile.starts.next = self.first_tile.q.val().any();
        self.tile.base.next = self.work.result_base.val();
        self.tile.push.load.next = self.carry[0].val() & self.work.push_prev.val().any();
        self.tile.push.store.next = self.carry[0].val() & self.work.push_next.val().any();
        if self.work.hold.val().any() {
            self.control.last.next = false;
        }
        self.tile.drains.next = self.control.last.val();
        self.events.step.next = self.advance.val();
        self.events.rows.next = self.tile.rows.val();
        self.events.cols.next = self.tile.cols.val();
        // selection: the level that goes on choosing from the same windows
        self.window_turn.next = self.turn[self.levels.val() - 1].q.val();
        if self.work.held.val().any() {
            self.window_turn.next = 1.into();
            for t in 1..self.tile_choices.val() {
                if self.work.tiles.val() == t {
                    self.window_turn.next = self.turn[t - 1].q.val();
                }
            }
        }
        self.events.mask.next = 0.into();
        self.events.opens.next = false;
        self.events.reuses.next = false;
        for s in 0..self.selects.val() {
            for b in 0..self.log_banks.val() {
                if self.work.select.val() > b {
                    self.events.mask.next = self.events.mask.val() * 2 + 1;
                }
            }
            self.operands.index[s].address.next =
                self.col_at[self.levels.val() - 1].q.val() + self.index_delta.q.val();
            if self.work.held.val().any() {
                self.operands.index[s].address.next = self.tile_index.q.val();
            }
            self.operands.index[s].mask.next = self.events.mask.val();
            self.operands.index[s].held.next = self.work.held.val();
            if self.work.select.val().any() {
                self.events.opens.next = self.window_turn.val() == 1;
                self.events.reuses.next = self.window_turn.val() != 1;
            }
        }
        // codes
        for k in 0..self.codebooks.val() {
            self.operands.codes[k].used.next = self.work.coded.val();
            for d in 0..self.several_digits.val() {
                self.operands.codes[k].plane[d].next = self.turn[self.levels.val() + 1].q.val() - 1;
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
                self.rows_kept.d.next = self.tile.rows.val();
                self.groups_kept.d.next = self.tile.groups.val();
                if self.work.hold.val().any() {
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
        for l in 0..self.levels.val() {
            self.head_count[l].next = self.head.count[l].val();
        }
        self.head_count[self.levels.val()].next = self.head.row_planes.val();
        self.head_count[self.levels.val() + 1].next = self.head.col_planes.val();
        self.ready.next = (self.request.load.present.val() | !self.head.pop_prev.val().any())
            & (self.request.store.present.val() | !self.head.pop_next.val().any());
        self.idle.next = !self.busy.q.val().any();
        self.request.queue.take.next =
            self.request.queue.available.val() & self.ready.val() & !self.busy.q.val().any();
        self.request.wait_token.next =
            self.request.queue.available.val() & !self.ready.val() & !self.busy.q.val().any();
        self.request.load.pop.next = self.request.queue.take.val() & self.head.pop_prev.val().any();
        self.request.store.pop.next = self.request.queue.take.val() & self.head.pop_next.val().any();
        if self.request.queue.take.val() {
            self.busy.d.next = 1.into();
            self.first_step.d.next = 1.into();
            self.first_tile.d.next = 1.into();
            self.tile_index.d.next = self.head.index_base.val();
            self.index_delta.d.next = self.head.index_base.val() - self.head.col_base.val();
            for i in 0..self.halves.val() {
                self.kept[i].d.next = self.request.queue.half[i].val();
            }
            for l in 0..self.levels.val() {
                self.will_sum[l].next = (self.head.tiles.val() <= l).into();
            }
            for v in 0..self.turns.val() {
                self.turn[v].d.next = 1.into();
                self.single[v].d.next = (self.head_count[v].val() == 1).into();
                self.will_end[v].next = (self.head_count[v].val() == 1).into();
                self.row_at[v].d.next = self.head.row_base.val();
                self.col_at[v].d.next = self.head.col_base.val();
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
