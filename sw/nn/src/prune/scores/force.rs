//! Foresight connection sensitivity: SNIP on the pruned network, round by round.
//!
//! ```text
//! s = |w·∂L/∂w|          ∂L/∂w at the masked weights, w the stored ones: pruned weights may return
//! density after round k of R: d^(k/R)
//! ```
//!
//! # Source   de Jorge et al., "Progressive skeletonization: trimming more fat from a network at initialization",
//! 2021

use super::ScoreKind;
use super::snip::Snip;

/// This score under its name.
pub const KIND: ScoreKind = ScoreKind { name: "force", score: &Snip, rounds: 20 };
