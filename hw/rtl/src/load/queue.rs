//! A queue of instructions, as those at its two ends see it.
//!
//! ```text
//! front end ── Issue ──► queue ── QueueHead ──► engine
//! ```

use crate::field::{HALVES, turns};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

bundle! {
    /// The end to which instructions go, and who is at the head.
    pub struct QueueEnd<D>() {
        /// An instruction goes to it.
        push: Signal<D, Bit>,
    } back {
        /// There is no room.
        full: Signal<D::Back, Bit>,
        /// There is a head.
        pending: Signal<D::Back, Bit>,
        /// Number of the head.
        number: Sig<D::Back> = Sig::unsigned(32),
    }
}

bundle! {
    /// An instruction on its way into a queue.
    pub struct Issue<D>(c: &Config) {
        /// Its 16-bit halves.
        half: Vec<Sig<D>> = Sig::vec(HALVES, 16, false),
        /// Its number.
        number: Sig<D> = Sig::unsigned(32),
        /// Which unit of the compute engine it is for.
        turn: Sig<D> = Sig::unsigned(index_bits(turns(c))),
        /// The compute queue.
        compute: QueueEnd<D> = QueueEnd::new(),
        /// The store queue.
        store: QueueEnd<D> = QueueEnd::new(),
    }
}

bundle! {
    /// The end from which an engine takes instructions.
    pub struct QueueHead<D>(halves: usize) {
        /// There is a head.
        available: Signal<D, Bit>,
        /// Its 16-bit halves.
        half: Vec<Sig<D>> = Sig::vec(halves, 16, false),
    } back {
        /// It is taken.
        take: Signal<D::Back, Bit>,
    }
}
