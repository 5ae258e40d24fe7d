//! An arithmetic right shift by a run-time amount.
use super::INLINE;
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// `y = ⌊x / 2^amount⌋`.
///
/// In a kernel, `y.next = x.val() >> amount.val()` does the same.
///
/// # Numeric  `x` and `y` signed and of one width; an amount beyond the width leaves the sign
/// # Timing   combinational: a barrel shifter
#[derive(LogicBlock)]
pub struct Asr {
    /// The number.
    pub x: Sig<In>,
    /// By how many bits.
    pub amount: Sig<In>,
    /// The shifted number.
    pub y: Sig<Out>,
}

impl Asr {
    /// Shifts `bits` bits by an unsigned amount of `amount_bits` bits.
    pub fn new(bits: usize, amount_bits: usize) -> Self {
        Asr { x: Sig::signed(bits), amount: Sig::unsigned(amount_bits), y: Sig::signed(bits) }
    }
}

impl Logic for Asr {
    fn update(&mut self) {
        self.y.next = self.x.val() >> self.amount.val();
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!("{INLINE}assign y = $signed(x) >>> amount;"))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("asr".into(), &[], &[])
    }
}
