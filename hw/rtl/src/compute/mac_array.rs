//! The MAC array: ports around a grid of processing elements.
//!
//! ```text
//!             column ports (addresses delayed by ⌊c/hop⌋)
//!                │    │    │
//! row ports ──► PE ─ PE ─ PE      operands pass a register every `hop` elements,
//! (delayed by   PE ─ PE ─ PE      so element (r, c) works ⌊r/hop⌋ + ⌊c/hop⌋ cycles after (0, 0)
//!  ⌊r/hop⌋)     PE ─ PE ─ PE
//! ```

use super::array_row::ArrayRow;
use super::col_port::ColPort;
use super::pe::{Widths, height, optional};
use super::row_port::RowPort;
use crate::hdl::prelude::*;
use crate::load::pieces::pieces;
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Operand memories and processing elements.
    ///
    /// # Timing  a step in cycle t is in accumulator (r, c), and in its shadow if it ends a tile, in
    /// t + P + ⌊r/hop⌋ + ⌊c/hop⌋, P = `array.pipeline`
    pub struct MacArray(c: &Config) {
        let (a, w) = (&c.array, Widths::new(c));
        let (rp, cp, ip) = (pieces(c, Memory::Row), pieces(c, Memory::Col), pieces(c, Memory::Index));
        let (row_groups, col_groups) = (a.rows.div_ceil(a.hop), a.cols.div_ceil(a.hop));
        let enables = |n: usize| (0..n).map(|_| Default::default()).collect();
        let op = pieces(c, Memory::Offset);
        let across = a.cols * a.lanes;
        let picks = a.cols * c.index_lanes();
        let selects = usize::from(w.pick > 0);
        // the control meets the dot products behind its last register, in the rows
        let to_control = if a.pipeline == DEEP { 6 } else { 3 };
        let chain = to_control + row_groups - 1;
        let height = height(c);
        let pick_regs = |n: usize| if w.pick == 0 { vec![] } else { Reg::vec(n, w.pick, false) };

        clock,
        /// Write enables of the row memories: `row · pieces + piece`.
        pub row_we: Vec<Signal<In, Bit>> = enables(a.rows * rp.count),
        /// Their data.
        pub row_data: Vec<Sig<In>> = Sig::vec(a.rows * rp.count, rp.bits, false),
        /// Write enables of the column memories.
        pub col_we: Vec<Signal<In, Bit>> = enables(a.cols * cp.count),
        /// Their data.
        pub col_data: Vec<Sig<In>> = Sig::vec(a.cols * cp.count, cp.bits, false),
        /// Write enables of the index memories.
        pub index_we: Vec<Signal<In, Bit>> = enables(a.cols * ip.count),
        /// Their data.
        pub index_data: Vec<Sig<In>> = optional(a.cols * ip.count, ip.bits),
        /// Write enables of the row offsets.
        pub offset_we: Vec<Signal<In, Bit>> = enables(a.rows * op.count),
        /// Their data.
        pub offset_data: Vec<Sig<In>> = Sig::vec(a.rows * op.count, op.bits, false),
        /// Address to write.
        pub waddr: Sig<In> = Sig::unsigned(16),
        /// A step.
        pub step: Signal<In, Bit>,
        /// It starts a sum.
        pub first: Signal<In, Bit>,
        /// It ends a tile that is drained.
        pub last: Signal<In, Bit>,
        /// Its weight.
        pub shift: Sig<In> = Sig::unsigned(w.shift),
        /// Flat row address.
        pub row: Sig<In> = Sig::unsigned(c.address_bits),
        /// Column address.
        pub col: Sig<In> = Sig::unsigned(c.address_bits),
        /// Index address.
        pub index: Sig<In> = Sig::unsigned(c.address_bits),
        /// M − 1.
        pub mask: Vec<Sig<In>> = optional(1, w.pick),
        /// Indices belong to rows.
        pub held: Vec<Sig<In>> = optional(selects, 1),
        /// Row digits are signed.
        pub row_top: Signal<In, Bit>,
        /// Column digits are signed.
        pub col_top: Signal<In, Bit>,
        /// Finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<Out>> = Sig::vec(a.rows * a.cols, a.acc_bits, true),
        row_port: Vec<RowPort> = (0..a.rows).map(|_| RowPort::new(c)).collect(),
        col_port: Vec<ColPort> = (0..a.cols).map(|_| ColPort::new(c)).collect(),
        array_row: Vec<ArrayRow> = (0..a.rows / height).map(|_| ArrayRow::new(c)).collect(),
        row_at: Vec<Sig<Local>> = Sig::vec(row_groups, c.address_bits, false),
        row_top_at: Vec<Sig<Local>> = Sig::vec(row_groups, 1, false),
        col_at: Vec<Sig<Local>> = Sig::vec(col_groups, c.address_bits, false),
        col_top_at: Vec<Sig<Local>> = Sig::vec(col_groups, 1, false),
        index_at: Vec<Sig<Local>> = Sig::vec(col_groups, c.address_bits, false),
        mask_at: Vec<Sig<Local>> = optional(col_groups, w.pick),
        held_at: Vec<Sig<Local>> = optional(col_groups * selects, 1),
        row_chain: Vec<Reg> = Reg::vec(row_groups - 1, c.address_bits, false),
        row_top_chain: Vec<Reg> = Reg::vec(row_groups - 1, 1, false),
        col_chain: Vec<Reg> = Reg::vec(col_groups - 1, c.address_bits, false),
        col_top_chain: Vec<Reg> = Reg::vec(col_groups - 1, 1, false),
        index_chain: Vec<Reg> = Reg::vec(col_groups - 1, c.address_bits, false),
        mask_chain: Vec<Reg> = pick_regs(col_groups - 1),
        held_chain: Vec<Reg> = Reg::vec((col_groups - 1) * selects, 1, false),
        control: Vec<Concat> = vec![Concat::new(3, 1)],
        control_chain: Vec<Reg> = Reg::vec(chain, 3, false),
        control_out: Vec<Unpack> = (0..chain).map(|_| Unpack::new(3, 1, false)).collect(),
        shift_chain: Vec<Reg> = Reg::vec(chain, w.shift, false),
        digit: Vec<Sig<Local>> = Sig::vec(row_groups * across, w.col, true),
        picked: Vec<Sig<Local>> = optional(row_groups * picks, w.pick),
        by_row: Vec<Sig<Local>> = optional(row_groups * a.cols * selects, 1),
        digit_chain: Vec<Reg> = Reg::vec((row_groups - 1) * across, w.col, true),
        index_digit_chain: Vec<Reg> = pick_regs((row_groups - 1) * picks),
        by_row_chain: Vec<Reg> = Reg::vec((row_groups - 1) * a.cols * selects, 1, false),
        rows: Dim = Dim::new(a.rows),
        cols: Dim = Dim::new(a.cols),
        row_pieces: Dim = Dim::new(rp.count),
        col_pieces: Dim = Dim::new(cp.count),
        index_pieces: Dim = Dim::new(ip.count),
        offset_parts: Dim = Dim::new(op.count),
        window: Dim = Dim::new(a.select * a.lanes),
        lanes: Dim = Dim::new(a.lanes),
        across: Dim = Dim::new(across),
        entries: Dim = Dim::new(c.index_lanes()),
        picks: Dim = Dim::new(picks),
        row_groups: Dim = Dim::new(row_groups),
        col_groups: Dim = Dim::new(col_groups),
        hop: Dim = Dim::new(a.hop),
        height: Dim = Dim::new(height),
        bands: Dim = Dim::new(a.rows / height),
        to_control: Dim = Dim::new(to_control),
        chain: Dim = Dim::new(chain),
        selects: Dim = Dim::new(selects),
    }
}

