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
use super::code_port::CodePort;
use super::index_port::IndexPort;
use super::operand_port::OperandPort;
use super::pe::{Widths, height};
use super::skew::{ControlSkew, Skew};
use super::step::{Control, Operands};
use crate::hdl::prelude::*;
use crate::load::payload::Payload;
use crate::load::scatter::Scatter;
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
        let (row_groups, col_groups) = (a.rows.div_ceil(a.hop), a.cols.div_ceil(a.hop));
        let selects = usize::from(w.pick > 0);
        let (codebooks, log_digits) = (usize::from(c.codebook.is_some()), c.level_digits().trailing_zeros() as usize);
        let several_digits = usize::from(c.level_digits() > 1);
        let (across, picks) = (a.cols * a.lanes, selects * a.cols * c.index_lanes());
        // the control meets the dot products behind its last register, in the rows
        let to_control = if a.pipeline == DEEP { 6 } else { 3 };
        let height = height(c);

        clock,
        /// Payload words for the operand memories.
        pub payload: Payload<In> = Payload::new(c),
        /// Steps.
        pub control: Control<In> = Control::new(c),
        /// Where they take their operands.
        pub operands: Operands<In> = Operands::new(c),
        /// Finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<Out>> = Sig::vec(a.rows * a.cols, a.acc_bits, true),
        row_scatter: Scatter = Scatter::new(c, Memory::Row),
        col_scatter: Scatter = Scatter::new(c, Memory::Col),
        offset_scatter: Scatter = Scatter::new(c, Memory::Offset),
        index_scatter: Vec<Scatter> = (0..selects).map(|_| Scatter::new(c, Memory::Index)).collect(),
        code_scatter: Vec<Scatter> = (0..codebooks).map(|_| Scatter::new(c, Memory::Code)).collect(),
        level_scatter: Vec<Scatter> = (0..codebooks).map(|_| Scatter::new(c, Memory::Level)).collect(),
        row_port: Vec<OperandPort> = (0..a.rows).map(|_| OperandPort::new(c, Memory::Row)).collect(),
        col_port: Vec<OperandPort> = (0..a.cols).map(|_| OperandPort::new(c, Memory::Col)).collect(),
        index_port: Vec<IndexPort> = (0..selects * a.cols).map(|_| IndexPort::new(c)).collect(),
        code_port: Vec<CodePort> = (0..codebooks * a.cols).map(|_| CodePort::new(c)).collect(),
        array_row: Vec<ArrayRow> = (0..a.rows / height).map(|_| ArrayRow::new(c)).collect(),
        control_skew: ControlSkew = ControlSkew::new(c, to_control + row_groups),
        row: Skew = Skew::new(row_groups, c.address_bits, false),
        row_top: Skew = Skew::new(row_groups, 1, false),
        col: Skew = Skew::new(col_groups, c.address_bits, false),
        col_top: Skew = Skew::new(col_groups, 1, false),
        index: Vec<Skew> = Skew::vec(selects, col_groups, c.address_bits, false),
        mask: Vec<Skew> = Skew::vec(selects, col_groups, w.pick, false),
        held: Vec<Skew> = Skew::vec(selects, col_groups, 1, false),
        coded: Vec<Skew> = Skew::vec(codebooks, col_groups, 1, false),
        plane: Vec<Skew> = Skew::vec(several_digits, col_groups, log_digits, false),
        digit: Vec<Skew> = Skew::vec(across, row_groups, w.col, true),
        picked: Vec<Skew> = Skew::vec(picks, row_groups, w.pick, false),
        by_row: Vec<Skew> = Skew::vec(selects * a.cols, row_groups, 1, false),
        rows: Dim = Dim::new(a.rows),
        cols: Dim = Dim::new(a.cols),
        lanes: Dim = Dim::new(a.lanes),
        entries: Dim = Dim::new(c.index_lanes()),
        hop: Dim = Dim::new(a.hop),
        height: Dim = Dim::new(height),
        bands: Dim = Dim::new(a.rows / height),
        to_control: Dim = Dim::new(to_control),
        selects: Dim = Dim::new(selects),
        codebooks: Dim = Dim::new(codebooks),
        several_digits: Dim = Dim::new(several_digits),
    }
}

