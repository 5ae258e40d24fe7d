//! Records into link words.
//!
//! ```text
//! f·128 + n, then n words of link bits each, the first one tagged f;   n = 0: a mark
//! ```

use crate::board::frame::{Bytes, Mark};
use crate::hdl::prelude::*;
use crate::host::{Lanes, WordsIn};
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::link::{MAX_RECORD, RECORD_FIRST};

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Header,
    Bytes,
    Offer,
    Mark,
}

unit! {
    /// See docs/link.md, "Records".
    ///
    /// # Timing  a byte a cycle, a word one cycle after its last byte
    pub struct WordIn(c: &Config) {
        let (lanes, bytes) = (Lanes::new(c), c.link_bytes());

        clock,
        /// Forget a record that was cut.
        pub clear: Signal<In, Bit>,
        /// Records.
        pub bytes: Bytes<In> = Bytes::new(),
        /// Words for the accelerator.
        pub in_: WordsIn<Out> = WordsIn::new(c),
        /// A mark.
        pub mark: Mark<Out> = Mark::new(),
        phase: DFF<Phase>,
        left: Reg = Reg::unsigned(bits_for(MAX_RECORD)),
        first: Reg = Reg::unsigned(1),
        index: Reg = Reg::unsigned(index_bits(bytes)),
        word: Vec<RegEn> = RegEn::vec(bytes, 8, false),
        join: Vec<Concat> = (0..lanes.count).map(|_| Concat::new(lanes.bits / 8, 8)).collect(),
        count: Sig<Local> = Sig::unsigned(bits_for(MAX_RECORD)),
        word_bytes: Dim = Dim::new(bytes),
        lanes: Dim = Dim::new(lanes.count),
        per_lane: Dim = Dim::new(lanes.bits / 8),
        flag: Dim = Dim::new(RECORD_FIRST.trailing_zeros() as usize),
    }
}

impl Logic for WordIn {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.count.next = self.bytes.data.val();
        self.bytes.ready.next = self.bytes.valid.val()
            & ((self.phase.q.val() == Phase::Header) | (self.phase.q.val() == Phase::Bytes));
        self.in_.valid.next = self.phase.q.val() == Phase::Offer;
        self.in_.first.next = self.first.q.val().any();
        self.mark.waits.next = self.phase.q.val() == Phase::Mark;
        match self.phase.q.val() {
            Phase::Header => {
                self.left.d.next = self.count.val();
                self.first.d.next = self.bytes.data.val() >> self.flag.val();
                self.index.d.next = 0.into();
                if self.bytes.valid.val() {
                    self.phase.d.next = Phase::Bytes;
                    if self.count.val() == 0 {
                        self.phase.d.next = Phase::Mark;
                    }
                }
            }
            Phase::Bytes => {
                if self.bytes.valid.val() {
                    self.index.d.next = self.index.q.val() + 1;
                    if self.index.q.val() + 1 == self.word_bytes.val() {
                        self.index.d.next = 0.into();
                        self.phase.d.next = Phase::Offer;
                    }
                }
            }
            Phase::Offer => {
                if self.in_.ready.val() & !(self.first.q.val().any() & self.in_.closed.val()) {
                    self.first.d.next = 0.into();
                    self.left.d.next = self.left.q.val() - 1;
                    self.phase.d.next = Phase::Bytes;
                    if self.left.q.val() == 1 {
                        self.phase.d.next = Phase::Header;
                    }
                }
            }
            Phase::Mark => {
                if self.mark.made.val() {
                    self.phase.d.next = Phase::Header;
                }
            }
        }
        if self.clear.val() {
            self.phase.d.next = Phase::Header;
        }
        for i in 0..self.word_bytes.val() {
            self.word[i].d.next = self.bytes.data.val();
            self.word[i].en.next = self.bytes.ready.val() & (self.index.q.val() == i);
        }
        for l in 0..self.lanes.val() {
            for b in 0..self.per_lane.val() {
                self.join[l].x[b].next = self.word[l * self.per_lane.val() + b].q.val();
            }
            self.in_.data[l].next = self.join[l].y.val();
        }
    }
}
