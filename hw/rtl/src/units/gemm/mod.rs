//! The compute engine: sequencer, array, drain.

pub mod array_row;
pub mod drain;
pub mod engine;
pub mod gemm;
pub mod index_port;
pub mod mac_array;
pub mod operand_port;
pub mod pe;
pub use pe::multipliers_a_rank;
pub mod sequencer;
pub mod skew;
pub mod step;
