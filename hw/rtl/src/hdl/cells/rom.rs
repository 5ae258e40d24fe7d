//! A table with two synchronous read ports.
use super::{declared, literal, tag};
use crate::hdl::names;
use crate::hdl::number_format::index_bits;
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

/// Constants, read at two addresses a cycle.
///
/// ```text
/// at a rising edge:   a ← contents[a_addr],  b ← contents[b_addr]
/// ```
/// # Timing   latency 1
/// # Numeric  unsigned; an address beyond the contents reads an undefined word, 0 in this model
#[derive(LogicBlock)]
pub struct Rom {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// First address.
    pub a_addr: Sig<In>,
    /// Second address.
    pub b_addr: Sig<In>,
    /// First word.
    pub a: Sig<Out>,
    /// Second word.
    pub b: Sig<Out>,
    _contents: Vec<Word>,
}

impl Rom {
    /// A table of `contents`, words of `bits` bits.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(bits: usize, contents: &[i128]) -> Self {
        assert!(!contents.is_empty(), "a table without contents");
        let address = index_bits(contents.len());
        Rom {
            clock: Default::default(),
            a_addr: Sig::unsigned(address),
            b_addr: Sig::unsigned(address),
            a: Sig::unsigned(bits),
            b: Sig::unsigned(bits),
            _contents: contents.iter().map(|v| Word::new(*v, bits, false)).collect(),
        }
    }

    fn at(&self, address: Word) -> i128 {
        self._contents.get(address.get() as usize).map_or(0, |w| w.get())
    }
}

impl Logic for Rom {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.a.set(self.at(self.a_addr.val()));
            self.b.set(self.at(self.b_addr.val()));
        }
    }
    fn connect(&mut self) {
        self.a.connect();
        self.b.connect();
    }
    fn hdl(&self) -> Verilog {
        let format = self.a.format();
        let last = self._contents.len() - 1;
        let zero = literal(0, format);
        let mut v = String::new();
        write!(v, "reg {}mem [0:{last}];\ninitial begin\n  a = {zero};\n  b = {zero};\n", declared(format))
            .expect("a string");
        for (i, w) in self._contents.iter().enumerate() {
            writeln!(v, "  mem[{i}] = {};", literal(w.get(), format)).expect("a string");
        }
        v += "end\nalways @(posedge clock) begin\n  a <= mem[a_addr];\n  b <= mem[b_addr];\nend";
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        // tables of one size differ in their contents
        let mut hash = DefaultHasher::new();
        self._contents.iter().for_each(|w| w.get().hash(&mut hash));
        let name =
            format!("rom_{}x{}_{:08x}", self._contents.len(), tag(self.a.format()), hash.finish() as u32);
        names::cell::<Self>(name, &["a_addr", "b_addr"], &["a", "b"])
    }
}
