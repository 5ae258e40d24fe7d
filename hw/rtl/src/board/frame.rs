//! Interfaces between the board's units.

use super::frame_reader::ARGUMENT;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// What comes from the line.
    pub struct Line<D>() {
        /// A byte came.
        valid: Signal<D, Bit>,
        /// The byte.
        data: Sig<D> = Sig::unsigned(8),
        /// A stop bit was low.
        unframed: Signal<D, Bit>,
    }
}

bundle! {
    /// How fast the line is.
    pub struct Rate<D>() {
        /// Sixteenths of a clock a bit.
        divider: Sig<D> = Sig::unsigned(16),
    } back {
        /// The line has just been low for 8½ bits of the initial rate.
        long_low: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// What the session says of the running frame to the window that receives.
    pub struct Reception<D>() {
        /// A session begins: empty everything; numbers start from 0.
        clear: Signal<D, Bit>,
        /// The frame is DATA of this session, as far as its header is known.
        mine: Signal<D, Bit>,
    } back {
        /// A frame has been consumed.
        consumed: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// Bytes one after the other.
    pub struct Bytes<D>() {
        /// A byte is offered.
        valid: Signal<D, Bit>,
        /// The byte.
        data: Sig<D> = Sig::unsigned(8),
    } back {
        /// It is taken.
        ready: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// A byte of a frame's payload.
    pub struct Content<D>() {
        /// There is one.
        we: Signal<D, Bit>,
        /// Its place.
        place: Sig<D> = Sig::unsigned(8),
        /// The byte.
        value: Sig<D> = Sig::unsigned(8),
    }
}

bundle! {
    /// What a frame is, as far as it is known, and how it ended.
    pub struct Header<D>() {
        /// Its kind.
        kind: Sig<D> = Sig::unsigned(8),
        /// Its session.
        session: Sig<D> = Sig::unsigned(8),
        /// The first bytes of its payload.
        argument: Vec<Sig<D>> = Sig::vec(ARGUMENT, 8, false),
        /// A whole frame ended.
        good: Signal<D, Bit>,
        /// Something else ended.
        damaged: Signal<D, Bit>,
    }
}

bundle! {
    /// A frame with a number, as it comes.
    pub struct Arrival<D>() {
        /// A byte, beyond the header.
        content: Content<D> = Content::new(),
        /// The frame's number.
        seq: Sig<D> = Sig::unsigned(8),
        /// Bytes of its payload, at its end.
        length: Sig<D> = Sig::unsigned(8),
        /// It ended well.
        good: Signal<D, Bit>,
    }
}

bundle! {
    /// Lights.
    pub struct Lights<D>() {
        /// A session is open.
        link: Signal<D, Bit>,
        /// A damaged frame, or the accelerator has failed.
        error: Signal<D, Bit>,
    }
}

bundle! {
    /// What is to be answered.
    pub struct Answers<D>() {
        /// The present session.
        session: Sig<D> = Sig::unsigned(8),
        /// A HELLO is wanted.
        hello: Signal<D, Bit>,
        /// A RATE is wanted.
        rate: Signal<D, Bit>,
        /// A STATE is wanted.
        state: Signal<D, Bit>,
    } back {
        /// A HELLO is being sent.
        hello_taken: Signal<D::Back, Bit>,
        /// A RATE is being sent.
        rate_taken: Signal<D::Back, Bit>,
        /// It has left the line.
        rate_done: Signal<D::Back, Bit>,
        /// A STATE is being sent.
        state_taken: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// The end of the frame that is being made.
    pub struct Closing<D>() {
        /// It is complete.
        ends: Signal<D, Bit>,
        /// It is a STATUS.
        status: Signal<D, Bit>,
        /// Bytes of its payload.
        length: Sig<D> = Sig::unsigned(8),
    } back {
        /// There is a slot for it.
        room: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// A frame in a slot.
    pub struct Outgoing<D>() {
        /// It is to be sent.
        available: Signal<D, Bit>,
        /// Its number.
        seq: Sig<D> = Sig::unsigned(8),
        /// Its length.
        length: Sig<D> = Sig::unsigned(8),
        /// It is a STATUS.
        status: Signal<D, Bit>,
    } back {
        /// It is taken, to be sent now.
        take: Signal<D::Back, Bit>,
    }
}

bundle! {
    /// A mark in the stream of words.
    pub struct Mark<D>() {
        /// It waits for its STATUS.
        waits: Signal<D, Bit>,
    } back {
        /// That is made.
        made: Signal<D::Back, Bit>,
    }
}
