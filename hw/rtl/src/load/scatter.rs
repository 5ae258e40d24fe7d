//! Where a payload word goes: write enables and data of every piece of a memory.
//!
//! Piece i of a memory (elements outside, pieces of an element inside; of codes banks are outermost) lies in
//! word ⌊i / n⌋ of an address, n pieces a word. A broadcast repeats one element.

use super::payload::{Payload, Write};
use super::pieces::pieces;
use crate::hdl::prelude::*;
use crate::host::Lanes;
use rust_hdl::prelude::*;
use tandem_spec::{Config, Memory};

unit! {
    /// The pieces of one memory.
    ///
    /// # Timing  combinational
    pub struct Scatter(c: &Config, memory: Memory) {
        let (lanes, pieces) = (Lanes::new(c), pieces(c, memory));
        let word_of = |bit: usize| Dim::new(bit / c.link_bits);
        let numbers: Vec<usize> = (0..pieces.elements)
            .flat_map(|e| (0..pieces.count).map(move |p| pieces.number(e, p)))
            .collect();

        /// The word.
        pub payload: Payload<In> = Payload::new(c),
        /// What it writes into each element.
        pub element: Vec<Write<Out>> = Write::all(pieces),
        mine: Signal<Local, Bit>,
        cut: Vec<Unpack> =
            (0..lanes.count).map(|_| Unpack::new(lanes.bits / pieces.bits, pieces.bits, false)).collect(),
        bits: Unpack = Unpack::new(32, 1, false),
        code: Dim = Dim::new(memory.code() as usize),
        elements: Dim = Dim::new(pieces.elements),
        count: Dim = Dim::new(pieces.count),
        run: Dim = Dim::new(pieces.run),
        lanes: Dim = Dim::new(lanes.count),
        per_lane: Dim = Dim::new(lanes.bits / pieces.bits),
        per_word: Dim = Dim::new(c.link_bits / pieces.bits),
        word_of: Vec<Dim> = numbers.iter().map(|i| word_of(i * pieces.bits)).collect(),
        broadcast_word_of: Vec<Dim> =
            (0..pieces.total()).map(|i| word_of(i % pieces.count * pieces.bits)).collect(),
    }
}

impl Logic for Scatter {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.mine.next = self.payload.valid.val() & (self.payload.memory.val() == self.code.val());
        self.bits.x.next = self.payload.mask.val();
        for i in 0..self.lanes.val() {
            self.cut[i].x.next = self.payload.data[i].val();
        }
        for e in 0..self.elements.val() {
            self.element[e].address.next = self.payload.address.val();
            for p in 0..self.count.val() {
                self.element[e].we[p].next = self.mine.val()
                    & self.bits.y[e].val().any()
                    & (self.payload.word.val() == self.word_of[e * self.count.val() + p].val());
                self.element[e].data[p].next = self.cut[((p / self.run.val() * self.elements.val() + e)
                    * self.run.val()
                    + p % self.run.val())
                    % self.per_word.val()
                    / self.per_lane.val()]
                .y[((p / self.run.val() * self.elements.val() + e) * self.run.val() + p % self.run.val())
                    % self.per_word.val()
                    % self.per_lane.val()]
                .val();
                if self.payload.broadcast.val() {
                    self.element[e].we[p].next = self.mine.val()
                        & self.bits.y[e].val().any()
                        & (self.payload.word.val() == self.broadcast_word_of[e * self.count.val() + p].val());
                    self.element[e].data[p].next = self.cut[p % self.per_word.val() / self.per_lane.val()].y
                        [p % self.per_word.val() % self.per_lane.val()]
                    .val();
                }
            }
        }
    }
}
