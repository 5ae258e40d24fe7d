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
    /// A group that leaves.
    pub struct Spectrum<D>(shape: &Shape) {
        /// Its parts.
        part: Vec<Sig<D>> = Sig::vec(shape.parts(), 16, true),
        /// Exponents of its transforms.
        exponent: Vec<Sig<D>> = Sig::vec(shape.lanes, 5, false),
        /// A part of a transform's sample was clamped.
        clamped: Vec<Signal<D, Bit>> = wire::bits(shape.lanes),
    }
}
