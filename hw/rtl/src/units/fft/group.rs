//! Interfaces between the unit's parts.

use super::{LOG_BITS, Shape};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// What transforms are wanted.
    pub struct Mode<D>() {
        /// log2 N (of no effect if there is one size only).
        log_points: Sig<D> = Sig::unsigned(LOG_BITS),
        /// Squares (if generated).
        tile: Signal<D, Bit>,
        /// e^(+2πi·nk/N).
        inverse: Signal<D, Bit>,
        /// Block floating point (if generated).
        block: Signal<D, Bit>,
    }
}

bundle! {
    /// How large transforms are.
    pub struct Size<D>() {
        /// log2 N.
        log_points: Sig<D> = Sig::unsigned(LOG_BITS),
        /// They are tiles.
        tile: Signal<D, Bit>,
    }
}

bundle! {
    /// A group every cycle.
    pub struct Groups<D>(shape: &Shape) {
        /// The first one comes in the next cycle.
        start: Signal<D, Bit>,
        /// Its parts.
        part: Vec<Sig<D>> = Sig::vec(shape.parts(), shape.inner, true),
    }
}

bundle! {
    /// Where the group that enters the reorder buffer lies in its batch.
    pub struct Place<D>() {
        /// It is the first.
        begins: Signal<D, Bit>,
        /// It is the last.
        ends: Signal<D, Bit>,
    }
}

bundle! {
    /// Results of so many transforms.
    pub struct Spectrum<D>(lanes: usize) {
        /// Their parts.
        part: Vec<Sig<D>> = Sig::vec(2 * lanes, 16, true),
        /// Their exponents.
        exponent: Vec<Sig<D>> = Sig::vec(lanes, 5, false),
        /// A part of a transform's result was clamped.
        clamped: Vec<Signal<D, Bit>> = wire::bits(lanes),
    }
}
