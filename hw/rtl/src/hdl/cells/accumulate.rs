//! A sum that goes on or starts anew.
use super::carry::{ECP5, Position, chain};
use super::{declared, tag};
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// `y = x + (keep ? sum : 0)`. With the macro [`ECP5`], the gate is in the carry chain.
///
/// # Numeric  signed, `y` wraps at the bits of `x` and `sum`
/// # Timing   combinational
#[derive(LogicBlock)]
pub struct Accumulate {
    /// What is added.
    pub x: Sig<In>,
    /// To what.
    pub sum: Sig<In>,
    /// Unless the sum starts anew.
    pub keep: Signal<In, Bit>,
    /// The sum.
    pub y: Sig<Out>,
}

impl Accumulate {
    /// Sums of `bits` bits.
    pub fn new(bits: usize) -> Self {
        Accumulate {
            x: Sig::signed(bits),
            sum: Sig::signed(bits),
            keep: Default::default(),
            y: Sig::signed(bits),
        }
    }
}

impl Logic for Accumulate {
    fn update(&mut self) {
        let sum = if self.keep.val() { self.sum.val().get() } else { 0 };
        self.y.set(self.x.val().get() + sum);
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let bits = self.x.bits();
        let positions: Vec<_> = (0..bits)
            .map(|i| Position::gated([&format!("x[{i}]"), &format!("sum[{i}]"), "keep"], &format!("y[{i}]")))
            .collect();
        Verilog::Custom(format!(
            "`ifdef {ECP5}\n{}`else\nwire {}kept = sum & {{{bits}{{keep}}}};\nassign y = x + kept;\n`endif",
            chain("add", &positions),
            declared(self.x.format())
        ))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>(format!("accumulate_{}", tag(self.x.format())), &[], &[])
    }
}
