//! Bytes to a board and back.

use crate::error::LinkError;
use std::io;
use std::time::{Duration, Instant};

/// An open line to a board.
pub trait Transport: Send {
    /// Reads what is there, or waits for it; 0 if nothing comes within `limit`.
    ///
    /// # Errors
    /// If the line is gone.
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// If the line is gone, or has not taken them all within `limit`.
    fn write(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()>;

    /// Whether the line has a rate. A bridge without one needs no negotiation.
    fn has_rate(&self) -> bool;

    /// Changes the rate.
    ///
    /// # Errors
    /// If the line does not offer it.
    fn set_baud(&mut self, baud: u32) -> io::Result<()>;

    /// Forgets bytes that have come and were not read.
    ///
    /// # Errors
    /// If the line is gone.
    fn discard(&mut self) -> io::Result<()>;

    /// The time by which waits on this line are counted.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// Where a line can be opened, again and again.
pub trait Port: Send {
    /// For messages.
    fn name(&self) -> &str;

    /// Opens it.
    ///
    /// # Errors
    /// [`LinkError::NoPort`], [`LinkError::NoPermission`], [`LinkError::Busy`], [`LinkError::Open`].
    fn open(&mut self, baud: u32) -> Result<Box<dyn Transport>, LinkError>;

    /// The time by which waits for this port are counted; its lines have the same.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits.
    fn pause(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}
