//! Numbers on their way to the link.

use crate::hdl::prelude::*;
use crate::host::Lanes;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// Numbers of 32 bits, one after the other, cut into link words: the one that is wanted.
    ///
    /// # Timing  combinational
    pub struct WordAt(c: &Config, sources: usize) {
        let lanes = Lanes::new(c);
        let (words, per_source) = (sources * 32 / c.link_bits, 32 / lanes.bits);

        /// The numbers.
        pub source: Vec<Sig<In>> = Sig::vec(sources, 32, false),
        /// Number of the link word.
        pub index: Sig<In> = Sig::unsigned(8),
        /// It.
        pub word: Vec<Sig<Out>> = lanes.signals(),
        cut: Vec<Unpack> = (0..sources).map(|_| Unpack::new(per_source, lanes.bits, false)).collect(),
        pick: Vec<Mux> = (0..lanes.count).map(|_| Mux::new(words, lanes.bits, false)).collect(),
        sources: Dim = Dim::new(sources),
        words: Dim = Dim::new(words),
        lanes: Dim = Dim::new(lanes.count),
        per_source: Dim = Dim::new(per_source),
    }
}

impl Logic for WordAt {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for s in 0..self.sources.val() {
            self.cut[s].x.next = self.source[s].val();
        }
        for i in 0..self.lanes.val() {
            self.pick[i].sel.next = self.index.val();
            for k in 0..self.words.val() {
                self.pick[i].x[k].next = self.cut[(k * self.lanes.val() + i) / self.per_source.val()].y
                    [(k * self.lanes.val() + i) % self.per_source.val()]
                .val();
            }
            self.word[i].next = self.pick[i].y.val();
        }
    }
}
