//! The unit that carries out COMPUTE (docs/accelerator.md).
//!
//! ```text
//! [sequencer] ─► [MAC array: ports, rows of elements] ─► [drain] ─► result memory
//! ```

pub mod array_row;
pub mod code_port;
pub mod drain;
pub mod index_port;
pub mod mac_array;
pub mod operand_port;
pub mod pe;
pub mod sequencer;
pub mod skew;
pub mod step;
pub mod unit;

pub use pe::multipliers_a_rank;
