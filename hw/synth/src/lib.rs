//! From an accelerator and a board to a bitstream, with open tools only.
//!
//! ```text
//! Config ─► tandem-rtl ─► Verilog ─┐
//! Board (TOML) ─► pins, levels ────┴─► Yosys ─► nextpnr ─► packer ─► bitstream
//!                                        └ cells    └ Fmax, critical path, utilisation
//! ```
//! A board is data: one file in `configs/boards/`. Tools come from the virtual environment that `make setup-fpga` makes,
//! results from the user's cache.

pub mod area;
pub mod board;
pub mod environment;
pub mod error;
pub mod flow;
pub mod options;
pub mod pins;
pub mod program;
pub mod report;
pub mod scan;
pub mod stage;
pub mod tools;

pub use area::{Area, AreaError, AreaModel};
pub use board::{Board, Family};
pub use error::SynthError;
pub use flow::{Event, Job, PACKED_LUTS, Result, SUMMARY, Stage, ecp5_script, packed, synthesise};
pub use program::{loader, program};
pub use report::{CriticalPath, Resources, slack_ns};
pub use tools::Tools;
