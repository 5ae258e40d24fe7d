//! A field of a word.
use super::INLINE;
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// `y = x[lo +: y bits]`.
///
/// In a kernel, `y.next = x.val() >> lo` does the same; this cell serves where a field is wanted as
/// a signal of its own.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Slice {
    /// The word, unsigned.
    pub x: Sig<In>,
    /// The field.
    pub y: Sig<Out>,
    _lo: usize,
}

impl Slice {
    /// Bits `lo .. lo + bits` of a word of `x_bits`, read as two's complement if `signed`.
    ///
    /// # Panics
    /// If the field does not lie in the word.
    pub fn new(x_bits: usize, lo: usize, bits: usize, signed: bool) -> Self {
        assert!(lo + bits <= x_bits, "bits {lo} to {} of a word of {x_bits}", lo + bits - 1);
        Slice { x: Sig::unsigned(x_bits), y: Sig::new(bits, signed), _lo: lo }
    }
}

impl Logic for Slice {
    fn update(&mut self) {
        self.y.set(self.x.val().get() >> self._lo);
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let field = match (self.x.bits(), self.y.bits()) {
            (x, y) if x == y => "x".to_string(),
            (_, 1) => format!("x[{}]", self._lo),
            (_, y) => format!("x[{}:{}]", self._lo + y - 1, self._lo),
        };
        Verilog::Custom(format!("{INLINE}assign y = {field};"))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("slice".into(), &[], &[])
    }
}
