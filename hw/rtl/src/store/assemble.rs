//! Result words into link words, for one result width.
//!
//! A result word of R link words is sent in parts 0 … R−1; if P result words share a link word, part
//! k puts one in place and part 0 clears the rest.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

bundle! {
    /// A result word, and the link word that it goes into.
    pub struct Filling<D>(c: &Config) {
        /// The result word.
        result: Vec<Sig<D>> = Sig::vec(c.array.drain, 32, true),
    } back {
        /// Bytes of the link word with it.
        after: Vec<Sig<D::Back>> = Sig::vec(c.link_bytes(), 8, false),
    }
}

unit! {
    /// Bytes of the next link word.
    ///
    /// # Timing  combinational
    pub struct Assemble(c: &Config, format: usize) {
        let fit = Fit::new(c, format);
        let (drain, link) = (c.array.drain, c.link_bytes());

        /// The result word, and the bytes of the link word with this part.
        pub filling: Filling<In> = Filling::new(c),
        /// Which part.
        pub part_number: Sig<In> = Sig::unsigned(part_bits(c)),
        /// Bytes of the link word so far.
        pub before: Vec<Sig<In>> = Sig::vec(link, 8, false),
        bytes: Vec<Unpack> = (0..drain).map(|_| Unpack::new(4, 8, false)).collect(),
        results: Dim = Dim::new(drain),
        width: Dim = Dim::new(fit.width),
        link: Dim = Dim::new(link),
        parts: Dim = Dim::new(fit.split),
        slot: Dim = Dim::new(drain * fit.width),
        slot_of: Vec<Dim> = (0..link).map(|i| Dim::new(i / (drain * fit.width))).collect(),
        splits: Flag = Flag::new(fit.share == 1),
    }
}

/// How result words of one width meet link words.
#[derive(Clone, Copy)]
pub struct Fit {
    /// Bytes of a result.
    pub width: usize,
    /// Link words of a result word (1 if several share one).
    pub split: usize,
    /// Result words in a link word (1 if it takes one or more link words).
    pub share: usize,
}

impl Fit {
    /// Format 0, 1 or 2: 32, 16 or 8 bits.
    pub fn new(c: &Config, format: usize) -> Self {
        let (width, link) = (4 >> format, c.link_bytes());
        let word = c.array.drain * width;
        Fit { width, split: (word / link).max(1), share: (link / word).max(1) }
    }
}

/// Bits of a part number.
pub fn part_bits(c: &Config) -> usize {
    (0..3).map(|f| Fit::new(c, f)).map(|f| index_bits(f.split.max(f.share))).max().unwrap_or(1)
}

impl Logic for Assemble {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for r in 0..self.results.val() {
            self.bytes[r].x.next = self.filling.result[r].val();
        }
        if self.splits.val() {
            for i in 0..self.link.val() {
                self.filling.after[i].next = 0.into();
                for s in 0..self.parts.val() {
                    if self.part_number.val() == s {
                        self.filling.after[i].next = self.bytes[(s * self.link.val() + i) / self.width.val()]
                            .y[(s * self.link.val() + i) % self.width.val()]
                        .val();
                    }
                }
            }
        } else {
            for i in 0..self.link.val() {
                self.filling.after[i].next = self.before[i].val();
                if self.part_number.val() == 0 {
                    self.filling.after[i].next = 0.into();
                }
                if self.part_number.val() == self.slot_of[i].val() {
                    self.filling.after[i].next = self.bytes[i % self.slot.val() / self.width.val()].y
                        [i % self.slot.val() % self.width.val()]
                    .val();
                }
            }
        }
    }
}
