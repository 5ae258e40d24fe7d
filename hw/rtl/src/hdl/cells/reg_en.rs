//! A register with an enable.
use super::{INLINE, literal, register};
use crate::hdl::names;
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;

/// `q ← d` at every rising clock edge with `en`.
///
/// # Numeric  `d` and `q` have one format
/// # Timing   latency 1; `q` starts at the reset value, 0 unless chosen
#[derive(LogicBlock)]
pub struct RegEn {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Whether to take `d`.
    pub en: Signal<In, Bit>,
    /// Next value.
    pub d: Sig<In>,
    /// Present value.
    pub q: Sig<Out>,
    _reset: Word,
}

impl RegEn {
    /// A register that starts at 0.
    pub fn new(bits: usize, signed: bool) -> Self {
        RegEn::with_reset(bits, signed, 0)
    }

    /// A register that starts at `reset`.
    pub fn with_reset(bits: usize, signed: bool, reset: i128) -> Self {
        let mut q = Sig::new(bits, signed);
        q.set(reset);
        RegEn {
            clock: Default::default(),
            en: Default::default(),
            d: Sig::new(bits, signed),
            q,
            _reset: Word::new(reset, bits, signed),
        }
    }

    /// An unsigned register that starts at 0.
    pub fn unsigned(bits: usize) -> Self {
        RegEn::new(bits, false)
    }

    /// A two's complement register that starts at 0.
    pub fn signed(bits: usize) -> Self {
        RegEn::new(bits, true)
    }

    /// `n` registers of one format that start at 0.
    pub fn vec(n: usize, bits: usize, signed: bool) -> Vec<Self> {
        (0..n).map(|_| RegEn::new(bits, signed)).collect()
    }
}

impl Logic for RegEn {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.en.val() {
            self.q.next = self.d.val();
        }
    }
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let reset = literal(self._reset.get(), self._reset.format());
        Verilog::Custom(format!("{INLINE}{}", register("q", &reset, "if (en) q <= d;")))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("register_en".into(), &["d", "en"], &["q"])
    }
}
