//! Pruning: which weights survive, when, and in which pattern.
//!
//! ```text
//! scores ─► ranks ─► budget: how many in each layer ─► mask: which ones ─► Prunable::set_mask
//! ```

pub mod budget;
pub mod cycles;
pub mod mask;
pub mod pattern;
pub mod preset;
pub mod probe;
pub mod rank;
pub mod schedule;
pub mod scores;
mod transposable;
