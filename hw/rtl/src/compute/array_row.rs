//! A row of processing elements: one of the array's rows, or two that share digits.
//!
//! ```text
//!  window ─┬──────────┬─[hop]─┬──────────┬─[hop]─ …
//!        [PE 0] …   [PE h−1] [PE h] …
//! ```

use super::pe::{ProcessingElement, Widths, height, optional};
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::Config;

/// One window a row for all columns; it passes a register every `hop` columns, as does the control.
///
/// # Timing  window and bank in cycle t, control in t (t+2 if deep); digits and indices of column c in t + ⌊c/hop⌋;
/// shadows hold a tile's sums from t + 2 + ⌊c/hop⌋ (t + 5 + ⌊c/hop⌋) on
#[derive(LogicBlock)]
pub struct ArrayRow {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The rows' digits, row by row.
    pub window: Vec<Sig<In>>,
    /// Each row's bank.
    pub bank: Vec<Sig<In>>,
    /// Digits of all columns: `column · lanes + lane`.
    pub digit: Vec<Sig<In>>,
    /// Indices of all columns, for their lanes.
    pub index: Vec<Sig<In>>,
    /// Each column's index for these rows: `row · cols + column`.
    pub row_index: Vec<Sig<In>>,
    /// … which all lanes take.
    pub by_row: Vec<Sig<In>>,
    /// A step.
    pub step: Signal<In, Bit>,
    /// … that starts a sum.
    pub first: Signal<In, Bit>,
    /// … that ends a tile.
    pub last: Signal<In, Bit>,
    /// … of this weight.
    pub shift: Sig<In>,
    /// Finished sums: `row · cols + column`.
    pub shadow: Vec<Sig<Out>>,
    pe: Vec<ProcessingElement>,
    view: Vec<Sig<Local>>,
    bank_view: Vec<Sig<Local>>,
    hop_window: Vec<Reg>,
    hop_bank: Vec<Reg>,
    step_at: Vec<Reg>,
    first_at: Vec<Reg>,
    last_at: Vec<Reg>,
    shift_at: Vec<Reg>,
    cols: Dim,
    lanes: Dim,
    digits: Dim,
    groups: Dim,
    hop: Dim,
    height: Dim,
    bank_count: Dim,
}

impl ArrayRow {
    /// A row of `c`'s array.
    pub fn new(c: &Config) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let height = height(c);
        let (digits, groups) = (height * a.select * a.lanes, a.cols.div_ceil(a.hop));
        let banks = height * usize::from(w.pick > 0);
        ArrayRow {
            clock: Default::default(),
            window: Sig::vec(digits, w.row, true),
            bank: optional(height, w.pick),
            digit: Sig::vec(a.cols * a.lanes, w.col, true),
            index: optional(a.cols * a.lanes, w.pick),
            row_index: optional(height * a.cols, w.pick),
            by_row: optional(a.cols * usize::from(w.pick > 0), 1),
            step: Default::default(),
            first: Default::default(),
            last: Default::default(),
            shift: Sig::unsigned(w.shift),
            shadow: Sig::vec(height * a.cols, a.acc_bits, true),
            pe: (0..a.cols).map(|_| ProcessingElement::new(c)).collect(),
            view: Sig::vec(groups * digits, w.row, true),
            bank_view: optional(groups * height, w.pick),
            hop_window: Reg::vec((groups - 1) * digits, w.row, true),
            hop_bank: Reg::vec((groups - 1) * banks, w.pick, false),
            step_at: Reg::vec(groups, 1, false),
            first_at: Reg::vec(groups, 1, false),
            last_at: Reg::vec(groups, 1, false),
            shift_at: Reg::vec(groups, w.shift, false),
            cols: Dim::new(a.cols),
            lanes: Dim::new(a.lanes),
            digits: Dim::new(digits),
            groups: Dim::new(groups),
            hop: Dim::new(a.hop),
            height: Dim::new(height),
            bank_count: Dim::new(banks),
        }
    }
}

impl Logic for ArrayRow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for g in 0..self.groups.val() {
            self.step_at[g].clock.next = self.clock.val();
            self.first_at[g].clock.next = self.clock.val();
            self.last_at[g].clock.next = self.clock.val();
            self.shift_at[g].clock.next = self.clock.val();
        }
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
                self.hop_window[(g - 1) * self.digits.val() + d].clock.next = self.clock.val();
                self.hop_window[(g - 1) * self.digits.val() + d].d.next =
                    self.view[(g - 1) * self.digits.val() + d].val();
                self.view[g * self.digits.val() + d].next =
                    self.hop_window[(g - 1) * self.digits.val() + d].q.val();
            }
        }
        for r in 0..self.bank_count.val() {
            self.bank_view[r].next = self.bank[r].val();
            for g in 1..self.groups.val() {
                self.hop_bank[(g - 1) * self.bank_count.val() + r].clock.next = self.clock.val();
                self.hop_bank[(g - 1) * self.bank_count.val() + r].d.next =
                    self.bank_view[(g - 1) * self.bank_count.val() + r].val();
                self.bank_view[g * self.bank_count.val() + r].next =
                    self.hop_bank[(g - 1) * self.bank_count.val() + r].q.val();
            }
        }
        for c in 0..self.cols.val() {
            self.pe[c].clock.next = self.clock.val();
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