impl Logic for MacArray {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.payload, &mut self.row_scatter.payload);
        wire::join_all(&mut self.payload, &mut self.col_scatter.payload);
        wire::join_all(&mut self.payload, &mut self.offset_scatter.payload);
        // control until it meets its operands, addresses down the rows and across the columns
        wire::join_all(&mut self.control, &mut self.control_skew.x);
        self.row.x.next = self.operands.row.address.val();
        self.row_top.x.next = self.operands.row.top.val().into();
        self.col.x.next = self.operands.col.address.val();
        self.col_top.x.next = self.operands.col.top.val().into();
        for r in 0..self.rows.val() {
            wire::join_all(&mut self.row_scatter.element[r], &mut self.row_port[r].write);
            wire::join_all(&mut self.offset_scatter.element[r], &mut self.row_port[r].offset[0]);
            self.row_port[r].operand.address.next = self.row.at[r / self.hop.val()].val();
            self.row_port[r].operand.top.next = self.row_top.at[r / self.hop.val()].val().any();
        }
        // digits of the columns pass a register every `hop` rows
        for k in 0..self.cols.val() {
            wire::join_all(&mut self.col_scatter.element[k], &mut self.col_port[k].write);
            self.col_port[k].operand.address.next = self.col.at[k / self.hop.val()].val();
            self.col_port[k].operand.top.next = self.col_top.at[k / self.hop.val()].val().any();
            for l in 0..self.lanes.val() {
                self.digit[k * self.lanes.val() + l].x.next = self.col_port[k].window.digit[l].val();
            }
        }
        // so do their indices
        for s in 0..self.selects.val() {
            wire::join_all(&mut self.payload, &mut self.index_scatter[s].payload);
            self.index[s].x.next = self.operands.index[s].address.val();
            self.mask[s].x.next = self.operands.index[s].mask.val();
            self.held[s].x.next = self.operands.index[s].held.val();
            for k in 0..self.cols.val() {
                wire::join_all(&mut self.index_scatter[s].element[k], &mut self.index_port[k].write);
                self.index_port[k].indices.address.next = self.index[s].at[k / self.hop.val()].val();
                self.index_port[k].indices.mask.next = self.mask[s].at[k / self.hop.val()].val();
                self.index_port[k].indices.held.next = self.held[s].at[k / self.hop.val()].val();
                self.by_row[k].x.next = self.index_port[k].by_row.val();
                for e in 0..self.entries.val() {
                    self.picked[k * self.entries.val() + e].x.next = self.index_port[k].entry[e].val();
                }
            }
        }
        // codes, beside the columns' words
        for s in 0..self.codebooks.val() {
            wire::join_all(&mut self.payload, &mut self.code_scatter[s].payload);
            wire::join_all(&mut self.payload, &mut self.level_scatter[s].payload);
            self.coded[s].x.next = self.operands.codes[s].used.val();
            for d in 0..self.several_digits.val() {
                self.plane[d].x.next = self.operands.codes[s].plane[d].val();
            }
            for k in 0..self.cols.val() {
                wire::join_all(&mut self.code_scatter[s].element[k], &mut self.code_port[k].codes_in);
                wire::join_all(&mut self.level_scatter[s].element[k], &mut self.code_port[k].levels_in);
                self.code_port[k].code_address.next = self.col.at[k / self.hop.val()].val();
                self.code_port[k].codes.used.next = self.coded[s].at[k / self.hop.val()].val();
                for d in 0..self.several_digits.val() {
                    self.code_port[k].codes.plane[d].next = self.plane[d].at[k / self.hop.val()].val();
                }
                wire::join_all(&mut self.code_port[k].decoded, &mut self.col_port[k].decoded[s]);
            }
        }
        // rows of elements
        for b in 0..self.bands.val() {
            wire::join_all(
                &mut self.control_skew.at[self.to_control.val() + b * self.height.val() / self.hop.val()],
                &mut self.array_row[b].control,
            );
            for k in 0..self.cols.val() {
                for l in 0..self.lanes.val() {
                    self.array_row[b].column[k].digit[l].next =
                        self.digit[k * self.lanes.val() + l].at[b * self.height.val() / self.hop.val()].val();
                }
            }
            for _s in 0..self.selects.val() {
                for k in 0..self.cols.val() {
                    self.array_row[b].column[k].by_row[0].next =
                        self.by_row[k].at[b * self.height.val() / self.hop.val()].val();
                    for l in 0..self.lanes.val() {
                        self.array_row[b].column[k].index[l].next = self.picked[k * self.entries.val() + l]
                            .at[b * self.height.val() / self.hop.val()]
                        .val();
                    }
                }
            }
        }
        for r in 0..self.rows.val() {
            wire::join_all(
                &mut self.row_port[r].window,
                &mut self.array_row[r / self.height.val()].window[r % self.height.val()],
            );
            for _s in 0..self.selects.val() {
                for k in 0..self.cols.val() {
                    self.array_row[r / self.height.val()].column[k].row_index[r % self.height.val()].next =
                        self.picked[k * self.entries.val() + r].at[r / self.hop.val()].val();
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
