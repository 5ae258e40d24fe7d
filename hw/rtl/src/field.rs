//! An instruction's fields as named wires: a unit says which it looks at, the table of instructions where they lie.

use crate::hdl::cells::INLINE;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use std::fmt::Write;
use tandem_spec::Config;
use tandem_spec::isa::{Field, MOST_UNITS, OPCODES, Opcode, Who};

/// 16-bit halves of the longest instruction.
pub const HALVES: usize = MOST_UNITS * 128 / 16;

/// The number of an instruction, as front end and queues know it: its place among those that are generated, or one that no
/// instruction has.
pub fn kind(c: &Config, name: &str) -> Dim {
    Dim::new(Opcode::present(c).position(|o| o.name == name).unwrap_or_else(|| Opcode::present(c).count()))
}

/// Bits of such a number; all ones is none of them.
pub fn kind_bits(c: &Config) -> usize {
    index_bits(Opcode::present(c).count() + 1)
}

/// Units of the compute engine: one an opcode.
pub fn turns(c: &Config) -> usize {
    Opcode::present(c).filter(|o| o.engine == Who::Compute).count()
}

/// The place of an opcode's unit among them; 0 if it is of another engine.
pub fn turn(c: &Config, name: &str) -> usize {
    Opcode::present(c).filter(|o| o.engine == Who::Compute).position(|o| o.name == name).unwrap_or(0)
}

/// Halves that the queue of an engine keeps.
pub fn queue_halves(engine: Who) -> usize {
    OPCODES.iter().filter(|o| o.engine == engine).map(halves).max().unwrap_or(0)
}

/// Where a loop level's part lies, for [`fields!`](crate::fields).
///
/// # Panics
/// If the instruction has no loops, or they no such part.
pub fn level(op: &Opcode, level: usize, part: &str) -> Field {
    let parts = op.level(level).into_iter().flatten();
    parts.into_iter().find(|f| f.name == part).unwrap_or_else(|| panic!("no {part} in {}", op.name))
}

/// 16-bit halves from an instruction's first to the last one with a field.
pub fn halves(op: &Opcode) -> usize {
    op.all_fields().map(|f| (f.offset + f.width).div_ceil(16)).max().unwrap_or(0)
}

/// The value of `f` in an instruction's halves.
pub fn value(f: Field, half: &[Sig<In>]) -> i128 {
    let bit = |b: usize| half[b / 16].val().get() >> (b % 16) & 1;
    (0..f.width).map(|i| bit(f.offset + i) << i).sum()
}

/// The same in Verilog, of the ports `half$0`, `half$1`, …
pub fn text(f: Field) -> String {
    let (first, end) = (f.offset, f.offset + f.width);
    let parts = (first / 16..end.div_ceil(16)).rev().map(|h| {
        let (lo, hi) = (first.max(16 * h) - 16 * h, end.min(16 * h + 16) - 16 * h);
        match (lo, hi - lo) {
            (_, 16) => format!("half${h}"),
            (_, 1) => format!("half${h}[{lo}]"),
            _ => format!("half${h}[{}:{lo}]", hi - 1),
        }
    });
    let parts: Vec<String> = parts.collect();
    if parts.len() == 1 { parts.concat() } else { format!("{{{}}}", parts.join(", ")) }
}

