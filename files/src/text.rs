//! Texts that people write: configurations.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Longest configuration in bytes.
pub const LONGEST_TEXT: u64 = 1 << 20;

/// The text of a configuration.
///
/// # Errors   it cannot be read, is no UTF-8, or has more than [`LONGEST_TEXT`] bytes: a device such as `/dev/zero` has no end
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LONGEST_TEXT + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST_TEXT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "expected a text of at most 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_end_is_refused() {
        let error = read_text(Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("1 MiB"), "{error}");
        assert_eq!(read_text(Path::new("/dev/null")).unwrap(), "");
    }
}
