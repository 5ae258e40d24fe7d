//! Records into link words.
//!
//! ```text
//! f·128 + n, then n words of link bits each, the first one tagged f;   n = 0: a mark
//! ```

use crate::hdl::prelude::*;
use crate::link::Lanes;
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
        /// A byte is offered.
        pub valid: Signal<In, Bit>,
        /// The byte.
        pub byte: Sig<In> = Sig::unsigned(8),
        /// It is taken.
        pub take: Signal<Out, Bit>,
        /// A word is offered to the accelerator.
        pub in_valid: Signal<Out, Bit>,
        /// It starts an instruction.
        pub in_first: Signal<Out, Bit>,
        /// The word.
        pub in_data: Vec<Sig<Out>> = lanes.signals(),
        /// The accelerator takes a word.
        pub in_ready: Signal<In, Bit>,
        /// … but not one that starts an instruction.
        pub closed: Signal<In, Bit>,
        /// A mark waits for its STATUS.
        pub mark: Signal<Out, Bit>,
        /// It is made.
        pub marked: Signal<In, Bit>,
        phase: DFF<Phase>,
        left: Reg = Reg::unsigned(bits_for(MAX_RECORD)),
        first: Reg = Reg::unsigned(1),
        index: Reg = Reg::unsigned(index_bits(bytes)),
        word: Vec<RegEn> = RegEn::vec(bytes, 8, false),
        join: Vec<Concat> = (0..lanes.count).map(|_| Concat::new(lanes.bits / 8, 8)).collect(),
        count: Sig<Local> = Sig::unsigned(bits_for(MAX_RECORD)),
        bytes: Dim = Dim::new(bytes),
        lanes: Dim = Dim::new(lanes.count),
        per_lane: Dim = Dim::new(lanes.bits / 8),
        flag: Dim = Dim::new(RECORD_FIRST.trailing_zeros() as usize),
    }
}

impl Logic for WordIn {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.count.next = self.byte.val();
        self.take.next =
            self.valid.val() & ((self.phase.q.val() == Phase::Header) | (self.phase.q.val() == Phase::Bytes));
        self.in_valid.next = self.phase.q.val() == Phase::Offer;
        self.in_first.next = self.first.q.val().any();
        self.mark.next = self.phase.q.val() == Phase::Mark;
        match self.phase.q.val() {
            Phase::Header => {
                self.left.d.next = self.count.val();
                self.first.d.next = self.byte.val() >> self.flag.val();
                self.index.d.next = 0.into();
                if self.valid.val() {
                    self.phase.d.next = Phase::Bytes;
                    if self.count.val() == 0 {
                        self.phase.d.next = Phase::Mark;
                    }
                }
            }
            Phase::Bytes => {
                if self.valid.val() {
                    self.index.d.next = self.index.q.val() + 1;
                    if self.index.q.val() + 1 == self.bytes.val() {
                        self.index.d.next = 0.into();
                        self.phase.d.next = Phase::Offer;
                    }
                }
            }
            Phase::Offer => {
                if self.in_ready.val() & !(self.first.q.val().any() & self.closed.val()) {
                    self.first.d.next = 0.into();
                    self.left.d.next = self.left.q.val() - 1;
                    self.phase.d.next = Phase::Bytes;
                    if self.left.q.val() == 1 {
                        self.phase.d.next = Phase::Header;
                    }
                }
            }
            Phase::Mark => {
                if self.marked.val() {
                    self.phase.d.next = Phase::Header;
                }
            }
        }
        if self.clear.val() {
            self.phase.d.next = Phase::Header;
        }
        for i in 0..self.bytes.val() {
            self.word[i].d.next = self.byte.val();
            self.word[i].en.next = self.take.val() & (self.index.q.val() == i);
        }
        for l in 0..self.lanes.val() {
            for b in 0..self.per_lane.val() {
                self.join[l].x[b].next = self.word[l * self.per_lane.val() + b].q.val();
            }
            self.in_data[l].next = self.join[l].y.val();
        }
    }
}
