//! The compute engine: sequencer, array, drain.

pub mod array_row;
pub mod col_port;
pub mod drain;
pub mod mac_array;
pub mod pe;
pub use pe::multipliers_a_rank;
pub mod row_port;
pub mod sequencer;
