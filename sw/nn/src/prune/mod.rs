//! Pruning: which weights survive, when, and in which pattern.
//!
//! ```text
//! scores ─► ranks ─► budget: how many in each layer ─► mask: which ones ─► Prunable::set_mask
//! ```

pub mod budget;
pub mod cycles;
pub mod mask;
pub mod pattern;
pub mod plan;
pub mod preset;
pub mod probe;
mod pruner;
pub mod rank;
pub mod regrow;
mod report;
pub mod schedule;
pub mod scores;
mod scoring;
pub mod select;
mod state;
mod transposable;

pub use pruner::{PruneError, Pruner};
pub use report::{PruningReport, report};
