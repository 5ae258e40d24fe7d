//! Where programs of the flow are run from.
//!
//! `$TANDEM_FPGA`, else `.venv` in the workspace that this binary was built from, which `make setup-fpga` makes; no other
//! folder, whatever the present one is: a `.venv` that lies somewhere may be anybody's.

use crate::error::SynthError;
use std::path::{Path, PathBuf};
use tandem_files::check_trusted;

/// The workspace's environment.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv");
/// What to do about one that others can write to.
const REMEDY: &str =
    "take it over and `chmod -R go-w` it once you know what is in it, or remove it and run `make setup-fpga`";

/// The environment, if there is one.
///
/// # Errors
/// [`SynthError::Untrusted`] if somebody else than this user and root could have written to its programs.
pub fn environment() -> Result<Option<PathBuf>, SynthError> {
    let set = std::env::var_os("TANDEM_FPGA").filter(|v| !v.is_empty()).map(PathBuf::from);
    let dir = set.unwrap_or_else(|| PathBuf::from(OWN));
    // `bin/..` of a link or of `hw/synth` is not worth showing
    let Ok(dir) = dir.canonicalize() else { return Ok(None) };
    checked(&dir)?;
    Ok(Some(dir))
}

/// Everything that code is loaded from.
fn checked(dir: &Path) -> Result<(), SynthError> {
    let pythons = std::fs::read_dir(dir.join("lib")).into_iter().flatten().flatten();
    let packages = pythons.map(|p| p.path().join("site-packages"));
    let folders = [dir.to_owned(), dir.join("bin"), dir.join("lib")].into_iter().chain(packages);
    for folder in folders.filter(|f| f.exists()) {
        check_trusted(&folder, REMEDY).map_err(SynthError::Untrusted)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn every_folder_of_code_is_looked_at() {
        let dir = tempfile::TempDir::new().unwrap();
        let packages = dir.path().join("lib/python3/site-packages");
        std::fs::create_dir_all(&packages).unwrap();
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap()
        };
        let folders = [dir.path().to_owned(), dir.path().join("bin"), dir.path().join("lib"), packages];
        folders.iter().for_each(|f| set(f, 0o755));
        checked(dir.path()).unwrap();
        for folder in &folders {
            for mode in [0o777, 0o775, 0o1777] {
                set(folder, mode);
                let said = checked(dir.path()).unwrap_err().to_string();
                assert!(said.starts_with(&format!("{}: owned by user", folder.display())), "{said}");
                assert!(
                    said.contains(&format!("mode {mode:04o}")) && said.contains("make setup-fpga"),
                    "{said}"
                );
            }
            set(folder, 0o755);
        }
    }
}
