//! One file a command: arguments, work, report.

pub mod board;
pub mod check;
pub mod compare;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod fft;
pub mod gemm;
pub mod generate;
pub mod plot;
pub mod run;
mod step_time;
pub mod synth;
pub mod train;

use crate::failure::usage;
use anyhow::Result;
use std::path::Path;

/// Creates a new folder for output.
///
/// # Errors   it exists and is not empty: nothing is overwritten
pub fn create_output(dir: &Path) -> Result<()> {
    let occupied = std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_some());
    if occupied || dir.is_file() {
        return Err(usage(format!("{}: exists; nothing is overwritten", dir.display())));
    }
    std::fs::create_dir_all(dir).map_err(|e| usage(format!("{}: {e}", dir.display())))
}

/// Writes a new file.
///
/// # Errors   it cannot be written; what was there stays
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        std::io::Write::write_all(&mut file, content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|e| usage(format!("{}: {e}", path.display())))
}
