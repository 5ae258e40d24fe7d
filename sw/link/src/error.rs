//! Why a board cannot be used.

use std::time::Duration;

/// Why a board cannot be used. Every message names the port and what to do, where that is known.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such port.
    #[error("{port}: no such port (is the board plugged in?)")]
    NoPort {
        /// The port.
        port: String,
    },
    /// The user may not open it.
    #[error("{port}: no permission (Linux: join the group that owns it, often `dialout`)")]
    NoPermission {
        /// The port.
        port: String,
    },
    /// Another program has it.
    #[error("{port}: busy, another program has it open")]
    Busy {
        /// The port.
        port: String,
    },
    /// It cannot be opened for another reason.
    #[error("{port}: cannot be opened as a serial port: {what}")]
    Open {
        /// The port.
        port: String,
        /// What the system says.
        what: String,
    },
    /// Nothing came back.
    #[error("{port}: no answer at {baud} baud: nothing is sent (no board, or no tandem bitstream on it)")]
    Silent {
        /// The port.
        port: String,
        /// The rate that was tried.
        baud: u32,
    },
    /// Bytes came back, but no frame of a board.
    #[error(
        "{port}: another device: {bytes} bytes came at {baud} baud, none of them an answer of a tandem board \
         (the first: {first})"
    )]
    Foreign {
        /// The port.
        port: String,
        /// The rate that was tried.
        baud: u32,
        /// Bytes received.
        bytes: u64,
        /// The first of them, in hexadecimal.
        first: String,
    },
    /// The board answers at another rate.
    #[error(
        "{port}: wrong baud rate: the board answers at {answers_at}, not at {baud} (use {port}@{answers_at})"
    )]
    WrongBaud {
        /// The port.
        port: String,
        /// The rate that was asked for.
        baud: u32,
        /// The rate at which it answers.
        answers_at: u32,
    },
    /// The board speaks another version of the protocol or of the instruction set.
    #[error(
        "{port}: the board has {what} {found:#x}, this program {expected:#x}: generate its bitstream again"
    )]
    Version {
        /// The port.
        port: String,
        /// `protocol` or `identity`.
        what: &'static str,
        /// This program's.
        expected: u32,
        /// The board's.
        found: u32,
    },
    /// The board has another accelerator.
    #[error(
        "{port}: wrong bitstream: the board's accelerator has the configuration {found:#018x}, this program is \
         for {expected:#018x}"
    )]
    Mismatch {
        /// The port.
        port: String,
        /// Hash of the program's configuration.
        expected: u64,
        /// Hash that the board reports.
        found: u64,
    },
    /// The accelerator does not come to rest.
    #[error("{port}: the accelerator still works after {} s", .limit.as_secs_f64())]
    Restless {
        /// The port.
        port: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The port failed: the cable was pulled, most likely.
    #[error("{port}: connection lost: {what}")]
    Lost {
        /// The port.
        port: String,
        /// What the system says.
        what: String,
    },
    /// The connection was lost, and did not come back.
    #[error("{port}: lost, and not back within {} s: {last}", .limit.as_secs_f64())]
    Gone {
        /// The port.
        port: String,
        /// How long it was tried.
        limit: Duration,
        /// What the last attempt met, without the port.
        last: String,
    },
    /// The board fell silent.
    #[error("{port}: no frame for {} s", .limit.as_secs_f64())]
    Quiet {
        /// The port.
        port: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The board answers, but nothing moves.
    #[error("{port}: the board answers, but nothing moves for {} s", .limit.as_secs_f64())]
    Stuck {
        /// The port.
        port: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The board breaks the protocol.
    #[error("{port}: the board breaks the protocol: {what}")]
    Protocol {
        /// The port.
        port: String,
        /// How.
        what: String,
    },
}

impl LinkError {
    /// Whether opening the port again may help: the cable may have been pulled, the board may come back.
    pub fn is_passing(&self) -> bool {
        use LinkError::{Lost, NoPort, Open, Protocol, Quiet, Restless, Silent, Stuck};
        match self {
            Lost { .. } | Quiet { .. } | NoPort { .. } | Open { .. } | Silent { .. } | Protocol { .. } => {
                true
            }
            Stuck { .. } | Restless { .. } => false,
            // while a device comes back, its permissions may not be set yet
            LinkError::NoPermission { .. } | LinkError::Foreign { .. } => true,
            LinkError::Gone { .. }
            | LinkError::Busy { .. }
            | LinkError::WrongBaud { .. }
            | LinkError::Version { .. }
            | LinkError::Mismatch { .. } => false,
        }
    }
}
