//! The drain: carries a finished tile from the shadow registers to the result memory.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::{Config, Timing};

/// Fields of a tile's record: drains, rows, columns, groups, starts, base, the two pushes.
const FIELDS: usize = 8;

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
        let record: [usize; FIELDS] = [1, rows, cols, groups, 1, address, 1, 1];
        let total = record.iter().sum();
        let mut lo = 0;
        let open = record
            .iter()
            .map(|b| {
                lo += b;
                Slice::new(total, lo - b, *b, false)
            })
            .collect();

        clock,
        /// A tile ends (or an instruction without drain).
        pub tile: Signal<In, Bit>,
        /// It is drained.
        pub drains: Signal<In, Bit>,
        /// Valid rows.
        pub rows: Sig<In> = Sig::unsigned(rows),
        /// Valid columns.
        pub cols: Sig<In> = Sig::unsigned(cols),
        /// Result words a row.
        pub groups: Sig<In> = Sig::unsigned(groups),
        /// The first tile of its instruction.
        pub starts: Signal<In, Bit>,
        /// Result address of the instruction.
        pub base: Sig<In> = Sig::unsigned(address),
        /// It gives the load engine a token.
        pub push_load: Signal<In, Bit>,
        /// It gives the store engine a token.
        pub push_store: Signal<In, Bit>,
        /// All finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<In>> = Sig::vec(a.rows * a.cols, a.acc_bits, true),
        /// A result word is written.
        pub we: Signal<Out, Bit>,
        /// Where.
        pub address: Sig<Out> = Sig::unsigned(address),
        /// Its results.
        pub result: Vec<Sig<Out>> = Sig::vec(a.drain, a.acc_bits, true),
        /// A token for the load engine.
        pub give_load: Signal<Out, Bit>,
        /// A token for the store engine.
        pub give_store: Signal<Out, Bit>,
        /// No tile is on its way.
        pub quiet: Signal<Out, Bit>,
        pack: Concat = Concat::of(&record),
        chain: Vec<Reg> = Reg::vec(stages, total, false),
        chain_valid: Vec<Reg> = Reg::vec(stages, 1, false),
        open: Vec<Slice> = open,
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
        records: Dim = Dim::new(FIELDS),
    }
}

impl Logic for Drain {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // the tile's record waits until its sums are in the shadow registers
        self.pack.x[0].next = self.drains.val().into();
        self.pack.x[1].next = self.rows.val();
        self.pack.x[2].next = self.cols.val();
        self.pack.x[3].next = self.groups.val();
        self.pack.x[4].next = self.starts.val().into();
        self.pack.x[5].next = self.base.val();
        self.pack.x[6].next = self.push_load.val().into();
        self.pack.x[7].next = self.push_store.val().into();
        self.chain[0].d.next = self.pack.y.val();
        self.chain_valid[0].d.next = self.tile.val().into();
        for s in 1..self.stages.val() {
            self.chain[s].d.next = self.chain[s - 1].q.val();
            self.chain_valid[s].d.next = self.chain_valid[s - 1].q.val();
        }
        for r in 0..self.records.val() {
            self.open[r].x.next = self.chain[self.stages.val() - 1].q.val();
        }
        self.event.next = self.chain_valid[self.stages.val() - 1].q.val().any();
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
            self.now_rows.next = self.open[1].y.val();
            self.now_cols.next = self.open[2].y.val();
            self.now_groups.next = self.open[3].y.val();
            self.go.next = self.open[0].y.val().any();
            if self.open[4].y.val().any() {
                self.now_address.next = self.open[5].y.val();
            }
            self.now_push_load.next = self.open[6].y.val();
            self.now_push_store.next = self.open[7].y.val();
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
            self.result[i].next = self.result_q[i].q.val();
        }
        self.we.next = self.we_q.q.val().any();
        self.address.next = self.address_q.q.val();
        self.give_load.next = self.give_load_q.q.val().any();
        self.give_store.next = self.give_store_q.q.val().any();
        // tiles on their way
        if self.tile.val() & !self.done_q.q.val().any() {
            self.pending.d.next = self.pending.q.val() + 1;
        }
        if self.done_q.q.val().any() & !self.tile.val() {
            self.pending.d.next = self.pending.q.val() - 1;
        }
        self.quiet.next = !self.pending.q.val().any();
    }
}
