//! The drain: carries a finished tile from the shadow registers to the result memory.

use super::skew::Skew;
use crate::hdl::prelude::*;
use crate::units::engine::{Gives, Outcome};
use rust_hdl::prelude::*;
use tandem_spec::{Config, Timing};

bundle! {
    /// A tile that ends, or an instruction without drain.
    pub struct Tile<D>(c: &Config) {
        /// There is one.
        ends: Signal<D, Bit>,
        /// It is drained.
        drains: Signal<D, Bit>,
        /// Valid rows.
        rows: Sig<D> = Sig::unsigned(bits_for(c.array.rows)),
        /// Valid columns.
        cols: Sig<D> = Sig::unsigned(bits_for(c.array.cols)),
        /// Result words a row.
        groups: Sig<D> = Sig::unsigned(bits_for(c.array.cols.div_ceil(c.array.drain))),
        /// The first tile of its instruction: results go to `base` from here on.
        starts: Signal<D, Bit>,
        /// Result address of the instruction.
        base: Sig<D> = Sig::unsigned(index_bits(c.memory.result)),
        /// The tokens that the instruction gives, if it is the last one.
        push: Gives<D> = Gives::new(),
    }
}

unit! {
    /// `drain` results a cycle, valid rows and columns only.
    ///
    /// # Timing  a tile that ends in cycle e is read from the shadows in e+P+H …; its words are offered to
    /// the result memory, and its tokens given, one cycle later
    pub struct Drain(c: &Config) {
        let a = &c.array;
        let stages = Timing::new(c).drain_start;
        let address = index_bits(c.memory.result);
        let (rows, cols, groups) = (bits_for(a.rows), bits_for(a.cols), bits_for(a.cols.div_ceil(a.drain)));
        let skew = |bits: usize| Skew::new(stages + 1, bits, false);

        clock,
        /// A tile ends.
        pub tile: Tile<In> = Tile::new(c),
        /// All finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<In>> = Sig::vec(a.rows * a.cols, a.acc_bits, true),
        /// Result words, then tokens.
        pub outcome: Outcome<Out> = Outcome::new(c),
        /// No tile is on its way.
        pub quiet: Signal<Out, Bit>,
        ends: Skew = skew(1),
        drains: Skew = skew(1),
        tile_rows: Skew = skew(rows),
        tile_cols: Skew = skew(cols),
        tile_groups: Skew = skew(groups),
        starts: Skew = skew(1),
        base: Skew = skew(address),
        push_load: Skew = skew(1),
        push_store: Skew = skew(1),
        active: Reg = Reg::unsigned(1),
        row: Reg = Reg::unsigned(rows),
        group: Reg = Reg::unsigned(groups),
        rows_kept: Reg = Reg::unsigned(rows),
        cols_kept: Reg = Reg::unsigned(cols),
        groups_kept: Reg = Reg::unsigned(groups),
        push_load_kept: Reg = Reg::unsigned(1),
        push_store_kept: Reg = Reg::unsigned(1),
        next_address: Reg = Reg::unsigned(address),
        pending: Reg = Reg::unsigned(bits_for(stages + 2)),
        we_q: Reg = Reg::unsigned(1),
        address_q: Reg = Reg::unsigned(address),
        give_load_q: Reg = Reg::unsigned(1),
        give_store_q: Reg = Reg::unsigned(1),
        done_q: Reg = Reg::unsigned(1),
        result_q: Vec<Reg> = Reg::vec(a.drain, a.acc_bits, true),
        event: Signal<Local, Bit>,
        go: Signal<Local, Bit>,
        final_word: Signal<Local, Bit>,
        finished: Signal<Local, Bit>,
        now_push_load: Sig<Local> = Sig::unsigned(1),
        now_push_store: Sig<Local> = Sig::unsigned(1),
        now_row: Sig<Local> = Sig::unsigned(rows),
        now_group: Sig<Local> = Sig::unsigned(groups),
        now_rows: Sig<Local> = Sig::unsigned(rows),
        now_cols: Sig<Local> = Sig::unsigned(cols),
        now_groups: Sig<Local> = Sig::unsigned(groups),
        now_address: Sig<Local> = Sig::unsigned(address),
        by_row: Vec<Mux> = (0..a.cols).map(|_| Mux::new(a.rows, a.acc_bits, true)).collect(),
        array_rows: Dim = Dim::new(a.rows),
        array_cols: Dim = Dim::new(a.cols),
        group_of: Vec<Dim> = (0..a.cols).map(|k| Dim::new(k / a.drain)).collect(),
        width: Dim = Dim::new(a.drain),
        stages: Dim = Dim::new(stages),
    }
}

