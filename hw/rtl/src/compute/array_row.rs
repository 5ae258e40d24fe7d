//! A row of processing elements: one of the array's rows, or two that share digits.
//!
//! ```text
//!  window ─┬──────────┬─[hop]─┬──────────┬─[hop]─ …
//!        [PE 0] …   [PE h−1] [PE h] …
//! ```

use super::pe::{ProcessingElement, Widths, height, optional};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// One window a row for all columns; it passes a register every `hop` columns, as does the control.
    ///
    /// # Timing  window and bank in cycle t, control in t (t+2 if deep); digits and indices of column c in t + ⌊c/hop⌋;
    /// shadows hold a tile's sums from t + 2 + ⌊c/hop⌋ (t + 5 + ⌊c/hop⌋) on
    pub struct ArrayRow(c: &Config) {
        let (a, w) = (&c.array, Widths::new(c));
        let height = height(c);
        let (digits, groups) = (height * a.select * a.lanes, a.cols.div_ceil(a.hop));
        let banks = height * usize::from(w.pick > 0);

        clock,
        /// The rows' digits, row by row.
        pub window: Vec<Sig<In>> = Sig::vec(digits, w.row, true),
        /// Each row's bank.
        pub bank: Vec<Sig<In>> = optional(height, w.pick),
        /// Digits of all columns: `column · lanes + lane`.
        pub digit: Vec<Sig<In>> = Sig::vec(a.cols * a.lanes, w.col, true),
        /// Indices of all columns, for their lanes.
        pub index: Vec<Sig<In>> = optional(a.cols * a.lanes, w.pick),
        /// Each column's index for these rows: `row · cols + column`.
        pub row_index: Vec<Sig<In>> = optional(height * a.cols, w.pick),
        /// … which all lanes take.
        pub by_row: Vec<Sig<In>> = optional(a.cols * usize::from(w.pick > 0), 1),
        /// A step.
        pub step: Signal<In, Bit>,
        /// … that starts a sum.
        pub first: Signal<In, Bit>,
        /// … that ends a tile.
        pub last: Signal<In, Bit>,
        /// … of this weight.
        pub shift: Sig<In> = Sig::unsigned(w.shift),
        /// Finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<Out>> = Sig::vec(height * a.cols, a.acc_bits, true),
        pe: Vec<ProcessingElement> = (0..a.cols).map(|_| ProcessingElement::new(c)).collect(),
        view: Vec<Sig<Local>> = Sig::vec(groups * digits, w.row, true),
        bank_view: Vec<Sig<Local>> = optional(groups * height, w.pick),
        hop_window: Vec<Reg> = Reg::vec((groups - 1) * digits, w.row, true),
        hop_bank: Vec<Reg> = Reg::vec((groups - 1) * banks, w.pick, false),
        step_at: Vec<Reg> = Reg::vec(groups, 1, false),
        first_at: Vec<Reg> = Reg::vec(groups, 1, false),
        last_at: Vec<Reg> = Reg::vec(groups, 1, false),
        shift_at: Vec<Reg> = Reg::vec(groups, w.shift, false),
        cols: Dim = Dim::new(a.cols),
        lanes: Dim = Dim::new(a.lanes),
        digits: Dim = Dim::new(digits),
        groups: Dim = Dim::new(groups),
        hop: Dim = Dim::new(a.hop),
        height: Dim = Dim::new(height),
        bank_count: Dim = Dim::new(banks),
    }
}

impl Logic for ArrayRow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.step_at[0].d.next = self.step.val().into();
        self.first_at[0].d.next = self.first.val().into();
        self.last_at[0].d.next = self.last.val().into();
        self.shift_at[0].d.next = self.shift.val();
        for d in 0..self.digits.val() {
            self.view[d].next = self.window[d].val();
        }
        for g in 1..self.groups.val() {
            self.step_at[g].d.next = self.step_at[g - 1].q.val();
            self.first_at[g].d.next = self.first_at[g - 1].q.val();
            self.last_at[g].d.next = self.last_at[g - 1].q.val();
            self.shift_at[g].d.next = self.shift_at[g - 1].q.val();
            for d in 0..self.digits.val() {
                self.hop_window[(g - 1) * self.digits.val() + d].d.next =
                    self.view[(g - 1) * self.digits.val() + d].val();
                self.view[g * self.digits.val() + d].next =
                    self.hop_window[(g - 1) * self.digits.val() + d].q.val();
            }
        }
        for r in 0..self.bank_count.val() {
            self.bank_view[r].next = self.bank[r].val();
            for g in 1..self.groups.val() {
                self.hop_bank[(g - 1) * self.bank_count.val() + r].d.next =
                    self.bank_view[(g - 1) * self.bank_count.val() + r].val();
                self.bank_view[g * self.bank_count.val() + r].next =
                    self.hop_bank[(g - 1) * self.bank_count.val() + r].q.val();
            }
        }
        for c in 0..self.cols.val() {
            self.pe[c].step.next = self.step_at[c / self.hop.val()].q.val().any();
            self.pe[c].first.next = self.first_at[c / self.hop.val()].q.val().any();
            self.pe[c].last.next = self.last_at[c / self.hop.val()].q.val().any();
            self.pe[c].shift.next = self.shift_at[c / self.hop.val()].q.val();
            for d in 0..self.digits.val() {
                self.pe[c].window[d].next = self.view[c / self.hop.val() * self.digits.val() + d].val();
            }
            for l in 0..self.lanes.val() {
                self.pe[c].digit[l].next = self.digit[c * self.lanes.val() + l].val();
            }
            for r in 0..self.bank_count.val() {
                self.pe[c].bank[r].next =
                    self.bank_view[c / self.hop.val() * self.bank_count.val() + r].val();
                for l in 0..self.lanes.val() {
                    if self.by_row[c].val().any() {
                        self.pe[c].index[r * self.lanes.val() + l].next =
                            self.row_index[r * self.cols.val() + c].val();
                    } else {
                        self.pe[c].index[r * self.lanes.val() + l].next =
                            self.index[c * self.lanes.val() + l].val();
                    }
                }
            }
            for r in 0..self.height.val() {
                self.shadow[r * self.cols.val() + c].next = self.pe[c].shadow[r].val();
            }
        }
    }
}
