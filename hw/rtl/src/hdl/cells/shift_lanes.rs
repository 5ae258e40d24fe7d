//! Lanes moved up by a number of places.
use super::tag;
use crate::hdl::names;
use crate::hdl::number_format::{NumberFormat, index_bits};
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y[i] = x[i − sel]`, 0 where there is no such lane.
///
/// # Timing  combinational: a barrel shifter
#[derive(LogicBlock)]
pub struct ShiftLanes {
    /// By how many places.
    pub sel: Sig<In>,
    /// The lanes, unsigned.
    pub x: Vec<Sig<In>>,
    /// The lanes, moved.
    pub y: Vec<Sig<Out>>,
}

impl ShiftLanes {
    /// Moves `lanes` lanes of `bits` bits by 0 to `choices` − 1 places; `choices` is a power of two, or `sel` stays below it.
    ///
    /// # Panics
    /// If there are no lanes, or no choices.
    pub fn new(lanes: usize, bits: usize, choices: usize) -> Self {
        assert!(lanes > 0 && choices > 0, "{lanes} lanes, {choices} choices");
        ShiftLanes {
            sel: Sig::unsigned(index_bits(choices)),
            x: Sig::vec(lanes, bits, false),
            y: Sig::vec(lanes + choices - 1, bits, false),
        }
    }
}

impl Logic for ShiftLanes {
    fn update(&mut self) {
        let sel = self.sel.val().get() as usize;
        for (i, y) in self.y.iter_mut().enumerate() {
            let x = i.checked_sub(sel).and_then(|i| self.x.get(i));
            y.set(x.map_or(0, |x| x.val().get()));
        }
    }
    fn connect(&mut self) {
        self.y.iter_mut().for_each(|y| y.connect());
    }
    fn hdl(&self) -> Verilog {
        let (bits, all) = (self.x[0].bits(), self.y.len());
        let zeros = (all - self.x.len()) * bits;
        let mut lanes: Vec<String> = (0..self.x.len()).rev().map(|i| format!("x${i}")).collect();
        if zeros > 0 {
            lanes.insert(0, format!("{zeros}'h0"));
        }
        let mut v = format!("wire [{}:0] level_0 = {{{}}};\n", all * bits - 1, lanes.join(", "));
        for s in 0..self.sel.bits() {
            let (on, by) = (if self.sel.bits() == 1 { "sel".into() } else { format!("sel[{s}]") }, bits << s);
            writeln!(
                v,
                "wire [{}:0] level_{} = {on} ? level_{s} << {by} : level_{s};",
                all * bits - 1,
                s + 1
            )
            .expect("a string");
        }
        let last = self.sel.bits();
        for i in 0..all {
            writeln!(v, "assign y${i} = level_{last}[{} +: {bits}];", i * bits).expect("a string");
        }
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let lane = tag(NumberFormat { bits: self.x[0].bits() as u32, signed: false });
        names::cell::<Self>(format!("shift_lanes_{}x{lane}_{}", self.x.len(), self.y.len()), &[], &[])
    }
}
