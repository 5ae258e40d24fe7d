//! One more bit, so that signed and unsigned digits look alike.
use super::INLINE;
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// A digit of `d` bits, signed or not as a flag says at run time, as a signed one of `d + 1` bits.
///
/// ```text
/// y = {signed & x[d-1], x}
/// ```
/// # Numeric  `y = x` if `x` is read as unsigned (`is_signed = 0`) or as two's complement (`= 1`)
/// # Timing   combinational
#[derive(LogicBlock)]
pub struct SignExtend {
    /// The digit's bits.
    pub x: Sig<In>,
    /// Whether they are two's complement.
    pub is_signed: Signal<In, Bit>,
    /// The digit's value.
    pub y: Sig<Out>,
}

impl SignExtend {
    /// A cell for digits of `bits` bits.
    pub fn new(bits: usize) -> Self {
        SignExtend { x: Sig::unsigned(bits), is_signed: Default::default(), y: Sig::signed(bits + 1) }
    }

    /// `n` cells for digits of `bits` bits.
    pub fn vec(n: usize, bits: usize) -> Vec<Self> {
        (0..n).map(|_| SignExtend::new(bits)).collect()
    }
}

impl Logic for SignExtend {
    fn update(&mut self) {
        let bits = self.x.bits();
        let x = self.x.val();
        let negative = self.is_signed.val() & x.get_bit(bits - 1);
        self.y.set(x.get() - (i128::from(negative) << bits));
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let top = match self.x.bits() {
            1 => "x".to_string(),
            bits => format!("x[{}]", bits - 1),
        };
        Verilog::Custom(format!("{INLINE}assign y = {{is_signed & {top}, x}};"))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("sign_extend".into(), &[], &[])
    }
}
