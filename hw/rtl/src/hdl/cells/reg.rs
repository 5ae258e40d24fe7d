//! A register.
use super::{INLINE, literal, register};
use crate::hdl::names;
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;

/// `q ← d` at every rising clock edge. `dff_setup!(self, clock, r)` connects the clock and holds the
/// value by default.
///
/// # Numeric  `d` and `q` have one format
/// # Timing   latency 1; `q` starts at the reset value, 0 unless chosen
#[derive(LogicBlock)]
pub struct Reg {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Next value.
    pub d: Sig<In>,
    /// Present value.
    pub q: Sig<Out>,
    _reset: Word,
}

impl Reg {
    /// A register that starts at 0.
    pub fn new(bits: usize, signed: bool) -> Self {
        Reg::with_reset(bits, signed, 0)
    }

    /// A register that starts at `reset`.
    pub fn with_reset(bits: usize, signed: bool, reset: i128) -> Self {
        let mut q = Sig::new(bits, signed);
        q.set(reset);
        Reg {
            clock: Default::default(),
            d: Sig::new(bits, signed),
            q,
            _reset: Word::new(reset, bits, signed),
        }
    }

    /// An unsigned register that starts at 0.
    pub fn unsigned(bits: usize) -> Self {
        Reg::new(bits, false)
    }

    /// A two's complement register that starts at 0.
    pub fn signed(bits: usize) -> Self {
        Reg::new(bits, true)
    }

    /// `n` registers of one format that start at 0.
    pub fn vec(n: usize, bits: usize, signed: bool) -> Vec<Self> {
        (0..n).map(|_| Reg::new(bits, signed)).collect()
    }
}

impl Logic for Reg {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let reset = literal(self._reset.get(), self._reset.format());
        Verilog::Custom(format!("{INLINE}{}", register("q", &reset, "q <= d;")))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("register".into(), &["d"], &["q"])
    }
}
