//! What the front end has the store engine say.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// A packet about a failure or a reset.
    pub struct Report<D>() {
        /// It is wanted.
        wanted: Signal<D, Bit>,
        /// It is the answer to a RESET.
        ready: Signal<D, Bit>,
        /// Reason of the failure.
        reason: Sig<D> = Sig::unsigned(3),
        /// Number of the failing instruction.
        number: Sig<D> = Sig::unsigned(32),
        /// Its engine.
        engine: Sig<D> = Sig::unsigned(2),
    } back {
        /// It is sent.
        done: Signal<D::Back, Bit>,
    }
}
