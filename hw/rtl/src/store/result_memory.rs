//! The result memory: written by the drain, read by the store engine.

use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::config::DEEP;

/// Words of `drain` results.
///
/// # Timing  address in tick t, word in t+1, or t+2 in a deep pipeline; it holds while `re` is off
#[derive(LogicBlock)]
pub struct ResultMemory {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Write.
    pub we: Signal<In, Bit>,
    /// Where.
    pub waddr: Sig<In>,
    /// The results.
    pub wdata: Vec<Sig<In>>,
    /// Read.
    pub re: Signal<In, Bit>,
    /// From where.
    pub raddr: Sig<In>,
    /// The results.
    pub rdata: Vec<Sig<Out>>,
    ram: Vec<Ram>,
    behind: Vec<RegEn>,
    width: Dim,
}

impl ResultMemory {
    /// The result memory of `c`.
    pub fn new(c: &Config) -> Self {
        let (width, depth, bits) = (c.array.drain, c.memory.result, result_bits(c));
        let behind = if read_latency(c) > 1 { width } else { 0 };
        ResultMemory {
            clock: Default::default(),
            we: Default::default(),
            waddr: Sig::unsigned(index_bits(depth)),
            wdata: Sig::vec(width, bits, true),
            re: Default::default(),
            raddr: Sig::unsigned(index_bits(depth)),
            rdata: Sig::vec(width, bits, true),
            ram: (0..width).map(|_| Ram::new(depth, bits, true)).collect(),
            behind: (0..behind).map(|_| RegEn::signed(bits)).collect(),
            width: Dim::new(width),
        }
    }
}

impl Logic for ResultMemory {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self.width.val() {
            self.ram[i].clock.next = self.clock.val();
            self.ram[i].we.next = self.we.val();
            self.ram[i].waddr.next = self.waddr.val();
            self.ram[i].wdata.next = self.wdata[i].val();
            self.ram[i].re.next = self.re.val();
            self.ram[i].raddr.next = self.raddr.val();
            self.rdata[i].next = self.ram[i].rdata.val();
        }
        for i in 0..self.behind.len() {
            self.behind[i].clock.next = self.clock.val();
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
