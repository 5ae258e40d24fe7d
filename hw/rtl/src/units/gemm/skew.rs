//! The array's skew: what reaches a group of elements, and the next group a cycle later.

use super::pe::Widths;
use super::step::Control;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// A value and its copies, each a register later than the one before.
    ///
    /// # Timing  `at[g]` is `x` of g cycles ago
    pub struct Skew(copies: usize, bits: usize, signed: bool) {
        clock,
        /// The value.
        pub x: Sig<In> = Sig::new(bits, signed),
        /// Its copies.
        pub at: Vec<Sig<Out>> = Sig::vec(copies, bits, signed),
        stage: Vec<Reg> = Reg::vec(copies - 1, bits, signed),
        copies: Dim = Dim::new(copies),
    }
}

impl Skew {
    /// `n` of them.
    pub fn vec(n: usize, copies: usize, bits: usize, signed: bool) -> Vec<Self> {
        (0..n).map(|_| Skew::new(copies, bits, signed)).collect()
    }
}

impl Logic for Skew {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.at[0].next = self.x.val();
        for g in 1..self.copies.val() {
            self.stage[g - 1].d.next = self.at[g - 1].val();
            self.at[g].next = self.stage[g - 1].q.val();
        }
    }
}

unit! {
    /// The same of a step's control.
    ///
    /// # Timing  `at[g]` is `x` of g cycles ago
    pub struct ControlSkew(c: &Config, copies: usize) {
        clock,
        /// The control.
        pub x: Control<In> = Control::new(c),
        /// Its copies.
        pub at: Vec<Control<Out>> = (0..copies).map(|_| Control::new(c)).collect(),
        step: Skew = Skew::new(copies, 1, false),
        first: Skew = Skew::new(copies, 1, false),
        last: Skew = Skew::new(copies, 1, false),
        shift: Skew = Skew::new(copies, Widths::new(c).shift, false),
        copies: Dim = Dim::new(copies),
    }
}

impl Logic for ControlSkew {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.step.x.next = self.x.step.val().into();
        self.first.x.next = self.x.first.val().into();
        self.last.x.next = self.x.last.val().into();
        self.shift.x.next = self.x.shift.val();
        for g in 0..self.copies.val() {
            self.at[g].step.next = self.step.at[g].val().any();
            self.at[g].first.next = self.first.at[g].val().any();
            self.at[g].last.next = self.last.at[g].val().any();
            self.at[g].shift.next = self.shift.at[g].val();
        }
    }
}
