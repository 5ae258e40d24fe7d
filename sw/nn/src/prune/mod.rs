//! Pruning: which weights survive, when, and in which pattern.
//!
//! ```text
//! schedule  d(t), λ(t), g(t)
//! scores ─► rank ─► S = (1 − λ)·frozen + λ·now ─► budget: Amount of each layer ─► mask: which ones ─► Prunable::set_mask
//! probe: the network in f64                          cycles: what they cost        pattern: what the hardware selects
//! measure: power spectra of what enters layers
//! ```
//!
//! One engine, the [`Pruner`], runs the schedule; the known methods are its settings
//! ([`preset::PRESETS`]). A score is one file in [`scores`]. Scores of layers that share a budget are
//! ranked together, others by themselves. Masks are fixed between changes, and the values under them
//! stay: a weight that is kept again goes on from its old value, unless it was regrown.
//!
//! # Source   the united schedule is our own; each special case cites its own source

pub mod budget;
pub mod config;
pub mod cycles;
pub mod mask;
mod measure;
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

pub use plan::PrunedLayer;
pub use pruner::{PruneError, Pruner};
pub use report::{PruningReport, report};
