//! A word into lanes.
use super::INLINE;
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y[i] = x[i · bits +: bits]`, lane 0 in the least significant bits.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Unpack {
    /// The word, unsigned.
    pub x: Sig<In>,
    /// The lanes.
    pub y: Vec<Sig<Out>>,
}

impl Unpack {
    /// `lanes` lanes of `bits` bits, in two's complement if `signed`.
    ///
    /// # Panics
    /// If the word is wider than 127 bits.
    pub fn new(lanes: usize, bits: usize, signed: bool) -> Self {
        Unpack { x: Sig::unsigned(lanes * bits), y: Sig::vec(lanes, bits, signed) }
    }
}

impl Logic for Unpack {
    fn update(&mut self) {
        let word = self.x.val().get();
        for (i, lane) in self.y.iter_mut().enumerate() {
            lane.set(word >> (i * lane.bits()));
        }
    }
    fn connect(&mut self) {
        self.y.iter_mut().for_each(|lane| lane.connect());
    }
    fn hdl(&self) -> Verilog {
        let mut v = INLINE.to_string();
        for (i, lane) in self.y.iter().enumerate() {
            let bits = lane.bits();
            let field = match (self.x.bits(), bits) {
                (x, y) if x == y => "x".to_string(),
                (_, 1) => format!("x[{i}]"),
                _ => format!("x[{}:{}]", (i + 1) * bits - 1, i * bits),
            };
            writeln!(v, "assign y${i} = {field};").expect("a string");
        }
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("unpack".into(), &[], &[])
    }
}
