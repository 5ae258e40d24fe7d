//! A processing element: `lanes` digit products a cycle into one accumulator, for one row or two that share digits.
//!
//! ```text
//! window ─► select ─►(▯)─► × digit ─►(▯)─► Σ ─► ▯ dot ─► << ─►(▯)─► + ─► ▯ acc ─► ▯ shadow
//! bank | index ─┘                           shift ┘     first ┘ └───◄────┘      (▯): if deep
//! ```

use super::step::{Control, Window};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::config::DEEP;

unit! {
    /// `acc ← (first ? 0 : acc) + (Σ_l window[bank | index_l][l] · digit[l]) · 2^(shift·g)`, g the smaller digit width.
    ///
    /// # Numeric  digits signed, one bit wider than stored; the accumulator wraps at `acc_bits`
    /// # Timing   operands in cycle t; control in t+1 (t+3 if deep); accumulator and shadow in
    /// t+2 (t+5)
    pub struct ProcessingElement(c: &Config) {
        let (a, w) = (&c.array, Widths::new(c));
        let dot = w.row + w.col + a.lanes.trailing_zeros() as usize;
        let (height, deep) = (height(c), a.pipeline == DEEP);

        clock,
        /// Each row's digits.
        pub window: Vec<Window<In>> = Window::rows(c, height),
        /// Column digits.
        pub digit: Vec<Sig<In>> = Sig::vec(a.lanes, w.col, true),
        /// Indices (none without selection): `row · lanes + lane`.
        pub index: Vec<Sig<In>> = optional(height * a.lanes, w.pick),
        /// The step to which the dot product in the register belongs.
        pub control: Control<In> = Control::new(c),
        /// The last finished sum of each row.
        pub shadow: Vec<Sig<Out>> = Sig::vec(height, a.acc_bits, true),
        chosen: Vec<Sig<Local>> = Sig::vec(height * a.lanes, w.row, true),
        pick: Vec<Sig<Local>> = optional(height * a.lanes, w.pick),
        product: Vec<Product> = (0..a.lanes).map(|l| Product::new(height, w.row, w.col, l, deep)).collect(),
        sum: Vec<Sig<Local>> = (0..height).flat_map(|_| nodes(a.lanes, w.row + w.col)).collect(),
        total: Vec<Accumulate> = (0..height).map(|_| Accumulate::new(a.acc_bits)).collect(),
        dot: Vec<Reg> = Reg::vec(height, dot, true),
        weigh: Vec<ShiftLeft> =
            (0..height).map(|_| ShiftLeft::new(dot, a.acc_bits, w.unit, w.shifts)).collect(),
        weighed: Vec<Stage> = Stage::vec(height, deep, a.acc_bits, true),
        step_at: Stage = Stage::new(deep, 1, false),
        first_at: Stage = Stage::new(deep, 1, false),
        last_at: Stage = Stage::new(deep, 1, false),
        acc: Vec<Reg> = Reg::vec(height, a.acc_bits, true),
        done: Vec<Reg> = Reg::vec(height, a.acc_bits, true),
        height: Dim = Dim::new(height),
        lanes: Dim = Dim::new(a.lanes),
        nodes: Dim = Dim::new(2 * a.lanes - 1),
        banks: Dim = Dim::new(a.select),
        selects: Dim = Dim::new(usize::from(a.select > 1)),
    }
}

/// Widths that the array's units share.
#[derive(Clone, Copy)]
pub struct Widths {
    /// Row digit with its sign bit.
    pub row: usize,
    /// Column digit with its sign bit.
    pub col: usize,
    /// Bank number and index: log2 of the largest M.
    pub pick: usize,
    /// Shift, in units of [`Widths::unit`].
    pub shift: usize,
    /// Number of shifts.
    pub shifts: usize,
    /// Bits of one unit of shift.
    pub unit: usize,
}

