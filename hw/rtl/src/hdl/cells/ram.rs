//! A memory with one write port and one synchronous read port.
use super::{declared, literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::index_bits;
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// Simple dual-port memory that synthesis maps to block RAM.
///
/// ```text
/// at a rising edge:   rdata ← mem[raddr] if re      (else rdata holds)
///                     mem[waddr] ← wdata if we
/// ```
/// Drive `re` with `true` for a port that reads in every cycle. Reading and writing one address in one
/// cycle reads the old word in simulation; in a device the word read is undefined (`no_rw_check`), as
/// is `rdata` before the first read: block RAM needs logic around it to promise either.
///
/// # Timing   latency 1
/// # Numeric  words start at the given contents, 0 where there are none. An address of `depth` or
/// more (possible only if `depth` is not a power of two) reads an undefined word, 0 in this model,
/// and writes nothing.
#[derive(LogicBlock)]
pub struct Ram {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Read enable.
    pub re: Signal<In, Bit>,
    /// Read address.
    pub raddr: Sig<In>,
    /// The word read.
    pub rdata: Sig<Out>,
    /// Write enable.
    pub we: Signal<In, Bit>,
    /// Write address.
    pub waddr: Sig<In>,
    /// The word to write.
    pub wdata: Sig<In>,
    _mem: Vec<Word>,
    _contents: Vec<Word>,
    _block: bool,
}

impl Ram {
    /// `depth` words of 0.
    ///
    /// # Panics
    /// If `depth` is 0.
    pub fn new(depth: usize, bits: usize, signed: bool) -> Self {
        Ram::with_contents(depth, bits, signed, &[])
    }

    /// `depth` words of 0 in block RAM, however few they are.
    ///
    /// # Panics
    /// If `depth` is 0.
    pub fn in_block(depth: usize, bits: usize) -> Self {
        Ram { _block: true, ..Ram::new(depth, bits, false) }
    }

    /// `depth` words, the first of them given.
    ///
    /// # Panics
    /// If `depth` is 0 or less than the number of words given.
    pub fn with_contents(depth: usize, bits: usize, signed: bool, contents: &[i128]) -> Self {
        assert!(depth >= contents.len().max(1), "{} words for a memory of {depth}", contents.len());
        let contents: Vec<Word> = contents.iter().map(|v| Word::new(*v, bits, signed)).collect();
        let mut mem = contents.clone();
        mem.resize(depth, Word::new(0, bits, signed));
        Ram {
            clock: Default::default(),
            re: Default::default(),
            raddr: Sig::unsigned(index_bits(depth)),
            rdata: Sig::new(bits, signed),
            we: Default::default(),
            waddr: Sig::unsigned(index_bits(depth)),
            wdata: Sig::new(bits, signed),
            _mem: mem,
            _contents: contents,
            _block: false,
        }
    }
}

impl Logic for Ram {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.re.val() {
                let word = self._mem.get(self.raddr.val().get() as usize);
                self.rdata.set(word.map_or(0, |w| w.get()));
            }
            if self.we.val()
                && let Some(word) = self._mem.get_mut(self.waddr.val().get() as usize)
            {
                *word = self.wdata.val();
            }
        }
    }
    fn connect(&mut self) {
        self.rdata.connect();
    }
    /// Zeros are written down for simulators only: a device's memories start as zeros by themselves, and Yosys' time for a
    /// list of initial values grows with its square (8,192 words: 64 s against none).
    fn hdl(&self) -> Verilog {
        let mut v = String::new();
        let format = self.rdata.format();
        let last = self._mem.len() - 1;
        let zero = literal(0, format);
        write!(
            v,
            "(* no_rw_check{} *)\nreg {}mem [0:{last}];\n\
             integer i;\n\
             initial begin\n`ifndef SYNTHESIS\n  rdata = {zero};\n\
             \x20 for (i = 0; i <= {last}; i = i + 1) mem[i] = {zero};\n`endif\n",
            if self._block { ", ram_style = \"block\"" } else { "" },
            declared(format)
        )
        .expect("a string");
        for (i, w) in self._contents.iter().enumerate().filter(|(_, w)| w.any()) {
            writeln!(v, "  mem[{i}] = {};", literal(w.get(), format)).expect("a string");
        }
        v += "end\nalways @(posedge clock) begin\n  if (re) rdata <= mem[raddr];\n  if (we) mem[waddr] <= wdata;\nend";
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let kind = if self._block { "block_ram" } else { "ram" };
        let name = format!("{kind}_{}x{}", self._mem.len(), tag(self.rdata.format()));
        names::cell::<Self>(name, &["re", "raddr", "we", "waddr", "wdata"], &["rdata"])
    }
}
