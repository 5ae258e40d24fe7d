//! Results of any multiple of 4 bits into link words, without gaps.
//!
//! ```text
//! results ─► nibbles side by side ─►[ ]─► moved up by as many as wait ─► | ─► link word
//!                                                             waiting ─►[ ]◄─┘ what is above it
//! ```
//! A tick takes a result word unless a whole link word waits, and gives a link word if there is one, or the last nibbles.
//! That is decided when the result word is read, and known by the time it arrives.

use super::assemble::Filling;
use super::measure::Packing;
use super::result_memory::read_latency;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

/// Nibbles of a result.
pub const NIBBLES: usize = 8;

unit! {
    /// Packs the results of a packet.
    ///
    /// # Timing  a result word that is read in tick t is there in t+3 (deep: t+4) and part of `filling.after` in the tick after that;
    /// nothing moves without `advance`
    pub struct Pack(c: &Config) {
        let (word, link) = (c.array.drain * NIBBLES, 2 * c.link_bytes());
        let (all, stages) = (word + link - 1, read_latency(c) + 3);

        clock,
        /// The pipeline moves.
        pub advance: Signal<In, Bit>,
        /// A result word is read.
        pub reads: Signal<In, Bit>,
        /// None is left to be read after this tick.
        pub exhausted: Signal<In, Bit>,
        /// How results lie side by side.
        pub packing: Packing<In> = Packing::new(c),
        /// Results, 0 where they are not sent, and the link word.
        pub filling: Filling<In> = Filling::new(c),
        /// `gives` of the result word that is in `filling.after`.
        pub closes: Signal<In, Bit>,
        /// A result word can be read.
        pub wants: Signal<Out, Bit>,
        /// This tick's link word will be complete.
        pub gives: Signal<Out, Bit>,
        /// … and the last one.
        pub gives_last: Signal<Out, Bit>,
        /// `filling.result` is a word that was read.
        pub arrives: Signal<Out, Bit>,
        waiting: RegEn = RegEn::unsigned(bits_for(all)),
        total: Sig<Local> = Sig::unsigned(bits_for(all)),
        kept: Sig<Local> = Sig::unsigned(bits_for(all)),
        full: Signal<Local, Bit>,
        reads_at: Vec<RegEn> = RegEn::vec(stages - 1, 1, false),
        place_at: Vec<RegEn> = RegEn::vec(stages, index_bits(link), false),
        cut: Vec<Unpack> = (0..c.array.drain).map(|_| Unpack::new(NIBBLES, 4, false)).collect(),
        pick: Vec<Mux> = (0..word).map(|_| Mux::new(NIBBLES, 4, false)).collect(),
        dense: Vec<RegEn> = RegEn::vec(word, 4, false),
        place: ShiftLanes = ShiftLanes::new(word, 4, link),
        sum: Vec<Sig<Local>> = Sig::vec(all, 4, false),
        rest: Vec<RegEn> = RegEn::vec(word.max(link) - 1, 4, false),
        results: Dim = Dim::new(c.array.drain),
        nibbles: Dim = Dim::new(NIBBLES),
        link: Dim = Dim::new(link),
        log_link: Dim = Dim::new(link.ilog2() as usize),
        all: Dim = Dim::new(all),
        rests: Dim = Dim::new(word.max(link) - 1),
        arrived: Dim = Dim::new(stages - 2),
        placed: Dim = Dim::new(stages - 1),
    }
}

impl Logic for Pack {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // ahead of the results: how many nibbles wait
        self.wants.next = !(self.waiting.q.val() >> self.log_link.val()).any();
        self.total.next = self.waiting.q.val();
        if self.reads.val() {
            self.total.next = self.waiting.q.val() + self.packing.each.val();
        }
        self.full.next = (self.total.val() >> self.log_link.val()).any();
        self.gives.next = self.full.val() | (self.exhausted.val() & self.total.val().any());
        self.kept.next = 0.into();
        if self.full.val() {
            self.kept.next = self.total.val() - self.link.val();
        }
        self.gives_last.next = self.exhausted.val() & self.gives.val() & !self.kept.val().any();
        self.waiting.en.next = self.advance.val();
        self.waiting.d.next = self.total.val();
        if self.gives.val() {
            self.waiting.d.next = self.kept.val();
        }
        for s in 0..self.reads_at.len() {
            self.reads_at[s].en.next = self.advance.val();
            self.reads_at[s].d.next = self.reads.val().into();
            if s > 0 {
                self.reads_at[s].d.next = self.reads_at[s - 1].q.val();
            }
        }
        for s in 0..self.place_at.len() {
            self.place_at[s].en.next = self.advance.val();
            self.place_at[s].d.next = self.waiting.q.val();
            if s > 0 {
                self.place_at[s].d.next = self.place_at[s - 1].q.val();
            }
        }
        // nibble k of the word is nibble k mod width of result k / width
        self.arrives.next = self.reads_at[self.arrived.val()].q.val().any();
        for r in 0..self.results.val() {
            self.cut[r].x.next = self.filling.result[r].val();
        }
        for k in 0..self.dense.len() {
            self.pick[k].sel.next = self.packing.width.val();
            for w in 0..self.nibbles.val() {
                self.pick[k].x[w].next = 0.into();
                if k < (w + 1) * self.results.val() {
                    self.pick[k].x[w].next = self.cut[k / (w + 1)].y[k % (w + 1)].val();
                }
            }
            self.dense[k].en.next = self.advance.val();
            self.dense[k].d.next = 0.into();
            if self.arrives.val() {
                self.dense[k].d.next = self.pick[k].y.val();
            }
            self.place.x[k].next = self.dense[k].q.val();
        }
        self.place.sel.next = self.place_at[self.placed.val()].q.val();
        for k in 0..self.all.val() {
            self.sum[k].next = self.place.y[k].val();
            if k < self.rests.val() {
                self.sum[k].next = self.place.y[k].val() | self.rest[k].q.val();
            }
        }
        for k in 0..self.rest.len() {
            self.rest[k].en.next = self.advance.val();
            self.rest[k].d.next = 0.into();
            if k < self.link.val() {
                self.rest[k].d.next = self.sum[k].val();
            }
            if self.closes.val() {
                self.rest[k].d.next = 0.into();
                if k + self.link.val() < self.all.val() {
                    self.rest[k].d.next = self.sum[k + self.link.val()].val();
                }
            }
        }
        for b in 0..self.filling.after.len() {
            self.filling.after[b].next = (self.sum[2 * b + 1].val() << 4) + self.sum[2 * b].val();
        }
    }
}
