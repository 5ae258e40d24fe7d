//! A simulated board on a pseudo-terminal, and the line to it.
//!
//! ```text
//! program ⇄ pty ⇄ faults ⇄ UART at the rate that the program has set ⇄ rx, tx of the verilated board
//! ```

pub mod emulator;
pub mod faults;
pub mod line;
pub mod model;
pub mod pty;

pub use emulator::{Emulator, EmulatorOptions, Totals};
pub use faults::{Fault, FaultRate};
pub use model::BoardModel;