impl Logic for MacArray {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // step control, until it meets its operands
        self.control[0].x[0].next = self.step.val().into();
        self.control[0].x[1].next = self.first.val().into();
        self.control[0].x[2].next = self.last.val().into();
        for s in 0..self.chain.val() {
            self.control_out[s].x.next = self.control_chain[s].q.val();
        }
        self.control_chain[0].d.next = self.control[0].y.val();
        self.shift_chain[0].d.next = self.shift.val();
        for s in 1..self.chain.val() {
            self.control_chain[s].d.next = self.control_chain[s - 1].q.val();
            self.shift_chain[s].d.next = self.shift_chain[s - 1].q.val();
        }
        // addresses down the rows
        self.row_at[0].next = self.row.val();
        self.row_top_at[0].next = self.row_top.val().into();
        for g in 1..self.row_groups.val() {
            self.row_chain[g - 1].d.next = self.row_at[g - 1].val();
            self.row_top_chain[g - 1].d.next = self.row_top_at[g - 1].val();
            self.row_at[g].next = self.row_chain[g - 1].q.val();
            self.row_top_at[g].next = self.row_top_chain[g - 1].q.val();
        }
        // addresses across the columns
        self.col_at[0].next = self.col.val();
        self.col_top_at[0].next = self.col_top.val().into();
        self.index_at[0].next = self.index.val();
        for g in 1..self.col_groups.val() {
            self.col_chain[g - 1].d.next = self.col_at[g - 1].val();
            self.col_top_chain[g - 1].d.next = self.col_top_at[g - 1].val();
            self.index_chain[g - 1].d.next = self.index_at[g - 1].val();
            self.col_at[g].next = self.col_chain[g - 1].q.val();
            self.col_top_at[g].next = self.col_top_chain[g - 1].q.val();
            self.index_at[g].next = self.index_chain[g - 1].q.val();
        }
        for s in 0..self.selects.val() {
            self.mask_at[0].next = self.mask[s].val();
            for g in 1..self.col_groups.val() {
                self.mask_chain[g - 1].d.next = self.mask_at[g - 1].val();
                self.mask_at[g].next = self.mask_chain[g - 1].q.val();
            }
            self.held_at[0].next = self.held[s].val();
            for g in 1..self.col_groups.val() {
                self.held_chain[g - 1].d.next = self.held_at[g - 1].val();
                self.held_at[g].next = self.held_chain[g - 1].q.val();
            }
        }
        // column ports; their digits pass a register every `hop` rows
        for k in 0..self.cols.val() {
            self.col_port[k].waddr.next = self.waddr.val();
            self.col_port[k].address.next = self.col_at[k / self.hop.val()].val();
            self.col_port[k].index_address.next = self.index_at[k / self.hop.val()].val();
            self.col_port[k].top.next = self.col_top_at[k / self.hop.val()].val().any();
            for p in 0..self.col_pieces.val() {
                self.col_port[k].we[p].next = self.col_we[k * self.col_pieces.val() + p].val();
                self.col_port[k].data[p].next = self.col_data[k * self.col_pieces.val() + p].val();
            }
            for l in 0..self.lanes.val() {
                self.digit[k * self.lanes.val() + l].next = self.col_port[k].digit[l].val();
            }
            for s in 0..self.selects.val() {
                self.col_port[k].mask[s].next = self.mask_at[k / self.hop.val()].val();
                self.col_port[k].held[s].next = self.held_at[k / self.hop.val()].val();
                self.by_row[k].next = self.col_port[k].by_row[s].val();
                for p in 0..self.index_pieces.val() {
                    self.col_port[k].index_we[p].next = self.index_we[k * self.index_pieces.val() + p].val();
                    self.col_port[k].index_data[p].next =
                        self.index_data[k * self.index_pieces.val() + p].val();
                }
                for e in 0..self.entries.val() {
                    self.picked[k * self.entries.val() + e].next = self.col_port[k].index[e].val();
                }
            }
        }
        for g in 1..self.row_groups.val() {
            for d in 0..self.across.val() {
                self.digit_chain[(g - 1) * self.across.val() + d].d.next =
                    self.digit[(g - 1) * self.across.val() + d].val();
                self.digit[g * self.across.val() + d].next =
                    self.digit_chain[(g - 1) * self.across.val() + d].q.val();
            }
            for _s in 0..self.selects.val() {
                for d in 0..self.picks.val() {
                    self.index_digit_chain[(g - 1) * self.picks.val() + d].d.next =
                        self.picked[(g - 1) * self.picks.val() + d].val();
                    self.picked[g * self.picks.val() + d].next =
                        self.index_digit_chain[(g - 1) * self.picks.val() + d].q.val();
                }
                for k in 0..self.cols.val() {
                    self.by_row_chain[(g - 1) * self.cols.val() + k].d.next =
                        self.by_row[(g - 1) * self.cols.val() + k].val();
                    self.by_row[g * self.cols.val() + k].next =
                        self.by_row_chain[(g - 1) * self.cols.val() + k].q.val();
                }
            }
        }
        // row ports
        for r in 0..self.rows.val() {
            self.row_port[r].waddr.next = self.waddr.val();
            self.row_port[r].address.next = self.row_at[r / self.hop.val()].val();
            self.row_port[r].top.next = self.row_top_at[r / self.hop.val()].val().any();
            for p in 0..self.row_pieces.val() {
                self.row_port[r].we[p].next = self.row_we[r * self.row_pieces.val() + p].val();
                self.row_port[r].data[p].next = self.row_data[r * self.row_pieces.val() + p].val();
            }
            for p in 0..self.offset_parts.val() {
                self.row_port[r].offset_we[p].next = self.offset_we[r * self.offset_parts.val() + p].val();
                self.row_port[r].offset[p].next = self.offset_data[r * self.offset_parts.val() + p].val();
            }
        }
        // rows of elements
        for b in 0..self.bands.val() {
            for d in 0..self.across.val() {
                self.array_row[b].digit[d].next =
                    self.digit[b * self.height.val() / self.hop.val() * self.across.val() + d].val();
            }
            for _s in 0..self.selects.val() {
                for k in 0..self.cols.val() {
                    self.array_row[b].by_row[k].next =
                        self.by_row[b * self.height.val() / self.hop.val() * self.cols.val() + k].val();
                    for l in 0..self.lanes.val() {
                        self.array_row[b].index[k * self.lanes.val() + l].next =
                            self.picked[b * self.height.val() / self.hop.val() * self.picks.val()
                                + k * self.entries.val()
                                + l]
                                .val();
                    }
                }
            }
            self.array_row[b].step.next =
                self.control_out[self.to_control.val() - 1 + b * self.height.val() / self.hop.val()].y[0]
                    .val()
                    .any();
            self.array_row[b].first.next =
                self.control_out[self.to_control.val() - 1 + b * self.height.val() / self.hop.val()].y[1]
                    .val()
                    .any();
            self.array_row[b].last.next =
                self.control_out[self.to_control.val() - 1 + b * self.height.val() / self.hop.val()].y[2]
                    .val()
                    .any();
            self.array_row[b].shift.next =
                self.shift_chain[self.to_control.val() - 1 + b * self.height.val() / self.hop.val()].q.val();
        }
        for r in 0..self.rows.val() {
            for d in 0..self.window.val() {
                self.array_row[r / self.height.val()].window[r % self.height.val() * self.window.val() + d]
                    .next = self.row_port[r].window[d].val();
            }
            for s in 0..self.selects.val() {
                self.array_row[r / self.height.val()].bank[r % self.height.val()].next =
                    self.row_port[r].bank[s].val();
                for k in 0..self.cols.val() {
                    self.array_row[r / self.height.val()].row_index
                        [r % self.height.val() * self.cols.val() + k]
                        .next =
                        self.picked[r / self.hop.val() * self.picks.val() + k * self.entries.val() + r].val();
                }
            }
            for k in 0..self.cols.val() {
                self.shadow[r * self.cols.val() + k].next = self.array_row[r / self.height.val()].shadow
                    [r % self.height.val() * self.cols.val() + k]
                    .val();
            }
        }
    }
}
