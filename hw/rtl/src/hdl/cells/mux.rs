//! A multiplexer over a run-time number of inputs.
use super::{literal, tag};
use crate::hdl::format::index_bits;
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

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

impl Logic for Mux {
    fn update(&mut self) {
        let chosen = self.x.get(self.sel.val().get() as usize);
        self.y.set(chosen.map_or(0, |x| x.val().get()));
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let sel = self.sel.bits();
        let mut v = "always @* begin\n  case (sel)\n".to_string();
        for i in 0..self.x.len() {
            writeln!(v, "    {sel}'d{i}: y = x${i};").expect("a string");
        }
        if self.x.len() < 1 << sel {
            writeln!(v, "    default: y = {};", literal(0, self.y.format())).expect("a string");
        }
        v += "  endcase\nend";
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell(format!("mux_{}x{}", self.x.len(), tag(self.y.format())), &[], &[])
    }
}
