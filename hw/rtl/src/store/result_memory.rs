//! The result memory: written by the drain, read by the store engine.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::config::DEEP;

bundle! {
    /// A result word on its way into the memory.
    pub struct ResultWrite<D>(c: &Config) {
        /// A word is there.
        we: Signal<D, Bit>,
        /// Where it goes.
        address: Sig<D> = Sig::unsigned(index_bits(c.memory.result)),
        /// Its results.
        result: Vec<Sig<D>> = Sig::vec(c.array.drain, result_bits(c), true),
    }
}

bundle! {
    /// A result word on its way out.
    pub struct ResultRead<D>(c: &Config) {
        /// Read; otherwise the word that is there stays.
        re: Signal<D, Bit>,
        /// From where.
        address: Sig<D> = Sig::unsigned(index_bits(c.memory.result)),
    } back {
        /// Its results.
        result: Vec<Sig<D::Back>> = Sig::vec(c.array.drain, result_bits(c), true),
    }
}

unit! {
    /// Words of `drain` results.
    ///
    /// # Timing  address in tick t, word in t+1, or t+2 in a deep pipeline; it holds while nothing is read
    pub struct ResultMemory(c: &Config) {
        let (width, depth, bits) = (c.array.drain, c.memory.result, result_bits(c));
        let behind = if read_latency(c) > 1 { width } else { 0 };

        clock,
        /// A word in.
        pub write: ResultWrite<In> = ResultWrite::new(c),
        /// A word out.
        pub read: ResultRead<In> = ResultRead::new(c),
        ram: Vec<Ram> = (0..width).map(|_| Ram::new(depth, bits, true)).collect(),
        behind: Vec<RegEn> = (0..behind).map(|_| RegEn::signed(bits)).collect(),
        width: Dim = Dim::new(width),
    }
}

impl Logic for ResultMemory {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self.width.val() {
            self.ram[i].we.next = self.write.we.val();
            self.ram[i].waddr.next = self.write.address.val();
            self.ram[i].wdata.next = self.write.result[i].val();
            self.ram[i].re.next = self.read.re.val();
            self.ram[i].raddr.next = self.read.address.val();
            self.read.result[i].next = self.ram[i].rdata.val();
        }
        for i in 0..self.behind.len() {
            self.behind[i].en.next = self.read.re.val();
            self.behind[i].d.next = self.ram[i].rdata.val();
            self.read.result[i].next = self.behind[i].q.val();
        }
    }
}

/// Ticks from the address to the word.
pub fn read_latency(c: &Config) -> usize {
    if c.array.pipeline == DEEP { 2 } else { 1 }
}

/// Bits of a result as stored: those of a sum, or 32 if there is a unit whose results have as many.
pub fn result_bits(c: &Config) -> usize {
    if c.fft.is_some() || c.gaussian.is_some() { 32 } else { c.array.acc_bits }
}
