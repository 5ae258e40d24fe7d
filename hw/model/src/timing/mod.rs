//! The cycle model: an exact reading of the timing rules in `docs/accelerator.md`, in closed forms.
//!
//! ```text
//! words ─► [front] load engine ─► [lane] queues ─► compute: the unit's span ─┐
//!            ▲ [gate] stalls          └──────────► store: [packet] ◄─ [gate] ├─► [meter] counters
//!            └──────────── tokens: visible times ◄──────────────────────────-┘
//! ```
//!
//! Nothing here steps through cycles. An instruction's time is a closed form of its fields, of the
//! cycles in which its tokens are visible and of the stall pattern of its direction of the link:
//! O(1) without stalls, O(1) for each stretch of consecutive words with them.
//!
//! # The clock
//! It runs only during runs. A run lasts from its first cycle, which is cycle 0 of the stall patterns,
//! until the first cycle q in which all words are taken and nothing can move: the load engine waits for
//! words, compute and store engine are idle with an empty queue or a head whose tokens are missing, the
//! drain is done and tokens are given. Cycle q is not clocked: it is the first cycle of the next run.
//! Counters go on from there, so `total`, `span` and the waits of a blocked engine count the cycles of
//! all runs since the last READ or RESET, as if they were one.

mod front;
mod gate;
mod lane;
mod meter;
mod packet;
mod predict;
mod schedule;

pub(crate) use front::{Fault, Piece, Seen, Then};
pub use predict::CycleModel;
pub(crate) use predict::with_identity;
pub(crate) use schedule::{Event, Schedule};
