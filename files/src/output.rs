//! One file.

use crate::temporary::{Temporary, move_new, sync_folder};
use crate::{Existing, FileError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Links that are followed before a path counts as a loop, as in Linux.
const LINKS: usize = 40;

/// A file that will be written, looked at before the work starts.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A regular file, new or to be replaced.
    File(Existing),
    /// Something to write into: FIFO, device, socket.
    Stream,
}

impl Output {
    /// Looks whether `path` can be written.
    ///
    /// # Errors   [`FileError`]: a file that must stay, a folder, or a place where nothing can be written
    pub fn open(path: &Path, existing: Existing) -> Result<Self, FileError> {
        let output = Self::look(path, existing)?;
        if let Kind::File(_) = output.kind {
            drop(output.temporary()?);
        }
        Ok(output)
    }

    /// What lies at `path`; whether a new file can be made beside it is left to the one who makes it.
    fn look(path: &Path, existing: Existing) -> Result<Self, FileError> {
        let target = follow(path)?;
        let kind = match target.symlink_metadata() {
            Ok(meta) if meta.is_dir() => return Err(FileError::IsFolder { path: path.to_owned() }),
            Ok(meta) if !meta.is_file() => {
                rustix::fs::access(&target, rustix::fs::Access::WRITE_OK)
                    .map_err(|e| FileError::io(path, e.into()))?;
                return Ok(Output { target, kind: Kind::Stream });
            }
            Ok(_) if existing == Existing::Keep => return Err(FileError::Exists { path: path.to_owned() }),
            Ok(_) => Kind::File(existing),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Kind::File(existing),
            Err(e) => return Err(FileError::io(path, e)),
        };
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(FileError::io(path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(Output { target, kind })
    }

    /// The file, links followed.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Writes `content`: all of it or, on an error, nothing (into a FIFO or device: as much as it takes).
    ///
    /// # Errors   [`FileError`]; what was there stays
    pub fn write(&self, content: &[u8]) -> Result<(), FileError> {
        match self.kind {
            Kind::Stream => {
                let write = |mut file: File| file.write_all(content);
                OpenOptions::new()
                    .write(true)
                    .open(&self.target)
                    .and_then(write)
                    .map_err(|e| FileError::io(&self.target, e))
            }
            Kind::File(existing) => self.write_file(content, existing),
        }
    }

    /// A file in the same folder. Errors name the output, not its folder.
    fn temporary(&self) -> Result<Temporary, FileError> {
        Temporary::file_in(folder_of(&self.target)).map_err(|e| match e {
            FileError::Io { source, .. } => FileError::io(&self.target, source),
            other => other,
        })
    }

    fn write_file(&self, content: &[u8], existing: Existing) -> Result<(), FileError> {
        let fail = |e| FileError::io(&self.target, e);
        let mut temporary = self.temporary()?;
        temporary.file.write_all(content).map_err(fail)?;
        if existing == Existing::Replace
            && let Ok(old) = self.target.metadata()
        {
            temporary.file.set_permissions(old.permissions()).map_err(fail)?;
        }
        temporary.file.sync_all().map_err(fail)?;
        match existing {
            Existing::Replace => fs::rename(&temporary.path, &self.target).map_err(fail)?,
            Existing::Keep => match move_new(&temporary.path, &self.target) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(FileError::Exists { path: self.target.clone() });
                }
                moved => moved.map_err(fail)?,
            },
        }
        temporary.owned = false;
        sync_folder(folder_of(&self.target))
    }
}

/// Writes `content` to `path`.
///
/// # Errors   as [`Output::open`] and [`Output::write`]
pub fn write(path: &Path, existing: Existing, content: &[u8]) -> Result<(), FileError> {
    Output::look(path, existing)?.write(content)
}

/// Writes `content` to `path`, a file of our own: what was there is replaced atomically.
///
/// # Errors   as [`Output::open`] and [`Output::write`]
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write(path, Existing::Replace, content)
}

/// The folder that `path` is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where `path` leads, links followed, also if nothing is there.
pub(crate) fn follow(path: &Path) -> Result<PathBuf, FileError> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        if !target.is_symlink() {
            return Ok(target);
        }
        let next = fs::read_link(&target).map_err(|e| FileError::io(path, e))?;
        target = folder_of(&target).join(next);
    }
    Err(FileError::io(path, rustix::io::Errno::LOOP.into()))
}
