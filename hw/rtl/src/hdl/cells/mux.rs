//! A multiplexer over a run-time number of inputs.
use super::{literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::index_bits;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// `y = x[sel]`, 0 if `sel` is not below the number of inputs.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Mux {
    /// Which input.
    pub sel: Sig<In>,
    /// The inputs.
    pub x: Vec<Sig<In>>,
    /// The chosen one.
    pub y: Sig<Out>,
}

impl Mux {
    /// `n` inputs of `bits` bits, `sel` of `max(1, ⌈log2 n⌉)` bits.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize, bits: usize, signed: bool) -> Self {
        assert!(n > 0, "a multiplexer without inputs");
        Mux { sel: Sig::unsigned(index_bits(n)), x: Sig::vec(n, bits, signed), y: Sig::new(bits, signed) }
    }
}

impl Mux {
    /// The choice by the low `bits` bits of `sel` among the inputs from `first` on: halves, which take two
    /// thirds of the logic of a decoded `case`.
    fn tree(&self, first: usize, bits: usize) -> String {
        let zero = || literal(0, self.y.format());
        match bits {
            _ if first >= self.x.len() => zero(),
            0 => format!("x${first}"),
            _ => {
                let bit = if self.sel.bits() == 1 { String::new() } else { format!("[{}]", bits - 1) };
                let (low, high) =
                    (self.tree(first, bits - 1), self.tree(first + (1 << (bits - 1)), bits - 1));
                format!("(sel{bit} ? {high} : {low})")
            }
        }
    }
}

impl Logic for Mux {
    fn update(&mut self) {
        let chosen = self.x.get(self.sel.val().get() as usize);
        self.y.set(chosen.map_or(0, |x| x.val().get()));
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!("assign y = {};", self.tree(0, self.sel.bits())))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>(format!("mux_{}x{}", self.x.len(), tag(self.y.format())), &[], &[])
    }
}
