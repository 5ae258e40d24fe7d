//! The host's side of the serial link (`docs/link.md`), and the engine that runs programs over it.
//!
//! ```text
//! Stream ─► records ─► Outgoing (window) ─► Frame ─► Transport ─► board
//! Packets ◄─────────── Incoming (window) ◄─ Frame ◄─ Transport ◄── board
//!           Connection: acknowledges, polls, sends again, bounds every wait
//! SerialEngine: opens, identifies, reopens, replays what begins with a RESET
//! ```
//! [`Transport`] is bytes in, bytes out, with bounded waits. [`SerialPort`] is one; a faster bridge is one more.

pub mod connection;
pub mod engine;
pub mod error;
pub mod frame;
pub mod handshake;
pub mod options;
pub mod prediction;
pub mod records;
pub mod serial_port;
pub mod statistics;
pub mod transport;
pub mod windows;

pub use connection::Connection;
pub use engine::SerialEngine;
pub use error::LinkError;
pub use frame::{Damage, Frame, FrameReader};
pub use handshake::Hello;
pub use options::LinkOptions;
pub use serial_port::SerialPort;
pub use statistics::Statistics;
pub use transport::{Port, Transport};
