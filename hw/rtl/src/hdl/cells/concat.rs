//! Lanes into a word.
use super::INLINE;
use crate::hdl::names;
use crate::hdl::number_format::MAX_BITS;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;

/// `y = {x[n-1], …, x[1], x[0]}`: lane 0 in the least significant bits.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Concat {
    /// The lanes, unsigned (assigning a signed word keeps its bits).
    pub x: Vec<Sig<In>>,
    /// The word, unsigned.
    pub y: Sig<Out>,
}

impl Concat {
    /// `lanes` lanes of `bits` bits.
    ///
    /// # Panics
    /// If the word is empty or wider than 127 bits.
    pub fn new(lanes: usize, bits: usize) -> Self {
        Concat::of(&vec![bits; lanes])
    }

    /// One lane for each width, the first in the least significant bits.
    ///
    /// # Panics
    /// If the word is empty or wider than 127 bits.
    pub fn of(bits: &[usize]) -> Self {
        let total = bits.iter().sum();
        assert!((1..=MAX_BITS).contains(&total), "a concatenation of {total} bits");
        Concat { x: bits.iter().map(|b| Sig::unsigned(*b)).collect(), y: Sig::unsigned(total) }
    }
}

impl Logic for Concat {
    fn update(&mut self) {
        let word = self.x.iter().rev().fold(0, |word, lane| word << lane.bits() | lane.val().get());
        self.y.set(word);
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let lanes: Vec<String> = (0..self.x.len()).rev().map(|i| format!("x${i}")).collect();
        Verilog::Custom(format!("{INLINE}assign y = {{{}}};", lanes.join(", ")))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>("concat".into(), &[], &[])
    }
}
