//! How much a STORE sends.

use super::pack::NIBBLES;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::isa::{Opcode, Transport};

unit! {
    /// Nibbles of a STORE's results, and link words of its packet, where results are packed.
    ///
    /// # Timing  combinational
    pub struct Measure(c: &Config) {
        let op = Opcode::named("STORE");
        let (drain, link) = (c.array.drain, 2 * c.link_bytes());
        let most = (c.memory.result * drain * NIBBLES).div_ceil(link);

        /// Code of the width.
        pub format: Sig<In> = Sig::unsigned(op.field("format").width),
        /// Lanes that are sent; 0: all.
        pub lanes: Sig<In> = Sig::unsigned(op.field("lanes").width),
        /// Result words.
        pub count: Sig<In> = Sig::unsigned(op.field("count").width),
        /// Nibbles of a result, less one.
        pub width: Sig<Out> = Sig::unsigned(index_bits(NIBBLES)),
        /// Whether a lane is sent.
        pub sent: Vec<Signal<Out, Bit>> = wire::bits(drain),
        /// Nibbles of a result word.
        pub each: Sig<Out> = Sig::unsigned(bits_for(drain * NIBBLES)),
        /// Link words.
        pub words: Sig<Out> = Sig::unsigned(bits_for(most)),
        number: Sig<Local> = Sig::unsigned(bits_for(drain)),
        width_of: Vec<Dim> = Transport::ALL.iter().map(|f| Dim::new(f.bits() / 4 - 1)).collect(),
        width_bits: Dim = Dim::new(index_bits(NIBBLES)),
        drain: Dim = Dim::new(drain),
        link_less_one: Dim = Dim::new(link - 1),
        log_link: Dim = Dim::new(link.ilog2() as usize),
    }
}

impl Logic for Measure {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.width.next = 0.into();
        for f in 0..self.width_of.len() {
            if self.format.val() == f {
                self.width.next = self.width_of[f].val().into();
            }
        }
        self.number.next = self.lanes.val();
        if !self.lanes.val().any() {
            self.number.next = self.drain.val().into();
        }
        for l in 0..self.drain.val() {
            self.sent[l].next = self.number.val() > l;
        }
        self.each.next = self.number.val();
        for b in 0..self.width_bits.val() {
            if self.width.val().get_bit(b) {
                self.each.next = self.each.val() + (self.number.val() << b);
            }
        }
        self.words.next =
            (self.count.val() * self.each.val() + self.link_less_one.val()) >> self.log_link.val();
    }
}
