//! Whether a shared library is all there: what its headers name lies within the file.

use object::{File, Object, ObjectSection, ObjectSegment};
use std::path::Path;

/// Looks at headers, segments and sections of the library in `file`.
///
/// # Errors   what does not lie within the file
pub fn whole(file: &Path) -> Result<(), String> {
    let say = |what: &str, e: object::Error| format!("{}: {what}: {e}", file.display());
    let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let library = File::parse(&*bytes).map_err(|e| say("headers", e))?;
    for segment in library.segments() {
        segment.data().map_err(|e| say("a segment", e))?;
    }
    for section in library.sections() {
        section.data().map_err(|e| say("a section", e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_cut_anywhere_is_not_whole() {
        // the test itself is a file of the same format
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("model.so");
        std::fs::write(&file, &bytes).unwrap();
        whole(&file).unwrap();
        for len in [bytes.len() - 1, bytes.len() / 2, 4096, 100, 0] {
            std::fs::write(&file, &bytes[..len]).unwrap();
            assert!(whole(&file).is_err(), "{len} of {} bytes", bytes.len());
        }
        assert!(whole(&dir.path().join("none")).is_err());
    }
}
