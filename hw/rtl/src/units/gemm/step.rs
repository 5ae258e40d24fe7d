//! What a step is: its control, which all elements follow, where its operands lie, and what is read there.

use super::pe::{Widths, height, optional};
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
    /// Where a row's or a column's operand lies, and how it is read.
    pub struct OperandAt<D>(c: &Config) {
        /// Its address; a row's is flat.
        address: Sig<D> = Sig::unsigned(c.address_bits),
        /// Its digits are signed.
        top: Signal<D, Bit>,
    }
}

bundle! {
    /// Where indices lie, and how they are read.
    pub struct IndexAt<D>(c: &Config) {
        /// Their address.
        address: Sig<D> = Sig::unsigned(c.address_bits),
        /// M − 1 of the step.
        mask: Sig<D> = Sig::unsigned(Widths::new(c).pick),
        /// They belong to rows.
        held: Sig<D> = Sig::unsigned(1),
    }
}

bundle! {
    /// How a column's codes are read.
    pub struct CodeAt<D>(c: &Config) {
        /// The columns' operands are codes.
        used: Sig<D> = Sig::unsigned(1),
        /// The digit of their levels (none if levels have one digit).
        plane: Vec<Sig<D>> = optional(1, c.level_digits().trailing_zeros() as usize),
    }
}

bundle! {
    /// Digits of levels.
    pub struct Decoded<D>(c: &Config) {
        /// The column's operands are codes.
        used: Sig<D> = Sig::unsigned(1),
        /// A digit for each lane, without its sign.
        digit: Vec<Sig<D>> = Sig::vec(c.array.lanes, c.array.col_digit, false),
    }
}

bundle! {
    /// Where the operands lie, and how they are read.
    pub struct Operands<D>(c: &Config) {
        /// The rows'.
        row: OperandAt<D> = OperandAt::new(c),
        /// The columns'.
        col: OperandAt<D> = OperandAt::new(c),
        /// Indices (none without selection).
        index: Vec<IndexAt<D>> = (0..usize::from(c.array.select > 1)).map(|_| IndexAt::new(c)).collect(),
        /// Codes, at the columns' address (none without codebooks).
        codes: Vec<CodeAt<D>> = c.codebook.iter().map(|_| CodeAt::new(c)).collect(),
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

bundle! {
    /// What a column gives the rows of elements that share digits.
    pub struct Column<D>(c: &Config) {
        /// Its digits.
        digit: Vec<Sig<D>> = Sig::vec(c.array.lanes, Widths::new(c).col, true),
        /// An index for each of its lanes (none without selection, nor are those that follow).
        index: Vec<Sig<D>> = optional(c.array.lanes, Widths::new(c).pick),
        /// An index for each row.
        row_index: Vec<Sig<D>> = optional(height(c), Widths::new(c).pick),
        /// All lanes take the row's.
        by_row: Vec<Sig<D>> = optional(usize::from(c.array.select > 1), 1),
    }
}

impl<D: Side> Window<D> {
    /// Windows of so many rows.
    pub fn rows(c: &Config, n: usize) -> Vec<Self> {
        let w = Widths::new(c);
        (0..n).map(|_| Window::new(c.array.select * c.array.lanes, w.row, w.pick)).collect()
    }
}
