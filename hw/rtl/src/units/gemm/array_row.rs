//! A row of processing elements: one of the array's rows, or two that share digits.
//!
//! ```text
//!  window ─┬──────────┬─[hop]─┬──────────┬─[hop]─ …
//!        [PE 0] …   [PE h−1] [PE h] …
//! ```

use super::pe::{ProcessingElement, Widths, height};
use super::skew::{ControlSkew, Skew};
use super::step::{Column, Control, Window};
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
        let (digits, groups) = (a.select * a.lanes, a.cols.div_ceil(a.hop));
        let banks = height * usize::from(w.pick > 0);

        clock,
        /// The rows' digits.
        pub window: Vec<Window<In>> = Window::rows(c, height),
        /// Digits and indices of all columns.
        pub column: Vec<Column<In>> = (0..a.cols).map(|_| Column::new(c)).collect(),
        /// Steps.
        pub control: Control<In> = Control::new(c),
        /// Finished sums: `row · cols + column`.
        pub shadow: Vec<Sig<Out>> = Sig::vec(height * a.cols, a.acc_bits, true),
        pe: Vec<ProcessingElement> = (0..a.cols).map(|_| ProcessingElement::new(c)).collect(),
        control_skew: ControlSkew = ControlSkew::new(c, groups + 1),
        window_skew: Vec<Skew> = Skew::vec(height * digits, groups, w.row, true),
        bank_skew: Vec<Skew> = Skew::vec(banks, groups, w.pick, false),
        cols: Dim = Dim::new(a.cols),
        lanes: Dim = Dim::new(a.lanes),
        digits: Dim = Dim::new(digits),
        hop: Dim = Dim::new(a.hop),
        height: Dim = Dim::new(height),
        bank_count: Dim = Dim::new(banks),
    }
}

impl Logic for ArrayRow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.control, &mut self.control_skew.x);
        for r in 0..self.height.val() {
            for d in 0..self.digits.val() {
                self.window_skew[r * self.digits.val() + d].x.next = self.window[r].digit[d].val();
            }
        }
        for r in 0..self.bank_count.val() {
            self.bank_skew[r].x.next = self.window[r].bank[0].val();
        }
        for c in 0..self.cols.val() {
            wire::join_all(&mut self.control_skew.at[c / self.hop.val() + 1], &mut self.pe[c].control);
            for r in 0..self.height.val() {
                for d in 0..self.digits.val() {
                    self.pe[c].window[r].digit[d].next =
                        self.window_skew[r * self.digits.val() + d].at[c / self.hop.val()].val();
                }
            }
            for l in 0..self.lanes.val() {
                self.pe[c].digit[l].next = self.column[c].digit[l].val();
            }
            for r in 0..self.bank_count.val() {
                self.pe[c].window[r].bank[0].next = self.bank_skew[r].at[c / self.hop.val()].val();
                for l in 0..self.lanes.val() {
                    if self.column[c].by_row[0].val().any() {
                        self.pe[c].index[r * self.lanes.val() + l].next = self.column[c].row_index[r].val();
                    } else {
                        self.pe[c].index[r * self.lanes.val() + l].next = self.column[c].index[l].val();
                    }
                }
            }
            for r in 0..self.height.val() {
                self.shadow[r * self.cols.val() + c].next = self.pe[c].shadow[r].val();
            }
        }
    }
}
