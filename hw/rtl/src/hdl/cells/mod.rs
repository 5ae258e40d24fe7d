//! Leaf cells: a Rust model in `update`, Verilog in `hdl`, nothing else is written twice.
//!
//! Small cells are *inlined*: their Verilog starts with [`INLINE`] and is printed inside the module
//! that holds them, port names replaced by that module's wires, so that a register is one `always`
//! line and not an instance. The others become modules of their own, shared between all instances
//! of the same shape.
//!
//! | cell | function | latency |
//! |---|---|---|
//! | [`Reg`], [`RegEn`] | `q ← d`, `q ← d if en` | 1 |
//! | [`Ram`] | one write port, one synchronous read port with enable | 1 |
//! | [`Rom`] | a table with two synchronous read ports | 1 |
//! | [`RegFile`] | one write port, one asynchronous read port | 0 |
//! | [`Fifo`] | queue with the head in view | 1 |
//! | [`Slice`], [`Unpack`], [`Concat`], [`SignExtend`] | wiring | 0 |
//! | [`Mux`] | `y = x[sel]` | 0 |
//! | [`Stage`] | `q ← d`, or `q = d` where the pipeline is short | 1 or 0 |
//! | [`Product`] | `y = a · b`, one or two, by shift-and-add where that is smaller | 0 or 2 |
//! | [`Accumulate`] | `y = x + sum`, or `x` where a sum starts | 0 |
//! | [`ShiftLeft`], [`Asr`] | `y = x · 2^(sel·step)`, `y = ⌊x / 2^amount⌋` | 0 |
//! | [`ShiftLanes`] | `y[i] = x[i − sel]` | 0 |
//! | [`XorReduce`] | a product with a constant matrix over GF(2) | 0 |
mod accumulate;
mod asr;
mod carry;
mod concat;
mod fifo;
mod mux;
mod product;
mod ram;
mod reg;
mod reg_en;
mod reg_file;
mod rom;
mod shift_lanes;
mod shift_left;
mod sign_extend;
mod slice;
mod stage;
mod unpack;
mod xor_reduce;

pub use accumulate::Accumulate;
pub use asr::Asr;
pub use carry::ECP5;
pub use concat::Concat;
pub use fifo::Fifo;
pub use mux::Mux;
pub use product::{Product, SHIFT_ADD};
pub use ram::Ram;
pub use reg::Reg;
pub use reg_en::RegEn;
pub use reg_file::RegFile;
pub use rom::Rom;
pub use shift_lanes::ShiftLanes;
pub use shift_left::ShiftLeft;
pub use sign_extend::SignExtend;
pub use slice::Slice;
pub use stage::Stage;
pub use unpack::Unpack;
pub use xor_reduce::XorReduce;

use super::number_format::NumberFormat;
use super::unit::Field;
use rust_hdl::prelude::Clock;

impl Field for Reg {
    fn prepare(&mut self, clock: Clock) {
        self.clock.next = clock;
        self.d.next = self.q.val();
    }
}

macro_rules! clocked {
    ($($cell:ident),*) => {
        $(impl Field for $cell {
            fn prepare(&mut self, clock: Clock) {
                self.clock.next = clock;
            }
        })*
    };
}
clocked!(Fifo, Product, Ram, RegEn, RegFile, Rom, Stage);

macro_rules! unclocked {
    ($($cell:ident),*) => {
        $(impl Field for $cell {})*
    };
}
unclocked!(Accumulate, Asr, Concat, Mux, ShiftLanes, ShiftLeft, SignExtend, Slice, Unpack, XorReduce);

/// First line of the Verilog of a cell that is printed inside its parent.
pub const INLINE: &str = "// inline\n";

/// Begins and ends what a cell's Verilog says only if the design has a reset: `⟦if (reset) q <= 0; else ⟧q <= d;`.
pub const ON_RESET: [char; 2] = ['⟦', '⟧'];

/// A register with this initial value, which `statement` changes at a clock edge.
pub fn register(q: &str, initial: &str, statement: &str) -> String {
    format!(
        "initial {q} = {initial};\nalways @(posedge clock) ⟦if (reset) {q} <= {initial}; else ⟧{statement}"
    )
}

/// A literal of the given format, every bit spelled out: `8'hfd`, `8'shfd`.
fn literal(v: i128, format: NumberFormat) -> String {
    let pattern = NumberFormat { signed: false, ..format }.wrap(v) as u128;
    format!("{}'{}h{pattern:x}", format.bits, if format.signed { "s" } else { "" })
}

/// `[7:0] `, or nothing for a single bit.
fn range(bits: usize) -> String {
    if bits == 1 { String::new() } else { format!("[{}:0] ", bits - 1) }
}

/// `signed [7:0] `, the declaration of a net of this format after its keyword.
fn declared(format: NumberFormat) -> String {
    let range = range(format.bits as usize);
    if format.signed { format!("signed {range}") } else { range }
}

/// `s8` or `u8`: a format in a module name.
fn tag(format: NumberFormat) -> String {
    format!("{}{}", if format.signed { "s" } else { "u" }, format.bits)
}
