//! From an accelerator to a bitstream, from the bitstream back to products, and into a board.

mod bitstream;
#[path = "../common/mod.rs"]
mod common;
mod programming;
mod synthesis;