/// Declares a cell that cuts the named fields out of an instruction's halves, and, after `levels`, parts of its loop levels,
/// a `Vec` each.
///
/// ```
/// # use tandem_rtl::hdl::prelude::*;
/// # use rust_hdl::prelude::*;
/// tandem_rtl::fields! {
///     /// What a unit asks of a STORE.
///     pub struct Head of "STORE": pop_prev, address, shift
/// }
/// let head = Head::new(0);
/// assert_eq!((head.half.len(), head.shift.bits()), (4, 5));
/// ```
#[macro_export]
macro_rules! fields {
    ($(#[$doc:meta])* $vis:vis struct $Unit:ident of $op:literal: $($name:ident),* $(; levels $($part:ident),*)?) => {
        $(#[$doc])*
        ///
        /// # Timing  combinational
        #[derive(LogicBlock)]
        $vis struct $Unit {
            /// The instruction's 16-bit halves.
            pub half: Vec<Sig<In>>,
            $(#[doc = concat!("Its `", stringify!($name), "`.")]
            pub $name: Sig<Out>,)*
            $($(#[doc = concat!("`", stringify!($part), "` of its loop levels.")]
            pub $part: Vec<Sig<Out>>,)*)?
        }

        impl $Unit {
            /// The cell, with so many loop levels.
            $vis fn new(_levels: usize) -> Self {
                let op = ::tandem_spec::isa::Opcode::named($op);
                $Unit {
                    half: Sig::vec($crate::field::halves(op), 16, false),
                    $($name: Sig::unsigned(op.field(stringify!($name)).width),)*
                    $($($part: Sig::vec(_levels, 16, false),)*)?
                }
            }
        }

        impl $crate::hdl::unit::Field for $Unit {}

        impl Logic for $Unit {
            fn update(&mut self) {
                let op = ::tandem_spec::isa::Opcode::named($op);
                $(self.$name.set($crate::field::value(op.field(stringify!($name)), &self.half));)*
                $($(for l in 0..self.$part.len() {
                    let field = $crate::field::level(op, l, stringify!($part));
                    self.$part[l].set($crate::field::value(field, &self.half));
                })*)?
            }
            fn connect(&mut self) {
                $(self.$name.connect();)*
                $($(self.$part.iter_mut().for_each(|p| p.connect());)*)?
            }
            fn hdl(&self) -> Verilog {
                let op = ::tandem_spec::isa::Opcode::named($op);
                let ports = [$((stringify!($name).to_string(), op.field(stringify!($name))),)*].into_iter();
                $($(let ports = ports.chain((0..self.$part.len()).map(|l| {
                    (format!("{}${l}", stringify!($part)), $crate::field::level(op, l, stringify!($part)))
                }));)*)?
                $crate::field::cell(ports)
            }
            fn timing(&self) -> Vec<TimingInfo> {
                $crate::hdl::names::cell::<Self>("fields".into(), &[], &[])
            }
        }
    };
}

/// The Verilog of a cell with such outputs.
pub fn cell(ports: impl Iterator<Item = (String, Field)>) -> Verilog {
    let mut v = INLINE.to_string();
    for (port, field) in ports {
        writeln!(v, "assign {port} = {};", text(field)).expect("a string");
    }
    Verilog::Custom(v)
}

/// Any fields of any instructions, by number.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Fields {
    /// The instruction's 16-bit halves.
    pub half: Vec<Sig<In>>,
    /// The fields.
    pub y: Vec<Sig<Out>>,
    _fields: Vec<Field>,
}

impl Fields {
    /// These fields, out of so many halves.
    pub fn new(halves: usize, fields: Vec<Field>) -> Self {
        let y = fields.iter().map(|f| Sig::unsigned(f.width)).collect();
        Fields { half: Sig::vec(halves, 16, false), y, _fields: fields }
    }
}

impl crate::hdl::unit::Field for Fields {}

impl Logic for Fields {
    fn update(&mut self) {
        for (y, f) in self.y.iter_mut().zip(&self._fields) {
            y.set(value(*f, &self.half));
        }
    }
    fn connect(&mut self) {
        self.y.iter_mut().for_each(|y| y.connect());
    }
    fn hdl(&self) -> Verilog {
        cell(self._fields.iter().enumerate().map(|(i, f)| (format!("y${i}"), *f)))
    }
    fn timing(&self) -> Vec<TimingInfo> {
        crate::hdl::names::cell::<Self>("fields".into(), &[], &[])
    }
}
