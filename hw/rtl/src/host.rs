//! The link's words as signals: lanes of 32 bits, or one narrower lane; and what the host sees of the accelerator beside them.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
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

bundle! {
    /// Words to the accelerator. One passes in a cycle with `valid` and `ready`, unless `first` and `closed`.
    pub struct WordsIn<D>(c: &Config) {
        /// The host offers a word.
        valid: Signal<D, Bit>,
        /// It starts an instruction.
        first: Signal<D, Bit>,
        /// The word.
        data: Vec<Sig<D>> = Lanes::new(c).signals(),
    } back {
        /// A word can be taken.
        ready: Signal<D::Back, Bit>,
        /// … but not one that starts an instruction.
        closed: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// Words to the host. One passes in a cycle with `valid` and `ready`.
    pub struct WordsOut<D>(c: &Config) {
        /// A word is offered to the host.
        valid: Signal<D, Bit>,
        /// The word.
        data: Vec<Sig<D>> = Lanes::new(c).signals(),
    } back {
        /// The host takes it.
        ready: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// What the accelerator does.
    pub struct Status<D>() {
        /// The front end waits for the host.
        waiting: Signal<D, Bit>,
        /// … and is not inside an instruction or a payload.
        boundary: Signal<D, Bit>,
        /// Words are dropped until a RESET.
        failed: Signal<D, Bit>,
        /// Compute engine, drain and store engine cannot move.
        quiet: Signal<D, Bit>,
        /// The compute queue has a head.
        compute_pending: Signal<D, Bit>,
        /// The store queue has a head.
        store_pending: Signal<D, Bit>,
        /// Number of the instruction in the front end.
        load_number: Sig<D> = Sig::unsigned(32),
        /// Number of the compute queue's head.
        compute_number: Sig<D> = Sig::unsigned(32),
        /// Number of the store queue's head.
        store_number: Sig<D> = Sig::unsigned(32),
    }
}
