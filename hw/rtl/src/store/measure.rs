//! How much a STORE sends.

use super::pack::NIBBLES;
use crate::field::queue_halves;
use crate::fields;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::isa::{StoreWidth, Who};

fields! {
    /// What a STORE says of how much it sends.
    struct Amount of "STORE": format, count, lanes
}

bundle! {
    /// How results lie side by side where they are packed.
    pub struct Packing<D>(c: &Config) {
        /// Nibbles of a result, less one.
        width: Sig<D> = Sig::unsigned(index_bits(NIBBLES)),
        /// Nibbles of a result word.
        each: Sig<D> = Sig::unsigned(bits_for(c.array.drain * NIBBLES)),
    }
}

unit! {
    /// Nibbles of a STORE's results, and link words of its packet, where results are packed.
    ///
    /// # Timing  combinational
    pub struct Measure(c: &Config) {
        let (drain, link) = (c.array.drain, 2 * c.link_bytes());
        let most = (c.memory.result * drain * NIBBLES).div_ceil(link);

        /// The STORE in 16-bit halves.
        pub instruction: Vec<Sig<In>> = Sig::vec(queue_halves(Who::Store), 16, false),
        /// Its results side by side.
        pub packing: Packing<Out> = Packing::new(c),
        /// Whether a lane is sent.
        pub sent: Vec<Signal<Out, Bit>> = wire::bits(drain),
        /// Link words.
        pub words: Sig<Out> = Sig::unsigned(bits_for(most)),
        amount: Amount = Amount::new(0),
        number: Sig<Local> = Sig::unsigned(bits_for(drain)),
        width_of: Vec<Dim> = StoreWidth::ALL.iter().map(|f| Dim::new(f.bits() / 4 - 1)).collect(),
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
        wire::join_all(&mut self.instruction, &mut self.amount.half);
        self.packing.width.next = 0.into();
        for f in 0..self.width_of.len() {
            if self.amount.format.val() == f {
                self.packing.width.next = self.width_of[f].val().into();
            }
        }
        self.number.next = self.amount.lanes.val();
        if !self.amount.lanes.val().any() {
            self.number.next = self.drain.val().into();
        }
        for l in 0..self.drain.val() {
            self.sent[l].next = self.number.val() > l;
        }
        self.packing.each.next = self.number.val();
        for b in 0..self.width_bits.val() {
            if self.packing.width.val().get_bit(b) {
                self.packing.each.next = self.packing.each.val() + (self.number.val() << b);
            }
        }
        self.words.next = (self.amount.count.val() * self.packing.each.val() + self.link_less_one.val())
            >> self.log_link.val();
    }
}