impl Widths {
    /// The widths of `c`.
    pub fn new(c: &Config) -> Self {
        let a = &c.array;
        let unit = a.row_digit.min(a.col_digit);
        let most =
            (c.row_planes(a.row_bits) - 1) * a.row_digit + (c.col_planes(a.col_bits) - 1) * a.col_digit;
        let shifts = most / unit + 1;
        Widths {
            row: a.row_digit + 1,
            col: a.col_digit + 1,
            pick: a.select.trailing_zeros() as usize,
            shift: index_bits(shifts),
            shifts,
            unit,
        }
    }
}

/// Rows of a processing element: two where they share multipliers, which they can if the pipeline is deep and they
/// never lie on two sides of a register between rows.
pub fn height(c: &Config) -> usize {
    let a = &c.array;
    let together = a.rows.is_multiple_of(2) && (a.hop.is_multiple_of(2) || a.hop >= a.rows);
    if a.pipeline == DEEP && together { 2 } else { 1 }
}

/// Multipliers of an ECP5 that the products of one rank take in all elements of `c`'s array.
pub fn multipliers_a_rank(c: &Config) -> usize {
    let (a, w) = (&c.array, Widths::new(c));
    let together = height(c) == 2 && Product::packs(w.row, w.col);
    a.rows * a.cols / if together { 2 } else { 1 }
}

/// `n` signals of `bits` bits, or none if `bits` is 0.
pub fn optional<D: Direction>(n: usize, bits: usize) -> Vec<Sig<D>> {
    if bits == 0 { vec![] } else { Sig::vec(n, bits, false) }
}

/// Sums of a binary tree over `lanes` numbers of `bits` bits, the root first, none wider than it must be.
fn nodes<D: Direction>(lanes: usize, bits: usize) -> Vec<Sig<D>> {
    let height = |node: usize| (lanes.ilog2() - (node + 1).ilog2()) as usize;
    (0..2 * lanes - 1).map(|i| Sig::signed(bits + height(i))).collect()
}

impl Logic for ProcessingElement {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.step_at.d.next = self.control.step.val().into();
        self.first_at.d.next = self.control.first.val().into();
        self.last_at.d.next = self.control.last.val().into();
        for l in 0..self.lanes.val() {
            self.product[l].b.next = self.digit[l].val();
        }
        for r in 0..self.height.val() {
            for l in 0..self.lanes.val() {
                self.chosen[r * self.lanes.val() + l].next = self.window[r].digit[l].val();
            }
            for _s in 0..self.selects.val() {
                for l in 0..self.lanes.val() {
                    self.pick[r * self.lanes.val() + l].next =
                        self.window[r].bank[0].val() | self.index[r * self.lanes.val() + l].val();
                    for b in 1..self.banks.val() {
                        if self.pick[r * self.lanes.val() + l].val() == b {
                            self.chosen[r * self.lanes.val() + l].next =
                                self.window[r].digit[b * self.lanes.val() + l].val();
                        }
                    }
                }
            }
            for l in 0..self.lanes.val() {
                self.product[l].a[r].next = self.chosen[r * self.lanes.val() + l].val();
                self.sum[r * self.nodes.val() + self.lanes.val() - 1 + l].next = self.product[l].y[r].val();
            }
            for i in 1..self.lanes.val() {
                self.sum[r * self.nodes.val() + self.lanes.val() - 1 - i].next =
                    self.sum[r * self.nodes.val() + 2 * (self.lanes.val() - 1 - i) + 1].val()
                        + self.sum[r * self.nodes.val() + 2 * (self.lanes.val() - 1 - i) + 2].val();
            }
            self.dot[r].d.next = self.sum[r * self.nodes.val()].val();
            self.weigh[r].x.next = self.dot[r].q.val();
            self.weigh[r].sel.next = self.control.shift.val();
            self.weighed[r].d.next = self.weigh[r].y.val();
            self.total[r].x.next = self.weighed[r].q.val();
            self.total[r].sum.next = self.acc[r].q.val();
            self.total[r].keep.next = !self.first_at.q.val().any();
            if self.step_at.q.val().any() {
                self.acc[r].d.next = self.total[r].y.val();
                if self.last_at.q.val().any() {
                    self.done[r].d.next = self.total[r].y.val();
                }
            }
            self.shadow[r].next = self.done[r].q.val();
        }
    }
}
