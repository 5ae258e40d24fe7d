//! A processing element: `lanes` digit products a cycle into one accumulator.
//!
//! ```text
//! window ─► [select] ─► × digit ─► Σ ─► [dot] ─► << ─► + ─► [acc] ─► [shadow]
//! bank | index ─┘                      shift ┘     └───◄────┘
//! ```

use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::Config;

/// `acc ← (first ? 0 : acc) + (Σ_l window[bank | index_l][l] · digit[l]) · 2^(shift·g)`, g the smaller digit width.
///
/// # Numeric  digits signed, one bit wider than stored; the accumulator wraps at `acc_bits`
/// # Timing   operands in cycle t; `step`, `first`, `last`, `shift` in t+1; accumulator and shadow in t+2
#[derive(LogicBlock)]
pub struct ProcessingElement {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Row digits, bank by bank: `bank · lanes + lane`.
    pub window: Vec<Sig<In>>,
    /// The bank that the sequencer chose (none without selection).
    pub bank: Vec<Sig<In>>,
    /// Column digits.
    pub digit: Vec<Sig<In>>,
    /// Indices (none without selection).
    pub index: Vec<Sig<In>>,
    /// The dot product in the register belongs to a step.
    pub step: Signal<In, Bit>,
    /// … that starts a sum.
    pub first: Signal<In, Bit>,
    /// … that ends a tile.
    pub last: Signal<In, Bit>,
    /// … of this weight, in digits.
    pub shift: Sig<In>,
    /// The last finished sum.
    pub shadow: Sig<Out>,
    chosen: Vec<Sig<Local>>,
    pick: Vec<Sig<Local>>,
    product: Vec<Product>,
    sum: Sig<Local>,
    base: Sig<Local>,
    total: Sig<Local>,
    dot: Reg,
    weigh: ShiftLeft,
    acc: Reg,
    done: Reg,
    lanes: Dim,
    banks: Dim,
    selects: Dim,
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

/// `n` signals of `bits` bits, or none if `bits` is 0.
pub fn optional<D: Direction>(n: usize, bits: usize) -> Vec<Sig<D>> {
    if bits == 0 { vec![] } else { Sig::vec(n, bits, false) }
}

impl ProcessingElement {
    /// An element of `c`'s array.
    pub fn new(c: &Config) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let dot = w.row + w.col + a.lanes.trailing_zeros() as usize;
        ProcessingElement {
            clock: Default::default(),
            window: Sig::vec(a.select * a.lanes, w.row, true),
            bank: optional(1, w.pick),
            digit: Sig::vec(a.lanes, w.col, true),
            index: optional(a.lanes, w.pick),
            step: Default::default(),
            first: Default::default(),
            last: Default::default(),
            shift: Sig::unsigned(w.shift),
            shadow: Sig::signed(a.acc_bits),
            chosen: Sig::vec(a.lanes, w.row, true),
            pick: optional(a.lanes, w.pick),
            product: (0..a.lanes).map(|l| Product::new(w.row, w.col, l)).collect(),
            sum: Sig::signed(dot),
            base: Sig::signed(a.acc_bits),
            total: Sig::signed(a.acc_bits),
            dot: Reg::signed(dot),
            weigh: ShiftLeft::new(dot, a.acc_bits, w.unit, w.shifts),
            acc: Reg::signed(a.acc_bits),
            done: Reg::signed(a.acc_bits),
            lanes: Dim::new(a.lanes),
            banks: Dim::new(a.select),
            selects: Dim::new(usize::from(a.select > 1)),
        }
    }
}

impl Logic for ProcessingElement {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, dot, acc, done);
        for l in 0..self.lanes.val() {
            self.chosen[l].next = self.window[l].val();
        }
        for s in 0..self.selects.val() {
            for l in 0..self.lanes.val() {
                self.pick[l].next = self.bank[s].val() | self.index[l].val();
                for b in 1..self.banks.val() {
                    if self.pick[l].val() == b {
                        self.chosen[l].next = self.window[b * self.lanes.val() + l].val();
                    }
                }
            }
        }
        self.sum.next = 0.into();
        for l in 0..self.lanes.val() {
            self.product[l].a.next = self.chosen[l].val();
            self.product[l].b.next = self.digit[l].val();
            self.sum.next = self.sum.val() + self.product[l].y.val();
        }
        self.dot.d.next = self.sum.val();
        self.weigh.x.next = self.dot.q.val();
        self.weigh.sel.next = self.shift.val();
        self.base.next = self.acc.q.val();
        if self.first.val() {
            self.base.next = 0.into();
        }
        self.total.next = self.base.val() + self.weigh.y.val();
        if self.step.val() {
            self.acc.d.next = self.total.val();
            if self.last.val() {
                self.done.d.next = self.total.val();
            }
        }
        self.shadow.next = self.done.q.val();
    }
}
