//! A simulated board on a pseudo-terminal, and the line to it.
//!
//! ```text
//! program ⇄ pty ⇄ faults, noise ⇄ UART at the rate that the program has set ⇄ rx, tx of the verilated board
//! ```

pub mod disturbance;
pub mod emulator;
pub mod faults;
pub mod line;
pub mod model;
pub mod port_link;
pub mod pty;

pub use disturbance::{Level, Noise, Stick};
pub use emulator::{Emulator, EmulatorError, EmulatorOptions, Totals};
pub use faults::{Fault, FaultRate};
pub use model::BoardModel;
pub use port_link::{PortLink, PortLinkError};
