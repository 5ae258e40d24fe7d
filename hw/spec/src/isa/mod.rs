//! The instruction set: one table, from which decoder, twin, driver and reference page are rendered.
//!
//! An instruction is one or four *units* of 128 bits, sent least significant link word first. Its last
//! 16 bits are a CRC-16 that makes the checksum of the whole instruction zero.

mod field;
mod instruction;
mod memory;
mod table;
mod validate;

pub use field::{Bits512, Field, Opcode, Who};
pub use instruction::{Compute, Format, Instruction, Load, Loop, Store, Tokens, Transform};
pub use memory::{MEMORIES, Memory, MemoryRow, Shape, words_per_address};
pub use table::{OPCODES, compute, load, loop_fields, opcode, read, reset, store, transform};
pub use validate::FieldError;
