//! Serial ports of the operating system.

use crate::error::LinkError;
use crate::transport::{Port, Transport};
use serialport::{ClearBuffer, ErrorKind, SerialPort as _, TTYPort};
use std::io::{self, Read, Write};
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
            Ok(port) => Ok(Box::new(Line(port))),
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

impl Transport for Line {
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.set_timeout(limit)?;
        match self.0.read(buffer) {
            // ready, but nothing to read: the other end is closed
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) if matches!(e.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => Ok(0),
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
                Err(e) if matches!(e.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {}
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
