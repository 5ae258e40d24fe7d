//! A queue as the front end sees it.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

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
