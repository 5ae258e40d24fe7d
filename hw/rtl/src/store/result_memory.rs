//! The result memory: written by the drain, read by the store engine.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::config::DEEP;

unit! {
    /// Words of `drain` results.
    ///
    /// # Timing  address in tick t, word in t+1, or t+2 in a deep pipeline; it holds while `re` is off
    pub struct ResultMemory(c: &Config) {
        let (width, depth, bits) = (c.array.drain, c.memory.result, result_bits(c));
        let behind = if read_latency(c) > 1 { width } else { 0 };

        clock,
        /// Write.
        pub we: Signal<In, Bit>,
        /// Where.
        pub waddr: Sig<In> = Sig::unsigned(index_bits(depth)),
        /// The results.
        pub wdata: Vec<Sig<In>> = Sig::vec(width, bits, true),
        /// Read.
        pub re: Signal<In, Bit>,
        /// From where.
        pub raddr: Sig<In> = Sig::unsigned(index_bits(depth)),
        /// The results.
        pub rdata: Vec<Sig<Out>> = Sig::vec(width, bits, true),
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
            self.ram[i].we.next = self.we.val();
            self.ram[i].waddr.next = self.waddr.val();
            self.ram[i].wdata.next = self.wdata[i].val();
            self.ram[i].re.next = self.re.val();
            self.ram[i].raddr.next = self.raddr.val();
            self.rdata[i].next = self.ram[i].rdata.val();
        }
        for i in 0..self.behind.len() {
            self.behind[i].en.next = self.re.val();
            self.behind[i].d.next = self.ram[i].rdata.val();
            self.rdata[i].next = self.behind[i].q.val();
        }
    }
}

/// Ticks from the address to the word.
pub fn read_latency(c: &Config) -> usize {
    if c.array.pipeline == DEEP { 2 } else { 1 }
}

/// Bits of a result as stored: those of a sum, or of a complex sample if there is an FFT unit.
pub fn result_bits(c: &Config) -> usize {
    if c.fft.is_some() { 32 } else { c.array.acc_bits }
}
