//! The contract of the accelerator: everything that hardware, twin, simulator and driver agree on.
//!
//! ```text
//! Config (from TOML) ─┬─► Instruction ─► Stream ─► [Engine] ─► Packet
//!                     └─► Timing          registers and fields: one table, rendered everywhere
//! ```
//!
//! This crate holds data and names, no arithmetic of the accelerator: the RTL (`tandem-rtl`) and
//! the twin (`tandem-model`) are two independent readings of `docs/accelerator.md`.

pub mod check;
pub mod config;
pub mod engine;
pub mod isa;
pub mod link;
pub mod packet;
pub mod reference;
pub mod registers;
pub mod stream;
pub mod timing;

pub use config::{Config, ConfigError, Counting};
pub use engine::{Engine, EngineError, Outcome, RunOptions, Stall, Status};
pub use isa::{Compute, Instruction, Load, Loop, Memory, Smooth, Store, StoreWidth, Tokens, Transform};
pub use packet::{Packet, Reason};
pub use registers::{Counters, Register};
pub use stream::Stream;
pub use timing::Timing;
