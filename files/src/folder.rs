//! A folder of files that appear together.

use crate::output::{folder_of, follow};
use crate::temporary::{Temporary, collect, is_temporary, move_new, sync_folder};
use crate::{Existing, FileError};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A folder for output: filled under another name, moved into place by [`commit`](Folder::commit). Dropped before, it leaves
/// nothing behind.
pub struct Folder {
    target: PathBuf,
    staging: Temporary,
    existing: Existing,
    is_new: bool,
}

impl Folder {
    /// Looks whether `path` can be a folder of output, and makes room for its files.
    ///
    /// # Errors   [`FileError`]: it has files that must stay, is a file, or nothing can be written there
    pub fn create(path: &Path, existing: Existing) -> Result<Self, FileError> {
        let target = follow(path)?;
        let is_new = match target.symlink_metadata() {
            Ok(meta) if !meta.is_dir() => return Err(FileError::NotAFolder { path: path.to_owned() }),
            Ok(_) => {
                if existing == Existing::Keep && !is_empty(&target)? {
                    return Err(FileError::NotEmpty { path: path.to_owned() });
                }
                false
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => true,
            Err(e) => return Err(FileError::io(path, e)),
        };
        let place = if is_new { folder_of(&target) } else { &target };
        fs::create_dir_all(place).map_err(|e| FileError::io(place, e))?;
        let staging = Temporary::folder_in(place)?;
        Ok(Folder { target, staging, existing, is_new })
    }

    /// Where files are put until [`commit`](Folder::commit).
    pub fn path(&self) -> &Path {
        &self.staging.path
    }

    /// Adds a file.
    ///
    /// # Errors   [`FileError::Name`], [`FileError::Io`]
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.path().join(crate::plain_name(name)?);
        fs::write(&path, content).map_err(|e| FileError::io(&self.target.join(name), e))
    }

    /// Moves the files into place.
    ///
    /// # Errors   [`FileError`]; files that were there stay, with [`Existing::Replace`] as they were or as they are now
    pub fn commit(mut self) -> Result<(), FileError> {
        let fail = |e| FileError::io(&self.target, e);
        let mut names = vec![];
        for entry in fs::read_dir(self.path()).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            File::open(entry.path()).and_then(|f| f.sync_all()).map_err(fail)?;
            names.push(entry.file_name());
        }
        sync_folder(self.path())?;
        if self.is_new {
            // a folder takes the place of nothing or of an empty one
            match fs::rename(&self.staging.path, &self.target) {
                Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    return Err(FileError::NotEmpty { path: self.target.clone() });
                }
                moved => moved.map_err(fail)?,
            }
            self.staging.owned = false;
            return sync_folder(folder_of(&self.target));
        }
        names.sort();
        let mut moved: Vec<PathBuf> = vec![];
        for name in names {
            let (from, to) = (self.path().join(&name), self.target.join(&name));
            let had = to.symlink_metadata().is_ok();
            let done = match self.existing {
                Existing::Keep => move_new(&from, &to),
                Existing::Replace => fs::rename(&from, &to),
            };
            if let Err(e) = done {
                moved.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(FileError::io(&to, e));
            }
            if !had {
                moved.push(to);
            }
        }
        sync_folder(&self.target)
    }
}

/// Whether a folder has nothing but what was left behind.
fn is_empty(folder: &Path) -> Result<bool, FileError> {
    collect(folder);
    let fail = |e| FileError::io(folder, e);
    for entry in fs::read_dir(folder).map_err(fail)? {
        if !is_temporary(&entry.map_err(fail)?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}
