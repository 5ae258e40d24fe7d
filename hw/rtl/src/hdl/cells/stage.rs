//! A register that a configuration may leave out.
use super::{INLINE, literal, register};
use crate::hdl::names;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// A stage of a pipeline: `q ← d` at every rising edge, or `q = d` where the pipeline is short.
///
/// # Numeric  `d` and `q` have one format
/// # Timing   latency 1, or 0; `q` starts at 0
#[derive(LogicBlock)]
pub struct Stage {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Next value.
    pub d: Sig<In>,
    /// Present value.
    pub q: Sig<Out>,
    _register: bool,
}

impl Stage {
    /// A register, or a wire.
    pub fn new(register: bool, bits: usize, signed: bool) -> Self {
        Stage {
            clock: Default::default(),
            d: Sig::new(bits, signed),
            q: Sig::new(bits, signed),
            _register: register,
        }
    }

    /// `n` stages of one format.
    pub fn vec(n: usize, register: bool, bits: usize, signed: bool) -> Vec<Self> {
        (0..n).map(|_| Stage::new(register, bits, signed)).collect()
    }
}

impl Logic for Stage {
    fn update(&mut self) {
        if !self._register || self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(if self._register {
            let reset = literal(0, self.q.format());
            format!("{INLINE}{}", register("q", &reset, "q <= d;"))
        } else {
            format!("{INLINE}assign q = d;")
        })
    }
    fn timing(&self) -> Vec<TimingInfo> {
        match self._register {
            true => names::cell::<Self>("stage".into(), &["d"], &["q"]),
            false => names::cell::<Self>("wire".into(), &[], &[]),
        }
    }
}
