//! Writing into the operand memories.

use super::pieces::{Pieces, pieces};
use crate::hdl::prelude::*;
use crate::host::Lanes;
use rust_hdl::prelude::*;
use tandem_spec::{Config, Memory};

bundle! {
    /// A payload word on its way into a memory.
    pub struct Payload<D>(c: &Config) {
        /// A word is there.
        valid: Signal<D, Bit>,
        /// Memory to write.
        memory: Sig<D> = Sig::unsigned(3),
        /// One element for all in the mask.
        broadcast: Signal<D, Bit>,
        /// Elements to write.
        mask: Sig<D> = Sig::unsigned(32),
        /// Address to write.
        address: Sig<D> = Sig::unsigned(index_bits(most(c, |p| p.depth))),
        /// Number of the word within its address.
        word: Sig<D> = Sig::unsigned(bits_for(most(c, |p| p.words))),
        /// The word.
        data: Vec<Sig<D>> = Lanes::new(c).signals(),
    }
}

bundle! {
    /// A write into an element's memory, piece by piece.
    pub struct Write<D>(p: Pieces) {
        /// Write enable of each piece.
        we: Vec<Signal<D, Bit>> = wire::bits(p.count),
        /// Where.
        address: Sig<D> = Sig::unsigned(index_bits(p.depth.max(1))),
        /// Data of each piece.
        data: Vec<Sig<D>> = Sig::vec(p.count, p.bits, false),
    }
}

impl<D: Side> Write<D> {
    /// Writes for all elements of a memory.
    pub fn all(p: Pieces) -> Vec<Self> {
        (0..p.elements).map(|_| Write::new(p)).collect()
    }
}

/// The largest of something that a memory has.
pub fn most(c: &Config, of: impl Fn(Pieces) -> usize) -> usize {
    Memory::ALL.iter().map(|m| of(pieces(c, *m))).max().expect("memories")
}
