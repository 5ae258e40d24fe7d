//! A row of processing elements.
//!
//! ```text
//!  window ─┬──────────┬─[hop]─┬──────────┬─[hop]─ …
//!        [PE 0] …   [PE h−1] [PE h] …
//! ```

use super::pe::{ProcessingElement, Widths, optional};
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::Config;

/// One window for all columns; it passes a register every `hop` columns, as does the control.
///
/// # Timing  window, bank and control in cycle t; digits and indices of column c in t + ⌊c/hop⌋;
/// shadows hold a tile's sums from t + 2 + ⌊c/hop⌋ on
#[derive(LogicBlock)]
pub struct ArrayRow {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The row's digits.
    pub window: Vec<Sig<In>>,
    /// The row's bank.
    pub bank: Vec<Sig<In>>,
    /// Digits of all columns: `column · lanes + lane`.
    pub digit: Vec<Sig<In>>,
    /// Indices of all columns, for their lanes.
    pub index: Vec<Sig<In>>,
    /// Each column's index for this row.
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
    /// Finished sums.
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
    selects: Dim,
}

impl ArrayRow {
    /// A row of `c`'s array.
    pub fn new(c: &Config) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let (digits, groups) = (a.select * a.lanes, a.cols.div_ceil(a.hop));
        ArrayRow {
            clock: Default::default(),
            window: Sig::vec(digits, w.row, true),
            bank: optional(1, w.pick),
            digit: Sig::vec(a.cols * a.lanes, w.col, true),
            index: optional(a.cols * a.lanes, w.pick),
            row_index: optional(a.cols, w.pick),
            by_row: optional(a.cols * usize::from(w.pick > 0), 1),
            step: Default::default(),
            first: Default::default(),
            last: Default::default(),
            shift: Sig::unsigned(w.shift),
            shadow: Sig::vec(a.cols, a.acc_bits, true),
            pe: (0..a.cols).map(|_| ProcessingElement::new(c)).collect(),
            view: Sig::vec(groups * digits, w.row, true),
            bank_view: optional(groups, w.pick),
            hop_window: Reg::vec((groups - 1) * digits, w.row, true),
            hop_bank: if w.pick == 0 { vec![] } else { Reg::vec(groups - 1, w.pick, false) },
            step_at: Reg::vec(groups, 1, false),
            first_at: Reg::vec(groups, 1, false),
            last_at: Reg::vec(groups, 1, false),
            shift_at: Reg::vec(groups, w.shift, false),
            cols: Dim::new(a.cols),
            lanes: Dim::new(a.lanes),
            digits: Dim::new(digits),
            groups: Dim::new(groups),
            hop: Dim::new(a.hop),
            selects: Dim::new(usize::from(w.pick > 0)),
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
        for s in 0..self.selects.val() {
            self.bank_view[0].next = self.bank[s].val();
            for g in 1..self.groups.val() {
                self.hop_bank[g - 1].clock.next = self.clock.val();
                self.hop_bank[g - 1].d.next = self.bank_view[g - 1].val();
                self.bank_view[g].next = self.hop_bank[g - 1].q.val();
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
            for s in 0..self.selects.val() {
                self.pe[c].bank[s].next = self.bank_view[c / self.hop.val()].val();
                for l in 0..self.lanes.val() {
                    if self.by_row[c].val().any() {
                        self.pe[c].index[l].next = self.row_index[c].val();
                    } else {
                        self.pe[c].index[l].next = self.index[c * self.lanes.val() + l].val();
                    }
                }
            }
            self.shadow[c].next = self.pe[c].shadow.val();
        }
    }
}
