//! What the cells of an accelerator grow with: closed forms of its keys, a few terms a unit.

use tandem_rtl::hdl::cells::Product;
use tandem_rtl::load::pieces::{Pieces, pieces};
use tandem_rtl::units::gemm::pe::{Widths, height};
use tandem_spec::config::{Counting, DEEP};
use tandem_spec::{Config, Memory};

/// Names and values of terms.
pub type Terms = Vec<(&'static str, f64)>;

/// Names of an accelerator's dimensions, as the closed forms have them.
struct Shape<'a> {
    c: &'a Config,
    w: Widths,
    elements: usize,
    /// Products of an element that shift and add.
    soft: usize,
    /// Products of an element in DSPs.
    hard: usize,
    deep: bool,
    /// Two products share a DSP.
    packs: bool,
}

impl<'a> Shape<'a> {
    fn new(c: &'a Config, hard: usize) -> Self {
        let (a, w) = (&c.array, Widths::new(c));
        let packs = height(c) == 2 && Product::packs(w.row, w.col);
        let (elements, deep) = (a.rows * a.cols, a.pipeline == DEEP);
        Shape { c, w, elements, soft: a.lanes - hard, hard, deep, packs }
    }

    /// Bits of a dot product.
    fn dot(&self) -> usize {
        self.w.row + self.w.col + self.c.array.lanes.ilog2() as usize
    }

    /// Cells of a product's carry chains: a chain a bit of the column digit but the first two, with the one into which a carry is fed.
    fn product(&self) -> usize {
        let (a, top) = (self.w.row, self.w.col - 1);
        let first = usize::from(top > 1);
        let one = |j: usize| chain(a + 1 + usize::from(j + 1 == top));
        (first..top).map(one).sum::<usize>() + first
    }

    /// Cells of the tree that adds an element's products: their two highest bits are the same.
    fn tree(&self) -> usize {
        let (lanes, bits) = (self.c.array.lanes, self.w.row + self.w.col - 1);
        (1..=lanes.ilog2()).map(|level| (lanes >> level) * chain(bits + level as usize)).sum()
    }

    /// Inputs of the multiplexers that shift a dot product, those of a sum's bits together.
    fn shift(&self) -> usize {
        let (w, dot) = (&self.w, self.dot());
        let inputs = |bit: usize| {
            let mut from: Vec<usize> =
                (0..w.shifts).filter_map(|s| bit.checked_sub(s * w.unit)).map(|b| b.min(dot - 1)).collect();
            let zero = usize::from(from.len() < w.shifts);
            from.dedup();
            from.len() + zero - 1
        };
        (0..self.c.array.acc_bits).map(inputs).sum()
    }
}

/// Cells of a carry chain over so many bits: two a `CCU2C`, one of which feeds the carry in.
fn chain(bits: usize) -> usize {
    2 * bits.div_ceil(2) + 2
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// LUTs with what else takes their place.
    Luts,
    /// Flip-flops.
    Ffs,
}

/// Terms of one unit by itself, by the name of its Verilog module, with `hard` products of an element in DSPs; none for a unit that has
/// no terms of its own.
pub fn unit(kind: Kind, c: &Config, hard: usize, name: &str) -> Option<Terms> {
    Some(match name {
        "processing_element" => elements(kind, &Shape { elements: height(c), ..Shape::new(c, hard) }),
        "drain" => drain(c),
        "row_port" => row_ports(c, 1),
        "col_port" => col_ports(c, 1),
        "index_port" => index_ports(c, 1),
        "sequencer" => sequencer(c),
        "store_engine" => store(c),
        "front_end" => front_end(c),
        "counter_file" => counters(c),
        _ => return None,
    })
}

