//! From an accelerator to a bitstream, from the bitstream back to products, and into a board.

#[path = "../common/mod.rs"]
mod common;
mod devices;
mod programming;
mod synthesis;
