//! Which quantizer suits which tensor: measured on the tensors of a run.
//!
//! ```text
//! tensors of a layer ── measure ──► noise-to-signal of each quantizer at each width
//!                        auto ────► the widths and quantizers with the least noise under a budget
//! ```

pub mod auto;
pub mod measure;