/// Terms of an accelerator with its serial link and with `hard` products of an element in DSPs.
pub fn terms(kind: Kind, c: &Config, hard: usize) -> Terms {
    let (s, a) = (Shape::new(c, hard), &c.array);
    let memories = Memory::ALL.map(|memory| pieces(c, memory));
    let groups = |side: usize| side.div_ceil(a.hop) - 1;
    let hops = groups(a.cols) * a.rows * row_bits(c) + groups(a.rows) * a.cols * col_bits(c);
    let result = Ram { depth: c.memory.result, bits: a.acc_bits };
    let mut rest = distributed(&result, a.drain);
    rest.extend([
        ("rest", 1.0),
        ("rest, link", c.link_bits as f64),
        ("row indices", (s.elements * a.lanes * s.w.pick) as f64),
        ("hops", if kind == Kind::Ffs { hops as f64 } else { 0.0 }),
        ("queue", switch(c.queue > 1, c.queue.div_ceil(16))),
        ("pieces", memories.iter().map(|p| p.total()).sum::<usize>() as f64),
        ("broadcast", memories.iter().map(|p| broadcast(c, p)).sum::<usize>() as f64),
    ]);
    let indices = if a.select > 1 { index_ports(c, a.cols) } else { vec![] };
    let ports = [row_ports(c, a.rows), col_ports(c, a.cols), indices].concat();
    let mut all: Terms = vec![];
    for (name, value) in
        [elements(kind, &s), drain(c), ports, sequencer(c), store(c), front_end(c), counters(c), rest]
            .concat()
    {
        match all.iter_mut().find(|term| term.0 == name) {
            Some(term) => term.1 += value,
            None => all.push((name, value)),
        }
    }
    all
}

fn switch(on: bool, value: usize) -> f64 {
    if on { value as f64 } else { 0.0 }
}

fn elements(kind: Kind, s: &Shape) -> Terms {
    let (a, w, n) = (&s.c.array, &s.w, s.elements);
    if kind == Kind::Ffs {
        return vec![
            ("sums", (n * (2 * a.acc_bits + s.dot())) as f64),
            ("deep sums", switch(s.deep, n * a.acc_bits)),
            ("deep products", switch(s.deep, n * s.soft * (2 * w.row + w.col))),
            ("deep factors", switch(s.deep, n * s.soft * w.col)),
        ];
    }
    let selected = n * a.lanes * w.row;
    let wide = a.select.max(2) - 2;
    vec![
        ("chains", (n * (s.soft * s.product() + s.tree() + chain(a.acc_bits))) as f64),
        ("paired products", switch(s.deep && s.packs, n * s.hard * (w.row + w.col))),
        ("shift", (n * s.shift()) as f64),
        ("wide shift", (n * s.shift() * (w.shift.max(2) - 2)) as f64),
        ("select", switch(!s.deep, selected * (a.select - 1))),
        ("wide select", switch(!s.deep, selected * wide)),
        ("deep select", switch(s.deep, selected * (a.select - 1))),
        ("wide deep select", switch(s.deep, selected * wide)),
        ("indices", (n * a.lanes * w.pick) as f64),
    ]
}

fn drain(c: &Config) -> Terms {
    let a = &c.array;
    vec![
        ("drain", 1.0),
        ("drained rows", (a.cols * a.acc_bits * (a.rows - 1)) as f64),
        ("drained columns", (a.cols * a.acc_bits) as f64),
        ("gathered columns", switch(a.cols > a.drain, a.rows * a.cols * a.acc_bits)),
        ("drained word", (a.drain * a.acc_bits) as f64),
    ]
}

fn row_bits(c: &Config) -> usize {
    c.array.select * c.array.lanes * Widths::new(c).row
}

fn col_bits(c: &Config) -> usize {
    c.array.lanes * Widths::new(c).col
}

/// Terms of memories in distributed RAMs: these, and the bits that each chooses from.
fn distributed(memory: &Ram, count: usize) -> Terms {
    let rams = memory.distributed();
    let bits = if rams > 0 { memory.bits * memory.depth.div_ceil(16) } else { 0 };
    vec![("distributed RAMs", (count * rams) as f64), ("distributed bits", (count * bits) as f64)]
}

