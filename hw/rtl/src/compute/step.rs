//! What a step is: its control, which all elements follow, and where its operands lie.

use super::pe::{Widths, optional};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

bundle! {
    /// What the elements do.
    pub struct Control<D>(c: &Config) {
        /// A step.
        step: Signal<D, Bit>,
        /// It starts a sum.
        first: Signal<D, Bit>,
        /// It ends a tile that is drained.
        last: Signal<D, Bit>,
        /// Its weight, in digits.
        shift: Sig<D> = Sig::unsigned(Widths::new(c).shift),
    }
}

bundle! {
    /// Where the operands lie, and how they are read.
    pub struct Operands<D>(c: &Config) {
        /// Flat row address.
        row: Sig<D> = Sig::unsigned(c.address_bits),
        /// Row digits are signed.
        row_top: Signal<D, Bit>,
        /// Column address.
        col: Sig<D> = Sig::unsigned(c.address_bits),
        /// Column digits are signed.
        col_top: Signal<D, Bit>,
        /// Index address.
        index: Sig<D> = Sig::unsigned(c.address_bits),
        /// M − 1 of the step (none without selection).
        mask: Vec<Sig<D>> = optional(1, Widths::new(c).pick),
        /// Indices belong to rows (none without selection).
        held: Vec<Sig<D>> = optional(usize::from(c.array.select > 1), 1),
    }
}

bundle! {
    /// Digits of one row or column.
    pub struct Window<D>(digits: usize, bits: usize, pick: usize) {
        /// The digits, bank by bank.
        digit: Vec<Sig<D>> = Sig::vec(digits, bits, true),
        /// The bank that the address names (none without selection).
        bank: Vec<Sig<D>> = optional(1, pick),
    }
}

impl<D: Side> Window<D> {
    /// Windows of so many rows.
    pub fn rows(c: &Config, n: usize) -> Vec<Self> {
        let w = Widths::new(c);
        (0..n).map(|_| Window::new(c.array.select * c.array.lanes, w.row, w.pick)).collect()
    }
}
