//! A small memory with an asynchronous read port.
use super::{declared, literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::index_bits;
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;

/// Memory of LUTs or flip-flops, read in the same cycle.
///
/// ```text
/// rdata = mem[raddr];   at a rising edge: mem[waddr] ← wdata if we
/// ```
/// # Timing   `rdata` follows `raddr` at once; a write is visible after the edge
/// # Numeric  words start at 0; addresses of `depth` or more as in [`Ram`](super::Ram)
#[derive(LogicBlock)]
pub struct RegFile {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Read address.
    pub raddr: Sig<In>,
    /// The word at `raddr`.
    pub rdata: Sig<Out>,
    /// Write enable.
    pub we: Signal<In, Bit>,
    /// Write address.
    pub waddr: Sig<In>,
    /// The word to write.
    pub wdata: Sig<In>,
    _mem: Vec<Word>,
}

impl RegFile {
    /// `depth` words of 0.
    ///
    /// # Panics
    /// If `depth` is 0.
    pub fn new(depth: usize, bits: usize, signed: bool) -> Self {
        assert!(depth > 0, "a memory without words");
        RegFile {
            clock: Default::default(),
            raddr: Sig::unsigned(index_bits(depth)),
            rdata: Sig::new(bits, signed),
            we: Default::default(),
            waddr: Sig::unsigned(index_bits(depth)),
            wdata: Sig::new(bits, signed),
            _mem: vec![Word::new(0, bits, signed); depth],
        }
    }
}

impl Logic for RegFile {
    fn update(&mut self) {
        if self.clock.pos_edge()
            && self.we.val()
            && let Some(word) = self._mem.get_mut(self.waddr.val().get() as usize)
        {
            *word = self.wdata.val();
        }
        let word = self._mem.get(self.raddr.val().get() as usize);
        self.rdata.set(word.map_or(0, |w| w.get()));
    }
    fn connect(&mut self) {
        self.rdata.connect();
    }
    fn hdl(&self) -> Verilog {
        let format = self.rdata.format();
        let last = self._mem.len() - 1;
        Verilog::Custom(format!(
            "reg {}mem [0:{last}];\n\
             integer i;\n\
             initial for (i = 0; i <= {last}; i = i + 1) mem[i] = {};\n\
             assign rdata = mem[raddr];\n\
             always @(posedge clock) if (we) mem[waddr] <= wdata;",
            declared(format),
            literal(0, format)
        ))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let name = format!("reg_file_{}x{}", self._mem.len(), tag(self.rdata.format()));
        names::cell::<Self>(name, &["we", "waddr", "wdata"], &[])
    }
}
