//! The Gaussian unit (docs/gaussian.md).
//!
//! ```text
//! LOAD ─► [groups] ─► P × [pipeline: window ─► sum, K × wave ─► y] ─► [words] ─► result memory
//!             ▲
//!         [unit]: takes SMOOTHs, reads groups, says which line is where, gives tokens
//! ```
//! Four lines take turns in a pipeline: what is computed of one of them is there when its next pixel needs it.

pub mod pipeline;
pub mod unit;
pub mod wave;

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::config::Gaussian;

/// Bits of a coefficient.
pub const COEFFICIENT: usize = 32;

/// Bits of a coefficient after the binary point.
pub const COEFFICIENT_FRACTION: usize = 30;

/// Bits of a wave's state.
pub const STATE: usize = 30;

/// Bits of a wave's state after the binary point.
pub const FRACTION: usize = 12;

/// Bits of a line's number in its pipeline.
pub const TURN_BITS: usize = Gaussian::TURNS.ilog2() as usize;

/// Cycles from the one in which an instruction is taken to its first group in the output register.
pub const LATENCY: usize = 9;

bundle! {
    /// The window of the instruction at work.
    pub struct Coefficients<D>(terms: usize) {
        /// g.
        mean: Sig<D> = Sig::signed(COEFFICIENT),
        /// λ_k.
        turn: Vec<Sig<D>> = Sig::vec(terms, COEFFICIENT, false),
        /// a_k.
        edge: Vec<Sig<D>> = Sig::vec(terms, COEFFICIENT, true),
    }
}

bundle! {
    /// Which line is where, by the cycles since its instruction was taken if it is of the first group.
    pub struct Turns<D>() {
        /// A pixel is in x (t+3).
        pixel: Signal<D, Bit>,
        /// The window is full: a pixel leaves it (t+3).
        full: Signal<D, Bit>,
        /// u is there (t+4).
        enters: Signal<D, Bit>,
        /// Where the line's state is read and written.
        state: Place<D> = Place::new(),
    }
}

bundle! {
    /// Where the state of a line is read and written.
    pub struct Place<D>() {
        /// The line begins: its state is zero (t+4).
        begins: Signal<D, Bit>,
        /// The line (t+4).
        line: Sig<D> = Sig::unsigned(TURN_BITS),
        /// D and Z are there (t+7).
        turned: Signal<D, Bit>,
        /// Their line (t+7).
        turned_line: Sig<D> = Sig::unsigned(TURN_BITS),
    }
}
