//! A port's lasting name: a symbolic link to the pseudo-terminal.

use std::io;
use std::path::{Path, PathBuf};

/// Where the system keeps the ports of pseudo-terminals.
const PORTS: &str = "/dev/pts";

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PortLinkError {
    /// There is something else.
    #[error("{}: exists, and is no symbolic link to a port; nothing is overwritten", .link.display())]
    Taken {
        /// The link.
        link: PathBuf,
    },
    /// Its port is somebody's.
    #[error(
        "{}: points to {}, which is in use (by another emulator?); take another name, or remove it",
        .link.display(), .port.display()
    )]
    InUse {
        /// The link.
        link: PathBuf,
        /// The port that it points to.
        port: PathBuf,
    },
    /// The system refuses.
    #[error("{}: {source}", .link.display())]
    Io {
        /// The link.
        link: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A symbolic link to a port; removed with this value, if it still points there.
#[derive(Debug)]
pub struct PortLink {
    link: PathBuf,
    port: PathBuf,
}

impl PortLink {
    /// Whether a link may be made: there is nothing, or a link to a pseudo-terminal that is gone.
    ///
    /// # Errors
    /// [`PortLinkError`].
    pub fn check(link: &Path) -> Result<(), PortLinkError> {
        stale(link).map(drop)
    }

    /// Makes the link; one to a pseudo-terminal that is gone is replaced.
    ///
    /// # Errors
    /// [`PortLinkError`].
    pub fn new(link: &Path, port: &Path) -> Result<Self, PortLinkError> {
        let failed = |source| PortLinkError::Io { link: link.into(), source };
        if stale(link)? {
            std::fs::remove_file(link).map_err(failed)?;
        }
        match std::os::unix::fs::symlink(port, link) {
            // somebody was quicker
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                stale(link)?;
                Err(PortLinkError::Taken { link: link.into() })
            }
            other => other.map_err(failed),
        }?;
        Ok(PortLink { link: link.into(), port: port.into() })
    }
}

/// Whether there is a link to a pseudo-terminal that is gone; an error if there is anything else.
fn stale(link: &Path) -> Result<bool, PortLinkError> {
    let failed = |source| PortLinkError::Io { link: link.into(), source };
    let taken = || PortLinkError::Taken { link: link.into() };
    match link.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(failed(e)),
        Ok(m) if !m.is_symlink() => return Err(taken()),
        Ok(_) => {}
    }
    let port = std::fs::read_link(link).map_err(failed)?;
    if port.parent() != Some(Path::new(PORTS)) {
        return Err(taken());
    }
    // the system keeps a port for as long as somebody has the other end
    match port.try_exists().map_err(failed)? {
        true => Err(PortLinkError::InUse { link: link.into(), port }),
        false => Ok(true),
    }
}

impl Drop for PortLink {
    fn drop(&mut self) {
        if std::fs::read_link(&self.link).is_ok_and(|port| port == self.port) {
            // nobody is left to tell
            let _ = std::fs::remove_file(&self.link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::pty::Pty;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_link_to_a_port_that_is_gone_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (mine, other) = (Pty::open().unwrap(), Pty::open().unwrap());
        let refused = |link: &Path| {
            let before = std::fs::read_link(link).ok();
            let said = PortLink::new(link, mine.path()).unwrap_err().to_string();
            assert!(said.contains(link.to_str().unwrap()), "{said}");
            assert_eq!(before, std::fs::read_link(link).ok());
            said
        };
        std::fs::write(at("file"), "x").unwrap();
        assert!(refused(&at("file")).contains("no symbolic link"));
        symlink(at("file"), at("elsewhere")).unwrap();
        assert!(refused(&at("elsewhere")).contains("no symbolic link to a port"));
        symlink(at("nothing"), at("dangling")).unwrap();
        assert!(refused(&at("dangling")).contains("no symbolic link to a port"));
        assert!(refused(&at("no/folder")).contains("No such file"));
        assert!(PortLink::check(&at("dangling")).is_err() && PortLink::check(&at("free")).is_ok());

        symlink("/dev/pts/no-such-port", at("stale")).unwrap();
        let link = PortLink::new(&at("stale"), mine.path()).unwrap();
        assert_eq!(std::fs::read_link(at("stale")).unwrap(), mine.path());
        let held = PortLink::new(&at("stale"), other.path()).unwrap_err().to_string();
        assert!(held.contains("in use") && held.contains(mine.path().to_str().unwrap()), "{held}");
        drop(link);
        assert!(!at("stale").is_symlink());
    }

    #[test]
    fn a_link_that_points_elsewhere_by_now_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, pty) = (dir.path().join("link"), Pty::open().unwrap());
        let link = PortLink::new(&path, pty.path()).unwrap();
        std::fs::remove_file(&path).unwrap();
        symlink("/dev/pts/another", &path).unwrap();
        drop(link);
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("/dev/pts/another"));
    }
}
