//! Lowers products to instruction streams and runs them on an engine.

mod device;
pub use device::*;
