//! Serial ports of the operating system.

use crate::error::LinkError;
use crate::transport::{Port, Transport};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serialport::{ClearBuffer, ErrorKind, SerialPort as _, TTYPort};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// A serial port by its path.
#[derive(Clone, Debug)]
pub struct SerialPort {
    path: String,
}

impl SerialPort {
    /// The port at `path`, for instance `/dev/ttyUSB0`.
    pub fn new(path: impl Into<String>) -> Self {
        SerialPort { path: path.into() }
    }
}

impl Port for SerialPort {
    fn name(&self) -> &str {
        &self.path
    }

    fn open(&mut self, baud: u32) -> Result<Box<dyn Transport>, LinkError> {
        let port = self.path.clone();
        let opened = serialport::new(&self.path, baud).open_native();
        match opened {
            Ok(line) => {
                // a write to a port without room for all of it would wait for that, whatever its limit
                fcntl(line.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                    .map_err(|e| LinkError::Open { port, what: e.to_string() })?;
                Ok(Box::new(Line(line)))
            }
            Err(e) => Err(match e.kind {
                ErrorKind::NoDevice => LinkError::Busy { port },
                ErrorKind::Io(io::ErrorKind::NotFound) => LinkError::NoPort { port },
                ErrorKind::Io(io::ErrorKind::PermissionDenied) => LinkError::NoPermission { port },
                _ => LinkError::Open { port, what: e.to_string() },
            }),
        }
    }
}

struct Line(TTYPort);

/// Whether nothing went wrong: there was nothing to read, or no room.
fn is_wait(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

impl Transport for Line {
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.set_timeout(limit)?;
        match self.0.read(buffer) {
            // ready, but nothing to read: the other end is closed
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) if is_wait(&e) => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
        let end = Instant::now() + limit;
        while !bytes.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let what = format!("takes no bytes for {} s", limit.as_secs_f64());
                return Err(io::Error::new(io::ErrorKind::TimedOut, what));
            }
            self.0.set_timeout(left)?;
            match self.0.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(e) if is_wait(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn has_rate(&self) -> bool {
        true
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        Ok(self.0.set_baud_rate(baud)?)
    }

    fn discard(&mut self) -> io::Result<()> {
        Ok(self.0.clear(ClearBuffer::Input)?)
    }
}