impl Logic for Drain {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // the tile's record waits until its sums are in the shadow registers
        self.ends.x.next = self.tile.ends.val().into();
        self.drains.x.next = self.tile.drains.val().into();
        self.tile_rows.x.next = self.tile.rows.val();
        self.tile_cols.x.next = self.tile.cols.val();
        self.tile_groups.x.next = self.tile.groups.val();
        self.starts.x.next = self.tile.starts.val().into();
        self.base.x.next = self.tile.base.val();
        self.push_load.x.next = self.tile.push.load.val().into();
        self.push_store.x.next = self.tile.push.store.val().into();
        self.event.next = self.ends.at[self.stages.val()].val().any();
        // where the drain stands in this cycle
        self.now_row.next = self.row.q.val();
        self.now_group.next = self.group.q.val();
        self.now_rows.next = self.rows_kept.q.val();
        self.now_cols.next = self.cols_kept.q.val();
        self.now_groups.next = self.groups_kept.q.val();
        self.now_address.next = self.next_address.q.val();
        self.now_push_load.next = self.push_load_kept.q.val();
        self.now_push_store.next = self.push_store_kept.q.val();
        self.go.next = self.active.q.val().any();
        if self.event.val() {
            self.now_row.next = 0.into();
            self.now_group.next = 0.into();
            self.now_rows.next = self.tile_rows.at[self.stages.val()].val();
            self.now_cols.next = self.tile_cols.at[self.stages.val()].val();
            self.now_groups.next = self.tile_groups.at[self.stages.val()].val();
            self.go.next = self.drains.at[self.stages.val()].val().any();
            if self.starts.at[self.stages.val()].val().any() {
                self.now_address.next = self.base.at[self.stages.val()].val();
            }
            self.now_push_load.next = self.push_load.at[self.stages.val()].val();
            self.now_push_store.next = self.push_store.at[self.stages.val()].val();
        }
        self.final_word.next = (self.now_group.val() + 1 == self.now_groups.val())
            & (self.now_row.val() + 1 == self.now_rows.val());
        self.rows_kept.d.next = self.now_rows.val();
        self.cols_kept.d.next = self.now_cols.val();
        self.groups_kept.d.next = self.now_groups.val();
        self.push_load_kept.d.next = self.now_push_load.val();
        self.push_store_kept.d.next = self.now_push_store.val();
        self.next_address.d.next = self.now_address.val();
        self.active.d.next = 0.into();
        self.finished.next = self.event.val() & !self.go.val();
        if self.go.val() {
            self.next_address.d.next = self.now_address.val() + 1;
            self.active.d.next = (!self.final_word.val()).into();
            self.finished.next = self.final_word.val();
            self.group.d.next = self.now_group.val() + 1;
            self.row.d.next = self.now_row.val();
            if self.now_group.val() + 1 == self.now_groups.val() {
                self.group.d.next = 0.into();
                self.row.d.next = self.now_row.val() + 1;
            }
        }
        self.done_q.d.next = self.finished.val().into();
        self.give_load_q.d.next = self.now_push_load.val() & self.finished.val();
        self.give_store_q.d.next = self.now_push_store.val() & self.finished.val();
        self.we_q.d.next = self.go.val().into();
        self.address_q.d.next = self.now_address.val();
        // the word
        for k in 0..self.array_cols.val() {
            self.by_row[k].sel.next = self.now_row.val();
            for r in 0..self.array_rows.val() {
                self.by_row[k].x[r].next = self.shadow[r * self.array_cols.val() + k].val();
            }
        }
        for i in 0..self.width.val() {
            self.result_q[i].d.next = 0.into();
        }
        for k in 0..self.array_cols.val() {
            if (self.now_group.val() == self.group_of[k].val()) & (self.now_cols.val() > k) {
                self.result_q[k % self.width.val()].d.next = self.by_row[k].y.val();
            }
        }
        for i in 0..self.width.val() {
            self.outcome.write.result[i].next = self.result_q[i].q.val();
        }
        self.outcome.write.we.next = self.we_q.q.val().any();
        self.outcome.write.address.next = self.address_q.q.val();
        self.outcome.give.load.next = self.give_load_q.q.val().any();
        self.outcome.give.store.next = self.give_store_q.q.val().any();
        // tiles on their way
        if self.tile.ends.val() & !self.done_q.q.val().any() {
            self.pending.d.next = self.pending.q.val() + 1;
        }
        if self.done_q.q.val().any() & !self.tile.ends.val() {
            self.pending.d.next = self.pending.q.val() - 1;
        }
        self.quiet.next = !self.pending.q.val().any();
    }
}
