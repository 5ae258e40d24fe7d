//! The instruction set: one table, from which decoder, twin, driver and reference page are rendered.
//!
//! An instruction is one or four *units* of 128 bits, sent least significant link word first. Its last
//! 16 bits are a CRC-16 that makes the checksum of the whole instruction zero.

mod declare;
mod field;
mod instruction;
mod memory;
mod table;
mod text;
mod validate;

pub use field::{Bits512, Field, MOST_UNITS, Opcode, Who};
pub use instruction::{Loop, StoreWidth, Tokens};
pub use memory::{MemoryRow, Shape, words_per_address};
pub use table::*;
pub use validate::FieldError;
