//! Names that become part of a path.

use crate::FileError;

/// Longest name in bytes: file systems take 255, and endings and numbers are added.
const LONGEST: usize = 200;

/// `name` itself, if it is one component of a path: it cannot lead out of the folder it is joined to.
///
/// # Errors   [`FileError::Name`]: empty, `.` or `..`, with `/` or a control character, or of more than 200 bytes
pub fn plain_name(name: &str) -> Result<&str, FileError> {
    let refused = name.is_empty()
        || name.len() > LONGEST
        || matches!(name, "." | "..")
        || name.contains(|c: char| c == '/' || c.is_control());
    if refused { Err(FileError::Name { name: name.to_owned() }) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["lenet5", "a b", "mod\u{e8}le", "mode\u{300}le", "...", "..x", "-", "75 %"] {
            assert_eq!(plain_name(name).unwrap(), name);
        }
        let long = "x".repeat(201);
        for name in ["", ".", "..", "../../../escape", "/etc", "a/b", "a\nb", "a\0b", &long] {
            assert!(plain_name(name).is_err(), "{name:?}");
        }
    }
}