/// Terms of so many ports of a memory.
fn ports(c: &Config, memory: Memory, count: usize, terms: &[(&'static str, f64)]) -> Terms {
    let p = pieces(c, memory);
    let mut all = distributed(&Ram { depth: p.depth, bits: p.bits }, count * p.count);
    all.extend(terms.iter().map(|(name, value)| (*name, count as f64 * value)));
    all
}

fn row_ports(c: &Config, count: usize) -> Terms {
    let terms = [
        ("row ports", 1.0),
        ("row digits", (c.array.select * c.array.lanes) as f64),
        ("row windows", row_bits(c) as f64),
        ("row addresses", c.address_bits as f64),
        ("deep row windows", switch(c.array.pipeline == DEEP, row_bits(c))),
    ];
    ports(c, Memory::Row, count, &terms)
}

fn col_ports(c: &Config, count: usize) -> Terms {
    let terms = [
        ("column ports", 1.0),
        ("column digits", c.array.lanes as f64),
        ("column windows", col_bits(c) as f64),
        ("deep column windows", switch(c.array.pipeline == DEEP, col_bits(c))),
    ];
    ports(c, Memory::Col, count, &terms)
}

fn index_ports(c: &Config, count: usize) -> Terms {
    let terms = [
        ("index ports", 1.0),
        ("column indices", (c.index_lanes() * Widths::new(c).pick) as f64),
        ("deep indices", switch(c.array.pipeline == DEEP, c.index_lanes() * c.index_bits())),
    ];
    ports(c, Memory::Index, count, &terms)
}

fn sequencer(c: &Config) -> Terms {
    vec![
        ("sequencer", 1.0),
        ("turns", ((c.loops + 2) * c.address_bits) as f64),
        ("selecting turns", switch(c.array.select > 1, c.address_bits)),
    ]
}

fn store(c: &Config) -> Terms {
    let (drain, link) = (c.array.drain, c.link_bits);
    let nibbles = link / 4;
    vec![
        ("store", 1.0),
        ("results", (drain * c.array.acc_bits) as f64),
        ("store, link", link as f64),
        ("narrowing", switch(c.narrow, 1)),
        ("narrowed results", switch(c.narrow, drain)),
        ("assembly", switch(!c.pack, drain.max(link / 8))),
        ("packing", switch(c.pack, 1)),
        ("packed results", switch(c.pack, drain)),
        ("packed words", switch(c.pack, (8 * drain + nibbles) * nibbles.ilog2() as usize)),
    ]
}

fn counters(c: &Config) -> Terms {
    vec![("counter", 1.0), ("counters", switch(c.counters == Counting::All, 1))]
}

fn front_end(c: &Config) -> Terms {
    vec![("front end", 1.0), ("load, link", c.link_bits as f64), ("load, word", c.link_bits.ilog2() as f64)]
}

/// Bits of the multiplexers that choose between an element's own data and those of a broadcast: those with the same inputs are one.
fn broadcast(c: &Config, p: &Pieces) -> usize {
    if p.count == 0 {
        return 0;
    }
    let per_word = (c.link_bits / p.bits).max(1);
    let mut inputs: Vec<_> = (0..p.total()).map(|i| (i % per_word, i % p.count % per_word)).collect();
    inputs.sort_unstable();
    inputs.dedup();
    p.bits * inputs.iter().filter(|(own, shared)| own != shared).count()
}

/// Products of the control, each a DSP if both factors have two bits or more: result words of a tile, elements of a tile and those that a
/// pattern avoids for the counters, nibbles of a packet.
pub fn control_dsps(c: &Config) -> usize {
    let a = &c.array;
    let pick = Widths::new(c).pick;
    let product = |x: usize, y: usize| usize::from(x > 1 && y > 1);
    let counted = product(a.rows, a.cols) + product(a.rows * a.cols, pick);
    product(a.rows, a.cols.div_ceil(a.drain))
        + if c.counters == Counting::All { counted } else { 0 }
        + usize::from(c.pack)
}

/// A memory with a port to write and one to read.
pub struct Ram {
    depth: usize,
    bits: usize,
}

/// Operand, index and result memories.
pub fn rams(c: &Config) -> Vec<Ram> {
    let operands = [Memory::Row, Memory::Col, Memory::Index].map(|memory| pieces(c, memory));
    let operands = operands.into_iter().flat_map(|p| (0..p.total()).map(move |_| (p.depth, p.bits)));
    let results = (0..c.array.drain).map(|_| (c.memory.result, c.array.acc_bits));
    operands.chain(results).map(|(depth, bits)| Ram { depth, bits }).collect()
}

impl Ram {
    /// Distributed RAMs of 16 × 4 bits that Yosys makes of a memory if they are few.
    const FEW: usize = 20;

    fn small(&self) -> usize {
        self.depth.div_ceil(16) * self.bits.div_ceil(4)
    }

    /// Distributed RAMs.
    pub fn distributed(&self) -> usize {
        if self.small() <= Self::FEW { self.small() } else { 0 }
    }

    /// Block RAMs: as few as any of their shapes allows.
    pub fn blocks(&self) -> usize {
        if self.distributed() > 0 {
            return 0;
        }
        let shapes = [(512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)];
        let blocks = shapes.map(|(depth, bits)| self.depth.div_ceil(depth) * self.bits.div_ceil(bits));
        blocks.into_iter().min().expect("shapes")
    }
}
