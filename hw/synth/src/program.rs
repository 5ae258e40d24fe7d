//! A bitstream into a board, by openFPGALoader.

use crate::board::Board;
use crate::error::SynthError;
use crate::tools::{environment, missing};
use std::path::Path;
use std::process::{Command, Stdio};

/// The loader's names: in the environment, on `PATH`.
const LOADERS: [&str; 2] = ["openfpgaloader-cli", "openFPGALoader"];

/// Loads `bitstream` into `board`, by the loader of the environment (as `Tools::find` looks for it, from `from`), else the one on
/// `PATH`. Whatever the loader prints goes to standard error. Returns the loader's command line.
///
/// # Errors
/// [`SynthError::NotProgrammable`] if the board's file names no board of the loader, [`SynthError::Missing`] if there is no
/// loader, [`SynthError::Loader`] if it fails: no board, for instance.
pub fn program(
    board: &Board,
    bitstream: &Path,
    cable: Option<&str>,
    from: &Path,
) -> Result<String, SynthError> {
    let name =
        board.loader.as_ref().ok_or_else(|| SynthError::NotProgrammable { board: board.name.clone() })?;
    let own = environment(from).map(|dir| dir.join("bin").join(LOADERS[0])).filter(|p| p.exists());
    let mut command = own.map_or_else(|| Command::new(LOADERS[1]), Command::new);
    command.args(["--board", name]);
    command.args(cable.iter().flat_map(|c| ["--cable", c]));
    command.arg(bitstream);
    let words = command.get_args().map(|a| a.to_string_lossy());
    let line = std::iter::once(LOADERS[1].into()).chain(words).collect::<Vec<_>>().join(" ");
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    match status {
        Ok(s) if s.success() => Ok(line),
        Ok(s) => Err(SynthError::Loader { command: line, status: s.to_string() }),
        Err(_) => Err(missing(LOADERS[1])),
    }
}
