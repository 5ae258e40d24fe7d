//! A queue.
use super::{declared, literal};
use crate::hdl::names;
use crate::hdl::number_format::{bits_for, index_bits};
use crate::hdl::sig::Sig;
use crate::hdl::word::Word;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// First in, first out, with the oldest entry in view.
///
/// ```text
///  d[..] ──push──▶ [ depth entries ] ──▶ head[..] ──pop
///                   full      empty
/// ```
/// An entry is a record of fields, so that it may be wider than a single signal.
///
/// # Timing   an entry pushed in one cycle is at the head in the next; `full`, `empty` and `count`
/// come from registers. A push while `full` and a pop while `empty` do nothing, also if the other
/// one happens in the same cycle.
/// # Numeric  `head` is undefined while `empty`
#[derive(LogicBlock)]
pub struct Fifo {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Whether to add `d`.
    pub push: Signal<In, Bit>,
    /// The fields of the new entry.
    pub d: Vec<Sig<In>>,
    /// Whether to drop the head.
    pub pop: Signal<In, Bit>,
    /// The fields of the oldest entry.
    pub head: Vec<Sig<Out>>,
    /// `count == depth`.
    pub full: Signal<Out, Bit>,
    /// `count == 0`.
    pub empty: Signal<Out, Bit>,
    /// Entries inside.
    pub count: Sig<Out>,
    _mem: Vec<Vec<Word>>,
    _read: usize,
    _write: usize,
    _used: usize,
}

impl Fifo {
    /// A queue of `depth` entries whose fields have the given bits, all unsigned.
    ///
    /// # Panics
    /// If `depth` is 0 or there are no fields.
    pub fn new(depth: usize, fields: &[usize]) -> Self {
        assert!(depth > 0 && !fields.is_empty(), "a queue of {depth} entries with {} fields", fields.len());
        let mut fifo = Fifo {
            clock: Default::default(),
            push: Default::default(),
            d: fields.iter().map(|b| Sig::unsigned(*b)).collect(),
            pop: Default::default(),
            head: fields.iter().map(|b| Sig::unsigned(*b)).collect(),
            full: Default::default(),
            empty: Default::default(),
            count: Sig::unsigned(bits_for(depth)),
            _mem: vec![fields.iter().map(|b| Word::new(0, *b, false)).collect(); depth],
            _read: 0,
            _write: 0,
            _used: 0,
        };
        fifo.empty.next = true;
        fifo
    }

    fn depth(&self) -> usize {
        self._mem.len()
    }
}

impl Logic for Fifo {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let push = self.push.val() && self._used < self.depth();
            let pop = self.pop.val() && self._used > 0;
            if push {
                self._mem[self._write] = self.d.iter().map(|f| f.val()).collect();
                self._write = (self._write + 1) % self.depth();
            }
            if pop {
                self._read = (self._read + 1) % self.depth();
            }
            self._used = self._used + usize::from(push) - usize::from(pop);
        }
        for (port, field) in self.head.iter_mut().zip(&self._mem[self._read]) {
            port.next = *field;
        }
        self.full.next = self._used == self.depth();
        self.empty.next = self._used == 0;
        self.count.set(self._used as i128);
    }
    fn connect(&mut self) {
        self.head.iter_mut().for_each(|f| f.connect());
        self.full.connect();
        self.empty.connect();
        self.count.connect();
    }
    fn hdl(&self) -> Verilog {
        verilog(self).map_or(Verilog::Empty, Verilog::Custom)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        let bits: usize = self.d.iter().map(|f| f.bits()).sum();
        let fields: Vec<String> = (0..self.d.len()).map(|i| format!("d${i}")).collect();
        let heads: Vec<String> = (0..self.d.len()).map(|i| format!("head${i}")).collect();
        let mut sampled = vec!["push", "pop"];
        sampled.extend(fields.iter().map(String::as_str));
        let mut registered = vec!["full", "empty", "count"];
        registered.extend(heads.iter().map(String::as_str));
        names::cell::<Self>(format!("fifo_{}x{bits}", self.depth()), &sampled, &registered)
    }
}

/// The head in registers, the entries behind it in one memory a field; pointers and count in registers.
fn verilog(fifo: &Fifo) -> Option<String> {
    let (depth, last) = (fifo.depth(), fifo.depth() - 1);
    let (pointer, counter) = (index_bits(depth), bits_for(depth));
    let next = |p: &str| match depth {
        _ if depth.is_power_of_two() => format!("{p} + {pointer}'d1"),
        _ => format!("({p} == {pointer}'d{last}) ? {pointer}'d0 : {p} + {pointer}'d1"),
    };
    let mut v = format!(
        "wire do_push = push & ~full;\nwire do_pop = pop & ~empty;\n\
         initial count = {counter}'d0;\n\
         assign full = count == {counter}'d{depth};\nassign empty = count == {counter}'d0;\n\
         always @(posedge clock) ⟦if (reset) count <= {counter}'d0; else ⟧begin\n\
         \x20 if (do_push & ~do_pop) count <= count + {counter}'d1;\n\
         \x20 if (do_pop & ~do_push) count <= count - {counter}'d1;\n\
         end\n"
    );
    let behind = depth > 1;
    if behind {
        let range = if pointer == 1 { String::new() } else { format!("[{}:0] ", pointer - 1) };
        write!(
            v,
            "reg {range}rptr;\nreg {range}wptr;\nwire none_behind = count <= {counter}'d1;\n\
             wire direct = empty | (none_behind & do_pop);\n\
             initial begin\n  rptr = {pointer}'d0;\n  wptr = {pointer}'d0;\nend\n\
             always @(posedge clock) ⟦if (reset) begin\n  rptr <= {pointer}'d0;\n  wptr <= {pointer}'d0;\nend else ⟧begin\n\
             \x20 if (do_push & ~direct) wptr <= {};\n\
             \x20 if (do_pop & ~none_behind) rptr <= {};\n\
             end\n\
             integer i;\n",
            next("wptr"),
            next("rptr"),
        )
        .ok()?;
    }
    for (i, field) in fifo.d.iter().enumerate() {
        let (format, zero) = (declared(field.format()), literal(0, field.format()));
        writeln!(v, "reg {format}oldest_{i};\ninitial oldest_{i} = {zero};\nassign head${i} = oldest_{i};")
            .ok()?;
        if behind {
            write!(
                v,
                "reg {format}mem_{i} [0:{last}];\n\
                 initial for (i = 0; i <= {last}; i = i + 1) mem_{i}[i] = {zero};\n\
                 always @(posedge clock) begin\n\
                 \x20 if (do_push) mem_{i}[wptr] <= d${i};\n\
                 \x20 if (do_pop | (do_push & empty)) oldest_{i} <= none_behind ? d${i} : mem_{i}[rptr];\n\
                 end\n"
            )
            .ok()?;
        } else {
            writeln!(v, "always @(posedge clock) if (do_push) oldest_{i} <= d${i};").ok()?;
        }
    }
    Some(v)
}
