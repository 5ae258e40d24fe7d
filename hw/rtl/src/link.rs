//! The link's words as signals: lanes of 32 bits, or one narrower lane.

use crate::hdl::prelude::*;
use rust_hdl::prelude::Direction;
use tandem_spec::Config;

/// How a link word is split: `count` lanes of `bits`.
#[derive(Clone, Copy)]
pub struct Lanes {
    /// Lanes.
    pub count: usize,
    /// Bits of a lane.
    pub bits: usize,
}

impl Lanes {
    /// The lanes of `c`'s link.
    pub fn new(c: &Config) -> Self {
        let bits = c.link_bits.min(32);
        Lanes { count: c.link_bits / bits, bits }
    }

    /// A word's signals.
    pub fn signals<D: Direction>(self) -> Vec<Sig<D>> {
        Sig::vec(self.count, self.bits, false)
    }
}
