//! A pseudo-terminal: what a serial adapter looks like to a program.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The adapter's end, and the path of the other one.
#[derive(Debug)]
pub struct Pty {
    adapter: OwnedFd,
    /// Kept open, so that the adapter's end stays usable while no program has the port.
    port: OwnedFd,
    path: PathBuf,
}

impl Pty {
    /// A new pseudo-terminal; its port is raw.
    ///
    /// # Errors
    /// What the system says.
    pub fn open() -> io::Result<Pty> {
        let adapter = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&adapter)?;
        unlockpt(&adapter)?;
        let name = ptsname(&adapter, vec![])?.into_bytes();
        let path = PathBuf::from(std::ffi::OsString::from_vec(name));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let port = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut settings = tcgetattr(&port)?;
        settings.make_raw();
        tcsetattr(&port, OptionalActions::Now, &settings)?;
        rustix::fs::fcntl_setfl(&adapter, OFlags::NONBLOCK)?;
        Ok(Pty { adapter, port, path })
    }

    /// The port that a program opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rate that the program has set.
    ///
    /// # Errors
    /// What the system says.
    pub fn baud(&self) -> io::Result<u32> {
        Ok(tcgetattr(&self.adapter)?.output_speed())
    }

    /// Lets other programs open the port again: the mark of a program that was killed would stay, because the port is kept
    /// open here.
    ///
    /// # Errors
    /// What the system says.
    pub fn release(&self) -> io::Result<()> {
        Ok(rustix::termios::ioctl_tiocnxcl(&self.port)?)
    }

    /// Bytes that the program has written; none if there are none.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.adapter, buffer) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Gives bytes to the program; how many it has room for.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(&self.adapter, bytes) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Waits until there is something to read (`write`: room to write), at most for `limit`.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, write: bool, limit: Duration) -> io::Result<()> {
        let events = if write { PollFlags::OUT } else { PollFlags::IN };
        let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&self.adapter, events)], Some(&limit)) {
            Err(Errno::INTR) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }
}
