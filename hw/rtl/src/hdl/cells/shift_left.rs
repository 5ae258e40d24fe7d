//! A left shift by one of a few amounts.
use super::{literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::{NumberFormat, index_bits};
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y = x · 2^(sel · step)`, 0 if `sel` is not below the number of choices.
///
/// # Numeric  `x` and `y` signed, `y` truncated to its bits
/// # Timing   combinational: a multiplexer over the choices
#[derive(LogicBlock)]
pub struct ShiftLeft {
    /// The number.
    pub x: Sig<In>,
    /// Which shift.
    pub sel: Sig<In>,
    /// The shifted number.
    pub y: Sig<Out>,
    _step: usize,
    _choices: usize,
}

impl ShiftLeft {
    /// Shifts `x_bits` bits by `0, step, …, (choices - 1) · step` into `y_bits` bits.
    ///
    /// # Panics
    /// If there are no choices.
    pub fn new(x_bits: usize, y_bits: usize, step: usize, choices: usize) -> Self {
        assert!(choices > 0, "a shift without choices");
        ShiftLeft {
            x: Sig::signed(x_bits),
            sel: Sig::unsigned(index_bits(choices)),
            y: Sig::signed(y_bits),
            _step: step,
            _choices: choices,
        }
    }

    /// `x << shift` as Verilog of exactly `y`'s width.
    fn shifted(&self, shift: usize) -> String {
        let (x, y) = (self.x.bits(), self.y.bits());
        if shift >= y {
            return literal(0, self.y.format());
        }
        let kept = (y - shift).min(x);
        let sign = y - shift - kept;
        let mut parts = vec![];
        if sign > 0 {
            parts.push(if x == 1 {
                format!("{{{sign}{{x}}}}")
            } else {
                format!("{{{sign}{{x[{}]}}}}", x - 1)
            });
        }
        parts.push(if kept == x { "x".into() } else { format!("x[{}:0]", kept - 1) });
        if shift > 0 {
            parts.push(literal(0, NumberFormat::unsigned(shift)));
        }
        if parts.len() == 1 { parts.remove(0) } else { format!("{{{}}}", parts.join(", ")) }
    }
}

impl Logic for ShiftLeft {
    fn update(&mut self) {
        let sel = self.sel.val().get() as usize;
        let shift = sel * self._step;
        let fits = sel < self._choices && shift < self.y.bits();
        self.y.set(if fits { self.x.val().get() << shift } else { 0 });
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let sel = self.sel.bits();
        let mut v = "always @* begin\n  case (sel)\n".to_string();
        for i in 0..self._choices {
            writeln!(v, "    {sel}'d{i}: y = {};", self.shifted(i * self._step)).expect("a string");
        }
        if self._choices < 1 << sel {
            writeln!(v, "    default: y = {};", literal(0, self.y.format())).expect("a string");
        }
        v += "  endcase\nend";
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let name = format!(
            "shift_left_{}_{}_{}x{}",
            tag(self.x.format()),
            tag(self.y.format()),
            self._choices,
            self._step
        );
        names::cell::<Self>(name, &[], &[])
    }
}
