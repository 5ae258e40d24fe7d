//! TOML files that come with the program.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// The TOML files of `folder` as a Rust expression of the type `&[(&str, &str)]`: names without extension, in order, and
/// contents.
///
/// # Errors   the folder cannot be read, or a name is not Unicode
pub fn embedded(folder: &Path) -> io::Result<String> {
    let folder = folder.canonicalize()?;
    let mut names = vec![];
    for file in fs::read_dir(&folder)? {
        let name = file?.file_name().into_string().map_err(|_| io::ErrorKind::InvalidFilename)?;
        names.extend(name.strip_suffix(".toml").map(str::to_owned));
    }
    names.sort();
    let mut list = "&[\n".to_owned();
    for name in names {
        let _ = writeln!(list, "({name:?}, include_str!({:?})),", folder.join(format!("{name}.toml")));
    }
    Ok(list + "]\n")
}
